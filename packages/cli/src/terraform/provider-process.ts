/** `terraform-provider-oxpvault`: what Terraform starts, and what a person starts with --reattach. */
import { PROVIDER_SOURCE, providerHandlers, readHandshake, servePlugin, serveReattach, vaultProvider, type Connect } from '@oxp-vault/terraform-hooks/provider';
import { VaultError } from '@oxp-vault/core';
import { EXIT_USAGE } from '../exit-codes.js';
import type { Io } from '../io.js';

const EXIT_FAILED = 1;

const BY_HAND = `This is a provider: Terraform or OpenTofu starts it, once it is told where it lies (docs/terraform.md).
To have one that is unlocked once and stays until Ctrl-C: terraform-provider-oxpvault --reattach [SOURCE]
`;

/** Resolves to an exit code, or to undefined while it serves. */
export async function providerProcess(argv: readonly string[], io: Io): Promise<number | undefined> {
  try {
    const handshake = readHandshake(io.env);
    if (handshake) {
      await servePlugin(providerHandlers(vaultProvider(lazily(async () => (await import('./provider-host.js')).unattendedConnect(io)))), handshake, (line) => io.stdout.write(line));
      return undefined;
    }
    const [flag, source = PROVIDER_SOURCE, ...more] = argv;
    if (flag !== '--reattach' || more.length > 0) {
      await io.stderr.write(BY_HAND);
      return flag === undefined ? EXIT_FAILED : EXIT_USAGE;
    }
    await reattach(io, source);
    return undefined;
  } catch (error) {
    const { code, message, hint } = error instanceof VaultError ? error : new VaultError('INTERNAL', 'the provider failed');
    await io.stderr.write(`terraform-provider-oxpvault: ${code}: ${message}${hint === undefined ? '' : `. ${hint}`}\n`);
    return EXIT_FAILED;
  }
}

/** The vault and all that it needs are loaded when the first secret is asked for: most starts only tell what the provider can do. */
function lazily(load: () => Promise<Connect>): Connect {
  let loaded: Promise<Connect> | undefined;
  return async (settings) => (await (loaded ??= load()))(settings);
}

async function reattach(io: Io, source: string): Promise<void> {
  const { attendedConnect } = await import('./provider-host.js');
  const connect = await attendedConnect(io);
  const value = await serveReattach(source, providerHandlers(vaultProvider(connect)));
  process.on('SIGINT', () => process.exit(0));
  await io.stdout.write(`export TF_REATTACH_PROVIDERS='${value}'\n`);
  await io.stderr.write('Unlocked, until Ctrl-C. In the shell where you run terraform, type the line above.\n');
}
