import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../../packages/cli/src/exit-codes.js';
import { ERROR_CLASSES, ERROR_CODES, type ErrorClass, type ErrorCode } from '../../../packages/core/src/error-codes.js';
import { ERROR_HELP } from '../../../packages/core/src/error-help.js';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

function reference(): string {
  const sections = Object.entries(ERROR_CLASSES).map(([name, exit]) => {
    const words = exitCodes().find(({ code }) => code === exit)!.words;
    const own = codes.filter((code) => ERROR_CODES[code] === (name as ErrorClass));
    return `## Exit code ${exit}: ${words.replace(/^[^:]*: /, '')}\n\n${own.map((code) => `### ${code}\n\n${ERROR_HELP[code]}\n`).join('\n')}`;
  });
  return `# Errors\n\nWhat every error code means, how it comes about and what to do. \`oxp-vault help CODE\` says the same. Written by the tests from\npackages/core/src/error-help.ts: \`npm test test/unit/cli/error-help -- -u\`.\n\n${sections.join('\n')}`;
}

describe('the help of every error code', () => {
  it('is what docs/errors.md says', async () => {
    await expect(reference()).toMatchFileSnapshot(fileURLToPath(new URL('../../../docs/errors.md', import.meta.url)));
  });

  it.each(codes)('%s: says more than the name, in whole sentences', (code) => {
    expect(ERROR_HELP[code]).toMatch(/^[A-Z"].{60,}[.)`:]$|^[A-Z].{60,}\.$/s);
  });

  it('explains no code that is none', () => expect(Object.keys(ERROR_HELP).toSorted()).toEqual(codes.toSorted()));
});

describe('the exit codes', () => {
  it('are in order and without gaps up to 9', () => {
    expect(exitCodes().map(({ code }) => code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 141]);
  });
});
