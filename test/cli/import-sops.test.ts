import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SOPS_KEY, sopsText, sopsVector } from '../support/sops.js';
import { generateAgeIdentity } from '../../packages/core/src/primitives/age.js';
import { owner, type VaultOwner } from './person.js';

const STRANGER = await generateAgeIdentity();

async function withFile(name = 'types.yaml', to = name): Promise<VaultOwner> {
  const alice = await owner();
  copyFileSync(sopsVector(name), join(alice.work, to));
  copyFileSync(sopsVector('keys.txt'), join(alice.work, 'keys.txt'));
  return alice;
}

const size = async (alice: VaultOwner): Promise<number> => (JSON.parse((await alice.must(['audit', 'log', '--json'])).text) as { entries: unknown[] }).entries.length;
/** Everything below the vault and the local state, as text. */
function everything(alice: VaultOwner): string {
  return [join(alice.work, 'vault'), alice.at('.local')].flatMap((directory) => readdirSync(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

describe('import sops', () => {
  it('seals the whole file as one document, which is what sops would decrypt', async () => {
    const alice = await withFile('types.json', 'config.enc.json');
    const done = await alice.must(['import', 'sops', 'config.enc.json', '--key', 'keys.txt']);
    expect(done.text).toMatch(/^\+ config {3}v1 {3}document, \d+ bytes, imported {3}-> team\n1 sealed, 0 unchanged, 0 not given\. Log: 4 entries/);
    expect(done.stderr).toContain('config.enc.json: decrypted, and its MAC is that of exactly these values.\n');
    expect(done.stderr).toContain('! 1 value stands in that file unencrypted');
    expect(done.stderr).toMatch(/Next: oxp-vault open config \| cat\n$/);
    expect((await alice.must(['open', 'config'])).text).toBe(sopsText('types.json.plain'));
  });

  it('says what it would do, and writes nothing', async () => {
    const alice = await withFile();
    const before = await size(alice);
    const dry = await alice.must(['import', 'sops', 'types.yaml', '--key', 'keys.txt', '--name', 'app/config', '--dry-run']);
    expect(dry.text).toMatch(/^\+ app\/config {3}document, \d+ bytes, imported {3}-> team\n1 to seal, .* Nothing was written\./);
    expect(await size(alice)).toBe(before);
    expect((await alice.ov(['show', 'app/config'])).code).toBe(3);
  });

  it('seals every value alone, in one go, and nothing again the second time', async () => {
    const alice = await withFile();
    const argv = ['import', 'sops', 'types.yaml', '--key', 'keys.txt', '--split', 'leaves', '--prefix', 'app'];
    const before = await size(alice);
    const done = await alice.must([...argv, '--json']);
    const document = JSON.parse(done.text) as { sealed: number; secrets: { name: string; kind: string; version: number }[]; file: object };
    expect(document.file).toEqual({ type: 'yaml', mac: 'verified', inClear: 6, empty: ['types.yaml#db.empty', 'types.yaml#db.nothing'] });
    expect(await size(alice)).toBe(before + document.sealed);
    const kinds = Object.fromEntries(document.secrets.map(({ name, kind }) => [name, kind]));
    expect(kinds).toMatchObject({ 'app/db/password': 'password', 'app/key': 'document', 'app/users/n3/name': 'password', 'app/n80': 'password', 'app/n90/n91': 'password' });
    expect((await alice.must(['open', 'app/db/password'])).text).toBe(`p@ss: #1 'x'`);
    expect((await alice.must(['open', 'app/key'])).text).toBe('-----BEGIN KEY-----\nabc\n\ndef\n-----END KEY-----\n');
    expect((await alice.must([...argv])).text).toMatch(new RegExp(`^0 sealed, ${document.sealed} unchanged`));
  });

  it('splits at the top by default', async () => {
    const alice = await withFile();
    const { text } = await alice.must(['import', 'sops', 'types.yaml', '--key', 'keys.txt', '--split', '--json']);
    expect((JSON.parse(text) as { secrets: { name: string; kind: string }[] }).secrets.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'types/db document', 'types/users document', 'types/key document', 'types/unicode password', 'types/note_unencrypted password', 'types/list_unencrypted document', 'types/n80 password', 'types/n90 document',
    ]);
    expect((await alice.must(['open', 'types/n90'])).text).toBe('"91": deep\n');
  });

  it('keeps the kind that a secret has, and takes another for the whole file when told', async () => {
    const alice = await withFile('app.env');
    await alice.must(['seal', 'app/db_user', '--kind', 'password', '--set', 'length=40']);
    await alice.must(['import', 'sops', 'app.env', '--key', 'keys.txt', '--split', '--prefix', 'app']);
    expect(JSON.parse((await alice.must(['show', 'app/db_user', '--json'])).text)).toMatchObject({ version: 2, kind: 'password', parameters: { length: 40 } });
    expect(await alice.ov(['import', 'sops', 'app.env', '--key', 'keys.txt', '--name', 'x', '--kind', 'kubeconfig'])).toMatchObject({ code: 2, text: '' });
  });

  it.each([
    ['SOPS_AGE_KEY', () => ({ SOPS_AGE_KEY: `# mine\n${SOPS_KEY}\n` })],
    ['SOPS_AGE_KEY_FILE', () => ({ SOPS_AGE_KEY_FILE: 'keys.txt' })],
    ['keys.txt where sops looks', (alice: VaultOwner) => {
      mkdirSync(alice.at('.config', 'sops', 'age'), { recursive: true });
      copyFileSync(sopsVector('keys.txt'), alice.at('.config', 'sops', 'age', 'keys.txt'));
      return {};
    }],
    ['one of several', () => ({ SOPS_AGE_KEY: STRANGER, SOPS_AGE_KEY_FILE: 'keys.txt' })],
  ])('takes the identity from %s', async (_, env) => {
    const alice = await withFile();
    expect((await alice.ov(['import', 'sops', 'types.yaml', '--dry-run'], { env: env(alice) })).code).toBe(0);
  });

  it('says where it looked when no identity is there, or none fits', async () => {
    const alice = await withFile();
    const none = await alice.ov(['import', 'sops', 'types.yaml']);
    expect(none).toMatchObject({ code: 9, text: '' });
    expect(none.stderr).toContain('none of SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt is there');
    const stranger = await generateAgeIdentity();
    const wrong = await alice.ov(['import', 'sops', 'types.yaml'], { env: { SOPS_AGE_KEY: stranger } });
    expect(wrong).toMatchObject({ code: 9, text: '' });
    expect(wrong.stderr).toMatch(/is for {2}age1.*\n.*is for {2}age1.*\n.*tried {3}SOPS_AGE_KEY\n/);
    expect(wrong.stderr).not.toContain(stranger.slice(0, 20));
    const only = await alice.ov(['import', 'sops', 'types.yaml', '--key', alice.write('other.txt', `${stranger}\n`)], { env: { SOPS_AGE_KEY: SOPS_KEY } });
    expect(only.code).toBe(9);
    expect((await alice.ov(['import', 'sops', 'types.yaml', '--key', 'nowhere'])).code).toBe(3);
  });

  it('refuses a file that was changed, whole, and before anything is written', async () => {
    const alice = await withFile();
    const before = await size(alice);
    alice.write('swapped.yaml', sopsText('types.yaml').replace(/( {4}- ENC.*\n)( {4}- ENC.*\n)/, '$2$1'));
    const refused = await alice.ov(['import', 'sops', 'swapped.yaml', '--key', 'keys.txt', '--split', 'leaves']);
    expect(refused).toMatchObject({ code: 5, text: '' });
    expect(refused.stderr).toMatch(/^error SOPS_MAC: the SOPS file does not match its MAC/);
    expect(await size(alice)).toBe(before);
  });

  it.each([
    [['nowhere.yaml'], 3, 'FILE_NOT_FOUND'],
    [['types.yaml', '--name', 'Not a name'], 2, 'BAD_NAME'],
    [['types.yaml', '--split', 'sideways'], 2, 'top or leaves'],
    [['types.yaml', '--split', 'top', '--name', 'x'], 2, '--name is for the whole file'],
    [['types.yaml', '--split', 'top', '--kind', 'password'], 2, '--kind is for the whole file'],
    [['types.yaml', '--prefix', 'x'], 2, '--prefix belongs to --split'],
    [['types.yaml', '--split', 'top', '--prefix', 'X'], 2, 'BAD_NAME'],
    [['types.yaml', '--kind', 'secret'], 2, 'no such kind'],
    [['types.yaml', '--type', 'xml'], 2, 'no such type'],
    [['types.yaml', '--type', 'json'], 2, 'BAD_MATERIAL'],
    [['two.yaml', '--split'], 2, 'several documents'],
    [['raw.bin', '--split'], 2, 'nothing to split'],
    [['twice.env', '--split'], 2, 'would both be called'],
  ])('%j: exit %d', async (argv, code, words) => {
    const alice = await withFile();
    for (const name of ['two.yaml', 'raw.bin']) copyFileSync(sopsVector(name), join(alice.work, name));
    alice.write('twice.env', sopsText('app.env').replace('PLAIN_unencrypted=clear', 'plain_unencrypted=cl\nPLAIN_unencrypted=ear'));
    const result = await alice.ov(['import', 'sops', ...argv, '--key', 'keys.txt']);
    expect(result.code, result.stderr).toBe(code);
    expect(result.stderr).toContain(words);
    expect(result.text).toBe('');
  });

  it('leaves no value and no identity anywhere but in what is sealed', async () => {
    const alice = await withFile();
    const argv = ['import', 'sops', 'types.yaml', '--key', 'keys.txt'];
    const results = [await alice.must([...argv, '--split', 'leaves']), await alice.must([...argv, '--json']), await alice.must([...argv, '--dry-run', '--split'])];
    const said = results.map(({ text, stderr }) => text + stderr).join('\n') + everything(alice);
    for (const value of ['p@ss', 'BEGIN KEY', '9223372036854775807', SOPS_KEY]) expect(said).not.toContain(value);
    expect(existsSync(join(alice.work, 'types.yaml.plain'))).toBe(false);
  });
});
