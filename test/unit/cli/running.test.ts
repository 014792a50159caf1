/** Standing in for a program: neither its end nor a word of it is missed, however short it is. */
import { describe, expect, it } from 'vitest';
import { EXIT_NOT_FOUND, runInPlace } from '../../../packages/cli/src/children/running.js';

const mask = [Buffer.from('hunter22')];
const options = { env: process.env, cwd: process.cwd(), mask };

describe('runInPlace with values to mask', () => {
  it('notices the end of a program that ends at once', async () => {
    expect(await runInPlace(['true'], options)).toBe(0);
  });

  it('says that there is no such program', async () => {
    expect(await runInPlace(['no-such-program-of-ours'], options)).toEqual({ failed: EXIT_NOT_FOUND });
  });
});
