/** A canary through a handover: shares, file keys, the one-time identity and the values on their way from one role to another. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ageDecrypt } from '../../packages/core/src/primitives/age.js';
import { needlesFor } from './needles.js';
import { core, filesIn, fresh, input, record, release, type Scenario, type Stage } from './stage.js';
import type { WatchedOptions } from './watched.js';

const greta = (s: Stage): WatchedOptions => ({ env: { OXP_VAULT_IDENTITY: join(s.inputs, 'greta.age') } });

const identityIn = (path: string): string => readFileSync(path, 'utf8').split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-'))!;

interface Listed {
  readonly handovers: readonly { readonly id: string; readonly stage: string }[];
  readonly offers: readonly { readonly digest: string }[];
}

async function newest(s: Stage): Promise<{ id: string; offer: string }> {
  const { handovers, offers } = JSON.parse((await s.cli(0, ['handover', 'list', '--json'])).text) as Listed;
  return { id: handovers.at(-1)?.id ?? '', offer: offers.at(-1)?.digest ?? '' };
}

async function digestOf(s: Stage, id: string, options: WatchedOptions = {}): Promise<string> {
  return /--expect ([0-9a-f]{64})/.exec((await s.cli(2, ['handover', 'consent', id, '--yes'], options)).stderr)![1]!;
}

/** The one-time identity, and what was sealed to it: neither may be seen. */
async function recordOnTheWay(s: Stage, id: string, who: string): Promise<void> {
  const [sealed] = filesIn(join(s.person.home, '.local', 'state')).filter((path) => path.endsWith(`/handovers/${id}.age`));
  const text = Buffer.from(await ageDecrypt(readFileSync(sealed!), [identityIn(join(s.inputs, `${who}.age`))])).toString();
  const identity = /^AGE-SECRET-KEY-.*$/m.exec(text)![0];
  s.needles.push(...needlesFor('a one-time identity', identity));
  const folder = join(s.person.work, 'vault', 'handovers', id.slice(0, 8));
  for (const name of readdirSync(folder)) {
    const value = Buffer.from(await ageDecrypt(readFileSync(join(folder, name)), [identity])).toString().trimEnd().split(' ').at(-1)!;
    s.needles.push(...needlesFor(`what ${name} holds`, value), ...needlesFor(`what ${name} holds, its bytes`, Buffer.from(value, 'base64')));
  }
}

