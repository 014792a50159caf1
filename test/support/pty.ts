/** Programs on a terminal of their own: what they ask, what they show, and whether what is typed can be read on the screen. */
import { run } from './run.js';

export interface Typed {
  /** Typed once these words stand on the screen, after what the answer before it waited for. */
  readonly after: string;
  /** A key is a character: `\r` is Enter, `\x03` Ctrl-C. */
  readonly keys: string;
}

export interface TerminalOptions {
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly answers?: readonly Typed[];
  readonly columns?: number;
  /** Milliseconds until it is killed. Default 60,000. */
  readonly timeout?: number;
}

export interface TerminalResult {
  /** Exit code; 128 + signal number where a signal ended it. */
  readonly code: number;
  /** Every byte that reached the terminal, as text. */
  readonly raw: string;
  /** The same without escape sequences, lines ended by \n. */
  readonly text: string;
  /** For each answer that was typed, whether the terminal would have shown the keys by itself. */
  readonly echoed: readonly boolean[];
}

/** Reads its orders as JSON on stdin, and reports as JSON on stdout. */
const DRIVER = `
import fcntl, json, os, pty, re, select, signal, struct, sys, termios, time
order = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 50, order['columns'], 0, 0))
    try:
        os.chdir(order['cwd'])
        os.execve(order['argv'][0], order['argv'], order['env'])
    finally:
        os._exit(127)
ESCAPES = re.compile(r'\\x1b\\[[0-9;?]*[ -/]*[@-~]|\\x1b[()][A-Z0-9]|\\x1b[=>78]')
screen, answers, echoed, seen = b'', order['answers'], [], 0
deadline = time.monotonic() + order['timeout'] / 1000
def echoes():
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
while True:
    ready, _, _ = select.select([terminal], [], [], 0.02)
    if ready:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        screen += more
    if time.monotonic() > deadline:
        os.kill(pid, signal.SIGKILL)
        break
    if len(echoed) < len(answers):
        text = ESCAPES.sub('', screen.decode('utf-8', 'replace'))
        at = text.find(answers[len(echoed)]['after'], seen)
        if at >= 0:
            # A program shows its question first, and then takes the terminal over.
            patience = time.monotonic() + 1
            while echoes() and time.monotonic() < patience:
                time.sleep(0.01)
            seen = at + len(answers[len(echoed)]['after'])
            shown = echoes()
            os.write(terminal, answers[len(echoed)]['keys'].encode())
            echoed.append(shown)
_, status = os.waitpid(pid, 0)
code = os.waitstatus_to_exitcode(status)
json.dump({'code': code if code >= 0 else 128 - code, 'raw': screen.decode('utf-8', 'replace'), 'echoed': echoed}, sys.stdout)
`;

const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]/g;

/** Runs a program (an absolute path) on a terminal. Rejects where an answer was never asked for. */
export async function onTerminal(python3: string, argv: readonly [string, ...string[]], options: TerminalOptions): Promise<TerminalResult> {
  const { answers = [], columns = 120, timeout = 60_000, cwd } = options;
  const env = Object.fromEntries(Object.entries(options.env).filter(([, value]) => value !== undefined));
  const driver = await run(python3, ['-c', DRIVER], { input: JSON.stringify({ argv, cwd, env, answers, columns, timeout }), timeout: timeout + 10_000 });
  if (driver.code !== 0) throw new Error(`the terminal failed: ${driver.stderr}`);
  const { code, raw, echoed } = JSON.parse(driver.text) as Omit<TerminalResult, 'text'>;
  const text = raw.replace(ESCAPES, '').replaceAll('\r\n', '\n');
  if (echoed.length < answers.length) throw new Error(`never asked: ${answers[echoed.length]!.after}\n--- screen ---\n${text}`);
  return { code, raw, text, echoed };
}
