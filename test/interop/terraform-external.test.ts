/** The data source `external` under real Terraform: what is public, what is refused, and where a value is that was allowed into the state. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCli } from '../cli/harness.js';
import { owner, type VaultOwner } from '../cli/person.js';
import { leaks, needlesFor } from '../leak/needles.js';
import { TerraformBox, testProviders } from '../support/terraform/box.js';
import { describeWith, missingTools, tool } from '../support/tools.js';

const CANARY = `CANARYexternal${createHash('sha256').update('external').digest('hex').slice(0, 20)}`;
const needles = needlesFor('the canary', CANARY);

const main = (query: string, output: string): string => `data "external" "it" {
  program = ["oxp-vault", "terraform", "external"]
  query   = { ${query} }
}
output "it" {
  value     = data.external.it.result.${output}
  sensitive = true
}
`;

describe('the provider external', () => {
  it('is the real one where there is one', (context) => {
    if (tool('terraform-provider-external') === undefined) context.skip(`skipped: ${missingTools(['terraform-provider-external'])}; a stand-in that keeps its protocol is used`);
    expect(tool('terraform-provider-external')).toMatch(/terraform-provider-external/);
  });
});

describeWith(['terraform', 'python3'], 'oxp-vault terraform external under Terraform', () => {
  let providers: Awaited<ReturnType<typeof testProviders>>;
  let alice: VaultOwner;
  beforeAll(async () => {
    await buildCli();
    providers = await testProviders();
    alice = await owner();
    await alice.must(['seal', 'app/token', '--kind', 'password', '--from', '-'], { input: CANARY });
    await alice.must(['seal', 'pki/root', '--kind', 'pki-root', '--set', 'subject.CN=Root', '--set', 'algorithm=ecdsa-p256']);
  }, 300_000);

  it('gives public parts, and leaves no trace of anything else', async () => {
    const box = new TerraformBox(alice, { external: providers.external }, main('name = "pki/root"', 'certificate'), { directory: 'public' });
    await box.must(['plan', '-out=it.tfplan']);
    await box.must(['apply', 'it.tfplan']);
    expect((await box.must(['output', '-raw', 'it'])).text).toBe((await alice.must(['open', 'pki/root#certificate'])).text);
    expect((await alice.must(['audit', 'log'])).text).not.toContain('terraform external');
    expect(leaks(await box.everything(), needles)).toEqual([]);
  }, 300_000);

  it('refuses a private value in one line that names the safe ways', async () => {
    const box = new TerraformBox(alice, { external: providers.external }, main('name = "app/token"\n    version = 1', 'version') + main('name = "app/token#password"', 'value').replaceAll('"it"', '"private"').replaceAll('external.it', 'external.private'), { directory: 'refused' });
    const failed = await box.run(['plan']);
    expect(failed.code).toBe(1);
    const said = failed.stderr.replace(/\s+/g, ' ');
    expect(said).toContain('External Program Execution Failed');
    expect(said).toMatch(/oxp-vault: SECRET_IN_STATE: app\/token#password is private.*ephemeral.*allow_secret_in_state = "true"/);
    expect(leaks(await box.everything(), needles)).toEqual([]);
  }, 300_000);

  it('gives a private value where the query allows it: into the state, saved plans and the trace log, and nowhere else', async () => {
    const box = new TerraformBox(alice, { external: providers.external }, main('name = "app/token"\n    allow_secret_in_state = "true"', 'value'), { directory: 'allowed' });
    await box.must(['plan', '-out=it.tfplan']);
    await box.must(['apply', 'it.tfplan']);
    const places = leaks(await box.everything(), needles).map((line) => line.replace(/^.* in (?=the |write|pwrite|stdout|stderr|execve)/, ''));
    const files = new Set(places.map((place) => /\/allowed\/(\S+)/.exec(place)?.[1] ?? place));
    // A saved plan is compressed: its members hold it. With strace also seen: the state while it is written.
    expect([...files].sort()).toEqual(['it.tfplan.members/tfplan', 'it.tfplan.members/tfstate', 'terraform.tfstate', 'trace-1.log']);
    expect((await alice.must(['audit', 'log', '--last', '1'])).text).toContain('opened app/token v1 (terraform external)');
  }, 300_000);

  it('is not needed for an ephemeral variable: that is in the environment of processes, and nowhere else', async () => {
    const variable = 'variable "token" {\n  type      = string\n  ephemeral = true\n}\nterraform {\n  required_providers {\n    sink = { source = "oxp.test/oxp/sink" }\n  }\n}\nresource "sink_store" "it" {\n  name      = "it"\n  secret_wo = var.token\n}\n';
    const box = new TerraformBox(await owner(), { sink: providers.sink }, variable);
    await box.must(['apply', '-auto-approve'], { TF_VAR_token: (await alice.must(['open', 'app/token'])).text });
    expect(box.got('it')).toBe(createHash('sha256').update(CANARY).digest('hex'));
    const places = leaks(await box.everything(), needles).map((line) => / in (\w+)/.exec(line)?.[1]);
    expect([...new Set(places)]).toEqual(tool('strace') === undefined ? [] : ['execve']);
  }, 300_000);
});
