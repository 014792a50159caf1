/** What a statement says, in words. */
import type { Statement } from '@oxp-vault/core';

/** `infra, platform` as a list, or `custody pki-root`. */
export function sealedTo(statement: Statement): string[] {
  return 'readers' in statement ? statement.readers.map((reader) => reader.role) : [`custody ${statement.custody.group}`];
}

export function originWords({ origin }: Statement): string {
  switch (origin.how) {
    case 'generated':
      return 'generated';
    case 'imported':
      return 'imported';
    case 'reseal':
      return 'the same value as before, sealed anew';
  }
}

/** One line that a terminal can show: public parts are whatever their sealer signed. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
