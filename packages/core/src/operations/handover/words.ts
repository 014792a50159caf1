/** Entries of handovers as people read them in the log. */
import type { OpBody } from '../../ops.js';
import type { Vault } from '../../vault.js';

export interface HandoverWords {
  readonly words: string;
  readonly secrets: readonly string[];
}

/** Undefined for an entry that is of no handover. */
export function handoverWords(vault: Vault, { op, body }: OpBody): HandoverWords | undefined {
  const label = (statement: string): string => {
    const at = vault.state.secrets.statements.get(statement);
    return at ? `${at.name} v${at.version}` : `an unknown version (${statement.slice(0, 8)})`;
  };
  const names = (statements: readonly string[]): string[] => [...new Set(statements.flatMap((statement) => vault.state.secrets.statements.get(statement)?.name ?? []))];
  const said = (words: string, statements: readonly string[]): HandoverWords => ({ words, secrets: names(statements) });
  switch (op) {
    case 'handover.offer':
      return said(`offered ${body.targets.map(label).join(', ')} to ${body.role}`, body.targets);
    case 'handover.request':
      return said(`asked for ${body.mode === 'use' ? 'the use of ' : ''}${body.targets.map(label).join(', ')}${body.mode === 'use' ? '' : ` for ${body.role}`}`, body.targets);
    case 'handover.consent': {
      const statements = [...body.leaves.map((leaf) => leaf.statement), ...body.ownership];
      return said(`consented to handover ${short(body.request)} of ${statements.map(label).join(', ')}`, statements);
    }
    case 'handover.release': {
      const shares = body.shares.map((share) => `the share of ${label(share.statement)}`);
      const keys = body.keys.map((key) => `the file key of ${label(key.statement)}`);
      return said(`released ${[...shares, ...keys].join(', ')} for handover ${short(body.request)}`, [...body.shares, ...body.keys].map((item) => item.statement));
    }
    case 'handover.complete': {
      const got = body.targets.filter((target) => target.new !== null);
      const failed = body.targets.filter((target) => target.new === null && target.checks.some((check) => !check.ok));
      const words = [
        ...(got.length > 0 ? [`received ${got.map((target) => label(target.old)).join(', ')}`] : []),
        ...(failed.length > 0 ? [`refused ${failed.map((target) => label(target.old)).join(', ')}, which failed its checks`] : []),
      ];
      return said(`completed handover ${short(body.request)}: ${words.join('; ') || 'used, nothing moved'}`, body.targets.map((target) => target.old));
    }
    case 'handover.finalize':
      return said(`finalized handover ${short(body.request)}${body.unrotated.length > 0 ? `; still with its old value: ${body.unrotated.map(label).join(', ')}` : ''}`, body.unrotated);
    case 'handover.abort':
      return { words: `aborted handover ${short(body.request)}`, secrets: vault.state.handovers.handovers.get(body.request)?.targets.map((target) => target.name) ?? [] };
    case 'vault.drill':
      return { words: `drilled: opened ${body.statements.length}${body.failed.length > 0 ? `, of which ${body.failed.length} failed` : ', all in order'}`, secrets: names(body.failed) };
    default:
      return undefined;
  }
}

function short(id: string): string {
  return id.slice(0, 8);
}
