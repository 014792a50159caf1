import { describe, expect, it } from 'vitest';
import { isVaultError, type VaultError } from '../../../packages/core/src/errors.js';
import { maskUrls, parseGitAddress, remoteOf, samePlace, withoutPassword } from '../../../packages/core/src/stores/git-address.js';
import { gitStore } from '../../../packages/core/src/stores/git.js';

function refusal(work: () => unknown): VaultError {
  try {
    work();
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('an address in Git', () => {
  it.each([
    ['git+https://git.example.org/infra/vault.git', 'https://git.example.org/infra/vault.git'],
    ['git+HTTPS://git.example.org/infra/vault.git', 'https://git.example.org/infra/vault.git'],
    ['git+https://git.example.org:8443/a/b', 'https://git.example.org:8443/a/b'],
    ['git+https://carol@git.example.org/a', 'https://carol@git.example.org/a'],
    ['git+ssh://git@git.example.org/infra/vault.git', 'ssh://git@git.example.org/infra/vault.git'],
    ['git+ssh://git@git.example.org:2222/~carol/vault.git', 'ssh://git@git.example.org:2222/~carol/vault.git'],
    ['git+ssh://git@[2001:db8::1]/vault', 'ssh://git@[2001:db8::1]/vault'],
    ['git+file:///srv/git/vault.git', 'file:///srv/git/vault.git'],
    ['git+file:///srv/a%20b/vault.git', 'file:///srv/a%20b/vault.git'],
  ])('%s', (text, url) => {
    expect(parseGitAddress(text)).toEqual({ url, branch: 'oxp-vault', address: `git+${url}` });
  });

  it('names a branch after #, and has one spelling without it', () => {
    expect(parseGitAddress('git+ssh://h/p#team/vault')).toEqual({ url: 'ssh://h/p', branch: 'team/vault', address: 'git+ssh://h/p#team/vault' });
    expect(parseGitAddress('git+ssh://h/p#oxp-vault').address).toBe('git+ssh://h/p');
  });

  it('is the repository one stands in', () => {
    expect(parseGitAddress('git+.')).toEqual({ url: undefined, branch: 'oxp-vault', address: 'git+.' });
    expect(parseGitAddress('git+.#other')).toEqual({ url: undefined, branch: 'other', address: 'git+.#other' });
  });

  it.each([
    '', 'git+', 'https://h/p', '--upload-pack=x', 'git+http://h/p', 'git+git://h/p', 'git+ext::sh -c touch% /tmp/x', 'git+ext::sh', 'git+fd::17', 'git+--upload-pack=touch /tmp/x', 'git+--upload-pack=x',
    'git+-x', 'git+./here', 'git+/srv/vault', 'git+../x', 'git+ssh://-oProxyCommand=x/p', 'git+ssh://-x@h/p', 'git+ssh://h-/p', 'git+ssh:///p', 'git+ssh://h', 'git+ssh://h/',
    'git+https://h', 'git+https:///p', 'git+https://h/p?x=1', 'git+https://h\\@evil/p', 'git+https://a@b@h/p', 'git+https://h:x/p', 'git+ssh://h/p q', 'git+ssh://h/p\n', 'git+ssh://h/p\0', 'git+ssh://h/`x`',
    'git+ssh://h/$(x)', "git+ssh://h/'x'", 'git+ssh://h/é', 'git+file://host/p', 'git+file://p', 'git+file:///', 'git+file:///p;x', 'git+ssh+git://h/p', 'git+git+ssh://h/p',
  ])('is not %j', (text) => {
    expect(refusal(() => parseGitAddress(text))).toMatchObject({ code: 'BAD_ADDRESS', exitCode: 2 });
  });

  it.each(['--upload-pack=x', '.', 'git+.', 'ext::sh -c x', 'http://h/p', '/srv/vault'])('is no store at %j', (url) => {
    expect(refusal(() => gitStore({ url, mirrorDir: '/nowhere' })).code).toBe('BAD_ADDRESS');
  });

  it.each(['', '-x', '.x', 'a..b', 'a//b', 'a/', '/a', 'a/.b', 'a.lock', 'a.lock/b', 'a b', 'a~1', 'a^', 'a:b', 'a@{1}', 'a\\b', 'a*', 'a.', 'refs/heads/a:refs/heads/b', '+a', 'x'.repeat(201), 'a#b'])(
    'has no branch %j',
    (branch) => {
      expect(refusal(() => parseGitAddress(`git+ssh://h/p#${branch}`)).code).toBe('BAD_ADDRESS');
      expect(refusal(() => gitStore({ url: 'ssh://h/p', branch, mirrorDir: '/nowhere' })).code).toBe('BAD_ADDRESS');
    },
  );

  it('says how to write what ssh takes without a scheme', () => {
    expect(refusal(() => parseGitAddress('git+git@git.example.org:infra/vault.git')).hint).toBe('Write it as git+ssh://git@git.example.org/infra/vault.git');
  });

  it.each([
    'git+https://carol:hunter2@git.example.org/a', 'git+https://hunter2:@git.example.org/a', 'git+https://:hunter2@git.example.org/a', 'git+ssh://git:hunter2@h/a', 'git+https://ghp_hunter2@github.com/a/b',
    'git+https://github_pat_hunter2@github.com/a/b', 'git+https://glpat-hunter2@gitlab.com/a/b', 'git+https://hunter2@git.example.org', 'git+git:hunter2@h:a/b', 'git+ftp://carol:hunter2@h/a',
    `git+https://${'hunter2'.repeat(8)}@h/a`, 'git+https://carol:hunter2@h/ä',
  ])('with a password or token is refused, and neither is shown: %s', (text) => {
    const error = refusal(() => parseGitAddress(text));
    expect(error.code).toBe('BAD_ADDRESS');
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });
});

describe('what a repository calls its origin', () => {
  it.each([
    ['https://git.example.org/a.git', 'https://git.example.org/a.git'],
    ['git@git.example.org:infra/vault.git', 'git@git.example.org:infra/vault.git'],
    ['git.example.org:vault', 'git.example.org:vault'],
    ['/srv/git/vault.git', 'file:///srv/git/vault.git'],
    ['../vault.git', 'file:///home/vault.git'],
    ['./vault.git', 'file:///home/carol/vault.git'],
    ['vault.git', 'file:///home/carol/vault.git'],
    ['/srv/a b', 'file:///srv/a%20b'],
    // As CI clones: the credential is the user's own affair there.
    ['https://gitlab-ci-token:hunter2@gitlab.example.org/a.git', 'https://gitlab-ci-token:hunter2@gitlab.example.org/a.git'],
  ])('%s', (configured, url) => {
    expect(remoteOf(configured, '/home/carol')).toBe(url);
  });

  it.each(['http://h/p', 'git://h/p', 'ext::sh -c x', 'ext::x', '-oProxyCommand=x:p', '--upload-pack=x:y', 'fd::17', 'a\nb', 'https://h/`x`'])('not %j', (configured) => {
    expect(refusal(() => remoteOf(configured, '/home/carol')).code).toBe('BAD_ADDRESS');
  });

  it.each([
    ['https://h/a/b.git', 'ssh://git@h/a/b', true],
    ['https://h/a/b', 'git@h:a/b.git', true],
    ['https://h:8443/a/b/', 'ssh://git@h:22/a/b', true],
    ['https://h/a/b', 'git@h:a/c.git', false],
    ['https://h/a/b', 'https://i/a/b', false],
    ['file:///srv/a.git', 'file:///srv/b.git', false],
  ])('%s and %s are one place: %s', (a, b, same) => {
    expect(samePlace(a, b)).toBe(same);
  });

  it('is an option of no program', () => {
    expect(remoteOf('--upload-pack=x', '/home/carol')).toBe('file:///home/carol/--upload-pack=x');
  });
});

describe('a text that is shown', () => {
  it('has no password or token of a URL in it', () => {
    expect(maskUrls("fatal: unable to access 'https://carol:hunter2@h/a/': x")).toBe("fatal: unable to access 'https://***@h/a/': x");
    expect(maskUrls('https://hunter2@h/a and ssh://git:hunter2@h/b')).toBe('https://***@h/a and ssh://***@h/b');
    expect(maskUrls('git:hunter2@h:p')).toBe('***@h:p');
    expect(maskUrls('ssh://git@h/p, git@h:p')).toBe('ssh://git@h/p, git@h:p');
  });

  it('names the same place without its password', () => {
    expect(withoutPassword('https://gitlab-ci-token:hunter2@h/a')).toBe('https://h/a');
    expect(withoutPassword('ssh://git:hunter2@h/a')).toBe('ssh://git@h/a');
    expect(withoutPassword('https://ghp_hunter2@h/a')).toBe('https://h/a');
    expect(withoutPassword('https://carol@h/a')).toBe('https://carol@h/a');
    expect(withoutPassword('ssh://git@h:22/a')).toBe('ssh://git@h:22/a');
  });
});
