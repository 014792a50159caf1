/** The key provider under real OpenTofu: init, apply, plan, a rotation; nothing in clear in state and plan. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { buildCli } from '../cli/harness.js';
import { owner, type VaultOwner } from '../cli/person.js';
import { leaks, needlesFor } from '../leak/needles.js';
import { run } from '../support/run.js';
import { TerraformBox } from '../support/terraform/box.js';
import { describeWith } from '../support/tools.js';

const CANARY = `CANARYtofu${createHash('sha256').update('tofu').digest('hex').slice(0, 20)}`;
const MAIN = `variable "value" { type = string }
resource "terraform_data" "it" { input = var.value }
output "it" {
  value     = terraform_data.it.output
  sensitive = true
}
`;

describeWith(['tofu'], 'the state of OpenTofu', ({ tofu }) => {
  let alice: VaultOwner;
  beforeAll(async () => {
    await buildCli();
    alice = await owner();
    await alice.must(['seal', 'terraform/state', '--kind', 'state-key']);
  }, 300_000);

  const config = async (...more: string[]): Promise<string> => (await alice.must(['terraform', 'encryption-config', 'terraform/state', ...more])).text;
  // Not under TF_LOG: what OpenTofu logs of a value is its own affair.
  const quiet = { TF_LOG: undefined, TF_LOG_PATH: undefined };

  it('is encrypted under a key of the vault, before and after a rotation', async () => {
    const box = new TerraformBox(alice, {}, MAIN, { program: tofu, directory: 'encrypted' });
    const tofuRun = (...args: string[]) => box.must(args, { ...quiet, TF_VAR_value: CANARY });
    box.write('encryption.tf', await config());
    await tofuRun('init');
    await tofuRun('apply', '-auto-approve');
    const keyOf = (): { version: number } => (JSON.parse(Buffer.from((JSON.parse(box.read('terraform.tfstate')) as { meta: Record<string, string> }).meta['key_provider.external.oxp_vault']!, 'base64').toString()) as { external_data: { version: number } }).external_data;
    expect(keyOf().version).toBe(1);
    await alice.must(['rotate', 'terraform/state']);
    expect((await tofuRun('plan', '-out=it.tfplan')).text).toContain('No changes');
    expect((await tofuRun('output', '-raw', 'it')).text).toBe(CANARY);
    await tofuRun('apply', '-auto-approve', '-replace=terraform_data.it');
    expect(keyOf().version).toBe(2);
    const hits = leaks([{ where: 'state', bytes: Buffer.from(box.read('terraform.tfstate')) }, { where: 'plan', bytes: Buffer.from(box.read('it.tfplan')) }], needlesFor('the canary', CANARY));
    expect(hits).toEqual([]);
    expect((await alice.must(['audit', 'log'])).text).toContain('opened terraform/state v1, terraform/state v2 (terraform key-provider)');
  }, 300_000);

  it('moves there from a state in clear, by TF_ENCRYPTION as well', async () => {
    const box = new TerraformBox(alice, {}, MAIN, { program: tofu, directory: 'moved' });
    const env = { ...box.env, TF_VAR_value: CANARY };
    const tofuRun = (args: string[], more: Record<string, string> = {}) => run(tofu, args, { cwd: box.directory, env: { ...env, ...more } });
    await tofuRun(['init']);
    await tofuRun(['apply', '-auto-approve']);
    expect(box.read('terraform.tfstate')).toContain(CANARY);
    const [migrate, enforced] = [await config('--migrate', '--json'), await config('--json')];
    expect((await tofuRun(['plan'], { TF_ENCRYPTION: enforced })).code).toBe(1);
    expect(await tofuRun(['apply', '-auto-approve', '-replace=terraform_data.it'], { TF_ENCRYPTION: migrate })).toMatchObject({ code: 0 });
    expect(box.read('terraform.tfstate')).not.toContain(CANARY);
    expect(await tofuRun(['plan'], { TF_ENCRYPTION: enforced })).toMatchObject({ code: 0 });
  }, 300_000);
});
