/** Every command in the order of the help. A command's module is loaded only when it is typed: start-up costs what it needs. */
import type { CommandModule } from '../command.js';

export interface CommandRow {
  readonly name: string;
  /** One line, in lower case and without a full stop. */
  readonly summary: string;
  /** Heading in the help. */
  readonly group: 'Start' | 'Secrets' | 'People' | 'Looking' | 'Upkeep' | 'Help';
  load(): Promise<CommandModule>;
}

export const COMMANDS: readonly CommandRow[] = [
  { name: 'init', group: 'Start', summary: 'make a vault', load: () => import('./init.js') },
  { name: 'identity', group: 'Start', summary: 'make, show or re-lock the identity of this device', load: () => import('./identity.js') },

  { name: 'seal', group: 'Secrets', summary: 'make or take in what is missing, or a new version', load: () => import('./seal.js') },
  { name: 'open', group: 'Secrets', summary: 'get a secret, or all that a role reads', load: () => import('./open.js') },
  { name: 'list', group: 'Secrets', summary: 'all secrets at their newest versions', load: () => import('./list.js') },
  { name: 'show', group: 'Secrets', summary: 'everything about one secret but its value', load: () => import('./show.js') },
  { name: 'edit', group: 'Secrets', summary: 'change a secret in your editor', load: () => import('./edit.js') },
  { name: 'rotate', group: 'Secrets', summary: 'make the next version', load: () => import('./rotate.js') },
  { name: 'retire', group: 'Secrets', summary: 'say that an old version is deployed nowhere any more', load: () => import('./retire.js') },
  { name: 'import', group: 'Secrets', summary: 'take over what is kept in SOPS', load: () => import('./import.js') },
  { name: 'generate', group: 'Secrets', summary: 'make material without a vault', load: () => import('./generate.js') },
  { name: 'exec', group: 'Secrets', summary: 'run a program with secrets in its environment', load: () => import('./exec.js') },
  { name: 'agent', group: 'Secrets', summary: 'unlock once, open for hours', load: () => import('./agent.js') },
  { name: 'terraform', group: 'Secrets', summary: 'what Terraform and OpenTofu start by themselves, and how to tell them', load: () => import('./terraform.js') },
  { name: 'ansible', group: 'Secrets', summary: 'what Ansible starts by itself', load: () => import('./ansible.js') },

  { name: 'member', group: 'People', summary: 'add and remove people', load: () => import('./member.js') },
  { name: 'device', group: 'People', summary: 'your own devices, the one in the safe included', load: () => import('./device.js') },
  { name: 'policy', group: 'People', summary: 'show, propose and sign the rules', load: () => import('./policy.js') },
  { name: 'role', group: 'People', summary: 'the keys of teams', load: () => import('./role.js') },
  { name: 'custody', group: 'People', summary: 'who holds shares of what, and whether they open', load: () => import('./custody.js') },
  { name: 'standing', group: 'People', summary: 'machines that open secrets without a record', load: () => import('./standing.js') },
  { name: 'handover', group: 'People', summary: 'hand secrets over to another team, with receipts', load: () => import('./handover.js') },

  { name: 'status', group: 'Looking', summary: 'what waits for you, what is stale or due', load: () => import('./status.js') },
  { name: 'exposure', group: 'Looking', summary: 'who could still know what', load: () => import('./exposure.js') },
  { name: 'drill', group: 'Looking', summary: 'show that everything of yours still opens', load: () => import('./drill.js') },
  { name: 'check', group: 'Looking', summary: 'verify everything, for CI', load: () => import('./check.js') },
  { name: 'audit', group: 'Looking', summary: 'read, verify, prove and export the log', load: () => import('./audit.js') },

  { name: 'sync', group: 'Upkeep', summary: 'send what waits here, take over a copy, put a good state back', load: () => import('./sync.js') },
  { name: 'clone', group: 'Upkeep', summary: 'copy the vault to another place, or move it', load: () => import('./clone.js') },
  { name: 'gc', group: 'Upkeep', summary: 'remove files that the log does not name', load: () => import('./gc.js') },

  { name: 'completion', group: 'Help', summary: 'print the completion script of a shell', load: () => import('./completion.js') },
  { name: 'help', group: 'Help', summary: 'explain a command, an error code or the exit codes', load: () => import('./help.js') },
];
