/** What `status` says of people: whoever asks and is not enrolled yet, and policies that wait for signatures. */
import { policyDifference } from '../../policy/words.js';
import type { Proposal } from '../../policy/state.js';
import { livingDevice } from '../../policy/state.js';
import type { Vault } from '../../vault.js';
import { policyOutcome } from '../people/policy-change.js';
import type { StatusItem } from './item.js';

/** The public half of the identity that asks, as far as it is known without a passphrase. */
export interface Asking {
  readonly person: string;
  readonly device: string;
  readonly id: string;
  /** The card, as a policy repeats it. */
  readonly line: string;
}

/** How somebody who is not enrolled gets in, from where they stand. Nothing for the enrolled. */
export function* joining(vault: Vault, me: Asking | undefined): Iterable<StatusItem> {
  if (!me || livingDevice(vault.policy, me.person, me.id)) return;
  const who = `you (${me.person}, device ${me.device}) are not enrolled`;
  if (vault.policy.removed.has(me.id)) {
    const still = vault.policy.people.has(me.person) ? 'Go on with another device of yours' : `What you could read: oxp-vault exposure --person ${me.person}`;
    yield { mark: '!', mine: true, text: `${who} any more: this key was removed, and never returns. ${still}. To come back takes a new identity, whose card ${inviters(vault).join(' or ')} can add`, next: 'oxp-vault identity create --out FILE' };
    return;
  }
  const adding = vault.policy.proposals.filter((proposal) => enrols(proposal, me));
  for (const proposal of adding) {
    const { need, of } = policyOutcome(vault, proposal.number, proposal.digest).waiting;
    const short = proposal.digest.slice(0, 8);
    yield { mark: '-', mine: true, text: `${who} yet: policy ${proposal.number} (${short}) adds you, once ${need} of ${of.join(' ')} have signed it${of.includes(me.person) ? '' : '. There is nothing for you to do but wait'}` };
  }
  if (adding.length > 0) return;
  const own = vault.policy.people.get(me.person)?.devices ?? [];
  if (own.length > 0) {
    yield {
      mark: '!', mine: true,
      text: `${who}: ${me.person} has other devices here (${own.map((d) => d.device).join(', ')}). If that is you, let one of them add the card of this one; if not, you need another name`,
      next: `oxp-vault device add ${me.person}.card`,
    };
    return;
  }
  yield {
    mark: '!', mine: true,
    text: `${who}: send your card to somebody who can add you (${inviters(vault).join(' ')}), who types: oxp-vault member add ${me.person}.card`,
    next: `oxp-vault identity show --card > ${me.person}.card`,
  };
}

/** Admins, and the managers of roles, who can add people to those by themselves. */
function inviters(vault: Vault): string[] {
  const { admins, roles } = vault.policy.policy;
  return [...new Set([...admins.of, ...Object.values(roles).flatMap((role) => role.managed?.of ?? [])])];
}

function enrols({ policy }: Proposal, me: Asking): boolean {
  return policy?.persons[me.person]?.cards.includes(me.line) ?? false;
}

/** `who`: the person who asks, where enrolled, or where a proposal enrols them. */
export function* proposals(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  for (const proposal of vault.policy.proposals) {
    const { waiting } = policyOutcome(vault, proposal.number, proposal.digest);
    const short = proposal.digest.slice(0, 8);
    const { policy, people } = vault.policy;
    yield {
      mark: '!',
      mine: who !== undefined && waiting.of.includes(who),
      text: `policy ${proposal.number} (${short}) by ${proposal.proposer.person} waits for ${waiting.need} of ${waiting.of.join(' ')}`,
      // Which of several is meant, nobody can tell by a digest.
      details: proposal.policy ? policyDifference(policy, proposal.policy, people).map(({ mark, text }) => `${mark} ${text}`) : [`! its format is ${proposal.format}, which this release does not know`],
      next: `oxp-vault policy sign ${short}`,
    };
  }
}
