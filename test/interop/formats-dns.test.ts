/** TSIG keys through BIND's own programs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { generated, streamed, streamedText } from '../unit/formats/opened.js';

/** A key and the one that rotation made after it. */
async function twoVersions() {
  const first = await generated('dns/rfc2136_tsig_secret', 'tsig', { key: 'external-dns.' }, { more: { newest: false } });
  const second = await generated('dns/rfc2136_tsig_secret', 'tsig', first.material.parameters, { previous: first.material, more: { version: 2 } });
  return [first.secret, second.secret] as const;
}

describeWith(['named-checkconf'], 'bind, through named-checkconf', ({ 'named-checkconf': checkconf }) => {
  it('two versions are two keys that one configuration may name', async () => {
    const directory = tempDir();
    writeFileSync(join(directory, 'keys.conf'), await streamed('bind', await twoVersions()));
    const zone = 'zone "example.test" { type primary; file "x"; update-policy { grant external-dns zonesub ANY; grant external-dns-v2 zonesub ANY; }; };\n';
    writeFileSync(join(directory, 'named.conf'), `include "${join(directory, 'keys.conf')}";\n${zone}`);
    const checked = await mustRun(checkconf, ['-p', join(directory, 'named.conf')]);
    expect(checked.text.match(/^key "external-dns(?:-v2)?\."? \{|^key /gm)).toHaveLength(2);
  });

  it('what the format refuses, BIND refuses too: two clauses of one name', async () => {
    const [first] = await twoVersions();
    const directory = tempDir();
    const clause = await streamedText('raw', [first]);
    writeFileSync(join(directory, 'named.conf'), clause + clause);
    expect((await run(checkconf, [join(directory, 'named.conf')])).code).not.toBe(0);
    await expect(streamed('bind', [first, { ...first, name: 'dns/other' }])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    // Sealed again it is one key, and one clause.
    writeFileSync(join(directory, 'named.conf'), await streamedText('bind', [first, { ...first, version: 2 }]));
    expect((await run(checkconf, [join(directory, 'named.conf')])).code).toBe(0);
  });
});

describeWith(['named-checkconf'], 'external-dns', ({ 'named-checkconf': checkconf }) => {
  it('holds the words of the newest clause', async () => {
    const [, second] = await twoVersions();
    const manifest = parse(await streamedText('external-dns', [second])) as { data: Record<string, string> };
    const value = (key: string): string => Buffer.from(manifest.data[key]!, 'base64').toString();
    expect(value('rfc2136-tsig-keyname')).toBe('external-dns-v2.');
    const directory = tempDir();
    const clause = `key "${value('rfc2136-tsig-keyname')}" { algorithm ${value('rfc2136-tsig-secret-alg')}; secret "${value('rfc2136-tsig-secret')}"; };\n`;
    writeFileSync(join(directory, 'named.conf'), clause);
    await mustRun(checkconf, [join(directory, 'named.conf')]);
    expect(clause.replace(/\s/g, '')).toBe((await streamedText('raw', [second])).replace(/\s/g, ''));
  });
});
