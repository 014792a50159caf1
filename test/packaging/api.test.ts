import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, root } from './built.js';
import { exportsOf, type Declared } from './declarations.js';

const dist = join(root, 'packages', 'core', 'dist');
const HEADER = `# Public API of @oxp-vault/core

Written by \`npm run api\`; a test compares it with the built package. A change here is a change for users: it needs a changeset.
`;

function render(api: readonly Declared[]): string {
  const list = (title: string, some: readonly Declared[]): string => `## ${title}\n\n${some.map(({ name, kind }) => `- \`${name}\` ${kind}`).join('\n')}\n`;
  const texts = api.map(({ text }) => text).join('\n\n');
  return [HEADER, list('Values', api.filter(({ value }) => value)), list('Types', api.filter(({ value }) => !value)), `## Declarations\n\n\`\`\`ts\n${texts}\n\`\`\`\n`].join('\n');
}

describe('the public API of @oxp-vault/core', () => {
  let api: Declared[] = [];

  beforeAll(async () => {
    await build();
    api = exportsOf(join(dist, 'index.d.ts'));
  });

  it('is the one that was agreed on', async () => {
    await expect(render(api)).toMatchFileSnapshot('./api.snapshot.md');
  });

  it('has exactly the values that its declarations promise', async () => {
    const module = (await import(pathToFileURL(join(dist, 'index.js')).href)) as Record<string, unknown>;
    expect(Object.keys(module).toSorted()).toEqual(api.filter(({ value }) => value).map(({ name }) => name));
  });
});
