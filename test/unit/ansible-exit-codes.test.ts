import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { read, root } from '../support/markdown.js';

it('the collection has the table of the library: node scripts/ansible-exit-codes.mjs writes it', async () => {
  const { text } = await mustRun(process.execPath, [join(root, 'scripts', 'ansible-exit-codes.mjs'), '--print']);
  expect(text).toContain('    "SECRET_NOT_FOUND": "not-found",\n');
  expect(read('packages/ansible/plugins/module_utils/exit_codes.py')).toBe(text);
});
