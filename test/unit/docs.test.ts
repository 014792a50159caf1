/** The documents say what is there: every kind, field, format and dependency, links that lead somewhere, commands that exist. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Act } from '../../packages/cli/src/command.js';
import { COMMANDS } from '../../packages/cli/src/commands/index.js';
import { exitCodes } from '../../packages/cli/src/exit-codes.js';
import { commandIn, createShell } from '../../packages/cli/src/shell.js';
import { ERROR_CODES } from '../../packages/core/src/error-codes.js';
import { isVaultError } from '../../packages/core/src/errors.js';
import { FORMAT_NAMES, outputFormat } from '../../packages/core/src/formats/index.js';
import type { OutputFormat } from '../../packages/core/src/formats/index.js';
import { MATERIAL_KINDS, type MaterialKindName } from '../../packages/core/src/material/kinds.js';
import type { MaterialKind } from '../../packages/core/src/material/material.js';
import { materialKind } from '../../packages/core/src/material/registry.js';
import { isOp, machinesMay } from '../../packages/core/src/ops.js';
import { anchorsOf, codeOf, commandsIn, documents, linksOf, read, root, section, tableRows } from '../support/markdown.js';

const kinds = Object.keys(MATERIAL_KINDS) as MaterialKindName[];
const code = (cell: string): string => /^`#?([^`]+)`$/.exec(cell)?.[1] ?? '';

describe('docs/materials.md', () => {
  const text = read('docs/materials.md');

  describe.each(kinds)('%s', (name) => {
    const own = section(text, name);
    const rows = tableRows(own);
    let kind: MaterialKind;
    beforeAll(async () => void (kind = await materialKind(name)));

    it('has a row for each field that says whether it is private, and for no other', () => {
      const said = rows.filter(([cell]) => cell?.startsWith('`#')).map(([cell, privacy]) => [code(cell!), privacy]);
      expect(said).toEqual(Object.entries(kind.fields).map(([field, { private: secret }]) => [field, secret ? 'private' : 'public']));
    });

    it('has a row for each parameter, and for no other', () => {
      const said = rows.filter(([cell]) => /^`[a-z]/.test(cell!)).flatMap(([cell]) => cell!.split(', ').map(code));
      expect(said.toSorted()).toEqual(parametersOf(kind).toSorted());
    });

    it('names the fields of an import', () => {
      for (const field of Object.keys(kind.importFields ?? {})) expect(own).toContain(`\`${field}\``);
      if (kind.importOnly) expect(own).toContain('Imported only');
    });

    it('says how it is rotated', () => {
      const raw = kind.importOnly ? {} : generatorParameters(name);
      const { how } = kind.rotation(kind.parameters(raw, kind.importOnly ? 'import' : 'generate'), { provider: 'random' });
      // Kinds that say "everything as for" another leave it there.
      const said = own.includes('Rotation:') ? own : section(text, name === 'ssh-ca' ? 'ssh-key' : 'pki-root');
      expect(/Rotation:[^.]*/.exec(said)?.[0]).toContain(how.replace('-', ' '));
    });
  });

  it('has no section for a kind that is none', () => {
    const headings = [...text.matchAll(/^## ([a-z].*)$/gm)].map((match) => match[1]);
    expect(headings).toEqual(kinds);
  });

  it('has a row for each format with its kinds and options, in the order of the help', async () => {
    const rows = tableRows(section(text, 'Output formats')).slice(2);
    const formats: OutputFormat[] = await Promise.all(FORMAT_NAMES.map(outputFormat));
    expect(rows.map((cells) => cells.slice(0, 3))).toEqual(
      formats.map(({ name, kinds: only, options }) => [`\`${name}\``, only?.join(', ') ?? 'any', options?.map((option) => `\`${option}\``).join(', ') ?? 'none']),
    );
  });
});

/** The names that a kind's own hint lists when it is given one that it does not know. */
function parametersOf(kind: MaterialKind): string[] {
  try {
    kind.parameters({ 'no-such': 'x' }, 'import');
  } catch (error) {
    if (isVaultError(error, 'BAD_VALUE')) return error.hint?.startsWith('parameters: ') ? error.hint.slice('parameters: '.length).split(', ') : [];
    throw error;
  }
  throw new Error(`${kind.kind} takes any parameter`);
}

function generatorParameters(name: MaterialKindName): Record<string, string | { CN: string }> {
  if (name === 'pki-root') return { subject: { CN: 'Example' } };
  return name === 'pki-intermediate' ? { subject: { CN: 'Example' }, issuer: 'pki/root' } : {};
}

describe('docs/format.md', () => {
  const said = [...read('docs/format.md').matchAll(/^\| `([a-z]+\.[a-z]+)`( \*m\*)? \|/gm)].map(([, op, machines]) => ({ op: op!, machines: machines !== undefined }));

  it('has a row for each op, and for no other', () => {
    const ops = [...read('packages/core/src/ops.ts').matchAll(/^ {2}'([a-z]+\.[a-z]+)': /gm)].map(([, op]) => op!);
    expect(ops.length).toBeGreaterThan(20);
    expect(said.map(({ op }) => op)).toEqual(ops);
  });

  it.each(said)('says of $op whether a machine may', ({ op, machines }) => {
    expect(isOp(op) && machinesMay(op)).toBe(machines);
  });
});

describe('docs/dependencies.md', () => {
  const rows = tableRows(read('docs/dependencies.md')).filter(([name, version]) => name?.startsWith('`') && /^\d/.test(version ?? ''));
  const said = rows.map(([name, version]) => `${code(name!)} ${version}`).toSorted();

  it('has a row for each dependency at its version, and for no other', () => {
    expect(said).toEqual([...new Set(dependencies())].toSorted());
  });
});

