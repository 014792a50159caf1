import { describe, expect, it } from 'vitest';
import { encryptionDocument, formatEncryptionBlock, outputValue, parseOutputs } from '../../../packages/terraform-hooks/src/index.js';

const command = ['oxp-vault', 'terraform', 'key-provider', 'terraform/state'];

describe('the encryption block of OpenTofu', () => {
  it('asks the vault for state and plan, and enforces both', () => {
    expect(formatEncryptionBlock({ command, migrate: false })).toBe(`terraform {
  encryption {
    key_provider "external" "oxp_vault" {
      command = ["oxp-vault", "terraform", "key-provider", "terraform/state"]
    }
    method "aes_gcm" "oxp_vault" {
      keys = key_provider.external.oxp_vault
    }
    state {
      method   = method.aes_gcm.oxp_vault
      enforced = true
    }
    plan {
      method   = method.aes_gcm.oxp_vault
      enforced = true
    }
  }
}
`);
  });

  it('reads what is in clear as well while a state moves, and then enforces nothing', () => {
    const block = formatEncryptionBlock({ command, migrate: true });
    expect(block).toContain('    method "unencrypted" "migrate" {}\n    state {\n      method = method.aes_gcm.oxp_vault\n      fallback {\n        method = method.unencrypted.migrate\n      }\n    }\n');
    expect(block).not.toContain('enforced');
  });

  it('writes words so that HCL reads them as they are', () => {
    expect(formatEncryptionBlock({ command: ['a "b" \\', '${x} %{y} $x'], migrate: false })).toContain('command = ["a \\"b\\" \\\\", "$${x} %%{y} $x"]');
  });

  it('has the form of TF_ENCRYPTION, where references are texts', () => {
    const both = { method: 'method.aes_gcm.oxp_vault', enforced: true };
    expect(encryptionDocument({ command, migrate: false })).toEqual({
      key_provider: { external: { oxp_vault: { command } } },
      method: { aes_gcm: { oxp_vault: { keys: 'key_provider.external.oxp_vault' } } },
      state: both,
      plan: both,
    });
    expect(encryptionDocument({ command, migrate: true })).toMatchObject({ method: { unencrypted: { migrate: {} } }, state: { fallback: { method: 'method.unencrypted.migrate' } } });
  });
});

describe('outputs of Terraform', () => {
  const outputs = parseOutputs('{"a":{"sensitive":true,"type":"string","value":"text\\n"},"n":{"type":"string","value":null},"o":{"type":["object",{}],"value":{"secret":"x","n":1}}}')!;

  it('are texts as they are, everything else as JSON, and nothing where there is none', () => {
    const text = (name: string): string | undefined => ((bytes) => bytes && Buffer.from(bytes).toString())(outputValue(outputs, name));
    expect(['a', 'o', 'n', 'missing', 'toString'].map(text)).toEqual(['text\n', '{"secret":"x","n":1}\n', undefined, undefined, undefined]);
    expect(parseOutputs('{}')).toEqual(new Map());
  });

  it.each(['', 'x', '[]', '{"a":1}', '{"a":{"type":"string"}}'])('are not %j', (text) => {
    expect(parseOutputs(text)).toBeUndefined();
  });
});
