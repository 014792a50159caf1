import { describe, expect, it, vi } from 'vitest';
import { parseBootstrap } from '../../../packages/core/src/material/bootstrap.js';
import { VaultError } from '../../../packages/core/src/errors.js';
import { document } from '../../../packages/core/src/material/document.js';
import { password } from '../../../packages/core/src/material/password.js';
import { planSeal, type SealPlanOptions } from '../../../packages/core/src/operations/sealing/bootstrap.js';
import type { ImportPort } from '../../../packages/core/src/operations/sealing/import-value.js';
import { openSecrets } from '../../../packages/core/src/operations/opening/open.js';
import { runSealPlan } from '../../../packages/core/src/operations/sealing/run.js';
import type { SealLine } from '../../../packages/core/src/operations/sealing/plan.js';
import { newestVersion } from '../../../packages/core/src/seal/state.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { everything, foundTeam } from '../../support/team.js';

const NOTHING: ImportPort = { env: () => undefined, file: async () => undefined, stdin: async () => undefined };
const given = (values: { env?: Record<string, string>; files?: Record<string, string>; stdin?: string }): ImportPort => ({
  env: (name) => values.env?.[name],
  file: async (path) => (values.files?.[path] === undefined ? undefined : Buffer.from(values.files[path])),
  stdin: async () => (values.stdin === undefined ? undefined : Buffer.from(values.stdin)),
});

async function plan(vault: Vault, yaml: string, options: Partial<SealPlanOptions> = {}) {
  const { secrets } = await parseBootstrap(yaml, 'bootstrap.yaml');
  return planSeal(vault, secrets, { port: NOTHING, mode: 'missing', ...options });
}

async function seal(vault: Vault, yaml: string, options: Partial<SealPlanOptions> = {}): Promise<SealLine[]> {
  return runSealPlan(vault, await plan(vault, yaml, options));
}

const actions = (lines: readonly SealLine[]): Record<string, string> => Object.fromEntries(lines.map((line) => [line.name, line.refusal?.code ?? line.action]));
const newest = (vault: Vault, name: string) => newestVersion(vault.state.secrets.versions.get(name) ?? []);
const value = async (vault: Vault, name: string): Promise<string> => (await openSecrets(vault, { secrets: [{ name }] }))[0]!.file.useText((text) => text);

const PLATFORM = `secrets:
  pki/issuing: { kind: pki-intermediate, issuer: pki/root, subject: { CN: Issuing }, algorithm: ecdsa-p256 }
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  app/password: { kind: password }
  kube/root: { kind: api-key, import: { env: { access: ACCESS, secret: SECRET } } }
`;

