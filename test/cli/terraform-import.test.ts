/** `import: { terraform: … }`, with a program in place of Terraform that does whatever a test wants. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { owner, type VaultOwner } from './person.js';

const CANARY = 'CANARY-q7Zt5WnK';
const PLAN = 'secrets:\n  app/token: { kind: password, import: { terraform: { dir: ../infra, output: token } } }\n  app/other: { kind: document, import: { terraform: { dir: ../infra, output: other } } }\n';

interface Fake {
  readonly alice: VaultOwner;
  readonly env: Record<string, string>;
  /** Makes the program act so from now on. */
  act(body: string): void;
  calls(): string;
}

async function fake(): Promise<Fake> {
  const alice = await owner();
  mkdirSync(join(alice.work, '..', 'infra'));
  const program = alice.at('fake-terraform');
  const calls = alice.at('calls');
  const act = (body: string): void => {
    writeFileSync(program, `#!/bin/sh\necho "$PWD $* TF_LOG=$TF_LOG$TF_LOG_PATH" >> '${calls}'\n${body}\n`);
    chmodSync(program, 0o755);
  };
  alice.write('bootstrap.yaml', PLAN);
  return { alice, env: { OXP_VAULT_TERRAFORM: program }, act, calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8') : '') };
}

const say = (value: string): string => `cat <<'END'\n{"token":{"sensitive":true,"type":"string","value":"${value}"},"other":{"type":["list","string"],"value":["a"]}}\nEND`;

describe('import: { terraform: … }', () => {
  it('takes outputs in, asks each root module once, and nothing when all is there', async () => {
    const { alice, env, act, calls } = await fake();
    act(say(CANARY));
    const sealed = await alice.must(['seal'], { env: { ...env, TF_LOG: 'TRACE', TF_LOG_PATH: alice.at('log') } });
    expect(sealed.text + sealed.stderr).not.toContain(CANARY);
    expect((await alice.must(['open', 'app/token'])).text).toBe(CANARY);
    expect((await alice.must(['open', 'app/other'])).text).toBe('["a"]\n');
    expect(calls()).toMatch(/^\S*\/infra output -json -no-color TF_LOG=\n$/);
    await alice.must(['seal'], { env });
    expect(calls().split('\n')).toHaveLength(2);
  });

  it('seals nothing where the output has not changed, and a new version where it has', async () => {
    const { alice, env, act } = await fake();
    act(say('one'));
    await alice.must(['seal'], { env });
    const before = (await alice.must(['audit', 'log', '--json'])).text;
    expect((await alice.must(['seal', 'app/token', 'app/other'], { env })).text).toContain('2 unchanged');
    expect((await alice.must(['audit', 'log', '--json'])).text).toBe(before);
    act(say('two'));
    expect((await alice.must(['seal', 'app/token', 'app/other'], { env })).text).toContain('1 sealed, 1 unchanged');
    expect((await alice.must(['open', 'app/token'])).text).toBe('two');
  });

  it('passes over what is not given out yet', async () => {
    const { alice, env, act } = await fake();
    act(`echo '{}'`);
    const sealed = await alice.must(['seal'], { env });
    expect(sealed.text).toContain('../infra has no output token yet');
    expect(await alice.ov(['seal', 'app/token'], { env })).toMatchObject({ code: 3 });
  });

  it.each([
    ['fails', `echo '${CANARY}'; echo 'error: ${CANARY}' >&2; exit 1`, /terraform output -json in \S*infra ended with 1/],
    ['says something else', `echo '{"token": ${CANARY}}'`, /something that is no list of outputs/],
    ['is killed', `echo '${CANARY}'; kill -9 $$`, /ended with a signal/],
    ['gives a value that the kind refuses', say(`${CANARY}\\n${CANARY}`), /BAD_MATERIAL/],
  ])('says what it can, and no value, where Terraform %s', async (_, body, said) => {
    const { alice, env, act } = await fake();
    act(body);
    const failed = await alice.ov(['seal', 'app/token'], { env });
    expect(failed.code).toBe(2);
    expect(failed.stderr).toMatch(said);
    expect(failed.text + failed.stderr).not.toContain('CANARY');
  });

  it('says so where there is no such program, or no such directory', async () => {
    const { alice, env, act } = await fake();
    act(say(CANARY));
    expect((await alice.ov(['seal', 'app/token'], { env: { OXP_VAULT_TERRAFORM: '/nowhere/tofu' } })).stderr).toMatch(/FILE_NOT_FOUND[^\n]*cannot run \/nowhere\/tofu in \S*infra: ENOENT/);
    alice.write('bootstrap.yaml', PLAN.replaceAll('../infra', '../elsewhere'));
    expect((await alice.ov(['seal', 'app/token'], { env })).stderr).toMatch(/FILE_NOT_FOUND[^\n]*there is no directory \S*elsewhere/);
  });
});
