import { VaultError } from '../errors.js';
import { isMaterialKind, MATERIAL_KINDS, type MaterialKindName } from './kinds.js';
import type { GenerateContext, Material, MaterialKind, Rotation } from './material.js';

/** Each kind's module is loaded when it is first asked for: opening a secret must not pay for X.509. */
const LOADERS: Readonly<Record<MaterialKindName, () => Promise<MaterialKind>>> = {
  'pki-root': async () => (await import('./pki.js')).pkiRoot,
  'pki-intermediate': async () => (await import('./pki.js')).pkiIntermediate,
  'ssh-key': async () => (await import('./ssh.js')).sshKey,
  'ssh-ca': async () => (await import('./ssh.js')).sshCa,
  tsig: async () => (await import('./tsig.js')).tsig,
  'state-key': async () => (await import('./state-key.js')).stateKey,
  'api-key': async () => (await import('./api-key.js')).apiKey,
  kubeconfig: async () => (await import('./kubeconfig.js')).kubeconfig,
  'ansible-inventory': async () => (await import('./ansible-inventory.js')).ansibleInventory,
  password: async () => (await import('./password.js')).password,
  document: async () => (await import('./document.js')).document,
};

/** The kind of that name. Throws BAD_VALUE for a name that is none. */
export async function materialKind(name: string): Promise<MaterialKind> {
  if (!isMaterialKind(name)) throw unknownKind();
  return LOADERS[name]();
}

/** Takes in a CA of which nobody said whether it is a root: its certificate does. Throws BAD_MATERIAL like the import of either kind. */
export async function importCa(bytes: Uint8Array, context: GenerateContext): Promise<Material> {
  const { caKindOf } = await import('./pki-import.js');
  const kind = await materialKind(caKindOf(bytes));
  return kind.import(bytes, kind.parameters({}, 'import'), context);
}

/** How a version gets its next value, also where this release does not know its kind. */
export async function rotationOf({ kind, parameters, public: parts }: Pick<Material, 'kind' | 'parameters' | 'public'>): Promise<Rotation> {
  if (!isMaterialKind(kind)) return { how: 'by-hand', words: 'make a new value where it comes from' };
  return (await materialKind(kind)).rotation(parameters, parts);
}

/** BAD_VALUE; without the name, since somebody may have put anything there. */
export function unknownKind(): VaultError {
  return new VaultError('BAD_VALUE', 'there is no such kind of material', { hint: `kinds: ${Object.keys(MATERIAL_KINDS).join(', ')}` });
}
