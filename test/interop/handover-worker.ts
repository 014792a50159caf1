/** One act of a handover as a process of its own: handover-worker ACT DIR STATE NOW [ID], the identity on standard input. What is done already is done. */
import { readFileSync } from 'node:fs';
import {
  completeHandover, consentTo, directoryStore, finalizeHandover, fsLocalState, isVaultError, parseIdentity, planConsent, releaseDue, requestHandover, Vault,
} from '../../packages/core/src/index.js';

const [act, dir, state, now, id = ''] = process.argv.slice(2) as [string, string, string, string, string?];
const identity = await parseIdentity(readFileSync(0, 'utf8'));
const vault = await Vault.open({ store: directoryStore(dir), local: fsLocalState(state), identity, clock: { now: () => Number(now) } });
await vault.confirm();

async function run(): Promise<void> {
  switch (act) {
    case 'request':
      await requestHandover(vault, { names: ['dns/key', 'pki/root'], role: 'platform', custody: 'platform-root' });
      return;
    case 'consent':
      await consentTo(vault, await planConsent(vault, id));
      return;
    case 'release':
      for (const fault of (await releaseDue(vault)).faults) throw fault;
      return;
    case 'complete':
      await completeHandover(vault, id);
      return;
    case 'finalize':
      await finalizeHandover(vault, id, { rotate: true });
      return;
    default:
      throw new Error(`no such act: ${act}`);
  }
}

try {
  await run();
} catch (error) {
  if (!isVaultError(error, 'ALREADY_DONE')) throw error;
}
