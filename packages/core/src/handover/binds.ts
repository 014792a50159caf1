/** What a consent is given to (docs/format.md, "Handover"): it lives as long as this stays the same, and no longer. */
import { canonicalJson } from '../primitives/canonical-json.js';
import { taggedHash, toHex } from '../primitives/hash.js';
import type { HandoverAuthority } from './authority.js';
import type { Handover } from './state.js';

const TAG = 'oxp-vault/consent/v1';

/** Hex. As of the leaf that asks: the rules and persons are those of that leaf, the epochs of roles do not count. */
export function bindsDigest(handover: Handover, authority: HandoverAuthority): string {
  return authority.once(handover.digest, () => bindsOf(handover, authority));
}

function bindsOf(handover: Handover, authority: HandoverAuthority): string {
  const { request } = handover;
  const targets = handover.targets.map(({ statement, name }) => {
    const { path: _path, ...rule } = authority.rule(name) ?? { path: name };
    return { statement, rule, tree: authority.version(statement)?.custody?.tree ?? null };
  });
  const destination = request.mode === 'use' ? { person: handover.by.person } : destinationOf(request.role, request.custody, authority);
  const keepReaders = request.mode === 'use' ? [] : request.keepReaders;
  return toHex(taggedHash(TAG, canonicalJson({ request: handover.digest, targets, keepReaders, destination })));
}

function destinationOf(role: string, custody: string | null, authority: HandoverAuthority): object {
  return { role, members: authority.role(role)?.members ?? [], custody: custody === null ? null : { group: custody, tree: authority.group(custody) ?? null } };
}
