import { VaultError } from '../errors.js';
import { utf8 } from '../primitives/hash.js';
import type { JsonObject } from '../wire.js';
import type { OutputFormat } from './format.js';
import { partText } from './parts.js';

/**
 * The `config.yaml` of scw, of Scaleway's SDKs and of its Terraform provider. Without a profile the key stands at the top, which is
 * the default profile; with one, below `profiles`, and that profile is the active one.
 */
export const scaleway: OutputFormat = {
  name: 'scaleway',
  summary: 'a Scaleway config.yaml, for ~/.config/scw/config.yaml',
  kinds: ['api-key'],
  single: true,
  wholeOnly: true,
  options: ['profile'],
  async render(secrets, { profile }) {
    const [secret] = secrets;
    if (secret === undefined || secrets.length !== 1) {
      throw new VaultError('USAGE', 'a Scaleway config.yaml takes one key', { hint: 'Open them one at a time.' });
    }
    const accessKey = text(secret.public, 'access');
    if (secret.public['provider'] !== 'scaleway' || accessKey === undefined) {
      throw new VaultError('FORMAT_UNSUITABLE', `${secret.name} is no Scaleway API key`, { hint: 'For a single token use raw, env or json.' });
    }
    const region = text(secret.public, 'region');
    const key = defined({
      access_key: accessKey,
      secret_key: await partText(secret, 'secret'),
      default_organization_id: text(secret.public, 'organization'),
      default_project_id: text(secret.public, 'project'),
      default_region: region,
      // Else the tools assume fr-par-1, also beside another region.
      default_zone: region === undefined ? undefined : `${region}-1`,
    });
    const { yamlText } = await import('./yaml-text.js');
    const config = profile === undefined ? key : { active_profile: profile, profiles: { [profile]: key } };
    return { type: 'bytes', bytes: utf8(yamlText(config)), fileName: 'config.yaml' };
  },
};

function text(parts: JsonObject, name: string): string | undefined {
  const value = parts[name];
  return typeof value === 'string' ? value : undefined;
}

function defined(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