describe('planning and running a bootstrap', () => {
  it('makes what is missing, an issuer before what it issues, in one append', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    let swaps = 0;
    const swap = team.store.swapCheckpoint.bind(team.store);
    team.store.swapCheckpoint = async (old, next) => (swaps++, swap(old, next));
    const lines = await seal(vault, PLATFORM);

    expect(lines.map((line) => [line.name, line.action, line.version])).toEqual([['pki/root', 'generate', 1], ['pki/issuing', 'generate', 1], ['app/password', 'generate', 1], ['kube/root', 'not-given', 0]]);
    expect(swaps).toBe(1);
    expect(lines[1]!.words).toContain('issued by pki/root');
    expect(lines[3]!.words).toBe('ACCESS is not set');
    expect(lines[2]).toMatchObject({ readers: ['infra'], words: 'password, 24 characters, generated' });
    const issuing = newest(vault, 'pki/issuing')!.statement;
    expect(issuing.origin).toEqual({ how: 'generated' });
    expect((issuing.public['chain'] as string[])[0]).toBe(newest(vault, 'pki/root')!.statement.public['certificate']);
  });

  it('changes nothing the second time, and never replaces a value', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    const yaml = `secrets:\n  app/password: { kind: password }\n  app/key: { kind: document, import: { env: KEY } }\n`;
    await seal(vault, yaml, { port: given({ env: { KEY: 'first' } }) });
    const before = { point: vault.point, files: await team.store.list('') };
    const asked: string[] = [];
    const port: ImportPort = { ...NOTHING, env: (name) => (asked.push(name), 'second') };
    const lines = await seal(vault, yaml, { port });
    expect(actions(lines)).toEqual({ 'app/password': 'unchanged', 'app/key': 'unchanged' });
    expect(asked).toEqual([]);
    expect({ point: vault.point, files: await team.store.list('') }).toEqual(before);
    expect(await value(vault, 'app/key')).toBe('first');
  });

  it.each([
    ['{ env: TOKEN }', {}, 'TOKEN is not set'],
    ['{ env: TOKEN }', { env: { TOKEN: '' } }, 'TOKEN is empty'],
    ['{ file: no/such.txt }', {}, 'no/such.txt is not there'],
    ['{ stdin: true }', {}, 'nothing was given on standard input'],
  ])('says why an import %s is not given', async (source, values, words) => {
    const vault = await (await foundTeam()).as('alice');
    const [line] = await seal(vault, `secrets:\n  a: { kind: document, import: ${source} }\n`, { port: given(values) });
    expect(line).toMatchObject({ action: 'not-given', words });
    expect(newest(vault, 'a')).toBeUndefined();
  });

  it('takes values in from the environment, a file and standard input', async () => {
    const vault = await (await foundTeam()).as('alice');
    const yaml = `secrets:
  a: { kind: document, import: { env: A } }
  b: { kind: document, import: { file: ./b.txt } }
  c: { kind: document, import: { stdin: true } }
`;
    await seal(vault, yaml, { port: given({ env: { A: 'one' }, files: { './b.txt': 'two' }, stdin: 'three' }) });
    expect(await Promise.all(['a', 'b', 'c'].map((name) => value(vault, name)))).toEqual(['one', 'two', 'three']);
    expect(newest(vault, 'a')!.statement.origin).toEqual({ how: 'imported' });
  });

  it('refuses one bad import and seals the others', async () => {
    const vault = await (await foundTeam()).as('alice');
    const lines = await seal(vault, `secrets:\n  bad: { kind: kubeconfig, import: { env: K } }\n  good: { kind: password }\n`, { port: given({ env: { K: 'canary-not-yaml: [' } }) });
    expect(actions(lines)).toEqual({ bad: 'BAD_MATERIAL', good: 'generate' });
    expect(JSON.stringify(lines)).not.toContain('canary');
    expect(newest(vault, 'good')?.statement.version).toBe(1);
  });

  it('takes an output of Terraform in, through a port that can start it', async () => {
    const alice = await (await foundTeam()).as('alice');
    const yaml = 'secrets:\n  app/token: { kind: password, import: { terraform: { dir: ../infra, output: token } } }\n';
    const asked: unknown[] = [];
    const port = (value?: string): ImportPort => ({ ...NOTHING, terraform: async (...where) => (asked.push(where), value === undefined ? undefined : Buffer.from(value)) });
    expect(actions(await seal(alice, yaml))).toEqual({ 'app/token': 'UNSUPPORTED' });
    expect(await seal(alice, yaml, { port: port() })).toMatchObject([{ action: 'not-given', words: '../infra has no output token yet' }]);
    expect(actions(await seal(alice, yaml, { port: port('one') }))).toEqual({ 'app/token': 'import' });
    expect(asked.splice(0)).toEqual([['../infra', 'token', undefined], ['../infra', 'token', undefined]]);
    // It is there now: Terraform is not even asked.
    expect(actions(await seal(alice, yaml, { port: port('two') }))).toEqual({ 'app/token': 'unchanged' });
    expect(asked).toEqual([]);
    expect(actions(await seal(alice, yaml, { port: port('one'), mode: 'next' }))).toEqual({ 'app/token': 'unchanged' });
    expect(actions(await seal(alice, yaml, { port: port('two'), mode: 'next' }))).toEqual({ 'app/token': 'import' });
    expect(newest(alice, 'app/token')?.statement.version).toBe(2);
  });

  it('refuses a value that is too large', async () => {
    const vault = await (await foundTeam()).as('alice');
    const port: ImportPort = { ...NOTHING, stdin: async () => new Uint8Array(64 * 1024 * 1024 + 1) };
    const [line] = await seal(vault, `secrets:\n  a: { kind: document, import: { stdin: true } }\n`, { port });
    expect(line!.refusal).toMatchObject({ code: 'BAD_VALUE' });
    expect(line!.words).toContain('64 MiB');
  });

  it('seals nothing that was made and fails its own check, and says so of an import', async () => {
    const fails = [{ check: 'is good', ok: false, detail: 'it is not' }];
    const spies = [password, document].map((kind) => vi.spyOn(kind, 'check').mockResolvedValue(fails));
    try {
      const vault = await (await foundTeam()).as('alice');
      const lines = await seal(vault, `secrets:\n  made: { kind: password }\n  taken: { kind: document, import: { env: A } }\n`, { port: given({ env: { A: 'x' } }) });
      expect(actions(lines)).toEqual({ made: 'SELF_CHECK_FAILED', taken: 'import' });
      expect(lines[1]!.warnings).toEqual(['is good: no (it is not)']);
      expect([newest(vault, 'made'), newest(vault, 'taken')?.statement.version]).toEqual([undefined, 1]);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  it('leaves no plaintext in the vault or on the machine, and wipes what it held', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    const planned = await plan(vault, `secrets:\n  a: { kind: document, import: { env: A } }\n`, { port: given({ env: { A: 'canary-4711' } }) });
    const [step] = planned.steps;
    const file = step?.source?.from === 'import' ? step.source.material.file : undefined;
    expect(file?.length).toBe(11);
    await runSealPlan(vault, planned);
    expect(file?.length).toBe(0);
    expect((await everything(team)).includes('canary-4711')).toBe(false);
  });

  it('wipes what it made, and also what it never got to', async () => {
    const vault = await (await foundTeam()).as('alice');
    const generate = vi.spyOn(password, 'generate');
    try {
      await seal(vault, `secrets:\n  made: { kind: password }\n`);
      expect((await generate.mock.results[0]!.value).file.length).toBe(0);

      const planned = await plan(vault, `secrets:\n  more: { kind: password }\n  taken: { kind: document, import: { env: A } }\n`, { port: given({ env: { A: 'x' } }) });
      generate.mockRejectedValue(new VaultError('STORE_IO', 'the disk is gone'));
      await expect(runSealPlan(vault, planned)).rejects.toMatchObject({ code: 'STORE_IO' });
      const source = planned.steps[1]!.source;
      expect(source?.from === 'import' && source.material.file.length).toBe(0);
    } finally {
      generate.mockRestore();
    }
  });

  it('seals under custody where the rule says so, and issues from it in the same run', async () => {
    const team = await foundTeam({
      custody: { roots: { need: 2, of: ['alice', 'bruno', 'carol'] } },
      rules: [{ path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 }, { path: 'pki/root', owners: ['infra'], writers: ['infra'], custody: 'roots', consents: 1 }],
    });
    const lines = await seal(await team.as('alice'), PLATFORM);
    expect(actions(lines)).toEqual({ 'pki/root': 'generate', 'pki/issuing': 'generate', 'app/password': 'generate', 'kube/root': 'not-given' });
    expect(lines[0]!.readers).toEqual(['custody roots (2 of alice bruno carol)']);
    expect((await team.as('bruno')).state.secrets.versions.get('pki/root')).toMatchObject([{ pending: true, statement: { custody: { group: 'roots' } } }]);
  });

  it('names who can help where a role has no key, or this person does not write', async () => {
    const rules = [
      { path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra'], consents: 1 },
      { path: 'dba/', owners: ['infra'], writers: ['infra'], readers: ['dba', 'infra'], consents: 1 },
      { path: 'theirs/', owners: ['platform'], writers: ['platform'], readers: ['infra', 'platform'], consents: 1 },
    ];
    const team = await foundTeam({ rules, roles: { infra: { members: ['alice', 'bruno', 'ci'] }, platform: { members: ['carol'] }, dba: { members: ['bruno'] } } });
    const yaml = `secrets:\n  dba/admin: { kind: password }\n  theirs/a: { kind: password }\n  ours: { kind: password }\n`;
    const lines = await seal(await team.as('alice'), yaml);
    expect(actions(lines)).toEqual({ 'dba/admin': 'EPOCH_MISSING', 'theirs/a': 'NOT_ALLOWED', ours: 'generate' });
    expect(lines[0]!.refusal?.hint).toContain('oxp-vault role rekey dba');
    expect(lines[1]!.words).toContain('its writers are platform');
    // A dry run of somebody whose next command makes that key says that it will work.
    const dry = await plan(await team.as('bruno'), yaml, { dryRun: true });
    expect(actions(dry.steps.map((step) => step.line))['dba/admin']).toBe('generate');
    const wet = await plan(await team.as('bruno'), yaml);
    expect(actions(wet.steps.map((step) => step.line))['dba/admin']).toBe('EPOCH_MISSING');
  });

  it('refuses to seal to a stale key, and says who turns it', async () => {
    const team = await foundTeam();
    await team.policy((p) => ({ roles: { ...p.roles, infra: { members: ['alice', 'ci'] } }, persons: { ...p.persons, bruno: p.persons['bruno']! } }));
    const [line] = await seal(await team.as('ci'), `secrets:\n  a: { kind: password }\n`);
    expect(line!.refusal).toMatchObject({ code: 'EPOCH_STALE' });
    expect(line!.refusal!.hint).toContain('oxp-vault role rekey infra');
  });

  it('lets a machine of a writing role seal', async () => {
    const vault = await (await foundTeam()).as('ci');
    expect(actions(await seal(vault, `secrets:\n  a: { kind: password }\n`))).toEqual({ a: 'generate' });
    expect(newest(vault, 'a')!.sealer.person).toBe('ci');
  });

  it('issues from a CA that is in the vault already, and records that it was opened', async () => {
    const team = await foundTeam();
    await seal(await team.as('alice'), `secrets:\n  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }\n`);
    const vault = await team.as('bruno');
    const size = vault.point.size;
    const lines = await seal(vault, `secrets:\n  pki/issuing: { kind: pki-intermediate, issuer: pki/root, subject: { CN: Issuing }, algorithm: ecdsa-p256 }\n`);
    expect(actions(lines)).toEqual({ 'pki/issuing': 'generate' });
    // One entry for the opening, one for the seal.
    expect(vault.point.size).toBe(size + 2);
  });

  it('refuses what an unknown, unreadable or missing issuer would sign', async () => {
    const team = await foundTeam();
    const yaml = `secrets:\n  pki/issuing: { kind: pki-intermediate, issuer: pki/root, subject: { CN: Issuing } }\n`;
    expect(actions(await seal(await team.as('alice'), yaml))).toEqual({ 'pki/issuing': 'SECRET_NOT_FOUND' });
    const root = `  pki/root: { kind: pki-root, import: { file: root.pem } }\n`;
    const lines = await seal(await team.as('alice'), yaml + root);
    expect(actions(lines)).toEqual({ 'pki/root': 'not-given', 'pki/issuing': 'SECRET_NOT_FOUND' });
    expect(lines[1]!.words).toContain('is not given');
  });

  it('of two who seal the same at once, tells the second and leaves nothing half done', async () => {
    const team = await foundTeam();
    const [alice, bruno] = await Promise.all([team.as('alice'), team.as('bruno')]);
    const yaml = `secrets:\n  a: { kind: password }\n  b: { kind: password }\n`;
    const second = await plan(bruno, yaml);
    await seal(alice, `secrets:\n  b: { kind: password }\n`);
    await expect(runSealPlan(bruno, second)).rejects.toMatchObject({ code: 'RACE_LOST' });
    const after = await team.as('carol');
    expect(after.state.secrets.versions.sortedKeys()).toEqual(['b']);
    expect(after.state.voids.size).toBe(0);
  });
});

describe('readers that have changed', () => {
  const both = (p: { rules: readonly object[] }) => ({ rules: [{ path: '/', owners: ['infra'], writers: ['infra'], readers: ['infra', 'platform'], consents: 1 }] as typeof p.rules }) as never;

  it('reseals the same value, also of secrets that bootstrap.yaml does not name', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    await seal(vault, `secrets:\n  named: { kind: document, import: { env: A } }\n  other: { kind: document, import: { env: A } }\n`, { port: given({ env: { A: 'value' } }) });
    await team.policy(both);
    const later = await team.as('bruno');
    const yaml = `secrets:\n  named: { kind: document, import: { env: A } }\n`;
    const lines = await seal(later, yaml, { resealOthers: true });
    expect(actions(lines)).toEqual({ named: 'reseal', other: 'reseal' });
    expect(lines[0]!.words).toContain('infra -> infra, platform');
    const [first, second] = later.state.secrets.versions.get('named')!;
    expect(second!.statement).toMatchObject({ version: 2, origin: { how: 'reseal', of: first!.digest } });
    expect(await value(await team.as('carol'), 'named')).toBe('value');
    // And then it is done.
    expect(actions(await seal(later, yaml, { resealOthers: true }))).toEqual({ named: 'unchanged' });
  });

  it('does not reseal because a role key was turned', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    await seal(vault, `secrets:\n  a: { kind: password }\n`);
    const { turnRole } = await import('../../../packages/core/src/operations/people/role-turn.js');
    await vault.append(await turnRole(vault, 'infra'));
    expect(actions(await seal(vault, `secrets:\n  a: { kind: password }\n`, { resealOthers: true }))).toEqual({ a: 'unchanged' });
  });

  it('says so where the writer cannot read the value, and is silent about what others write', async () => {
    const writes = (writers: string[]) => [{ path: '/', owners: ['infra'], writers, readers: ['infra'], consents: 1 }];
    const team = await foundTeam({ rules: writes(['infra', 'platform']) });
    await seal(await team.as('alice'), `secrets:\n  a: { kind: password }\n`);
    await team.policy(() => ({ rules: [{ ...writes(['infra', 'platform'])[0]!, readers: ['infra', 'platform'] }] }));
    const yaml = `secrets:\n  a: { kind: password }\n`;
    const [line] = await seal(await team.as('carol'), yaml);
    expect(line!.refusal).toMatchObject({ code: 'NOT_A_READER' });
    expect(line!.words).toContain('readers change: infra -> infra, platform');

    await team.policy(() => ({ rules: [{ ...writes(['infra'])[0]!, readers: ['infra', 'platform'] }] }));
    expect(await seal(await team.as('carol'), 'secrets: {}\n', { resealOthers: true })).toEqual([]);
  });
});

