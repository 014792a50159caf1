/** Whether those whom a rule asks could ever agree to a handover. */

/** The part of a rule that says who agrees to a handover. */
export interface ConsentRule {
  readonly path: string;
  readonly owners: readonly string[];
  readonly consents: number;
}

interface ConsentRoles {
  readonly roles: Readonly<Record<string, { readonly members: readonly string[] }>>;
}

/**
 * In words why nobody could satisfy this rule, or undefined. Of a team that nobody has joined yet nothing can be said. Asked where a rule is
 * made, not where people leave: to remove somebody may not wait.
 */
export function consentsFault({ roles }: ConsentRoles, { path, owners, consents }: ConsentRule, isHuman: (person: string) => boolean): string | undefined {
  const members = new Set(owners.flatMap((role) => roles[role]?.members ?? []));
  const could = [...members].filter(isHuman).length;
  if (members.size === 0 || consents <= Math.max(1, could)) return undefined;
  const who = could === 0 ? 'nobody' : `only ${could === 1 ? 'one person' : `${could} people`}`;
  return `rule ${path} asks ${consents} consents of ${owners.join(' and ')}, where ${who} could give one`;
}
