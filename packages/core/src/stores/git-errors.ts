/** What git and the server behind it say when something goes wrong, in words that tell what to do. */
import { VaultError } from '../errors.js';
import { maskUrls } from './git-address.js';
import type { GitResult } from './git-process.js';

/**
 * `moved`: somebody else was first. `locked`: somebody else is at it, or was cut off. `busy`: another process holds a lock for a moment. `cut`: nobody knows how far it got.
 * The others will not be better at the next try.
 */
export type GitTrouble = 'moved' | 'locked' | 'busy' | 'cut' | 'declined' | 'access' | 'absent' | 'full' | 'closed' | 'unsafe' | 'damaged' | 'aborted' | 'other';

export interface GitFailure {
  readonly trouble: GitTrouble;
  readonly error: VaultError;
}

// In this order: what is said first here is the better explanation where several fit. No server's text decides about more than the words
// of a message and whether trying again makes sense.
const SIGNS: readonly (readonly [GitTrouble, RegExp])[] = [
  ['full', /no space left on device|disk quota exceeded|file too large|quota (?:has been )?exceeded|insufficient disk/i],
  ['closed', /read-only file system|insufficient permission for adding|unable to create temporary object directory|unable to create '[^']*': permission denied/i],
  ['unsafe', /dubious ownership/i],
  ['damaged', /bad object|missing (?:blob|tree|commit)|is corrupt|did not send all necessary objects|unable to read (?:tree|[0-9a-f]{40})|invalid object/i],
  ['locked', /unable to create '[^']*refs\/heads\/[^']*\.lock': file exists/i],
  ['moved', /\[rejected\]|non-fast-forward|fetch first|incorrect old value|is at [0-9a-f]+ but expected|reference already exists|failed to update ref|cannot lock ref 'refs\/heads|failed to lock/i],
  ['cut', /unpacker error|unpack failed|remote unpack|hung up|early eof|unexpected disconnect|RPC failed|broken pipe|index-pack|unpack-objects|unexpected eof|bad line length|protocol error|remote end|unable to rewind|did not receive expected|report status/i],
  ['busy', /\.lock': file exists|cannot lock ref|unable to create '.*\.lock'/i],
  ['access', /authentication failed|could not read (?:username|password)|terminal prompts disabled|permission denied|access denied|host key verification failed|returned error: 40[13]|permission to \S+ denied|not authori[sz]ed|invalid credentials|deploy key|read.only/i],
  ['declined', /hook declined|protected branch|GH\d{3}|shallow update not allowed|currently checked out|deny|prohibited|not allowed to push|\[remote rejected\]/i],
  ['cut', /could not resolve|name resolution|network is unreachable|no route to host|connection (?:refused|reset|timed out|closed|abort)|operation timed out|failed to connect|couldn't connect|unable to (?:connect|access)|returned error: 5\d\d|gnutls|ssl/i],
  ['absent', /repository .*not found|does not appear to be a git repository|not a git repository|does not exist|no such file or directory|returned error: 404|project .*not (?:be )?found/i],
  ['cut', /could not read from remote repository/i],
];

/** The one about the branch is no failure: the vault is not there yet, or not any more. */
export function branchMissing(result: GitResult): boolean {
  return result.code !== 0 && /couldn't find remote ref/i.test(result.stderr);
}

/** `doing` is like `cannot fetch`; `place` names the repository without any password. */
export function failureOf(result: GitResult, doing: string, place: string): GitFailure {
  const said = `${result.stdout.toString('utf8').slice(0, 4000)}\n${result.stderr}`;
  const trouble = result.stopped === 'aborted' ? 'aborted' : result.stopped === 'timeout' ? 'cut' : (SIGNS.find(([, sign]) => sign.test(said))?.[0] ?? 'other');
  const late = result.stopped === 'timeout';
  const [why, hint] = late ? ['no answer in time', 'Look at the network, then run the command again: an entry is never appended twice.'] : WORDS[trouble];
  const details = linesOf(said);
  return { trouble, error: new VaultError(trouble === 'locked' ? 'LOCKED' : 'STORE_REMOTE', `${doing} ${place}: ${why}`, { hint, details: details.length > 0 || result.stopped ? details : [`git ended with exit code ${result.code}`] }) };
}

const DAMAGED = 'If it is the mirror on this machine, remove its directory: it is only a copy. Then run the command again.';

/** The repository on this machine that a vault is read through. */
export function damaged(dir: string | undefined): VaultError {
  return new VaultError('STORE_IO', `the repository ${dir ?? ''} is damaged: what its branch names is not there`, { hint: DAMAGED });
}

const WORDS: Readonly<Record<GitTrouble, readonly [why: string, hint: string]>> = {
  moved: ['others were writing all the time', 'Nothing of this command was written. Run it again.'],
  locked: ['its branch is locked', 'The lock that is named above belongs to a push that is under way, or to one that was cut off. Run the command again; if it stays, somebody at the server has to remove it.'],
  busy: ['another process is at work there', 'Run the command again.'],
  cut: ['the connection failed', 'Look at the network and the address, then run the command again: an entry is never appended twice. Reading goes on with --offline.'],
  declined: ['the server declined the push', 'A rule or hook of the server does not let you push this branch; what it said is above. The branch needs no review and no force: let its protection allow direct pushes by the people of the vault.'],
  access: ['access was denied', 'Try `git ls-remote` with that address: it uses the same keys and credential helpers. To write, the account needs the right to push.'],
  absent: ['there is no such repository, or you may not see it', 'Check the address. A new, empty repository has to be made at the server first.'],
  full: ['there is no room left', 'Make room, here or at the server as it says, and run the command again. Nothing was changed.'],
  closed: ['it cannot be written to there', 'Check the owner and mode of that repository, here or at the server as it says, and that its disk is not mounted read-only. Nothing was changed.'],
  unsafe: ['git does not trust a repository that belongs to somebody else', 'See `git help config`, safe.directory.'],
  damaged: ['objects are missing or damaged', DAMAGED],
  aborted: ['it was interrupted', 'Run the command again: an entry is never appended twice.'],
  other: ['git failed', 'What it said is above. Mend the cause and run the command again: an entry is never appended twice.'],
};

/** The lines that say something, without passwords, control characters and advice about work trees. */
export function linesOf(said: string): string[] {
  return maskUrls(said)
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, ' ').trim())
    .filter((line) => line !== '' && !/^(?:hint:|Done$|To |From |Please make sure you have|and the repository exists)/.test(line))
    .slice(0, 12)
    .map((line) => (line.length > 300 ? `${line.slice(0, 299)}…` : line));
}