describe('a new version of what is named', () => {
  const yaml = `secrets:\n  key: { kind: document, import: { env: KEY } }\n  made: { kind: password }\n`;

  it('seals nothing where the import equals the current version, and the next version where it does not', async () => {
    const vault = await (await foundTeam()).as('alice');
    const port = (KEY: string) => given({ env: { KEY } });
    await seal(vault, yaml, { port: port('one') });
    const { size } = vault.point;
    const named = `secrets:\n  key: { kind: document, import: { env: KEY } }\n`;
    expect(actions(await seal(vault, named, { mode: 'next', port: port('one') }))).toEqual({ key: 'unchanged' });
    expect(vault.point.size).toBe(size);
    const [line] = await seal(vault, named, { mode: 'next', port: port('two') });
    expect(line).toMatchObject({ action: 'import', version: 2 });
    expect(await value(vault, 'key')).toBe('two');
  });

  it('refuses to make again what was made, and names rotate', async () => {
    const vault = await (await foundTeam()).as('alice');
    await seal(vault, yaml);
    const [line] = (await seal(vault, `secrets:\n  made: { kind: password }\n`, { mode: 'next' }));
    expect(line!.refusal).toMatchObject({ code: 'USAGE', hint: 'To make the next one: oxp-vault rotate made' });
    expect(newest(vault, 'made')!.statement.version).toBe(1);
  });

  it('seals without comparing where the writer cannot read', async () => {
    const team = await foundTeam({ rules: [{ path: '/', owners: ['infra'], writers: ['infra', 'platform'], readers: ['infra'], consents: 1 }] });
    const named = `secrets:\n  key: { kind: document, import: { env: KEY } }\n`;
    const port = given({ env: { KEY: 'one' } });
    await seal(await team.as('alice'), named, { port });
    const [line] = await seal(await team.as('carol'), named, { mode: 'next', port });
    expect(line).toMatchObject({ action: 'import', version: 2 });
  });
});
