import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

const ofFile: string[] = [];

// Registered when the file is collected, where it belongs to no suite: it runs after the last test of the file.
afterAll(() => {
  for (const path of ofFile.splice(0)) remove(path);
});

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/**
 * A new empty directory (mode 0700, no links in its path), removed after the test that asked for it; where a hook or the
 * file asked, after the file's last test. OXP_TEST_KEEP=1 keeps it, for looking at what went wrong.
 */
export function tempDir(label = 'test'): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `oxp-${label}-`)));
  chmodSync(path, 0o700);
  if (process.env['OXP_TEST_KEEP'] === '1') return path;
  // The current test is also set while a beforeEach hook runs, which onTestFinished takes as well.
  if (TestRunner.getCurrentTest() === undefined) ofFile.push(path);
  else onTestFinished(() => remove(path));
  return path;
}
