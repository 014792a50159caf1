/** One of several processes that seal into one directory at once: race-worker DIR STATE COUNT, its identity on standard input. */
import { readFileSync } from 'node:fs';
import { directoryStore, fsLocalState, isVaultError, parseIdentity, sealBatch, Secret, Vault } from '../../packages/core/src/index.js';

const [dir, state, count] = process.argv.slice(2) as [string, string, string];
const identity = await parseIdentity(readFileSync(0, 'utf8'));
const vault = await Vault.open({ store: directoryStore(dir, { lockPatience: 60_000 }), local: fsLocalState(state), identity });
await vault.confirm();
for (let i = 0; i < Number(count); i++) {
  const batch = await sealBatch(vault, [{ name: `${identity.card.person}/s${i}`, kind: 'password', file: Secret.fromText(`${identity.card.person} ${i}`), parameters: {}, public: {}, origin: 'generated' }]);
  for (let attempt = 1; ; attempt++) {
    try {
      await vault.append(batch);
      break;
    } catch (error) {
      // What the product tells a person to do: try again, with the same signed entry.
      if (!isVaultError(error, 'RACE_LOST') || attempt > 20) throw error;
      await vault.refresh();
    }
  }
}
process.stdout.write(`${vault.point.size}\n`);
