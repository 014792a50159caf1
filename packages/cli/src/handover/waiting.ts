/** `consent --wait`: stays until the others have consented, releases then, and gives up only what has become pointless. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isVaultError, type Released, showHandover, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { awaitedInWords, shortId } from './words.js';

/** Milliseconds between two looks: soon at first, as the others are often at their desks. */
const [FIRST_LOOK, LONGEST_LOOK] = [500, 10_000];

/**
 * Gives what was released for this handover. Throws EXPIRED, RACE_LOST where it cannot go on, CONSENT_STALE where what was consented to has
 * changed; a store that is away for a while is waited for as well.
 */
export async function waitAndRelease(context: CliContext, vault: Vault, id: string, releaseAll: () => Promise<readonly Released[]>): Promise<readonly Released[]> {
  const me = vault.requireActor().person;
  let said = '';
  const sayOnce = async (text: string): Promise<void> => {
    if (text !== said) await context.say(text);
    said = text;
  };
  for (let pause = FIRST_LOOK; ; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
    const view = showHandover(vault, id);
    const short = shortId(view);
    if (view.stage !== 'open') {
      await context.say(`Handover ${short} is ${view.stage === 'aborted' ? `aborted by ${view.aborted?.person}` : 'over'}: nothing more is asked of you.`);
      return [];
    }
    if (view.releases.some((release) => release.person === me)) {
      await context.say(`What you hold has been released to ${view.request.person}: nothing more is asked of you.`);
      return [];
    }
    if (view.blocked) throw new VaultError(view.blocked.code === 'EXPIRED' ? 'EXPIRED' : 'RACE_LOST', `handover ${short} cannot go on: ${view.blocked.message}`, { hint: 'Nothing of yours has left.' });
    if (!view.consents.some((consent) => consent.living && consent.person === me)) {
      throw new VaultError('CONSENT_STALE', `what you consented to in handover ${short} has changed since`, { hint: `Nothing of yours has left. Look at it again: oxp-vault handover consent ${short} --wait` });
    }
    const released = (await releaseAll()).filter((each) => each.id === id);
    if (released.length > 0) return released;
    if (showHandover(vault, id).targets.every((target) => target.released)) {
      await context.say('Others have released enough: nothing more is asked of you.');
      return [];
    }
    await sayOnce(`Waiting for ${awaitedInWords(view) ?? 'the others'}. Ctrl-C is safe: what you hold then leaves with your next command that writes.`);
    await sleep(pause);
    try {
      await vault.refresh();
    } catch (error) {
      if (!isVaultError(error) || error.class !== 'store') throw error;
      await sayOnce(`${error.code}: ${error.message}. Still waiting.`);
    }
  }
}
