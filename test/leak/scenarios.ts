/** A canary through every command, in every way in which a command meets a secret: values, passphrases, keys, mistakes. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ageDecrypt } from '../../packages/core/src/primitives/age.js';
import { identityOfBytes } from '../../packages/core/src/primitives/age-identity.js';
import { BIN } from '../cli/harness.js';
import { HANDOVER_SCENARIOS } from './handover.js';
import { kubeconfig, malformed, sealFaults } from './mistakes.js';
import { needlesFor } from './needles.js';
import { core, fresh, input, names, record, recordOpened, release, type Scenario } from './stage.js';
import { open, sealGenerated, sealImports, sealOutputs } from './values.js';
import type { WatchedOptions } from './watched.js';

export const SCENARIOS: readonly (readonly [command: string, Scenario])[] = [
  ['identity create', async (s) => {
    const passphrase = input(s, 'passphrase', `${release(s, 'Phrase')}\n`);
    await s.cli(0, ['identity', 'create', '--person', 'locked', '--device', 'd', '--out', 'locked.age', '--passphrase-file', passphrase]);
    await s.cli(2, ['identity', 'create', '--person', 'locked', '--out', 'locked.age', '--passphrase-file', passphrase]);
    await s.cli(2, ['identity', 'create', '--person', 'short', '--out', 'short.age', '--passphrase-file', input(s, 'short', 'k7Zt5Wn')]);
    await s.cli(8, ['identity', 'create', '--person', 'dir', '--out', 'dir.age', '--passphrase-file', s.inputs]);
    // Keys without a passphrase, in the person's own place: every command to come meets them.
    for (const person of ['alice', 'bruno']) {
      const path = join(s.inputs, `${person}.age`);
      await s.cli(0, ['identity', 'create', '--person', person, '--device', 'laptop', '--no-passphrase', '--out', path, '--json']);
      const text = readFileSync(path, 'utf8');
      for (const line of text.split('\n').filter((each) => each.startsWith('AGE-SECRET-KEY-') || each.includes('signing'))) s.needles.push(...needlesFor(`${person}'s keys`, line.split(/[ :]+/).at(-1)!));
    }
  }],
  ['identity show', async (s) => {
    await s.cli(0, ['identity', 'show']);
    await s.cli(0, ['identity', 'show', '--card', '--identity', 'locked.age']);
    const elsewhere = { XDG_STATE_HOME: join(s.person.home, 'empty') };
    const wrong = input(s, 'wrong', release(s, 'Wrong'));
    await s.cli(9, ['identity', 'show', '--identity', 'locked.age', '--passphrase-file', wrong], { env: elsewhere });
    await s.cli(9, ['identity', 'show'], { env: { ...elsewhere, OXP_VAULT_IDENTITY: undefined, OXP_VAULT_IDENTITY_DATA: release(s, 'Data') } });
    const damaged = readFileSync(join(s.inputs, 'alice.age'), 'utf8').replace(/(AGE-SECRET-KEY-1.{6})./, '$1!');
    await s.cli(9, ['identity', 'show', '--json'], { env: { OXP_VAULT_IDENTITY: undefined, OXP_VAULT_IDENTITY_DATA: damaged } });
    await s.cli(0, ['identity', 'show'], { env: { OXP_VAULT_IDENTITY: undefined, OXP_VAULT_IDENTITY_DATA: readFileSync(join(s.inputs, 'alice.age'), 'utf8') } });
  }],
  ['identity passwd', async (s) => {
    const next = input(s, 'next', release(s, 'Next'));
    await s.cli(0, ['identity', 'passwd', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'passphrase'), '--new-passphrase-file', next]);
    await s.cli(9, ['identity', 'passwd', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'passphrase'), '--new-passphrase-file', next, '--json']);
  }],
  ['init', async (s) => {
    const key = join(s.inputs, 'bruno.age');
    // The private file where the card belongs: an easy slip.
    await s.cli(5, ['init', '--member', `team=${key}`]);
    await s.cli(5, ['init', '--admin', input(s, 'no-card', release(s, 'Card'))]);
    await s.cli(2, ['init', '--name', core('Card')]);
    await s.cli(9, ['init', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'passphrase')]);
    await s.cli(0, ['init', '--role', 'team', '--role', 'guests', '--json']);
    await s.cli(7, ['init']);
  }],
  ['generate', async (s) => {
    for (const kind of ['pki-root', 'ssh-key', 'ssh-ca', 'tsig', 'state-key', 'api-key', 'password']) {
      const out = fresh(s);
      const words = ['generate', kind, '--out', out, ...(kind === 'pki-root' ? ['--set', 'subject.CN=Root'] : [])];
      await s.cli(0, [...words, '--json']);
      record(s, `generated ${kind}`, out);
      await s.cli(2, words);
    }
    const bad = input(s, 'issuer.pem', malformed(release(s, 'Issuer') && 'Issuer')[2]![1]);
    await s.cli(2, ['generate', 'pki-intermediate', '--issuer', bad, '--out', fresh(s)]);
    await s.cli(2, ['generate', 'password', '--set', `length=${core('Issuer')}`, '--out', fresh(s)]);
    await s.cli(2, ['generate', 'password', '--set', `value=${core('Issuer')}`, '--out', fresh(s)]);
    await s.cli(2, ['generate', 'ssh-key', '--set', core('Issuer'), '--out', fresh(s)]);
    await s.cli(2, ['generate', core('Issuer'), '--out', fresh(s)]);
  }],
  ['seal', async (s) => {
    await sealImports(s);
    await sealGenerated(s);
    await sealFaults(s);
    await sealOutputs(s);
  }],
  ['open', open],
  ['import sops', async (s) => {
    const sopsVector = (name: string): string => fileURLToPath(new URL(`../vectors/sops/${name}`, import.meta.url));
    for (const value of ["p@ss: #1 'x'", /^AGE-SECRET-KEY-.*$/m.exec(readFileSync(sopsVector('keys.txt'), 'utf8'))![0]]) s.needles.push(...needlesFor('what SOPS holds', value));
    const keys = sopsVector('keys.txt');
    await s.cli(0, ['import', 'sops', sopsVector('types.yaml'), '--key', keys, '--name', 'sops/whole', '--dry-run']);
    await s.cli(0, ['import', 'sops', sopsVector('types.yaml'), '--key', keys, '--split', 'leaves', '--prefix', 'sops', '--json']);
    await s.cli(9, ['import', 'sops', sopsVector('types.yaml'), '--key', input(s, 'sops-keys', release(s, 'Sops'))]);
    await s.cli(9, ['import', 'sops', sopsVector('types.yaml')], { env: { SOPS_AGE_KEY: core('Sops') } });
    const text = readFileSync(sopsVector('types.yaml'), 'utf8');
    await s.cli(5, ['import', 'sops', input(s, 'changed.yaml', text.replace(/^(note_unencrypted: ).*$/m, '$1changed')), '--key', keys]);
    await s.cli(2, ['import', 'sops', input(s, 'plain.yaml', `password: ${core('Sops')}\n`), '--key', keys]);
    await s.cli(2, ['import', 'sops', input(s, 'broken.yaml', `password: "${core('Sops')}\n`), '--key', keys]);
  }],
  ['terraform external', async (s) => {
    const ask = (query: object | string): WatchedOptions => ({ input: typeof query === 'string' ? query : JSON.stringify(query) });
    await s.cli(0, ['terraform', 'external'], ask({ name: 'made/root' }));
    await s.cli(1, ['terraform', 'external'], ask({ name: 'imported/password#password' }));
    await s.cli(0, ['terraform', 'external'], { ...ask({ name: 'imported/password', allow_secret_in_state: 'true' }), values: true });
    await s.cli(1, ['terraform', 'external'], ask(core('Document')));
    await s.cli(1, ['terraform', 'external'], ask(`{"name":"${core('Document')}`));
    await s.cli(1, ['terraform', 'external'], ask({ name: 'imported/password', value: core('Document') }));
  }],
  ['terraform key-provider', async (s) => {
    await s.cli(0, ['terraform', 'key-provider', 'made/state'], { input: 'null', values: true });
    await s.cli(1, ['terraform', 'key-provider', 'imported/password'], { input: 'null' });
    await s.cli(1, ['terraform', 'key-provider', 'made/state'], { input: `{"${core('Document')}":1}` });
    await s.cli(1, ['terraform', 'key-provider', 'made/state'], { input: core('Document') });
  }],
  ['ansible vault-client', async (s) => {
    await s.cli(0, ['ansible', 'vault-client', '--under', 'imported', '--vault-id', 'document'], { values: true });
    await s.cli(2, ['ansible', 'vault-client', '--vault-id', core('Document')]);
    await s.cli(9, ['ansible', 'vault-client', '--under', 'imported', '--vault-id', 'document', '--identity', '/nowhere']);
  }],
  ['exec', async (s) => {
    // A variable of the program is where the value was asked to be: here it is what the program's agent gives.
    await s.cli(0, ['exec', '--scope', 'imported/', '--', process.execPath, BIN, 'open', 'imported/document'], { values: true, env: { OXP_VAULT_IDENTITY: join(s.inputs, 'alice.age') } });
    await s.cli(9, ['exec', '--scope', 'made/', '--', process.execPath, BIN, '--identity', '/nowhere', 'open', 'imported/document']);
    await s.cli(125, ['exec', '--env', `V=${core('Document')}`, '--', 'true']);
    await s.cli(125, ['exec', '--env', core('Document'), '--', 'true']);
    await s.cli(125, ['exec', '--scaleway', 'imported/document', '--', 'true']);
    await s.cli(0, ['exec', '--ssh-agent', 'made/ssh', '--', 'ssh-add', '-l']);
    await s.cli(125, ['exec', '--ssh-agent', 'imported/document', '--', 'true']);
  }],
  ['agent start', async (s) => {
    const runtime = join(s.person.home, 'runtime');
    mkdirSync(runtime, { mode: 0o700 });
    const oxp = `'${process.execPath}' '${BIN}'`;
    // Read, compared and sealed through it: the value goes over the socket one way, and only sealed the other.
    const value = input(s, 'through-agent', release(s, 'Through'));
    const locked = `OXP_VAULT_IDENTITY=/nowhere ${oxp}`;
    const script = [`${oxp} agent start --for 5m`, `${locked} open imported/document`, `${locked} seal held/through --from ${value}`, `${locked} seal held/through --from ${value} --json`, `${locked} retire held/through`, `${oxp} agent status`, `${oxp} agent stop`].join(' && ');
    await s.cli(0, ['exec', '--scope', 'made/', '--', 'env', '-u', 'OXP_VAULT_AGENT', 'sh', '-c', script], { values: true, env: { XDG_RUNTIME_DIR: runtime } });
    await s.cli(2, ['agent', 'start', '--for', core('Document')]);
    await s.cli(2, ['agent', 'start', '--foreground', '--scope', core('Document')]);
  }],
  ['agent status', async (s) => {
    await s.cli(9, ['agent', 'status', '--json'], { env: { XDG_RUNTIME_DIR: join(s.person.home, 'runtime') } });
    await s.cli(9, ['agent', 'status'], { env: { OXP_VAULT_AGENT: '/nowhere/agent.sock' } });
  }],
  ['agent stop', async (s) => {
    await s.cli(9, ['agent', 'stop'], { env: { XDG_RUNTIME_DIR: join(s.person.home, 'runtime') } });
  }],
  ['terraform encryption-config', async (s) => {
    await s.cli(0, ['terraform', 'encryption-config', 'made/state']);
    await s.cli(0, ['terraform', 'encryption-config', 'made/state', '--migrate', '--json']);
    await s.cli(2, ['terraform', 'encryption-config', 'imported/password']);
    await s.cli(2, ['terraform', 'encryption-config']);
  }],
  ['list', async (s) => {
    await s.cli(0, ['list']);
    await s.cli(0, ['list', 'imported/', '--json']);
    await s.cli(3, ['list', core('Document').toLowerCase()]);
  }],
  ['show', async (s) => {
    for (const [i, name] of names(s).entries()) await s.cli(0, ['show', name, ...(i % 2 === 0 ? [] : ['--json'])]);
    await s.cli(2, ['show', core('Document')]);
  }],
  ['edit', async (s) => {
    const edited = input(s, 'edited', release(s, 'Edited'));
    const editor = (script: string): WatchedOptions => ({ env: { EDITOR: `sh -c '${script}' --`, VISUAL: undefined } });
    await s.cli(0, ['edit', 'imported/document'], editor(`cat ${edited} > "$1"`));
    await s.cli(0, ['edit', 'imported/document', '--json'], editor('true'));
    await s.cli(2, ['edit', 'imported/document'], editor('exit 3'));
    const broken = input(s, 'broken', kubeconfig(`"${core('Edited')}`));
    await s.cli(2, ['edit', 'imported/kubeconfig'], editor(`cat ${broken} > "$1"`));
    await s.cli(2, ['edit', 'imported/kubeconfig'], editor(`rm "$1"; mkdir "$1"`)).catch(async () => s.cli(8, ['edit', 'imported/kubeconfig'], editor('rm "$1"')));
    await s.cli(2, ['edit', 'imported/tsig'], editor('true'));
  }],
  ['rotate', async (s) => {
    for (const name of ['made/password', 'made/ssh', 'made/tsig', 'made/state']) {
      await s.cli(0, ['rotate', name, '--json']);
      await recordOpened(s, name);
    }
    await s.cli(2, ['rotate', 'imported/document']);
    await s.cli(2, ['rotate', core('Document')]);
  }],
  ['retire', async (s) => {
    await s.cli(0, ['retire', 'made/password', '--json']);
    await s.cli(2, ['retire', `made/password@${core('Document')}`]);
  }],
  ['standing', async (s) => {
    const path = join(s.inputs, 'ci.age');
    await s.cli(0, ['identity', 'create', '--machine', '--person', 'ci', '--device', 'runner', '--no-passphrase', '--out', path]);
    const data = readFileSync(path, 'utf8');
    for (const line of data.split('\n').filter((each) => each.startsWith('AGE-SECRET-KEY-') || each.includes('signing'))) s.needles.push(...needlesFor("ci's keys", line.split(/[ :]+/).at(-1)!));
    await s.cli(0, ['member', 'add', join(s.inputs, 'ci.card'), '--role', 'team', '--yes']);
    await s.cli(0, ['standing', 'ci', 'imported/', '--not-after', '90d', '--json']);
    await s.cli(0, ['standing']);
    await s.cli(2, ['standing', 'ci', core('Document'), '--not-after', '90d']);
    await s.cli(2, ['standing', 'ci', 'imported/', '--not-after', core('Document')]);
    await s.cli(3, ['standing', core('Document'), 'imported/', '--not-after', '90d']);
    // The keys in a variable: with a place of its own and without one, for what it may, for an editor, in base64, damaged.
    const job = { env: { OXP_VAULT_IDENTITY: undefined, OXP_VAULT_IDENTITY_DATA: data } };
    const nowhere = { env: { ...job.env, HOME: '/dev/null/nowhere', XDG_STATE_HOME: undefined, XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined } };
    for (const place of [job, nowhere]) {
      await s.cli(0, ['open', 'imported/document', '--out', fresh(s)], place);
      await s.cli(0, ['open', 'made/password'], { ...place, values: true });
      await s.cli(0, ['status', '--json'], place);
      await s.cli(4, ['standing', 'ci', 'imported/', '--not-after', '90d'], place);
    }
    await s.cli(8, ['open', 'made/password', '--offline'], nowhere);
    await s.cli(0, ['edit', 'imported/document'], { env: { ...job.env, EDITOR: 'true', VISUAL: undefined } });
    await s.cli(0, ['identity', 'show'], { env: { ...job.env, OXP_VAULT_IDENTITY_DATA: Buffer.from(data).toString('base64') } });
    await s.cli(9, ['open', 'imported/document'], { env: { ...job.env, OXP_VAULT_IDENTITY_DATA: Buffer.from(data).toString('base64').slice(0, -40) } });
    await s.cli(0, ['standing', 'ci', '--end', '--json']);
    await s.cli(0, ['member', 'remove', 'ci', '--yes']);
  }],
  ['custody ack', async (s) => {
    const draft = (await s.cli(0, ['policy', 'show'])).text.replace('rules:', 'custody:\n  roots: { need: 1, of: [alice] }\nrules:').trimEnd();
    const path = input(s, 'custody.yaml', `${draft}\n  - { path: held/, owners: [team], writers: [team], custody: roots }\n`);
    const { stderr } = await s.cli(2, ['policy', 'propose', path, '--yes']);
    await s.cli(0, ['policy', 'propose', path, '--yes', '--expect', /--expect ([0-9a-f]{64})/.exec(stderr)![1]!]);
    await s.cli(0, ['seal', 'held/document', '--from', input(s, 'held', release(s, 'Held')), '--json']);
    await s.cli(0, ['seal', 'held/root', '--kind', 'pki-root', '--set', 'subject.CN=Held', '--set', 'algorithm=ecdsa-p256']);
    // With one custodian the share is the whole identity: neither it nor the line that holds it may be seen.
    const identity = readFileSync(join(s.inputs, 'alice.age'), 'utf8').split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-'))!;
    for (const name of ['document', 'root']) {
      const share = Buffer.from(await ageDecrypt(readFileSync(s.stored(`secrets/held/${name}/0001-shares`)), [identity])).toString();
      const base64 = share.trimEnd().split(' ').at(-1)!;
      s.needles.push(...needlesFor(`share of held/${name}`, base64), ...needlesFor(`identity of held/${name}`, identityOfBytes(Buffer.from(base64, 'base64'), { pq: false })));
    }
    await s.cli(6, ['open', 'held/document']);
    await s.cli(9, ['custody', 'ack', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'wrong')]);
    await s.cli(0, ['custody', 'ack', '--json']);
    await s.cli(4, ['open', 'held/document', '--json']);
    await s.cli(4, ['edit', 'held/document'], { env: { EDITOR: 'true', VISUAL: undefined } });
  }],
  ['custody check', async (s) => {
    await s.cli(0, ['custody', 'check']);
    const path = s.stored('secrets/held/document/0001-shares');
    const good = readFileSync(path);
    writeFileSync(path, good.subarray(0, -1));
    await s.cli(5, ['custody', 'check', '--json']);
    await s.cli(5, ['custody', 'check']);
    writeFileSync(path, good);
    await s.cli(0, ['custody', 'check', '--json']);
  }],
  ['custody status', async (s) => {
    await s.cli(0, ['custody', 'status']);
    await s.cli(0, ['custody', 'status', '--json']);
  }],
  ...HANDOVER_SCENARIOS,
  ['role list', async (s) => void (await s.cli(0, ['role', 'list', '--json']))],
  ['role rekey', async (s) => {
    await s.cli(0, ['role', 'rekey', 'team']);
    await s.cli(3, ['role', 'rekey', 'nobodys']);
  }],
  ['role grant', async (s) => void (await s.cli(0, ['role', 'grant', 'team', 'alice', '--json']))],
  ['device add', async (s) => {
    const passphrase = input(s, 'recovery-phrase', `${release(s, 'Recovery')}\n`);
    await s.cli(5, ['device', 'add', join(s.inputs, 'alice.age')]);
    await s.cli(2, ['device', 'add', '--recovery', '--out', 'usb/short.age', '--new-passphrase-file', input(s, 'short-phrase', 'k7Zt5Wq')]);
    await s.cli(0, ['device', 'add', '--recovery', '--out', 'usb/recovery.age', '--new-passphrase-file', passphrase, '--json']);
  }],
  ['device list', async (s) => void (await s.cli(0, ['device', 'list', '--json']))],
  ['device remove', async (s) => {
    await s.cli(2, ['device', 'remove', core('Recovery'), '--yes']);
    await s.cli(3, ['device', 'remove', 'desktop', '--yes']);
    await s.cli(0, ['device', 'remove', 'recovery', '--yes', '--json']);
  }],
  ['member add', async (s) => {
    await s.cli(5, ['member', 'add', join(s.inputs, 'bruno.age'), '--role', 'team', '--yes']);
    await s.cli(5, ['member', 'add', input(s, 'no-card', release(s, 'Member')), '--role', 'team', '--yes']);
    await s.cli(0, ['member', 'add', join(s.inputs, 'bruno.card'), '--role', 'team', '--yes', '--json']);
  }],
  ['member list', async (s) => void (await s.cli(0, ['member', 'list', '--json']))],
  ['member remove', async (s) => {
    const removed: unknown = JSON.parse((await s.cli(0, ['member', 'remove', 'bruno', '--yes', '--rotate', '--json'])).text);
    const { rotated } = removed as { rotated: { secrets: { name: string }[] } };
    if (rotated.secrets.length < 4) throw new Error('next to nothing was rotated: this scenario shows nothing');
    for (const { name } of rotated.secrets) await recordOpened(s, name);
    await s.cli(7, ['member', 'remove', 'bruno']);
    await s.cli(0, ['member', 'remove', 'bruno', '--rotate']);
    await s.cli(3, ['member', 'remove', core('Member').toLowerCase(), '--yes']);
  }],
  ['policy show', async (s) => void (await s.cli(0, ['policy', 'show', '--json']))],
  ['policy log', async (s) => void (await s.cli(0, ['policy', 'log', '--json']))],
  ['policy propose', async (s) => {
    const c = release(s, 'Draft', core('Draft'));
    const draft = (await s.cli(0, ['policy', 'show'])).text;
    for (const [i, text] of [`${draft}\n"${c}`, draft.replace(/need: 1/, `need: "${c}"`), `${draft}\n${c}`, `- ${c}`, `${draft}\npassword: { a: ${c} }\n`].entries()) {
      await s.cli(2, ['policy', 'propose', input(s, `draft-${i}.yaml`, text), '--yes']);
    }
    await s.cli(0, ['policy', 'propose', '--dry-run', input(s, 'draft.yaml', draft.replace(/(path: \/,.*)/, '$1\n  - { path: dns/, owners: [team], writers: [team], readers: [team, guests] }'))]).catch(() => undefined);
  }],
  ['policy sign', async (s) => void (await s.cli(3, ['policy', 'sign', core('Draft').toLowerCase(), '--yes']))],
  ['policy withdraw', async (s) => void (await s.cli(3, ['policy', 'withdraw']))],
  ['status', async (s) => {
    await s.cli(0, ['status']);
    await s.cli(0, ['status', '--json']);
    await s.cli(0, ['status', '--without', 'alice', '--json']);
    await s.cli(3, ['status', '--without', core('Document')]);
  }],
  ['exposure', async (s) => {
    await s.cli(0, ['exposure']);
    await s.cli(0, ['exposure', '--json']);
    await s.cli(0, ['exposure', '/']);
    await s.cli(0, ['exposure', '--person', 'alice', '--person', 'bruno']);
    await s.cli(2, ['exposure', core('Exposure')]);
    await s.cli(3, ['exposure', '--person', core('Exposure').toLowerCase()]);
  }],
  ['drill', async (s) => {
    await s.cli(0, ['drill', '--json']);
    await s.cli(0, ['drill']);
    await s.cli(9, ['drill', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'wrong')]);
  }],
  ['check', async (s) => void (await s.cli(0, ['check', '--json']))],
  ['audit log', async (s) => {
    await s.cli(0, ['audit', 'log']);
    await s.cli(0, ['audit', 'log', '--json']);
  }],
  ['audit verify', async (s) => {
    await s.cli(0, ['audit', 'verify', '--json']);
    // A damaged file is decrypted by nobody, and quoted by nobody.
    const path = s.stored('secrets/imported/password');
    const good = readFileSync(path);
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    writeFileSync(path, bad);
    await s.cli(5, ['audit', 'verify']);
    await s.cli(5, ['open', 'imported/password']);
    writeFileSync(path, good);
  }],
  ['audit proof', async (s) => void (await s.cli(0, ['audit', 'proof', 'imported/password']))],
  ['audit checkpoint', async (s) => void (await s.cli(0, ['audit', 'checkpoint']))],
  ['audit export', async (s) => void (await s.cli(0, ['audit', 'export', '--tiles', 'tiles']))],
  ['clone', async (s) => {
    await s.cli(0, ['clone', '--backup', './vault', './copy', '--json']);
    await s.cli(2, ['clone', './vault', core('Document')], { env: { OXP_VAULT_EXPECT: core('Document') } });
    await s.cli(2, ['clone', './vault', s.inputs]);
    await s.cli(2, ['clone', './vault', `https://${core('Document')}@example.org/vault.git`]);
  }],
  ['sync', async (s) => {
    const queue = join(s.outputs, 'queue.jsonl');
    await s.cli(0, ['open', 'imported/password', '--offline', '--queue', queue], { values: true });
    await s.cli(0, ['open', 'imported/password', '--offline'], { values: true });
    await s.cli(0, ['sync', '--json']);
    await s.cli(0, ['sync', '--from', queue, '--json']);
    await s.cli(0, ['sync', '--from', './copy']);
    // Plaintext where entries belong: an easy slip.
    await s.cli(0, ['sync', '--from', input(s, 'no-queue', `${release(s, 'Queue')}\n{"line":"${core('Queue')}"}\n`)]);
    await s.cli(3, ['sync', '--from', 'nowhere']);
    await s.cli(0, ['sync', '--restore', '--json']);
    await s.cli(2, ['sync', '--repin', core('Queue')]);
    await s.cli(3, ['sync', '--discard', core('Queue'), '--yes']);
    await s.cli(0, ['sync', '--discard', '--all', '--yes']);
  }],
  ['gc', async (s) => void (await s.cli(0, ['gc', '--now', '--json']))],
  ['completion', async (s) => void (await s.cli(0, ['completion', 'bash']))],
  ['help', async (s) => {
    await s.cli(0, ['help', 'seal']);
    await s.cli(2, ['help', 'seal', 'nothing']);
  }],
];
