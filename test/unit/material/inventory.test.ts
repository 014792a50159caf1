import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ansibleInventory } from '../../../packages/core/src/material/ansible-inventory.js';
import { expandHosts } from '../../../packages/core/src/material/inventory-ranges.js';
import { failures, refused, Secret, take, textOf } from './helpers.js';

const count = async (text: string, parameters = {}): Promise<string> => {
  const { public: parts } = await take(ansibleInventory, text, parameters);
  return `${String(parts['format'])}: ${ansibleInventory.facts(parts)}`;
};

describe('hosts', () => {
  it.each([
    ['a', ['a']],
    ['h[1:3]', ['h1', 'h2', 'h3']],
    ['h[01:03].example.org', ['h01.example.org', 'h02.example.org', 'h03.example.org']],
    ['h[1:9:4]', ['h1', 'h5', 'h9']],
    ['h[:2]', ['h0', 'h1', 'h2']],
    ['h[3:1]', []],
    ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
    ['x[Y:Z]', ['xY', 'xZ']],
    ['x[y:B]', ['xy', 'xz', 'xA', 'xB']],
    ['h[9:11]', ['h9', 'h10', 'h11']],
    ['h[0:10:5]', ['h0', 'h5', 'h10']],
    ['h[98:100]', ['h98', 'h99', 'h100']],
    ['r[1:2]-n[1:2]', ['r1-n1', 'r1-n2', 'r2-n1', 'r2-n2']],
    ['h[1:2]:2222', ['h1', 'h2']],
    ['h:22', ['h']],
    ['[1:3]', ['1', '2', '3']],
    ['10.0.0.[1:2]', ['10.0.0.1', '10.0.0.2']],
    ['2001:db8::1', ['2001:db8::1']],
    ['[2001:db8::1]', ['2001:db8::1']],
    ['[2001:db8::1]:22', ['2001:db8::1']],
    ['[2001:db8:0:0:0:0:0:1]', ['2001:db8:0:0:0:0:0:1']],
  ])('%s', (pattern, hosts) => {
    expect(expandHosts(pattern)).toEqual(hosts);
  });

  it.each(['', 'h[1:]', 'h[1]', 'h[1:2:0]', 'h[1:2:3:4]', 'h[01:100]', 'h[a:3]', 'h[c:a]', 'h[aa:bb]', 'h[a:bb]', 'h[ab:c]', 'h[!:c]', 'h[a:!]', 'h[0:999999999]', 'h[1:2', 'h[-1:2]', 'h[1:999999]', 'h[1:1000]x[1:1000]', 'a b'])('refuses %j', async (pattern) => {
    await refused('BAD_MATERIAL', () => expandHosts(pattern));
  });

  it('gives as many hosts as the ranges say, each once', () => {
    const range = fc.tuple(fc.nat(50), fc.nat(20), fc.integer({ min: 1, max: 5 }), fc.boolean()).map(([from, length, step, padded]) => {
      const text = (n: number): string => (padded ? String(n).padStart(3, '0') : String(n));
      return { text: `[${text(from)}:${text(from + length)}:${step}]`, size: Math.floor(length / step) + 1 };
    });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 3 }), (ranges) => {
        const hosts = expandHosts(`h${ranges.map(({ text }) => text).join('-')}.example`);
        expect(hosts).toHaveLength(ranges.reduce((product, { size }) => product * size, 1));
        expect(new Set(hosts).size).toBe(hosts.length);
        for (const host of hosts) expect(host).toMatch(/^h[\d-]*\.example$/);
      }),
    );
  });
});

describe('INI', () => {
  it.each([
    ['ini: 3 hosts, 0 groups', 'a\nb ansible_host=10.0.0.1 x="y z"\nc:2222 # comment\n'],
    ['ini: 5 hosts, 3 groups', '; c\n# c\nlone\n\n[web]\nw[1:3]\n[db]\nd1 x=\'a b\'\nw1\n[all:vars]\nk=v\n[site:children]\nweb\ndb # both\n[site:vars]\na = b\n'],
    ['ini: 1 host, 1 group', '[g:hosts]\nh\n'],
    ['ini: 0 hosts, 1 group', '[g]\n'],
    ['ini: 2 hosts, 2 groups', '[late:children]\nearly\n[early]\na\r\nb\r\n'],
    ['ini: 1 host, 0 groups', 'host1:2222\n'],
    ['ini: 1 host, 0 groups', '[all]\nh\n[ungrouped]\nh\n'],
  ])('%s', async (words, text) => {
    expect(await count(text)).toBe(words);
  });

  it.each([
    ['an unknown child', 'a\n[g:children]\nnone\n', /line 3: a group is used that is not there/],
    ['variables of an unknown group', '[g:vars]\na=b\n', /line 1: a group is used/],
    ['a strange section', '[g:x]\na\n', /line 1: a section/],
    ['an open section', '[g\na\n', /line 1/],
    ['a word that is no variable', 'a b\n', /line 1: after a host/],
    ['an open quote', 'a x="b\n', /line 1: a quote/],
    ['a variable without =', '[g]\n[g:vars]\nhunter2\n', /line 3: a variable/],
    ['a child with variables', '[g]\n[h:children]\ng x=hunter2\n', /line 3: a child/],
    ['a bad range', '[g]\nh[1:]\n', /line 2: a range/],
    ['no hosts', '# nothing\n', /no host/],
  ])('refuses %s', async (_title, text, message) => {
    expect((await refused('BAD_MATERIAL', () => take(ansibleInventory, text, { format: 'ini' }), 'hunter2')).message).toMatch(message);
  });
});

