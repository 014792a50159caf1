import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { agePassphraseDecrypt } from '../../packages/core/src/primitives/age.js';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import type { RunResult } from '../support/run.js';
import { describeWith } from '../support/tools.js';
import { BIN, buildCli } from './harness.js';

/**
 * Runs argv[3:] on a terminal, with its stdout in the file argv[1]; argv[2] is what is typed, piece by piece ("|" between), each once
 * the program has been quiet for a moment. What was seen goes to stdout, its exit code is ours.
 */
const ON_A_TERMINAL = `
import fcntl, os, pty, select, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
    os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600), 1)
    os.execvp(sys.argv[3], sys.argv[3:])
keys, seen, fresh, end = sys.argv[2].split('|'), b'', b'', time.time() + 50
while time.time() < end:
    try:
        data = os.read(fd, 65536) if select.select([fd], [], [], 0.4)[0] else None
    except OSError:
        break
    if data == b'':
        break
    seen, fresh = seen + (data or b''), fresh + (data or b'')
    if data is None and fresh and keys:
        os.write(fd, keys.pop(0).encode().decode('unicode_escape').encode()); fresh = b''
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

describeWith(['python3'], 'the program at a terminal', ({ python3 }) => {
  beforeAll(buildCli, 300_000);

  const out = (person: Sandbox): string => join(person.work, 'stdout');
  const atTerminal = (person: Sandbox, keys: string, ...argv: string[]): Promise<RunResult> =>
    person.run(python3, ['-c', ON_A_TERMINAL, out(person), keys, process.execPath, BIN, ...argv], { env: { TERM: 'xterm' } });
  const identityOf = (person: Sandbox): string => person.at('.config', 'oxp-vault', 'identity.age');

  it('asks on stderr, hides what is typed, and keeps stdout for the result', async () => {
    const alice = sandbox('alice');
    const typed = 'typed by alice';
    const made = await atTerminal(alice, `${typed}\\r|${typed}\\r`, 'identity', 'create', '--device', 'laptop');
    expect(made.code, made.text).toBe(0);
    expect(made.text).toContain('Passphrase for your identity (Enter: make one for me):');
    expect(made.text).toContain('The same again:');
    expect(made.text).not.toContain(typed);
    expect(readFileSync(out(alice), 'utf8')).toMatch(/^alice, device laptop\n {2}identity .*\n {2}card .*\n$/);
    await expect(agePassphraseDecrypt(readFileSync(identityOf(alice)), typed)).resolves.toBeDefined();
  });

  it('takes a line feed for Enter, as programs type it', async () => {
    const alice = sandbox('alice');
    const typed = 'typed by alice';
    const made = await atTerminal(alice, `${typed}\\n|${typed}\\n`, 'identity', 'create', '--device', 'laptop');
    expect(made.code, made.text).toBe(0);
    await expect(agePassphraseDecrypt(readFileSync(identityOf(alice)), typed)).resolves.toBeDefined();
  });

  it('makes a passphrase on Enter and shows it', async () => {
    const alice = sandbox('alice');
    const made = await atTerminal(alice, '\\r', 'identity', 'create');
    expect(made.code, made.text).toBe(0);
    const passphrase = /\b([a-z]+(?:-[a-z]+){7})\b/.exec(made.text)?.[1] ?? '';
    expect(readFileSync(out(alice), 'utf8')).not.toContain(passphrase);
    await expect(agePassphraseDecrypt(readFileSync(identityOf(alice)), passphrase)).resolves.toBeDefined();
  });

  it.each([['Ctrl-C', '\\x03'], ['Ctrl-D', '\\x04'], ['Ctrl-D behind something typed', 'typed\\x04']])('is left with %s, having done nothing', async (_, keys) => {
    const alice = sandbox('alice');
    const left = await atTerminal(alice, keys, 'identity', 'create');
    expect(left.code).toBe(130);
    expect(left.text).toMatch(/\x1b\[\?25h(?![^]*\x1b\[\?25l)[^]*cancelled\r?\n$/); // the cursor is there again
    expect(existsSync(identityOf(alice))).toBe(false);
    expect(readFileSync(out(alice), 'utf8')).toBe('');
  });
});
