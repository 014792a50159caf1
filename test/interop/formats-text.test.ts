/** json, yaml, env and tfvars, read by the programs they are for. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { opened, streamed, streamedText } from '../unit/formats/opened.js';

/** What shells, YAML and HCL would each take apart. */
const NASTY: Readonly<Record<string, string>> = {
  plain: 'q83v/+==',
  empty: '',
  shell: `it's "$HOME" \`id\` $(id) \\ !! ; & | > < * ? ~ #`,
  lines: '-----BEGIN X-----\nline\n\n  indented\n-----END X-----\n',
  nonewline: 'a\nb',
  blank: ' \n\t\n ',
  carriage: 'a\r\nb\r\n',
  template: '${1+1} %{if true}y%{endif} $${z} {{ x }}',
  boolean: 'yes',
  octal: '0123',
  sexagesimal: '1:20',
  unicode: 'é 日本 \u{1f600} \u2028 \u0085 \ufeff',
  dash: '- a: [b, {c}]',
};

const secrets = Object.entries(NASTY).map(([name, value]) => opened(`x/${name}`, value));

describeWith(['python3'], 'yaml, read by PyYAML', ({ python3 }) => {
  it('keeps every value', async (context) => {
    const known = await run(python3, ['-c', 'import yaml']);
    if (known.code !== 0) context.skip('skipped: needs the Python package PyYAML (Debian package python3-yaml)');
    const yaml = await streamed('yaml', [...secrets, opened('on', 'a'), opened('null', 'b'), opened('z', Uint8Array.of(255, 0))]);
    const { text } = await mustRun(python3, ['-c', 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer)))'], { input: yaml });
    const expected = Object.fromEntries(Object.entries(NASTY).map(([name, value]) => [`x/${name}`, value]));
    expect(JSON.parse(text)).toEqual({ ...expected, on: 'a', null: 'b', z: { base64: '/wA=' } });
  });
});

/** Prints the variables NUL-separated, since values hold newlines. */
const PRINT = `printf '%s\\0' ${Object.keys(NASTY).map((name) => `"$X_${name.toUpperCase()}"`).join(' ')}`;

async function exported(shell: string): Promise<string[]> {
  const directory = tempDir();
  writeFileSync(join(directory, 'secrets.env'), await streamed('env', secrets));
  writeFileSync(join(directory, 'print'), PRINT);
  // A child prints them: that shows that they are exported, not only set.
  const { text } = await mustRun(shell, ['-c', 'set -a; . ./secrets.env; exec sh ./print'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C.UTF-8' },
  });
  return text.split('\0').slice(0, -1);
}

describeWith(['zsh'], 'env, sourced by zsh', ({ zsh }) => {
  it('exports every value', async () => {
    expect(await exported(zsh)).toEqual(Object.values(NASTY));
  });
});

describeWith(['bash'], 'env, sourced by bash and by sh', ({ bash }) => {
  it.each([['sh'], [bash]])('%s exports every value', async (shell) => {
    expect(await exported(shell)).toEqual(Object.values(NASTY));
  });

  it('runs nothing', async () => {
    const directory = tempDir();
    const values = ['$(touch hit)', '`touch hit`', '; touch hit', "'; touch hit; '", '\n touch hit\n', '&& touch hit', '"; touch hit; "'];
    writeFileSync(join(directory, 'secrets.env'), await streamed('env', values.map((value, index) => opened(`v${index}`, value))));
    await mustRun(bash, ['-c', 'set -a; . ./secrets.env; test ! -e hit'], { cwd: directory });
  });
});

it('dotenv readers take single-quoted values that hold no quote themselves', async () => {
  const text = await streamedText('env', secrets.filter((secret) => !NASTY[secret.name.slice(2)]!.includes("'") && secret.name !== 'x/carriage'));
  const parsed = parseEnv(text);
  expect(parsed['X_LINES']).toBe(NASTY['lines']);
  expect(parsed['X_PLAIN']).toBe(NASTY['plain']);
  expect(parsed['X_TEMPLATE']).toBe(NASTY['template']);
});

describeWith(['terraform'], 'tfvars, read by Terraform', ({ terraform }) => {
  it('keeps every value', async () => {
    const directory = tempDir();
    // Terraform normalizes; what it would change is refused before (unit test).
    const names = Object.keys(NASTY);
    writeFileSync(join(directory, 'main.tf'), names.map((name) => `variable "x_${name}" {\n  type = string\n}\n`).join(''));
    writeFileSync(join(directory, 'secrets.auto.tfvars.json'), await streamed('tfvars', secrets));
    const { text } = await mustRun(terraform, ['console'], {
      cwd: directory,
      env: { PATH: process.env['PATH'], HOME: directory, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null' },
      input: `jsonencode([${names.map((name) => `base64encode(var.x_${name})`).join(', ')}])\n`,
    });
    const encoded = JSON.parse(JSON.parse(text) as string) as string[];
    expect(encoded.map((value) => Buffer.from(value, 'base64').toString())).toEqual(Object.values(NASTY));
  });
});