export const HANDOVER_SCENARIOS: readonly (readonly [command: string, Scenario])[] = [
  ['handover offer', async (s) => {
    const path = join(s.inputs, 'greta.age');
    await s.cli(0, ['identity', 'create', '--person', 'greta', '--device', 'laptop', '--no-passphrase', '--out', path]);
    for (const line of readFileSync(path, 'utf8').split('\n').filter((each) => each.startsWith('AGE-SECRET-KEY-') || each.includes('signing'))) s.needles.push(...needlesFor("greta's keys", line.split(/[ :]+/).at(-1)!));
    await s.cli(0, ['member', 'add', join(s.inputs, 'greta.card'), '--role', 'team', '--role', 'guests', '--yes']);
    await s.cli(0, ['role', 'rekey', 'guests'], greta(s));
    await s.cli(0, ['seal', 'given/document', '--from', input(s, 'given', release(s, 'Given'))]);
    await s.cli(0, ['seal', 'given/ssh', '--kind', 'ssh-key']);
    const out = fresh(s);
    await s.cli(0, ['open', 'given/ssh', '--out', out]);
    record(s, 'given/ssh before', out);
    await s.cli(2, ['handover', 'offer', core('Given'), '--to', 'guests']);
    await s.cli(3, ['handover', 'offer', 'given/', '--to', core('Given').toLowerCase()]);
    await s.cli(0, ['handover', 'offer', 'held/document', 'given/', '--to', 'guests', '--json']);
  }],
  ['handover accept', async (s) => {
    const { offer } = await newest(s);
    await s.cli(2, ['handover', 'accept', core('Given')], greta(s));
    await s.cli(2, ['handover', 'accept', offer], greta(s));
    await s.cli(2, ['handover', 'accept', offer, '--custody', 'roots', '--not-after', core('Given')], greta(s));
    await s.cli(2, ['handover', 'accept', offer, '--custody', 'roots', '--threshold', core('Given')], greta(s));
    await s.cli(0, ['handover', 'accept', offer, '--custody', 'roots', '--keep-reader', 'team', '--reason', 'go-live', '--json'], greta(s));
  }],
  ['handover consent', async (s) => {
    const { id } = await newest(s);
    await s.cli(2, ['handover', 'consent', core('Given'), '--yes']);
    await s.cli(2, ['handover', 'consent', id]);
    await s.cli(2, ['handover', 'consent', id, '--yes', '--expect', core('Given')]);
    await s.cli(5, ['handover', 'consent', id, '--yes', '--expect', '0'.repeat(64)]);
    await s.cli(9, ['handover', 'consent', id, '--yes', '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'wrong')]);
    const binds = await digestOf(s, id);
    // The share is spoilt: the consent stands, what cannot be released stays, and is said.
    const share = s.stored('secrets/held/document/0001-shares');
    const good = readFileSync(share);
    writeFileSync(share, good.subarray(0, -1));
    await s.cli(0, ['handover', 'consent', id, '--yes', '--expect', binds, '--json']);
    writeFileSync(share, good);
  }],
  ['handover release', async (s) => {
    const { id } = await newest(s);
    await s.cli(2, ['handover', 'release', core('Given')]);
    await s.cli(9, ['handover', 'release', id, '--identity', 'locked.age', '--passphrase-file', join(s.inputs, 'wrong')]);
    await s.cli(0, ['handover', 'release', id, '--json']);
    await s.cli(7, ['handover', 'release', id]);
    await recordOnTheWay(s, id, 'greta');
  }],
  ['handover complete', async (s) => {
    const { id } = await newest(s);
    await s.cli(4, ['handover', 'complete', id]);
    await s.cli(2, ['handover', 'complete', id, '--out', fresh(s)], greta(s));
    // A release that is spoilt on its way names who gave it, and shows nothing of the others.
    const folder = join(s.person.work, 'vault', 'handovers', id.slice(0, 8));
    const path = join(folder, readdirSync(folder)[0]!);
    const good = readFileSync(path);
    writeFileSync(path, good.subarray(0, -1));
    await s.cli(5, ['handover', 'complete', id], greta(s));
    writeFileSync(path, good);
    await s.cli(0, ['handover', 'complete', id, '--json'], greta(s));
    await s.cli(0, ['handover', 'complete', id], greta(s));
    // A use: its value goes where it was asked to go, a pipe or a directory, and nowhere else.
    for (const more of [[], ['--out', fresh(s)]]) {
      await s.cli(0, ['handover', 'request', 'made/password', '--use', '--reason', 'rescue']);
      const use = (await newest(s)).id;
      await s.cli(0, ['handover', 'consent', use, '--yes', '--expect', await digestOf(s, use, greta(s))], greta(s));
      await recordOnTheWay(s, use, 'alice');
      await s.cli(0, ['handover', 'complete', use, ...more], { values: true });
      if (more.length > 0) record(s, 'made/password, used', more[1]!);
    }
    await s.cli(0, ['rotate', 'made/password']);
    const out = fresh(s);
    await s.cli(0, ['open', 'made/password', '--out', out]);
    record(s, 'made/password after its use', out);
  }],
  ['handover finalize', async (s) => {
    const { handovers } = JSON.parse((await s.cli(0, ['handover', 'list', '--json'])).text) as Listed;
    const { id } = handovers.find((each) => each.stage === 'completed')!;
    await s.cli(6, ['handover', 'finalize', id, '--yes'], greta(s));
    await s.cli(0, ['custody', 'ack']);
    await s.cli(6, ['handover', 'finalize', id, '--rotate', '--yes', '--json']);
    await s.cli(0, ['handover', 'finalize', id, '--rotate', '--json'], greta(s));
    const out = fresh(s);
    await s.cli(0, ['open', 'given/ssh', '--out', out], greta(s));
    record(s, 'given/ssh after', out);
    await s.cli(7, ['handover', 'finalize', id], greta(s));
  }],
  ['handover request', async (s) => {
    await s.cli(2, ['handover', 'request', core('Given'), '--to', 'guests'], greta(s));
    await s.cli(3, ['handover', 'request', 'made/tsig', '--to', core('Given').toLowerCase()], greta(s));
    await s.cli(2, ['handover', 'request', 'made/tsig', '--to', 'guests', '--use'], greta(s));
    await s.cli(4, ['handover', 'request', 'given/document', '--use']);
    await s.cli(0, ['handover', 'request', 'made/tsig', '--to', 'guests', '--json'], greta(s));
  }],
  ['handover abort', async (s) => {
    const { id } = await newest(s);
    await s.cli(2, ['handover', 'abort', id], greta(s));
    await s.cli(4, ['handover', 'abort', id, '--yes']);
    await s.cli(0, ['handover', 'abort', id, '--yes', '--reason', 'by mistake', '--json'], greta(s));
  }],
  ['handover list', async (s) => void (await s.cli(0, ['handover', 'list']))],
  ['handover show', async (s) => {
    const { handovers } = JSON.parse((await s.cli(0, ['handover', 'list', '--json'])).text) as Listed;
    for (const { id } of handovers) {
      await s.cli(0, ['handover', 'show', id]);
      await s.cli(0, ['handover', 'show', id, '--json']);
    }
    await s.cli(2, ['handover', 'show', core('Given')]);
  }],
  ['handover verify', async (s) => {
    const { handovers } = JSON.parse((await s.cli(0, ['handover', 'list', '--json'])).text) as Listed;
    for (const { id } of handovers) await s.cli(0, ['handover', 'verify', id, '--json']);
    const folder = join(s.person.work, 'vault', 'handovers', handovers[0]!.id.slice(0, 8));
    const path = join(folder, readdirSync(folder)[0]!);
    const good = readFileSync(path);
    writeFileSync(path, good.subarray(0, -1));
    await s.cli(5, ['handover', 'verify', handovers[0]!.id]);
    writeFileSync(path, good);
  }],
];
