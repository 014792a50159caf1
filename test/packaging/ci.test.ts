import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { howToInstall, isOptional, type ToolName } from '../support/tools.js';
import { root } from './built.js';

/** The tools that the test files ask for, with the first file that does. */
function toolsInUse(): Map<ToolName, string> {
  const used = new Map<ToolName, string>();
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.includes('support'));
  for (const path of tests) {
    const text = readFileSync(join(root, 'test', path), 'utf8');
    const calls = text.matchAll(/\b(?:describeWith\(\s*\[([^\]]*)\]|(?:tool|requireTool|findTool)\(([^)]*)\))/g);
    const names = [...calls].flatMap(([, list = '', one = '']) => [...`${list} ${one}`.matchAll(/'([^']+)'/g)].map(([, name = '']) => name as ToolName));
    for (const name of names) if (!used.has(name)) used.set(name, path);
  }
  return used;
}

describe('.ci/run', () => {
  const script = readFileSync(join(root, '.ci', 'run'), 'utf8');
  const [, onMachine = ''] = /^machine=\(([^)]*)\)$/m.exec(script) ?? [];
  const used = [...toolsInUse()].filter(([name]) => !isOptional(name)).map(([name, path]) => ({ name, path }));

  it('is read: some tools are in use', () => {
    expect(used.map(({ name }) => name)).toContain('git');
  });

  it.each(used)('provides $name, which $path needs', ({ name }) => {
    const how = howToInstall(name);
    const [, package_] = /^Debian package (\S+)$/.exec(how) ?? [];
    const [, wheel] = /^pip install (\S+)$/.exec(how) ?? [];
    const [, module] = /^go install (\S+)$/.exec(how) ?? [];
    const rows = [...script.matchAll(/^ {2}'\S+\s+(\S+)'$/gm)].map(([, what]) => what);
    expect([...rows, ...onMachine.split(' ')]).toContain(onMachine.split(' ').includes(name) ? name : (package_ ?? wheel ?? module));
  });
});
