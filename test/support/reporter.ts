import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a finished run amounts to. A file or suite that broke outside any test, and an error nobody awaited, are failures too. */
export function count(modules: readonly TestModule[], unhandled: number): Counts {
  const counts: Counts = { passed: 0, failed: unhandled, skipped: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // Pending at the end: the run was cut short before its turn.
      counts[state === 'pending' ? 'skipped' : state] += 1;
    }
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
  }
  return counts;
}

function skipNote(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}

/** Every reason that a test gave for not running, with the number of tests (or groups) that gave it. */
export function skipReasons(modules: readonly TestModule[]): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const note = skipNote(test);
      if (note !== undefined) reasons.set(note, (reasons.get(note) ?? 0) + 1);
    }
  }
  return reasons;
}

/** Tests that failed and then passed: nothing to be silent about. */
export function secondTries(modules: readonly TestModule[]): string[] {
  return modules.flatMap((module) => [...module.children.allTests()].filter((test) => test.diagnostic()?.flaky === true).map((test) => `${module.relativeModuleId}: ${test.fullName}`));
}

/** Adds to the report why something was skipped and what needed a second try, and leaves the counts in $OXP_TEST_COUNTS for scripts/test.mjs. */
export default class OxpReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    for (const [reason, times] of skipReasons(modules)) process.stdout.write(`${reason}${times > 1 ? ` (${times} times)` : ''}\n`);
    for (const test of secondTries(modules)) process.stdout.write(`passed only at the second try: ${test}\n`);
    const path = process.env['OXP_TEST_COUNTS'];
    if (path !== undefined) writeFileSync(path, JSON.stringify(count(modules, unhandledErrors.length)));
  }
}
