import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/tools.js';
import { buildCli } from './harness.js';
import { runSession } from './script.js';

const directory = fileURLToPath(new URL('./sessions/git/', import.meta.url));

describeWith(['bash', 'git'], 'what people type, with a vault in Git', () => {
  beforeAll(buildCli, 300_000);

  it.each(readdirSync(directory))('%s', async (name) => {
    await expect(runSession(`${directory}${name}`)).resolves.toBeUndefined();
  });
});
