/** What `status` says of secrets: whom they are sealed to against what their rule says, and certificates that expire. */
import { rolesOf } from '../../policy/rules.js';
import { newestOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { days, type StatusItem } from './item.js';

const DAY = 86_400;
/** A certificate is named this long before it expires. */
const EXPIRY_NOTICE = 60 * DAY;

export function* secretItems(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const { policy } = vault.policy;
  const now = vault.clock.now();
  for (const name of vault.state.secrets.versions.sortedKeys()) {
    const newest = newestOf(vault.state.secrets, name);
    // Of what waits for its custodians the items of custody tell.
    if (!newest) continue;
    const rule = vault.ruleFor(name);
    const writes = who !== undefined && (rule?.writers.some((r) => rolesOf(policy, who).includes(r)) ?? false);
    if (!rule) {
      yield { mark: '!', mine: false, text: `no rule of the policy covers ${name}: nobody can write it any more` };
    } else if ('readers' in rule && 'readers' in newest.statement) {
      const sealedTo = newest.statement.readers.map((r) => r.role).join(', ');
      const ruled = rule.readers.join(', ');
      if (sealedTo !== ruled) {
        yield { mark: '!', mine: writes, text: `${name} is sealed to ${sealedTo}, and its rule now says ${ruled}`, next: 'oxp-vault seal' };
      }
    }
    const notAfter = newest.statement.public['notAfter'];
    if (typeof notAfter === 'number' && notAfter - now < EXPIRY_NOTICE) {
      const when = notAfter <= now ? 'has expired' : `expires in ${days(notAfter - now)}`;
      yield { mark: '!', mine: writes, text: `${name} v${newest.statement.version} ${when}`, next: `oxp-vault rotate ${name}` };
    }
  }
}
