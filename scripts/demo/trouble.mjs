// Somebody who can write to the store, and nothing else, puts an older vault back.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { as, aside, chapter, quietly, scratch, settleIn, tool } from './stage.mjs';

export async function trouble({ git, directory }) {
  chapter(`Mallory may ${git ? 'push' : 'write there'}, and hides that a key was replaced: she puts yesterday's vault back.`);
  const copies = { yesterday: join(scratch, 'yesterday'), today: join(scratch, 'today') };
  if (!git) cpSync(directory, copies.yesterday, { recursive: true });
  await as('alice', 'rotate dns/rfc2136_tsig_secret');
  await quietly('carol', 'sync');
  settleIn('mallory');
  if (git) await tool('git', `-C ${join(scratch, 'copy')} push -q --force origin HEAD:oxp-vault`, { person: 'mallory' });
  else {
    cpSync(directory, copies.today, { recursive: true });
    replace(directory, copies.yesterday);
  }
  await as('carol', 'status', { expect: 5 });
  aside('Nothing of it is accepted, and one command of anybody who is up to date mends it.');
  await as('carol', git ? 'sync --restore' : `sync --restore --from ${copies.today}`);
  chapter('Anybody can judge all of it again, from nothing: every entry, signature and file.');
  await as('dora', 'audit verify');
}

function replace(directory, by) {
  rmSync(directory, { recursive: true });
  cpSync(by, directory, { recursive: true });
}