function dependencies(): string[] {
  const manifests = ['package.json', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`)].filter((path) => existsSync(join(root, path)));
  return manifests.flatMap((path) => {
    const { dependencies: runtime, devDependencies: dev } = JSON.parse(read(path)) as Record<string, Record<string, string> | undefined>;
    return Object.entries({ ...runtime, ...dev }).filter(([name]) => !name.startsWith('@oxp-vault/')).map(([name, version]) => `${name} ${version}`);
  });
}

describe.each(documents())('%s', (path) => {
  it('links only to what is there', () => {
    const broken = linksOf(read(path)).filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(path, target));
    expect(broken).toEqual([]);
  });
});

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? from : join(dirname(from), file);
  return existsSync(join(root, to)) && (anchor === undefined || anchorsOf(read(to)).includes(anchor));
}

const told = documents()
  .map((path) => ({ path, commands: codeOf(read(path)).flatMap(commandsIn).filter((words) => words.length > 0) }))
  .filter(({ commands }) => commands.length > 0);

it('the README and the recipes tell people what to type', () => {
  for (const path of ['README.md', 'docs/daily.md']) expect(told.find((document) => document.path === path)?.commands.length).toBeGreaterThan(20);
});

describe.each(told)('the commands in $path', ({ commands }) => {
  it('exist, with the options that they are given', async () => {
    const wrong: string[] = [];
    for (const words of commands) {
      const fault = await faultOf(words);
      if (fault !== undefined) wrong.push(`oxp-vault ${words.join(' ')}: ${fault}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** What the real command line says to these words, without acting on them. Undefined: it takes them. */
async function faultOf(words: readonly string[]): Promise<string | undefined> {
  let acted = false;
  const act: Act = () => async () => void (acted = true);
  const shell = createShell(act, { out: '', err: '' }, 100);
  const name = commandIn(shell.program, words);
  if (name !== undefined && isCommand(name)) await shell.load(name);
  try {
    await shell.program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!isCommanderError(error)) throw error;
    // A command named in a sentence, without what it takes; --version and --help.
    const mention = words.every((word) => /^[a-z-]+$/.test(word)) && /^commander\.(help|missingArgument|missingMandatoryOptionValue)$/.test(error.code);
    return mention || error.exitCode === 0 ? undefined : error.message;
  }
  if (name === 'help') return helpFault(words.slice(words.indexOf('help') + 1));
  return acted ? undefined : 'nothing would happen';
}

/** commander itself belongs to the command's package, so its class cannot be imported here. */
function isCommanderError(error: unknown): error is Error & { code: string; exitCode: number } {
  return error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.');
}

function helpFault([topic]: readonly string[]): string | undefined {
  const known = topic === undefined || /^(COMMAND|CODE|ERROR-CODE|exit-codes)$/.test(topic) || isCommand(topic) || Object.hasOwn(ERROR_CODES, topic);
  return known ? undefined : 'no such topic';
}

function isCommand(name: string): boolean {
  return COMMANDS.some((row) => row.name === name);
}

describe('README.md', () => {
  const text = read('README.md');

  it('lists as missing no command that is there', () => {
    const named = codeOf(section(text, 'Not in this release')).filter((word) => /^[a-z]+$/.test(word));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(isCommand)).toEqual([]);
  });

  it('leads to every document', () => {
    const there = documents().filter((path) => /^(docs\/[^/]+|[A-Z]+)\.md$/.test(path) && path !== 'README.md');
    expect(there.filter((path) => !linksOf(section(text, 'Documents')).includes(path))).toEqual([]);
  });

  it.each(['README.md', 'docs/format.md'])('%s names every exit code up to 9', (path) => {
    for (const { code: number } of exitCodes().filter((exit) => exit.code < 10)) expect(read(path)).toMatch(new RegExp(`(?:[ |]|^)${number} `, 'm'));
  });
});

describe('reading commands out of documents', () => {
  it.each([
    ['carol$ oxp-vault open a/b | cat', [['open', 'a/b']]],
    ['oxp-vault open a#b  # words', [['open', 'a#b']]],
    ['export X="$(oxp-vault open a/b)" Y=<(oxp-vault list)', [['open', 'a/b'], ['list']]],
    [`oxp-vault seal x --set subject.CN="A B" --set permit='["c"]'; rm x`, [['seal', 'x', '--set', 'subject.CN=A B', '--set', 'permit=[c]']]],
    ['# oxp-vault identity of nobody', []],
    ['vault: oxp-vault.yaml and @oxp-vault/core', []],
  ])('%s', (line, words) => expect(commandsIn(line)).toEqual(words));

  it('takes fenced, indented and inline code, and no prose', () => {
    expect(codeOf('oxp-vault is\n\n    oxp-vault a \\\n      b\n\n```\noxp-vault c\n```\nSay `oxp-vault\nd` now.').filter((line) => line !== '')).toEqual(['oxp-vault a b', 'oxp-vault c', 'oxp-vault d']);
  });

  it('finds fault with what does not exist', async () => {
    expect(await faultOf(['open', 'a', '--nope'])).toContain('--nope');
    expect(await faultOf(['nope'])).toBeDefined();
    expect(await faultOf(['policy', 'nope'])).toBeDefined();
    expect(await faultOf(['show', 'a', 'b'])).toBeDefined();
    expect(await faultOf(['completion', 'tcsh'])).toBeDefined();
    expect(await faultOf(['help', 'NO_SUCH_CODE'])).toBeDefined();
    expect(await faultOf(['generate', 'tsig'])).toBeUndefined();
    expect(await faultOf(['generate', 'tsig', '--set', 'a=b'])).toContain('--out');
  });
});
