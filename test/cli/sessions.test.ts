import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/tools.js';
import { buildCli } from './harness.js';
import { runSession } from './script.js';

const directory = fileURLToPath(new URL('./sessions/', import.meta.url));

describeWith(['bash'], 'what people type and what they see', () => {
  beforeAll(buildCli, 300_000);

  it.each(readdirSync(directory).filter((name) => name.endsWith('.txt')))('%s', async (name) => {
    await expect(runSession(`${directory}${name}`)).resolves.toBeUndefined();
  }, 240_000);
});
