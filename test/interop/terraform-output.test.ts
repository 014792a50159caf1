/** `import: { terraform: … }` with real Terraform, and what docs/terraform.md shows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCli, runBin } from '../cli/harness.js';
import { owner } from '../cli/person.js';
import { kubeconfig } from '../leak/mistakes.js';
import { root } from '../packaging/built.js';
import { mustRun, run } from '../support/run.js';
import { TerraformBox, testProviders } from '../support/terraform/box.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const MAIN = `variable "file" { type = string }
output "kubeconfig" {
  value     = var.file
  sensitive = true
}
output "access" {
  value     = { access = "SCWXXXXXXXXXXXXXXXXX", secret = "11111111-1111-1111-1111-111111111111" }
  sensitive = true
}
`;

const blocks = [...readFileSync(join(root, 'docs', 'terraform.md'), 'utf8').matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, text]) => text!);

describeWith(['terraform'], 'outputs of Terraform', () => {
  beforeAll(buildCli, 300_000);

  it('are sealed, once', async () => {
    const alice = await owner();
    alice.write('vault.d/bootstrap.yaml', `secrets:\n  kube/root: { kind: kubeconfig, import: { terraform: { dir: ../infra, output: kubeconfig } } }\n  cloud/key: { kind: api-key, provider: scaleway, import: { terraform: { dir: ../infra, output: access } } }\n  later: { kind: document, import: { terraform: { dir: ../infra, output: later } } }\n`);
    const box = new TerraformBox(alice, {}, MAIN);
    const seal = (...names: string[]) => runBin(alice, ['seal', ...names, '--bootstrap', 'vault.d/bootstrap.yaml'], { env: { ...box.env }, timeout: 120_000 });
    const early = await seal();
    expect(early.text).toContain('../infra has no output kubeconfig yet');
    const apply = (file: string) => mustRun(box.program, ['apply', '-auto-approve'], { cwd: box.directory, env: { ...box.env, TF_VAR_file: file } });
    await apply(kubeconfig('first-token'));
    const sealed = await seal();
    expect(sealed.text, sealed.stderr).toContain('2 sealed, 0 unchanged, 1 not given');
    expect((await alice.must(['open', 'kube/root'])).text).toBe(kubeconfig('first-token'));
    expect((await alice.must(['open', 'cloud/key#access'])).text).toBe('SCWXXXXXXXXXXXXXXXXX');
    expect((await seal('kube/root', 'cloud/key')).text).toContain('0 sealed, 2 unchanged');
    await apply(kubeconfig('second-token'));
    expect((await seal('kube/root', 'cloud/key')).text).toContain('1 sealed, 1 unchanged');
    expect((await alice.must(['open', 'kube/root'])).text).toContain('second-token');
  }, 300_000);
});

describeWith(['terraform'], 'what docs/terraform.md shows', () => {
  beforeAll(buildCli, 300_000);

  const isSettings = (text: string): boolean => text.startsWith('provider_installation');

  it.each(blocks.filter((text) => !isSettings(text)))('is HCL as Terraform formats it', async (text) => {
    expect((await mustRun('terraform', ['fmt', '-'], { input: text })).text).toBe(text);
  });

  it.each(blocks.filter(isSettings))('is a file of settings that Terraform takes', async (text) => {
    const file = join(tempDir('settings'), 'terraform.rc');
    const said = async (settings: string): Promise<string> => {
      writeFileSync(file, settings);
      const { text: out, stderr } = await run('terraform', ['-version'], { env: { ...process.env, TF_CLI_CONFIG_FILE: file, CHECKPOINT_DISABLE: '1' } });
      return out + stderr;
    };
    expect(await said(text)).not.toMatch(/Error|Warning/);
    expect(await said(text.replace('path', 'pfad').replace('dev_overrides', 'overrides'))).toMatch(/Error|Warning/);
  });

  it('works as it stands', async () => {
    const main = blocks.find((text) => text.includes('ephemeral "oxpvault_secret"'))!.replace('oxpvault = {', 'sink = { source = "oxp.test/oxp/sink" }\n    oxpvault = {');
    const alice = await owner();
    await alice.must(['seal']);
    const box = new TerraformBox(alice, await testProviders(), main);
    expect((await box.must(['apply', '-auto-approve'])).text).toContain('1 added');
    await alice.must(['rotate', 'app/password']);
    expect((await box.must(['apply', '-auto-approve'])).text).toContain('1 changed');
  }, 300_000);

  it('is what the command prints, formatted', async () => {
    const alice = await owner();
    await alice.must(['seal', 'terraform/state', '--kind', 'state-key']);
    for (const more of [[], ['--migrate']]) {
      const { text } = await alice.must(['terraform', 'encryption-config', 'terraform/state', ...more]);
      expect((await mustRun('terraform', ['fmt', '-'], { input: text })).text).toBe(text);
    }
  });
});

describe('docs/terraform.md', () => {
  it('shows something', () => {
    expect(blocks.length).toBeGreaterThan(4);
  });
});
