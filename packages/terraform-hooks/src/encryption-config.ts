/** The encryption block that makes OpenTofu (1.10 and later) ask this vault for its key, for state and plan alike. */

export interface EncryptionConfig {
  /** What OpenTofu starts, as words: it uses no shell. */
  readonly command: readonly string[];
  /** True: also reads what is not encrypted yet. For the first apply. */
  readonly migrate: boolean;
}

/**
 * Every name in it is one for good: OpenTofu stores the metadata of a key under the name of its provider, and finds it by that.
 */
const NAME = 'oxp_vault';
const KEY = `key_provider.external.${NAME}`;
const METHOD = `method.aes_gcm.${NAME}`;
const PLAIN = 'method.unencrypted.migrate';

/** HCL, formatted as `tofu fmt` has it. */
export function formatEncryptionBlock({ command, migrate }: EncryptionConfig): string {
  const target = (name: string): string[] => [
    `    ${name} {`,
    `      method${migrate ? '' : '  '} = ${METHOD}`,
    ...(migrate ? ['      fallback {', `        method = ${PLAIN}`, '      }'] : ['      enforced = true']),
    '    }',
  ];
  return `${[
    'terraform {',
    '  encryption {',
    `    key_provider "external" "${NAME}" {`,
    `      command = [${command.map(quote).join(', ')}]`,
    '    }',
    `    method "aes_gcm" "${NAME}" {`,
    `      keys = ${KEY}`,
    '    }',
    ...(migrate ? ['    method "unencrypted" "migrate" {}'] : []),
    ...target('state'),
    ...target('plan'),
    '  }',
    '}',
  ].join('\n')}\n`;
}

/** The same for the variable TF_ENCRYPTION, which holds what is inside the block. References are texts there. */
export function encryptionDocument({ command, migrate }: EncryptionConfig): object {
  const target = { method: METHOD, ...(migrate ? { fallback: { method: PLAIN } } : { enforced: true }) };
  return {
    key_provider: { external: { [NAME]: { command: [...command] } } },
    method: { aes_gcm: { [NAME]: { keys: KEY } }, ...(migrate ? { unencrypted: { migrate: {} } } : {}) },
    state: target,
    plan: target,
  };
}

/** A text of HCL: that of JSON, where a template does not begin. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/\$\{/g, '$$$${').replace(/%\{/g, '%%{');
}
