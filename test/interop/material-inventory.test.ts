import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ansibleInventory } from '../../packages/core/src/material/ansible-inventory.js';
import { expandHosts } from '../../packages/core/src/material/inventory-ranges.js';
import { run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

type Listing = Record<string, { hosts?: string[]; children?: string[] }>;

describeWith(['ansible-inventory'], 'ansible-inventory', ({ 'ansible-inventory': program }) => {
  /** Undefined where Ansible reads nothing from the file. */
  const list = async (name: string, text: string): Promise<{ hosts: string[]; groups: string[] } | undefined> => {
    const dir = tempDir();
    writeFileSync(join(dir, name), text);
    const env = { ...process.env, HOME: dir, ANSIBLE_LOCALHOST_WARNING: 'False', ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: 'True', ANSIBLE_INVENTORY_ENABLED: 'yaml,ini' };
    const outcome = await run(program, ['-i', join(dir, name), '--list'], { env, cwd: dir });
    if (outcome.code !== 0) return undefined;
    const { _meta, ...groups } = JSON.parse(outcome.text) as Listing;
    const children = Object.values(groups).flatMap((group) => group.children ?? []);
    return {
      hosts: [...new Set(Object.values(groups).flatMap((group) => group.hosts ?? []))].sort(),
      groups: [...new Set([...Object.keys(groups), ...children])].filter((group) => group !== 'all' && group !== 'ungrouped'),
    };
  };
  const ours = (text: string) => ansibleInventory.import(new TextEncoder().encode(text), {}, { now: 0, name: 'ansible/inventory' });

  it.each([
    ['inventory.ini', 'lone\n\n[web]\nw[01:03].example.org ansible_port=22 x="y z" # note\n[db]\ndb-[a:c]\nh[1:9:4]\n[site:children]\nweb\ndb\n[site:vars]\na = b\n[all:vars]\nk=v\n'],
    ['inventory.ini', '[late:children]\nearly\n[early]\na\nb:2222\n10.0.0.[1:4]\n[2001:db8::1]:22\n'],
    ['inventory.ini', '[r]\nr[1:2]-n[1:3] ansible_user=root\n[s]\nx[y:B]\nz[3:1]\n'],
    ['inventory.ini', 'one\none\n[a]\none\n[b:hosts]\ntwo x=\'a b\'\n'],
    ['inventory.yml', 'all:\n  hosts:\n    lone:\n  children:\n    web:\n      hosts:\n        w[1:3].example.org: { ansible_port: 22 }\n      vars: { x: 1 }\n    site:\n      children:\n        db:\n          hosts:\n            db-[a:c]:\n            w1.example.org:\n'],
    ['inventory.yml', '---\nweb: { hosts: { a: , b: }, vars: { s: &s { k: v }, t: *s } }\nsite: { children: { web: , deep: { hosts: { c: } } } }\n'],
  ])('counts %s as we do: %j', async (name, text) => {
    const [theirs, { public: parts }] = [await list(name, text), await ours(text)];
    expect(theirs).toBeDefined();
    expect(parts).toEqual({ format: name.endsWith('yml') ? 'yaml' : 'ini', hosts: theirs!.hosts.length, groups: theirs!.groups.length });
  });

  it.each([
    ['inventory.ini', '[web]\nh[01:100]\n'],
    ['inventory.ini', '[g:children]\nnone\n'],
    ['inventory.ini', '[g:vars]\na=b\n'],
    ['inventory.ini', '[g:other]\na\n'],
    ['inventory.ini', 'a x="b\n'],
    ['inventory.ini', 'a b\n'],
    ['inventory.ini', '[g]\n[:3]\n'],
    ['inventory.ini', '[g]\n[3:1]\n'],
    ['inventory.yml', 'all:\n  hosts: [a, b]\n'],
    ['inventory.yml', 'plugin: x\n'],
  ])('refuses %s, as we do: %j', async (name, text) => {
    expect(await list(name, text)).toBeUndefined();
    await expect(ours(text)).rejects.toMatchObject({ code: 'BAD_MATERIAL' });
  });

  it('names the same hosts for every kind of range', async () => {
    const patterns = ['a[1:12]', 'b[08:11]', 'c[001:003:2]', 'd[:4]', 'e[0:10:5]', 'f[x:C]', 'g[1:2][a:b]-[0:1].example', 'h[5:5]', 'i[9:10]', 'j[1:3]:2200'];
    const theirs = await list('inventory.ini', `[g]\n${patterns.join('\n')}\n`);
    expect(patterns.flatMap(expandHosts).sort()).toEqual(theirs?.hosts);
  });
});
