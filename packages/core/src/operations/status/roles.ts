/** What `status` says of role keys: which are missing, stale or provisional, and who waits for a grant. */
import { holders, newestEpoch } from '../../policy/state.js';
import type { Vault } from '../../vault.js';
import { ungranted } from '../people/role-turn.js';
import type { StatusItem } from './item.js';

export function* roleItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  for (const [role, def] of Object.entries(vault.policy.policy.roles)) {
    const state = vault.policy.roles.get(role);
    const newest = newestEpoch(vault.policy, role);
    const member = who !== undefined && def.members.includes(who);
    const next = `oxp-vault role rekey ${role}`;
    if (!newest) {
      yield { mark: '!', mine: member || def.steward === who, text: `role ${role} has no key yet: nothing can be sealed to it`, next };
    } else if (state?.stale) {
      yield { mark: '!', mine: member, text: `the key of role ${role} is stale: ${state.stale.who} or a device of theirs has left. ${turners(vault, role)} it with the next thing that they write`, next };
    } else if (newest.provisional) {
      yield { mark: '-', mine: member, text: `the key of role ${role} is provisional: its steward ${newest.maker.person} knows it until a member makes the next one`, next };
    }
    const lacking = ungranted(vault, role);
    if (lacking.length > 0 && newest) {
      yield { mark: '!', mine: member && !lacking.includes(who), text: `${lacking.join(', ')} cannot read for role ${role} yet: nobody has granted its key`, next: `oxp-vault role grant ${role}` };
    }
  }
}

/** `carol or dora turns`: those who hold the newest key; where nobody is left who does, any member. */
function turners(vault: Vault, role: string): string {
  const left = holders(vault.policy, role);
  const able = left.length > 0 ? left : (vault.policy.policy.roles[role]?.members ?? []);
  return able.length === 0 ? 'Nobody is left who turns' : `${able.join(' or ')} turns`;
}
