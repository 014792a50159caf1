// Runs the tests (arguments go to Vitest: a path, -t NAME, --coverage) and ends with one plain line of counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, runHere } from './workspace.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'oxp-counts-'));
const counts = join(scratch, 'counts.json');
const args = process.argv.slice(2);
// A --reporter replaces those of the configuration, and with them the one that counts.
if (args.some((arg) => arg.startsWith('--reporter'))) args.push(`--reporter=${at('test', 'support', 'reporter.ts')}`);
const code = runHere(process.execPath, [at('node_modules', 'vitest', 'vitest.mjs'), 'run', ...args], {
  env: { ...process.env, OXP_TEST_COUNTS: counts },
});
const { passed, failed, skipped } = readCounts();
rmSync(scratch, { recursive: true });
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = code === 0 && failed > 0 ? 1 : code;

function readCounts() {
  try {
    return JSON.parse(readFileSync(counts, 'utf8'));
  } catch (error) {
    // Vitest itself died, or was given an option it does not know: that is one failure, and no test was counted.
    process.stderr.write(`The test run did not get to its end: ${error.message}\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
