/** Addresses of vaults in Git: `git+<url>[#branch]` and `git+.[#branch]` (design: Stores). */
import { pathToFileURL } from 'node:url';
import { isAbsolute, resolve } from 'node:path';
import { VaultError } from '../errors.js';

/** The branch that is the vault, unless the address names another. */
export const DEFAULT_BRANCH = 'oxp-vault';

export interface GitAddress {
  /** Undefined for `git+.`: the repository one stands in. */
  readonly url: string | undefined;
  readonly branch: string;
  /** In one spelling, so that what a machine remembers of an address is found again. */
  readonly address: string;
}

// Only what every parser on the way (git, curl, ssh) reads in the same manner: no backslash, no blank, no quote.
const URL_CHARACTERS = /^[A-Za-z0-9._~:/@%+,=[\]-]+$/;
const AUTHORITY = /^(?:([A-Za-z0-9][A-Za-z0-9._~%+-]*)(:[^@/]*)?@)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
/** `git@host:path`, as remotes are often written. */
const SCP = /^(?:[A-Za-z0-9][A-Za-z0-9._+-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[A-Za-z0-9._~/+-][A-Za-z0-9._~/+%@,=-]*$/;
const BRANCH = /^(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)))[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?$/;
/** How access tokens begin; where one stands for a user's name, it would be seen in process lists and committed files. */
const TOKEN = /^(?:gh[a-z]_|github_pat_|gl[a-z]+-|[A-Za-z0-9_-]{40,}$)/;

/** Throws BAD_ADDRESS, which never shows a password. */
export function parseGitAddress(text: string): GitAddress {
  if (!text.startsWith('git+')) throw badAddress(text, 'it does not begin with git+');
  if (/[\x00-\x20\x7f]/.test(text)) throw badAddress(text, 'it holds blanks or control characters');
  const hash = text.indexOf('#');
  const place = text.slice('git+'.length, hash < 0 ? undefined : hash);
  const branch = checkBranch(hash < 0 ? DEFAULT_BRANCH : text.slice(hash + 1), text);
  const url = place === '.' ? undefined : checkUrl(place, text);
  return { url, branch, address: gitAddress(url ?? '.', branch) };
}

/** The one spelling of an address. */
export function gitAddress(place: string, branch: string): string {
  return `git+${place}${branch === DEFAULT_BRANCH ? '' : `#${branch}`}`;
}

/** What `remote.origin.url` says, as something to hand to git; relative paths count from `base`. Throws BAD_ADDRESS. */
export function remoteOf(configured: string, base: string): string {
  if (/^[a-z][a-z0-9+.-]*::?\/\//i.test(configured)) return checkUrl(configured, configured, true);
  if (SCP.test(configured) && !isAbsolute(configured)) return configured;
  if (/^[^/.]*:/.test(configured) || /[\x00-\x1f\x7f]/.test(configured)) throw badAddress(configured, 'it is no https, ssh or file URL');
  return pathToFileURL(resolve(base, configured)).href;
}

/** A text in which no password or token of a URL is left. */
export function maskUrls(text: string): string {
  return text
    .replace(/(https?:\/\/)[^/@\s'"]*@/gi, '$1***@')
    .replace(/(\/\/|^|[\s'"+])[^/@\s'":]*:[^/@\s'"]*@/g, '$1***@');
}

/** The same place without password or token. */
export function withoutPassword(url: string): string {
  const [, scheme, user, password, rest] = /^([a-z]+:\/\/)([^/@:]*)(:[^/@]*)?@(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || user === undefined || rest === undefined) return url;
  const nameless = scheme === 'https://' && (password !== undefined || TOKEN.test(user));
  return nameless ? `${scheme}${rest}` : `${scheme}${user}@${rest}`;
}

/** Whether two remotes are one repository reached in two ways: by https to read and by ssh to push, say. */
export function samePlace(a: string, b: string): boolean {
  const place = (url: string): string =>
    url
      .replace(/^[a-z]+:\/\/(?:[^/@]*@)?([^/]*?)(?::\d+)?\//i, '$1/')
      .replace(/^(?:[^/@:]*@)?([^/:]+):\/?/, '$1/')
      .replace(/(?:\.git)?\/*$/, '');
  return place(a) === place(b);
}

function checkBranch(branch: string, whole: string): string {
  if (BRANCH.test(branch)) return branch;
  throw badAddress(whole, 'what follows # is no name of a branch');
}

/** `ours`: from the configuration of a repository that already works with it, so credentials in it are the user's own affair. */
function checkUrl(url: string, whole: string, ours = false): string {
  const [, given, rest] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  const scheme = given?.toLowerCase();
  if (scheme === undefined || rest === undefined || !['https', 'ssh', 'file'].includes(scheme)) {
    const scp = /^[^/@:\s-][^/:\s]*@([^/:\s]+):(?!\/)(\S+)$/.exec(url);
    throw badAddress(whole, 'only https, ssh and file URLs are taken', scp ? `Write it as git+ssh://${maskUrls(`//${url.slice(0, url.indexOf('@'))}@`).slice(2)}${scp[1]}/${scp[2]}` : undefined);
  }
  if (!URL_CHARACTERS.test(rest)) throw badAddress(whole, 'it holds characters that a URL has only percent-encoded');
  if (scheme === 'file') {
    if (!/^\/[^/]/.test(rest)) throw badAddress(whole, 'a file URL has three slashes and an absolute path');
    return `file://${rest}`;
  }
  const slash = rest.indexOf('/');
  const [, user, password] = AUTHORITY.exec(slash < 0 ? rest : rest.slice(0, slash)) ?? [undefined];
  if (slash < 0 || slash === rest.length - 1 || !AUTHORITY.test(rest.slice(0, slash))) throw badAddress(whole, 'it does not have the form SCHEME://[USER@]HOST[:PORT]/PATH');
  if (!ours && (password !== undefined || (scheme === 'https' && user !== undefined && TOKEN.test(user)))) {
    throw badAddress(whole, 'it holds a password or token', 'Leave it out and let git ask a credential helper (git help credentials): an address is stored, shown and committed.');
  }
  return `${scheme}://${rest}`;
}

function badAddress(text: string, why: string, hint = 'An address in Git is git+https://…, git+ssh://…, git+file:///… or git+., each with #BRANCH if it is not oxp-vault.'): VaultError {
  return new VaultError('BAD_ADDRESS', `the address ${JSON.stringify(maskUrls(text)).slice(0, 200)} cannot be used: ${why}`, { hint });
}
