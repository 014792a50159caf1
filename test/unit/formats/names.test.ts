import { describe, expect, it } from 'vitest';
import { failure, opened, said, streamed, streamedText } from './opened.js';

describe('env', () => {
  it('derives names and leaves plain values without quotes', async () => {
    const text = await streamedText('env', [opened('dns/rfc2136_tsig_secret', 'q83v/+=='), opened('a.b-c', '')]);
    expect(text).toBe('A_B_C=\nDNS_RFC2136_TSIG_SECRET=q83v/+==\n');
  });

  it('puts single quotes around all else', async () => {
    expect(await streamedText('env', [opened('a', `it's $HOME\n\`x\``)])).toBe(`A='it'\\''s $HOME\n\`x\`'\n`);
    expect(await streamedText('env', [opened('a', '~')])).toBe(`A='~'\n`);
  });

  it('adds the prefix as given', async () => {
    expect(await streamedText('env', [opened('db/password')], { prefix: 'TF_VAR_' })).toBe('TF_VAR_DB_PASSWORD=value\n');
    expect(await streamedText('env', [opened('db/password', 'x', { field: 'content' })])).toBe('DB_PASSWORD_CONTENT=x\n');
  });

  it('refuses two secrets of one name, naming both', async () => {
    const error = await failure(streamed('env', [opened('a/b'), opened('a-b')]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: 'a/b and a-b would both be called A_B' });
  });

  it.each(['path', 'ld/preload', 'bash.env', 'ifs', 'node/options', 'ps4', 'env', 'git/ssh-command', 'dyld/insert_libraries'])(
    'refuses the variable of %s, unless a prefix makes it harmless',
    async (name) => {
      await expect(streamed('env', [opened(name)])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
      expect(await streamedText('env', [opened(name)], { prefix: 'OXP_' })).toMatch(/^OXP_[A-Z0-9_]+=value\n$/);
    },
  );

  it.each(['ldap/password', 'git/token', 'github/token', 'paths', 'home-page', 'node/token'])('takes %s', async (name) => {
    expect(await streamedText('env', [opened(name)])).toMatch(/=value\n$/);
  });

  it('refuses what no variable can hold, without showing it', async () => {
    for (const content of ['hunter2\0', Uint8Array.of(0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0xff)]) {
      const error = await failure(streamed('env', [opened('a/b', content)]));
      expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE' });
      expect(error.message).toMatch(/^a\/b /);
      expect(said(error)).not.toContain('hunter');
    }
  });
});

describe('tfvars', () => {
  it('is JSON, whose strings Terraform takes as they are', async () => {
    const text = await streamedText('tfvars', [opened('dns/key', 'a ${b} %{c} "d"\n'), opened('a.b', 'x')]);
    expect(JSON.parse(text)).toEqual({ a_b: 'x', dns_key: 'a ${b} %{c} "d"\n' });
    expect(text.endsWith('}\n')).toBe(true);
  });

  it('refuses names that Terraform keeps, unless a prefix changes them', async () => {
    for (const name of ['source', 'version', 'providers', 'count', 'for_each', 'lifecycle', 'depends_on', 'locals']) {
      await expect(streamed('tfvars', [opened(name)])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    }
    expect(JSON.parse(await streamedText('tfvars', [opened('count')], { prefix: 'my_' }))).toEqual({ my_count: 'value' });
  });

  it('refuses a value that Terraform would normalize', async () => {
    const error = await failure(streamed('tfvars', [opened('a', 'secre\u0301t')]));
    expect(error.code).toBe('FORMAT_UNSUITABLE');
    expect(said(error)).not.toContain('secr');
    expect(JSON.parse(await streamedText('tfvars', [opened('a', 'secr\u00e9t')]))).toEqual({ a: 'secrét' });
  });

  it('refuses what is not text, and two of one name', async () => {
    await expect(streamed('tfvars', [opened('a', Uint8Array.of(0xff))])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    await expect(streamed('tfvars', [opened('a/b'), opened('a_b')])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
  });
});
