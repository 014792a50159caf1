import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type OpenedSecret, renderSecrets } from '../../../packages/core/src/formats/index.js';
import { failure, opened, said, streamed, streamedText } from './opened.js';

const SECRET = '7d2f5c1e-0b8a-4d3e-9f61-2a4b6c8d0e1f';
const PARTS = {
  access: 'SCWABCDEFGHIJKLMNOPQ',
  project: '11111111-1111-1111-1111-111111111111',
  organization: '22222222-2222-2222-2222-222222222222',
  region: 'nl-ams',
};

function apiKey(parts: Record<string, string>, provider = 'scaleway'): OpenedSecret {
  return opened('scaleway/root', JSON.stringify({ ...parts, secret: SECRET }), { kind: 'api-key', public: { provider, ...parts } });
}

describe('scaleway', () => {
  it('is the default profile', async () => {
    expect(parse(await streamedText('scaleway', [apiKey(PARTS)]))).toEqual({
      access_key: PARTS.access,
      secret_key: SECRET,
      default_organization_id: PARTS.organization,
      default_project_id: PARTS.project,
      default_region: 'nl-ams',
      default_zone: 'nl-ams-1',
    });
  });

  it('leaves out what the key does not say', async () => {
    expect(parse(await streamedText('scaleway', [apiKey({ access: PARTS.access })]))).toEqual({ access_key: PARTS.access, secret_key: SECRET });
  });

  it('is a named profile, made the active one', async () => {
    expect(parse(await streamedText('scaleway', [apiKey({ access: PARTS.access })], { profile: 'prod' }))).toEqual({
      active_profile: 'prod',
      profiles: { prod: { access_key: PARTS.access, secret_key: SECRET } },
    });
  });

  it('takes one key, into a directory too: the file holds one', async () => {
    const two = [apiKey(PARTS), { ...apiKey(PARTS), name: 'scaleway/other' }];
    await expect(renderSecrets('scaleway', two)).rejects.toMatchObject({ code: 'USAGE' });
    await expect(renderSecrets('scaleway', two, { target: 'directory' })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await renderSecrets('scaleway', two.slice(0, 1), { target: 'directory' })).toMatchObject({ type: 'bytes', fileName: 'config.yaml' });
  });

  it('refuses a key of somebody else and a single token', async () => {
    for (const secret of [apiKey(PARTS, 'generic'), opened('token', SECRET, { kind: 'api-key', public: { provider: 'scaleway' } })]) {
      const error = await failure(streamed('scaleway', [secret]));
      expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: `${secret.name} is no Scaleway API key` });
      expect(said(error)).not.toContain(SECRET);
    }
  });
});
