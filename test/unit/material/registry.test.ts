import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isMaterialKind, MATERIAL_KINDS, materialKind } from '../../../packages/core/src/material/index.js';
import type { Json } from '../../../packages/core/src/wire.js';
import { importGraph } from '../../support/import-graph.js';
import { refused } from './helpers.js';

/** What signed bytes may hold. */
function isSignable(value: Json): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([key, member]) => /^[\x20-\x7e]+$/.test(key) && isSignable(member));
}


const names = Object.keys(MATERIAL_KINDS);

it('knows every kind of the design', () => {
  expect(names.sort()).toEqual(['ansible-inventory', 'api-key', 'document', 'kubeconfig', 'password', 'pki-intermediate', 'pki-root', 'ssh-ca', 'ssh-key', 'state-key', 'tsig']);
});

describe.each(names)('%s', (name) => {
  it('says of itself what the list says', async () => {
    const kind = await materialKind(name);
    expect(kind).toMatchObject({ kind: name, ...MATERIAL_KINDS[name as keyof typeof MATERIAL_KINDS] });
    expect(kind.generate === undefined).toBe(kind.importOnly);
    expect(Object.values(kind.fields).some((field) => field.private)).toBe(true);
  });

  it('refuses a parameter that it does not know, without saying its value', async () => {
    const kind = await materialKind(name);
    const error = await refused('BAD_VALUE', () => kind.parameters({ secret: 'hunter2' }, 'import'), 'hunter2');
    expect(error.message).toBe(`${name}: secret: no such parameter`);
    expect(error.hint).toContain('import:');
    expect((await refused('BAD_VALUE', () => kind.parameters({ frobnicate: 1 }, 'import'))).hint).toMatch(/parameters/);
  });

  it('completes parameters to something that can be signed', async () => {
    const kind = await materialKind(name);
    const raw = name.startsWith('pki-') ? { subject: { CN: 'ä' }, ...(name === 'pki-root' ? {} : { issuer: 'pki/root' }) } : {};
    for (const origin of ['generate', 'import'] as const) {
      const parameters = kind.parameters(raw, origin);
      expect(isSignable(parameters)).toBe(true);
      expect(kind.parameters(parameters, origin)).toEqual(parameters);
      expect(kind.describe(parameters)).toMatch(/^\S.*\S$/);
    }
  });
});

it('refuses another kind without repeating it', async () => {
  for (const name of ['hunter2', '__proto__', 'constructor', '']) {
    expect(isMaterialKind(name)).toBe(false);
    expect((await refused('BAD_VALUE', () => materialKind(name), 'hunter2')).hint).toContain('pki-root');
  }
});

it('loads no library of a kind, and no YAML, before it is asked for', async () => {
  const index = new URL('../../../packages/core/src/material/index.ts', import.meta.url);
  const graph = await importGraph(index);
  // Who else imports it may come before its polyfill (x509.ts).
  const importers = graph.modules.filter((path) => graph.importsOf(path).includes('@peculiar/x509'));
  expect(importers.map((path) => path.split('/').at(-1))).toEqual(['x509.ts']);
  expect(graph.packagesOf(fileURLToPath(index))).toEqual(['valibot']);
  // The measure itself sees what is loaded later.
  expect(graph.packagesOf(fileURLToPath(index), { later: true })).toEqual(expect.arrayContaining(['@peculiar/x509', 'sshpk', 'yaml', 'node-forge']));
});
