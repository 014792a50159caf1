import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Material } from '../../packages/core/src/material/index.js';
import { tsig } from '../../packages/core/src/material/tsig.js';
import { mustRun, run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const generate = (parameters: Record<string, string>, previous?: Material): Promise<Material> =>
  tsig.generate!(tsig.parameters(parameters), { now: 0, name: 'dns/key', ...(previous === undefined ? {} : { previous }) });
const clause = (key: Material): string => key.file.useText((text) => text);

describeWith(['named-checkconf'], 'named-checkconf', ({ 'named-checkconf': checkconf }) => {
  const check = (config: string): Promise<RunResult> => {
    const path = join(tempDir(), 'named.conf');
    writeFileSync(path, config);
    return run(checkconf, [path]);
  };

  it.each(['hmac-sha256', 'hmac-sha384', 'hmac-sha512'])('takes a %s key', async (algorithm) => {
    expect(await check(clause(await generate({ key: 'external-dns.', algorithm })))).toMatchObject({ code: 0 });
  });

  it('takes three versions side by side, which it would not under one name', async () => {
    const first = await generate({ key: 'external-dns.' });
    const second = await generate({ key: 'external-dns.' }, first);
    const third = await generate({ key: 'external-dns.' }, second);
    const grants = [first, second, third].map((key) => `grant ${String(key.public['keyname'])} zonesub ANY;`).join(' ');
    const zone = `zone "example.test" { type primary; file "/tmp/none"; update-policy { ${grants} }; };\n`;
    expect(await check([first, second, third].map(clause).join('') + zone)).toMatchObject({ code: 0 });
    const again = await generate({ key: 'external-dns.' });
    expect((await check(clause(first) + clause(again))).code).not.toBe(0);
  });

  it.each([
    ['both orders, comments, upper case', (secret: string) => `/* a */ key k { # b\n secret "${secret}"; // c\n algorithm HMAC-SHA256; };`, true],
    ['no final semicolon', (secret: string) => `key "k" { algorithm hmac-sha256; secret "${secret}"; }`, false],
    ['two secrets', (secret: string) => `key "k" { algorithm hmac-sha256; secret "${secret}"; secret "${secret}"; };`, false],
    ['no algorithm', (secret: string) => `key "k" { secret "${secret}"; };`, false],
    ['no base64', () => 'key "k" { algorithm hmac-sha256; secret "%%%%"; };', false],
    ['a comment in a bare word', () => 'key "k" { algorithm hmac-sha256; secret AAAA//AAAA; };', false],
  ])('agrees with us about %s', async (_title, text, accepted) => {
    const config = text('MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');
    expect((await check(config)).code === 0).toBe(accepted);
    const ours = await tsig.import(new TextEncoder().encode(config), tsig.parameters({}), { now: 0, name: 'x' }).then(
      () => true,
      () => false,
    );
    expect(ours).toBe(accepted);
  });
});

describeWith(['tsig-keygen'], 'tsig-keygen', ({ 'tsig-keygen': keygen }) => {
  it.each(['hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'])('makes a %s clause that is taken in unchanged', async (algorithm) => {
    const { stdout, text } = await mustRun(keygen, ['-a', algorithm, 'external-dns.']);
    const key = await tsig.import(stdout, tsig.parameters({}), { now: 0, name: 'x' });
    expect(clause(key)).toBe(text);
    expect(key.public).toEqual({ keyname: 'external-dns.', algorithm, bits: Number(algorithm.slice(-3)) });
  });

  it('has its MD5 and SHA-1 keys refused', async () => {
    for (const algorithm of ['hmac-md5', 'hmac-sha1']) {
      const { stdout } = await mustRun(keygen, ['-a', algorithm, 'k']);
      await expect(tsig.import(stdout, tsig.parameters({}), { now: 0, name: 'x' })).rejects.toMatchObject({ code: 'BAD_MATERIAL' });
    }
  });
});
