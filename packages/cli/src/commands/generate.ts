/** `generate KIND --out DIR`: material for who has no vault, or not yet. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { importCa, isSecretName, type Material, MATERIAL_KINDS, materialKind, renderSecrets, VaultError } from '@oxp-vault/core';
import type { Command } from 'commander';
import { type Act, collect, examples } from '../command.js';
import type { CliContext } from '../context.js';
import { ioError, mustNotExist, writeNewFile } from '../files/private-file.js';
import { columns } from '../render.js';
import { parseSettings } from '../sealing/settings.js';

interface GenerateOptions {
  readonly out: string;
  readonly name?: string;
  readonly set?: readonly string[];
  readonly issuer?: string;
}

const ISSUER = 'issuer';

export function define(command: Command, act: Act): void {
  const kinds = Object.entries(MATERIAL_KINDS).filter(([, { importOnly }]) => !importOnly).map(([kind, { summary }]) => [kind, summary]);
  examples(
    command
      .description('Makes material into files, readable only by you, without a vault. Nothing existing is overwritten.')
      .argument('<kind>', 'what to make')
      .requiredOption('--out <dir>', 'the directory that the files go to')
      .option('--name <name>', 'the name of the files (default: the kind)')
      .option('--set <key=value>', 'a parameter of the kind; its value may be JSON; subject.CN=… sets one part; repeat', collect)
      .option('--issuer <file>', 'for pki-intermediate: key and certificates of the CA that signs, in one PEM file')
      .addHelpText('after', `\nKinds:\n${columns(kinds, { indent: 2 })}`)
      .action(act(generate)),
    'oxp-vault generate ssh-key --out ./keys --set comment=bootstrap@example.internal',
    'oxp-vault generate pki-root --out ./pki --set subject.CN="Example Root"',
    'oxp-vault generate tsig --out ./dns --set key=external-dns.',
  );
}

async function generate(context: CliContext, kindName: string, options: GenerateOptions): Promise<void> {
  const kind = await materialKind(kindName);
  if (!kind.generate) throw new VaultError('USAGE', `${kindName} cannot be made, only taken in`, { hint: 'Kinds that can be made: oxp-vault help generate' });
  const name = options.name ?? kindName;
  if (!isSecretName(name)) throw new VaultError('BAD_NAME', '--name is no name for files', { hint: 'Lower-case words of a-z 0-9 . _ -, joined by /.' });
  const now = context.clock.now();
  const settings = parseSettings(options.set ?? []);
  const issuer = options.issuer === undefined ? undefined : await readIssuer(resolve(context.io.cwd, options.issuer), now);
  const parameters = kind.parameters(issuer ? { ...settings, issuer: ISSUER } : settings);
  const material = await kind.generate(parameters, { now, name, ...(issuer ? { issuer: async () => issuer } : {}) });
  try {
    await write(context, material, name, options);
  } finally {
    material.file.wipe();
  }
}

async function write(context: CliContext, material: Material, name: string, { out }: GenerateOptions): Promise<void> {
  const rendered = await renderSecrets('files', [{ ...material, name, version: 1, newest: true, retired: false }], { target: 'directory' });
  const files = rendered.type === 'files' ? rendered.files : [{ path: rendered.fileName, bytes: rendered.bytes }];
  const directory = resolve(context.io.cwd, out);
  const targets = files.map((file) => ({ ...file, target: join(directory, file.path) }));
  for (const { target } of targets) await mustNotExist(target);
  for (const { target, bytes, mode } of targets) await writeNewFile(target, bytes, mode);
  const kind = await materialKind(material.kind);
  const written = targets.map(({ target, mode }) => ({ path: target, private: mode !== 0o644 }));
  await context.result(
    { kind: material.kind, parameters: material.parameters, public: material.public, files: written },
    `${name}: ${kind.describe(material.parameters)}\n${columns(written.map((file) => [context.paint.mark('+'), context.path(file.path), file.private ? 'private' : 'public']), { indent: 2 })}`,
  );
}

async function readIssuer(path: string, now: number): Promise<Material> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw ioError('cannot read the issuer', path, error);
  }
  return importCa(bytes, { now, name: ISSUER });
}
