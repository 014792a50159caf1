import { describe, expect, it } from 'vitest';
import { apiKey } from '../../../packages/core/src/material/api-key.js';
import { importedFields } from '../../../packages/core/src/material/index.js';
import { expectBound, failures, generate, read, refused, Secret, take, textOf } from './helpers.js';

const SECRET = '11111111-2222-3333-4444-555555555555';
const PROJECT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
const SCALEWAY = { access: 'SCW12345678901234567', secret: SECRET, project: PROJECT, organization: PROJECT, region: 'fr-par' };

describe('scaleway', () => {
  it('publishes all but the secret', async () => {
    const key = await take(apiKey, importedFields(SCALEWAY), { provider: 'scaleway' });
    expect(key.public).toEqual({ provider: 'scaleway', access: SCALEWAY.access, project: PROJECT, organization: PROJECT, region: 'fr-par' });
    expect(JSON.parse(textOf(key))).toEqual(SCALEWAY);
    for (const [field, value] of Object.entries(SCALEWAY)) expect(read(apiKey, key, field)).toBe(value);
    expect(apiKey.fields['secret']!.private).toBe(true);
    expect(apiKey.fields['access']!.private).toBe(false);
    await expectBound(apiKey, key, await take(apiKey, importedFields({ ...SCALEWAY, access: 'SCW00000000000000000' })));
  });

  it('is told from the access key', async () => {
    expect((await take(apiKey, importedFields({ access: SCALEWAY.access, secret: SECRET }))).public).toEqual({ provider: 'scaleway', access: SCALEWAY.access });
  });

  it('gives the same file for the same key, in whatever order it comes', async () => {
    const reversed = JSON.stringify(Object.fromEntries(Object.entries(SCALEWAY).reverse()), null, 2);
    expect(textOf(await take(apiKey, reversed))).toBe(textOf(await take(apiKey, importedFields(SCALEWAY))));
  });

  it.each([
    [{ access: 'SCW123' }, /access is no/],
    [{ access: 'scw12345678901234567' }, /access is no/],
    [{ secret: 'not-a-uuid' }, /secret is no/],
    [{ project: 'x' }, /project is no/],
    [{ organization: `${PROJECT}0` }, /organization is no/],
    [{ region: 'Paris' }, /region is no/],
  ])('refuses %o', async (change, message) => {
    const error = await refused('BAD_MATERIAL', () => take(apiKey, importedFields({ ...SCALEWAY, ...change }), { provider: 'scaleway' }), SECRET);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain(Object.values(change)[0]);
  });

  it('is described in a few words', async () => {
    expect(apiKey.facts((await take(apiKey, importedFields(SCALEWAY))).public)).toBe('Scaleway API key SCW12345678901234567');
    expect(apiKey.facts((await take(apiKey, 'x')).public)).toBe('API key');
    expect(apiKey.facts((await generate(apiKey)).public)).toBe('random token');
    expect([{}, { provider: 'random' }, { provider: 'scaleway' }, { provider: 'generic' }].map((parameters) => apiKey.describe(parameters))).toEqual(['random token', 'random token', 'API key of Scaleway', 'API key of another provider']);
  });

  it('refuses a bare text', async () => {
    await refused('BAD_MATERIAL', () => take(apiKey, SECRET, { provider: 'scaleway' }), SECRET);
  });

  it('is renewed at Scaleway, not here', async () => {
    const key = await take(apiKey, importedFields(SCALEWAY));
    expect(apiKey.rotation(key.parameters, key.public)).toMatchObject({ how: 'by-hand', words: expect.stringContaining('at Scaleway, by hand') as unknown });
    expect((await refused('BAD_VALUE', () => apiKey.parameters({ provider: 'scaleway' }))).hint).toContain('import:');
  });
});

describe('generic', () => {
  it('keeps a bare token without the line break that echo leaves', async () => {
    const key = await take(apiKey, 'ghp_x\n');
    expect(textOf(key)).toBe('ghp_x');
    expect(read(apiKey, key, 'secret')).toBe('ghp_x');
    expect(key.public).toEqual({ provider: 'generic' });
    expect(await failures(apiKey, key)).toEqual([]);
    expect((await refused('FIELD_NOT_FOUND', () => read(apiKey, key, 'access'))).message).toContain('access');
  });

  it('takes parts', async () => {
    const key = await take(apiKey, importedFields({ access: 'AKIA', secret: 's3cr3t' }), { provider: 'generic' });
    expect(read(apiKey, key, 'secret')).toBe('s3cr3t');
    expect(key.public).toEqual({ provider: 'generic', access: 'AKIA' });
  });

  it.each([
    ['nothing', ''],
    ['two lines', 'one\ntwo\n'],
    ['a broken object', '{"secret": "s3cr3t"'],
    ['an object without a secret', '{"access": "s3cr3t"}'],
    ['an unknown part', '{"secret": "s3cr3t", "s3cr3t": "x"}'],
    ['a part that is no text', '{"secret": ["s3cr3t"]}'],
    ['an empty secret', '{"secret": ""}'],
  ])('refuses %s', async (_title, value) => {
    await refused('BAD_MATERIAL', () => take(apiKey, value), 's3cr3t');
  });
});

describe('random', () => {
  it('makes a token of as many bytes as asked for', async () => {
    const key = await generate(apiKey);
    expect(Buffer.from(textOf(key), 'base64url')).toHaveLength(32);
    expect(key.public).toEqual({ provider: 'random' });
    expect(apiKey.rotation(key.parameters, key.public).how).toBe('generate');
    expect(Buffer.from(textOf(await generate(apiKey, { bytes: 16 })), 'base64url')).toHaveLength(16);
    expect(textOf(await generate(apiKey))).not.toBe(textOf(key));
    expect(await failures(apiKey, key)).toEqual([]);
    expect(await failures(apiKey, { ...key, file: Secret.fromText('') })).not.toEqual([]);
    for (const parameters of [{ bytes: 8 }, { bytes: 1.5 }, { provider: 'generic', bytes: 32 }, { provider: 'aws' }]) await refused('BAD_VALUE', () => apiKey.parameters(parameters, 'import'));
  });
});