describe('YAML', () => {
  it.each([
    ['yaml: 5 hosts, 2 groups', 'all:\n  hosts:\n    lone:\n  children:\n    web:\n      hosts:\n        w[1:3]: { a: b }\n    db:\n      hosts: { d1: , w1: }\n      vars: { x: y }\n'],
    ['yaml: 1 host, 1 group', '---\nweb: { hosts: { a: { password: !vault "x" } } }\n'],
    ['yaml: 1 host, 2 groups', 'web: { hosts: a, children: nested }\n'],
    ['yaml: 2 hosts, 2 groups', 'x: &x { hosts: { a: , b: } }\ny: *x\n'],
    ['yaml: 1 host, 1 group', '{"web": {"hosts": {"a": {}}}}'],
    ['yaml: 0 hosts, 1 group', 'web:\n'],
    // Ansible's own business: an older YAML, infinity, a number too large, names of JavaScript.
    ['yaml: 1 host, 1 group', '%YAML 1.1\n---\nweb: { hosts: { constructor: { a: .inf, b: 12345678901234567890, c: no } } }\n'],
  ])('%s', async (words, text) => {
    expect(await count(text)).toBe(words);
  });

  const bomb = `a: &a { hosts: { x: } }\n${'bcdefghij'.split('').map((n, i) => `${n}: &${n} { children: { ${Array.from({ length: 9 }, (_, k) => `g${k}: *${'abcdefghij'[i]}`).join(', ')} } }`).join('\n')}\n`;
  it.each([
    ['a list', '- a\n', /map of groups/],
    ['a plugin', 'plugin: scaleway\n', /plugin/],
    ['hosts that are a list', 'all: { hosts: [hunter2] }\n', /hosts of a group/],
    ['a group that is a text', 'all: hunter2\n', /a group is not a map/],
    ['two documents', 'a:\n---\nb:\n', /second document/],
    ['the same group twice', 'a:\nb:\na:\n', /line 3: the same key twice/],
    ['a bomb', bomb, /stand for too much/],
    ['groups in groups without end', 'all: { '.concat('children: { g: { '.repeat(120), '} }'.repeat(120), ' }\n'), /100 deep/],
    ['what would exhaust the parser', `all: ${'{ a: '.repeat(50_000)}${'}'.repeat(50_000)}\n`, /line 1: nested too deeply/],
    ['a tab', 'all:\n\thosts:\n', /line 2/],
  ])('refuses %s', async (_title, text, message) => {
    expect((await refused('BAD_MATERIAL', () => take(ansibleInventory, text, { format: 'yaml' }), 'hunter2')).message).toMatch(message);
  });

  it('is not taken for INI because it is broken', async () => {
    expect((await refused('BAD_MATERIAL', () => take(ansibleInventory, 'all:\n  hosts: [\n'))).message).toMatch(/line 3: (?:wrong indentation|a character is missing)/);
  });
});

it('keeps the bytes, and the format that it found', async () => {
  const text = '\n[web]\r\n a \n\n';
  const file = await take(ansibleInventory, text);
  expect(textOf(file)).toBe(text);
  expect(file.parameters).toEqual({ format: 'ini' });
  expect(file.public).toEqual({ format: 'ini', hosts: 1, groups: 1 });
  await refused('BAD_VALUE', () => ansibleInventory.parameters({ format: 'toml' }));
  await refused('BAD_MATERIAL', () => take(ansibleInventory, new Uint8Array([0x61, 0xff])));
});

it('is checked against its counts', async () => {
  const file = await take(ansibleInventory, '[web]\na\nb\n');
  expect(await failures(ansibleInventory, file)).toEqual([]);
  expect(await failures(ansibleInventory, { ...file, file: Secret.fromText('[web]\na\n') })).toEqual([{ check: 'public parts match', ok: false, detail: 'different: hosts' }]);
  expect(await failures(ansibleInventory, { ...file, file: Secret.fromText('[web\nhunter2') })).toMatchObject([{ check: 'parses', ok: false }]);
});
