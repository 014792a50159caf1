import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FORMAT_NAMES, formatsFor, outputFormat, outputFormats, renderSecrets } from '../../../packages/core/src/formats/index.js';
import { importGraph } from '../../support/import-graph.js';
import { failure, opened } from './opened.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe('registry', () => {
  it('knows each format by its own name, with a summary', async () => {
    const formats = await outputFormats();
    expect(formats.map((format) => format.name)).toEqual(FORMAT_NAMES);
    for (const format of formats) expect(format.summary).toMatch(/^.{10,90}$/);
  });

  it.each(['xml', 'toString', '__proto__', ''])('has no format %j', async (name) => {
    const error = await failure(outputFormat(name));
    expect(error.code).toBe('USAGE');
    expect(error.hint).toContain('raw, json, yaml, env, files, tfvars, k8s-secret, bind');
  });

  it('says which formats take a kind', async () => {
    expect(await formatsFor('tsig')).toEqual(['raw', 'json', 'yaml', 'env', 'files', 'tfvars', 'k8s-secret', 'bind', 'external-dns', 'github-actions']);
    expect(await formatsFor('password')).not.toContain('bind');
  });

  it('loads no package for plain bytes, nor for the list of formats', async () => {
    const formats = at('../../../packages/core/src/formats/');
    const graph = await importGraph(pathToFileURL(`${formats}index.ts`));
    const loaded = (name: string): string[] => {
      expect(graph.modules).toContain(`${formats}${name}.ts`);
      return graph.packagesOf(`${formats}${name}.ts`);
    };
    expect(loaded('index')).toEqual([]);
    // valibot comes with the foundation (wire.ts) and is always there.
    for (const name of FORMAT_NAMES) expect(loaded(name).filter((found) => found !== 'valibot'), name).toEqual([]);
    // The walk does find what is imported.
    expect(loaded('pfx')).toEqual(['node-forge']);
  });
});

describe('what is refused before a format runs', () => {
  it('nothing to show', async () => {
    await expect(renderSecrets('json', [])).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('several secrets to a stream of one', async () => {
    const error = await failure(renderSecrets('raw', [opened('a'), opened('b'), opened('c')]));
    expect(error).toMatchObject({ code: 'USAGE', message: 'the format raw takes one secret, not 3' });
  });

  it.each([
    ['bind', 'tsig'],
    ['external-dns', 'tsig'],
    ['openssh', 'ssh-key, ssh-ca'],
    ['pem', 'pki-root, pki-intermediate'],
    ['p12', 'pki-root, pki-intermediate'],
    ['scaleway', 'api-key'],
  ])('%s for another kind than %s, naming the formats that suit', async (format, kinds) => {
    const error = await failure(renderSecrets(format, [opened('a/b', 'hunter2', { kind: 'password' })]));
    expect(error.code).toBe('FORMAT_UNSUITABLE');
    expect(error.message).toContain('a/b is of kind password');
    expect(error.message).toContain(format);
    expect(error.hint).toBe(`It takes ${kinds}. Formats for password: raw, json, yaml, env, files, tfvars, k8s-secret, github-actions.`);
  });

  it('a field where the whole is shown', async () => {
    const error = await failure(renderSecrets('bind', [opened('a', 'x', { kind: 'tsig', field: 'secret' })]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    expect(error.hint).toContain('#secret');
  });

  it('a field that the kind does not have', async () => {
    for (const field of ['nothing', 'constructor', '__proto__']) {
      const error = await failure(renderSecrets('raw', [opened('a', 'x', { field })]));
      expect(error).toMatchObject({ code: 'FIELD_NOT_FOUND' });
      expect(error.hint).toContain('content');
    }
  });

  it('the same secret twice', async () => {
    await expect(renderSecrets('env', [opened('a'), opened('a')])).rejects.toMatchObject({ code: 'USAGE' });
    const twice = opened('a', 'x', { kind: 'tsig' });
    await expect(renderSecrets('bind', [twice, twice])).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('options', () => {
  it('that a format does not take are refused', async () => {
    const error = await failure(renderSecrets('json', [opened('a')], { prefix: 'X_' }));
    expect(error).toMatchObject({ code: 'USAGE', message: 'the format json takes no option prefix' });
    const unknown: object = { namespce: 'x' };
    expect((await failure(renderSecrets('k8s-secret', [opened('a')], unknown))).hint).toBe('k8s-secret takes: namespace, secretName.');
  });

  it.each([
    ['env', 'prefix', '1A'],
    ['env', 'prefix', 'A;rm '],
    ['env', 'prefix', ''],
    ['tfvars', 'prefix', 'a-b'],
    ['k8s-secret', 'namespace', 'Upper'],
    ['k8s-secret', 'namespace', 'a.b'],
    ['k8s-secret', 'namespace', '-a'],
    ['k8s-secret', 'namespace', 'a'.repeat(64)],
    ['k8s-secret', 'secretName', 'a..b'],
    ['k8s-secret', 'secretName', 'a\nb'],
    ['k8s-secret', 'secretName', 'a'.repeat(254)],
    ['github-actions', 'githubKey', 'AAAA'],
    ['github-actions', 'githubKeyId', 'a"b'],
  ])('%s refuses %s %j', async (format, option, value) => {
    const error = await failure(renderSecrets(format, [opened('a')], { githubKey: `${'A'.repeat(42)}E=`, githubKeyId: '1', ...onlyFor(format), [option]: value }));
    expect(error).toMatchObject({ code: 'BAD_VALUE', message: `the option ${option} is not well formed` });
  });
});

/** Takes back the options that only github-actions has. */
function onlyFor(format: string): object {
  return format === 'github-actions' ? {} : { githubKey: undefined, githubKeyId: undefined };
}
