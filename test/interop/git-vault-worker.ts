/**
 * One of several processes that write to a vault in Git at once (bundled by git-vault.test.ts). It is told what to do by its parent:
 * first who it is and where, then, when all have opened the vault, to begin. It prints the digests of all that it has signed.
 */
import { parseEntry } from '../../packages/core/src/audit/entry.js';
import { enqueue, listQueued } from '../../packages/core/src/engine/queue.js';
import { drainQueue } from '../../packages/core/src/operations/copies/drain.js';
import {
  fsLocalState, gitStore, gitStoreHere, isVaultError, parseIdentity, sealBatch, Secret, Vault, type GitStoreOptions,
} from '../../packages/core/src/index.js';

export interface Orders {
  /** As `formatIdentity` writes it. */
  readonly identity: string;
  /** A remote, or the repository that one stands in. */
  readonly place: { readonly url: string } | { readonly directory: string };
  readonly mirrors: string;
  readonly state: string;
  readonly expect: string;
  /** Signed before anybody writes: of each only one can be version 1. */
  readonly contested: readonly string[];
  /** Signed one after the other, each on what this process has seen by then. */
  readonly inTurn: readonly string[];
}

const orders = await new Promise<Orders>((resolve) => process.once('message', (message) => resolve(message as Orders)));
const identity = await parseIdentity(orders.identity);
const options: GitStoreOptions = { mirrorDir: orders.mirrors };
const store = 'url' in orders.place ? gitStore({ ...options, url: orders.place.url }) : await gitStoreHere({ ...options, directory: orders.place.directory });
const vault = await Vault.open({ store, local: fsLocalState(orders.state), identity, expect: orders.expect });
const signed: string[] = [];

/** What a writing command does with what cannot be typed again: into the queue with its file, then from there into the log. */
async function sign(name: string): Promise<void> {
  const { card } = identity;
  const value = Secret.fromText(`${name} by ${card.person} on ${card.device}`);
  const { entries, files } = vault.signed(await sealBatch(vault, [{ name, kind: 'password', file: value, parameters: {}, public: {}, origin: 'generated' }]));
  await enqueue(vault.local, vault.id, entries[0]!, files);
  signed.push(parseEntry(entries[0]!.line).digest);
}

async function drain(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await drainQueue(vault);
      return;
    } catch (error) {
      // What the product tells a person to do.
      if (!isVaultError(error, 'RACE_LOST') || attempt > 10) throw error;
      await vault.refresh();
    }
  }
}

for (const name of orders.contested) await sign(name);
const begin = new Promise((resolve) => process.once('message', resolve));
process.send!('ready');
await begin;
await drain();
for (const name of orders.inTurn) {
  await sign(name);
  await drain();
}
const left = await listQueued(vault.local, vault.id, 'queue');
process.stdout.write(JSON.stringify({ signed, left: left.length }));
process.disconnect();
