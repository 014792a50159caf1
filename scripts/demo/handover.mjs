// The platform is built, and becomes its owners': who agreed, what was handed over, that it works, and who still knows the old values.
import { as, aside, asJson, chapter, leftWaiting, quietly, quote } from './stage.mjs';

export async function ceremony() {
  chapter('The handover. Carol asks, on behalf of platform: from now on the root is to be in the custody of her team.');
  await as('carol', 'handover request pki/root dns/ kube/root --to platform --custody platform-root --reason go-live');
  const { handovers } = await asJson('carol', 'handover list');
  const id = handovers[0].id.slice(0, 8);
  await consents(id);
  await receipt(id);
  await finalized(id);
  await proofs(id);
}

async function consents(id) {
  chapter('Two of infra and one of security must consent. Until they all have, no share leaves anybody.', 'At a desk this asks. In a script a yes belongs to the digest of what was shown.');
  const yes = `--yes --expect ${await digestOf(id)}`;
  const alice = leftWaiting('alice', `handover consent ${id} ${yes} --wait`);
  quote(await alice.until('Waiting for'));
  await quietly('bruno', `handover consent ${id} ${yes}`);
  await as('carol', `handover complete ${id}`, { expect: 6, note: 'Bruno consents too, and goes home. Can Carol have it now? Not without security:' });
  await as('frank', `handover consent ${id} ${yes}`);
  aside('Alice\'s command, which has waited all along, says:');
  quote((await alice.done()).split('\n').filter((line) => line.startsWith('all consents')).join('\n'));
  await as('bruno', `handover release ${id}`, { note: 'And Bruno\'s share leaves with whatever he writes next, or so:' });
}

/** What the question shows, as the refusal of a yes without it names it. */
async function digestOf(id) {
  const refusal = await quietly('alice', `handover consent ${id} --yes`, { expect: 2, all: true });
  return /--expect ([0-9a-f]{64})/.exec(refusal)[1];
}

async function receipt(id) {
  chapter('Carol puts the shares together, in memory. Each thing is checked against what was signed about it, and sealed for her team.');
  await as('carol', `handover complete ${id}`);
  await quietly('carol', 'custody ack');
  await as('dora', 'custody ack', { note: 'The new custodians say that their shares open: Carol, and Dora.' });
}

async function finalized(id) {
  chapter('The rules come to say so, signed by the old admins as well; then what can be made anew is.');
  await as('carol', `handover finalize ${id} --rotate --yes`, { expect: 6 });
  const { digest } = (await asJson('alice', 'policy log')).at(-1);
  await quietly('alice', `policy sign --yes --expect ${digest}`);
  await as('carol', `handover finalize ${id} --rotate`, { note: 'Alice signs it.' });
}

async function proofs(id) {
  chapter('The proof, from the log alone: who agreed to what, and that nothing left before.');
  await as('dora', `handover verify ${id}`);
  chapter('And who could still know what? Alice built it all, so the answer is not "nothing".');
  await as('dora', 'exposure --person alice pki/ dns/ kube/');
}
