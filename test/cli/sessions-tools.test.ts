import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { describeWith } from '../support/tools.js';
import { buildCli } from './harness.js';
import { runSession } from './script.js';

const directory = fileURLToPath(new URL('./sessions/tools/', import.meta.url));

describeWith(['bash', 'jq', 'script', 'nsupdate', 'named-checkconf', 'ssh-keygen'], 'what people type, with the tools that the secrets are for', () => {
  beforeAll(buildCli, 300_000);

  it.each(readdirSync(directory))('%s', async (name) => {
    await expect(runSession(`${directory}${name}`)).resolves.toBeUndefined();
  });
});
