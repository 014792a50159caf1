/**
 * A writer in a process of its own, for the tests of the Git store (bundled by them):
 *   append URL MIRRORS WHO COUNT    COUNT entries, each tried again until it is in
 *   read URL MIRRORS                the checkpoint
 * The checkpoint of these tests is the list of all entries, one a line.
 */
import { isVaultError } from '../../../packages/core/src/errors.js';
import { gitStore, type GitStore } from '../../../packages/core/src/stores/git.js';

const encoder = new TextEncoder();
const CHECKPOINT = 'log/checkpoint';

async function list(store: GitStore): Promise<{ bytes: Uint8Array | undefined; entries: string[] }> {
  const bytes = await store.get(CHECKPOINT);
  return { bytes, entries: bytes === undefined ? [] : new TextDecoder().decode(bytes).split('\n').slice(0, -1) };
}

/** Like the engine: never twice, the replaced page gone with the new one. */
async function append(store: GitStore, entry: string): Promise<number> {
  for (let lost = 0; ; lost++) {
    const { bytes, entries } = await list(store);
    if (entries.includes(entry)) return lost;
    const all = encoder.encode([...entries, entry].map((each) => `${each}\n`).join(''));
    const pageOf = (n: number): string => `log/0000000000-${String(n).padStart(16, '0')}-0000000000.jsonl`;
    const files = [{ path: pageOf(entries.length + 1), bytes: all }, { path: `objects/${entry}`, bytes: encoder.encode(entry) }];
    if (await store.commit({ old: bytes, next: all, files, replaced: entries.length === 0 ? [] : [pageOf(entries.length)] })) return lost;
  }
}

const [command, url = '', mirrorDir = '', who = '', count = '1'] = process.argv.slice(2);
const store = gitStore({ url, mirrorDir, ...(process.env['OXP_TEST_TIMEOUT'] ? { timeout: Number(process.env['OXP_TEST_TIMEOUT']) } : {}) });
try {
  if (command === 'append') {
    let lost = 0;
    for (let i = 1; i <= Number(count); i++) lost += await append(store, `${who}-${i}`);
    process.stdout.write(`${JSON.stringify({ lost })}\n`);
  } else {
    await store.refresh(0);
    process.stdout.write(`${JSON.stringify((await list(store)).entries)}\n`);
  }
} catch (error) {
  if (!isVaultError(error)) throw error;
  process.stdout.write(`${JSON.stringify(error)}\n`);
  process.exitCode = error.exitCode;
}
