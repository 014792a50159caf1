/** Who runs: enough to tell, later and from another process, whether that process is certainly gone. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import * as v from 'valibot';
import { Count, Positive, Text } from '../wire.js';
import { errnoOf } from './io-error.js';

const Word = v.pipe(Text, v.maxLength(255), v.minLength(1));

/** Unknown members are ignored, so that a newer release may add some. */
export const ProcessIdentity = v.object({
  host: Word,
  pid: Positive,
  /** Linux: clock ticks from boot to start, as /proc/<pid>/stat has it. Elsewhere a claim in seconds since 1970, never compared. */
  started: Count,
  /** One run of one kernel: two machines, or two containers on different machines, never share it. Absent where there is none. */
  boot: v.optional(Word),
  /** Process ids mean something only in their namespace: containers share host and boot. Linux only. */
  namespace: v.optional(Word),
});
export type ProcessIdentity = v.InferOutput<typeof ProcessIdentity>;

/** `dead` and `alive` are proven; `unknown` is everything else, another machine above all. */
export type Liveness = 'alive' | 'dead' | 'unknown';

let self: ProcessIdentity | undefined;

export function thisProcess(): ProcessIdentity {
  self ??= observe();
  return self;
}

function observe(): ProcessIdentity {
  const stat = processStat('self');
  const boot = bootId();
  const namespace = readOrNothing(() => readlinkSync('/proc/self/ns/pid'));
  return {
    host: hostname() || 'unknown',
    pid: process.pid,
    started: stat?.started ?? Math.floor(Date.now() / 1000 - process.uptime()),
    ...(boot === undefined ? {} : { boot }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Without a boot id on both sides nothing about another process is provable: host names repeat. */
export function livenessOf(other: ProcessIdentity): Liveness {
  const me = thisProcess();
  if (other.host !== me.host || other.namespace !== me.namespace) return 'unknown';
  if (me.boot === undefined || other.boot !== me.boot) return 'unknown';
  if (!processExists(other.pid)) return 'dead';
  const stat = processStat(other.pid);
  // Hidden (/proc with hidepid), just gone, or no /proc: it exists, but whether it is the same process nobody can say.
  if (stat === undefined) return 'unknown';
  // Another process has got the number; or it has ended and nobody has collected it, as in containers without an init.
  if (stat.started !== other.started || stat.state === 'Z' || stat.state === 'X') return 'dead';
  return 'alive';
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return errnoOf(error) !== 'ESRCH';
  }
}

/** proc(5): `pid (comm) state ppid …`, starttime is field 22. The name may contain blanks and parentheses. */
function processStat(pid: number | 'self'): { state: string; started: number } | undefined {
  const text = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], Number(fields?.[19])];
  return state !== undefined && Number.isSafeInteger(started) ? { state, started } : undefined;
}

function bootId(): string | undefined {
  if (process.platform === 'darwin') {
    return readOrNothing(() => execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8', timeout: 2000 }).trim());
  }
  return readOrNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
}

/** What this system does not have stays unknown, which makes every later judgement more careful, never bolder. */
function readOrNothing(read: () => string): string | undefined {
  try {
    const text = read();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
