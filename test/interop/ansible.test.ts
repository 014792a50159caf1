/** The collection oxp.vault under real Ansible: the oldest that it takes (Debian's) and the newest, which template by opposite rules. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { type Ansible, ansible, documented, installCollection } from '../support/ansible.js';
import { buildCli } from '../cli/harness.js';
import { run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import type { VaultOwner } from '../cli/person.js';

const VALUES = {
  'app/braces': Buffer.from('a{{ 1+1 }}b {% raw %} {{ lookup("pipe", "id") }}'),
  'app/breaks': Buffer.from('\n two lines\r\n\n\n'),
  'app/words': Buffer.from('Grüße, мир €\u{1f511}\ufeff'),
  'app/binary': Buffer.from([0xff, 0, 1, 0x80, 0x0a, 0x0d]),
  'app/like-a-number': Buffer.from('0123'),
  'app/like-yaml': Buffer.from('[true, no]'),
  'app/canary': Buffer.from('CANARY-d41d8cd98f'),
} as const;
const TEXTS = Object.keys(VALUES).filter((name) => name !== 'app/binary') as (keyof typeof VALUES)[];

async function sealAll(alice: VaultOwner): Promise<void> {
  for (const [name, value] of Object.entries(VALUES)) await alice.must(['seal', name, '--from', '-'], { input: value });
  await alice.must(['seal', 'dns/tsig', '--kind', 'tsig', '--set', 'key=ddns.']);
}

const sessions = async (alice: VaultOwner): Promise<string[]> => (await alice.must(['audit', 'log'])).text.trim().split('\n').map((line) => line.replace(/^.*\(laptop\) +/, '')).filter((line) => line.includes('session'));

for (const name of ['ansible-playbook', 'ansible-playbook@2.19'] as const) {
  describeWith([name], `the collection under ${name}`, ({ [name]: playbook }) => {
    let collections = '';
    const world = async (): Promise<Ansible> => {
      const found = await ansible(playbook, collections);
      await sealAll(found.alice);
      return found;
    };
    beforeAll(async () => {
      await buildCli();
      collections = await installCollection(playbook);
    }, 300_000);

    it('brings every value exactly: looked up, through variables and facts, and as variables of a role', async () => {
      const it = await world();
      const variable = (secret: string): string => `vault_${secret.replace(/[^a-z]/g, '_')}`;
      const files = TEXTS.map((secret) => [secret.slice(4), `lookup('oxp.vault.secret', '${secret}')`] as const);
      const others = TEXTS.flatMap((secret) => [variable(secret), `everything['${secret}']`, `fact_${variable(secret)}`]);
      const facts = TEXTS.map((secret) => `    fact_${variable(secret)}: "{{ lookup('oxp.vault.secret', '${secret}') }}"`);
      const copies = files.map(([file, value]) => `- copy: {content: "{{ ${value} }}", dest: "{{ out }}/${file}"}`);
      const out = tempDir('out');
      const play = await it.play(
        [
          '- set_fact:', ...facts,
          `- set_fact: {everything: "{{ lookup('oxp.vault.secret', role='team') }}"}`,
          ...copies,
          `- debug: {msg: "<{{ [${others.join(', ')}] | map('b64encode') | join(' ') }}>"}`,
          `- copy: {content: "{{ lookup('oxp.vault.secret', 'app/binary', format='base64') }} {{ everything['app/binary'].base64 }} {{ vault_app_binary.base64 }}", dest: "{{ out }}/binary"}`,
          `- copy: {content: "{{ lookup('oxp.vault.secret', 'dns/tsig', format='bind') }}", dest: "{{ out }}/bind"}`,
          `- copy: {content: "{{ query('oxp.vault.secret', 'dns/tsig#keyname', 'dns/tsig#secret') | join(' ') }}", dest: "{{ out }}/fields"}`,
        ].join('\n'),
        ['-e', `out=${out}`],
        { env: { ANSIBLE_VARS_ENABLED: 'host_group_vars,oxp.vault.role', OXP_VAULT_ANSIBLE_ROLE: 'team' } },
      );
      expect(play.code, play.text + play.stderr).toBe(0);
      // A list or a number in the place of a text would be written as one of Ansible's own making.
      for (const [file] of files) expect(readFileSync(join(out, file)), file).toEqual(VALUES[`app/${file}` as keyof typeof VALUES]);
      const exact = TEXTS.map((secret) => VALUES[secret].toString('base64')).map((value) => `${value} ${value} ${value}`);
      expect(/<(.*)>/.exec(play.text)?.[1]).toBe(exact.join(' '));
      const base64 = VALUES['app/binary'].toString('base64');
      expect(readFileSync(join(out, 'binary'), 'utf8')).toBe(`${base64} ${base64} ${base64}`);
      const secret = (await it.alice.must(['open', 'dns/tsig#secret'])).text;
      expect(readFileSync(join(out, 'fields'), 'utf8')).toBe(`ddns. ${secret}`);
      expect(readFileSync(join(out, 'bind'), 'utf8')).toBe((await it.alice.must(['open', 'dns/tsig', '--format', 'bind'])).text);
      // The log: one session for all of it, closed although nobody said so.
      expect(await it.agentsLeft()).toEqual([]);
      expect(it.started()).toHaveLength(1);
      expect(await sessions(it.alice)).toEqual(['began a session that may open / (ansible)', expect.stringContaining('ended a session that opened ')]);
      expect(readdirSync(join(it.alice.env['XDG_RUNTIME_DIR']!, 'oxp-vault'))).toEqual([]);
    });

    it('variables of a role follow the log, and two secrets never are one variable', async () => {
      const it = await world();
      const env = { ANSIBLE_VARS_ENABLED: 'host_group_vars,oxp.vault.role', OXP_VAULT_ANSIBLE_ROLE: 'team', OXP_VAULT_ANSIBLE_PREFIX: 'of_' };
      const { alice } = it;
      const grown = await it.play('- debug: {msg: "<{{ of_app_canary }}>"}\n- oxp.vault.seal: {name: app/canary, value: sealed by the play}\n- pause: {seconds: 3}\n- debug: {msg: "<{{ of_app_canary }}>"}', [], { env });
      expect([grown.code, ...(grown.text.match(/<.*>/g) ?? [])], grown.text + grown.stderr).toEqual([0, `<${VALUES['app/canary'].toString()}>`, '<sealed by the play>']);
      await alice.must(['seal', 'app-canary', '--from', '-'], { input: 'x' });
      const said = async (more: Record<string, string>): Promise<string> => {
        const { code, text, stderr } = await it.play('- debug: {msg: x}', [], { env: { ...env, ...more } });
        expect(code).not.toBe(0);
        return text + stderr;
      };
      expect(await said({})).toContain('FORMAT_UNSUITABLE: app-canary and app/canary would both be the variable of_app_canary');
      expect(await said({ OXP_VAULT_ANSIBLE_ROLE: 'nobody' })).toContain('ROLE_NOT_FOUND: there is no role nobody');
      expect(await said({ OXP_VAULT_ANSIBLE_PREFIX: '1-' })).toContain('USAGE: the prefix');
    });

    const hosts = (count: number): string => `h[01:${count}] ansible_connection=local\n`;
    const LOOKUPS = `- assert: {that: ["lookup('oxp.vault.secret', 'app/canary') == query('oxp.vault.secret', 'app/canary')[0]", "lookup('oxp.vault.secret', 'app/words') != lookup('oxp.vault.secret', 'app/breaks')"]}`;

    it('200 lookups on 50 hosts start one oxp-vault, and with an agent none', async () => {
      const it = await world();
      it.alice.write('fifty.ini', hosts(50));
      const args = ['-i', 'fifty.ini', '--forks', '10'];
      const alone = await it.play(LOOKUPS, args);
      expect(alone.code, alone.text + alone.stderr).toBe(0);
      expect(alone.text.match(/^ok: \[h/gm)).toHaveLength(50);
      expect(it.started()).toEqual([expect.stringMatching(/^agent start --read-only --foreground --json --socket \S+ --purpose ansible --for 7d --while \d+ --scope \/$/)]);
      expect(await it.agentsLeft()).toEqual([]);

      // Its own for this vault.
      await it.alice.run('oxp-vault', ['agent', 'start', '--for', '10m'], { env: it.env });
      it.started();
      const locked = { OXP_VAULT_IDENTITY: '/nowhere' };
      expect((await it.play(LOOKUPS, args, { env: locked })).code).toBe(0);
      expect(it.started()).toEqual([]);
      await it.alice.run('oxp-vault', ['agent', 'stop'], { env: it.env });
      it.started();

      // That of exec.
      const path = join(it.alice.work, 'play-1.yml');
      const through = await it.alice.run('oxp-vault', ['exec', '--scope', 'app/', '--', playbook, ...args, path], { env: it.env, timeout: 240_000 });
      expect(through.code, through.text + through.stderr).toBe(0);
      expect(it.started()).toHaveLength(1);
    }, 300_000);

    it('says in one clear error what is wrong, and no value with -vvv', async () => {
      const it = await world();
      it.alice.write('ten.ini', hosts(10));
      const use = `- set_fact: {used: "{{ lookup('oxp.vault.secret', 'app/canary') }}"}\n  no_log: true\n`;
      const locked = { OXP_VAULT_IDENTITY: join(it.alice.home, 'locked.age') };
      const phrase = it.alice.write('phrase', 'correct horse battery staple');
      await it.alice.must(['identity', 'create', '--person', 'locked', '--device', 'd', '--out', locked.OXP_VAULT_IDENTITY, '--passphrase-file', phrase]);
      const other = '00'.repeat(32);
      const cases: readonly (readonly [string, string, Record<string, string>, number])[] = [
        [`${use}- debug: {msg: "{{ lookup('oxp.vault.secret', 'no/such') }}"}`, 'SECRET_NOT_FOUND: there is no secret no/such', {}, 1],
        [`${use}- debug: {msg: "{{ lookup('oxp.vault.secret', 'app/canary', version=7) }}"}`, 'VERSION_NOT_FOUND: ', {}, 1],
        [`${use}- debug: {msg: "{{ lookup('oxp.vault.secret', 'app/binary') }}"}`, 'FORMAT_UNSUITABLE: app/binary is no text', {}, 1],
        [`${use}- debug: {msg: "{{ lookup('oxp.vault.secret', 'app/canary', format='bind') }}"}`, 'FORMAT_UNSUITABLE: ', {}, 1],
        [use.replace('  no_log: true\n', ''), 'PASSPHRASE_NEEDED: the identity', locked, 1],
        [use.replace('  no_log: true\n', ''), 'AGENT_UNREACHABLE: no agent answers at /nowhere/agent.sock', { OXP_VAULT_AGENT: '/nowhere/agent.sock' }, 0],
        [use.replace('  no_log: true\n', ''), 'EXPECT_MISMATCH: ', { OXP_VAULT_EXPECT: other }, 1],
        [use.replace('  no_log: true\n', ''), 'NOT_ALLOWED: app/canary is outside of what this session may open', { OXP_VAULT_ANSIBLE_SCOPE: 'dns/' }, 1],
        [use.replace('  no_log: true\n', ''), 'no agent runs, and no-such-program cannot be started', { OXP_VAULT_PROGRAM: 'no-such-program' }, 0],
      ];
      for (const [tasks, message, env, starts] of cases) {
        const { code, text, stderr } = await it.play(tasks, ['-i', 'ten.ini', '--forks', '10', '-vvv'], { env });
        const all = text + stderr;
        expect([code, all.includes(message)], `${message}\n${all}`).toEqual([2, true]);
        expect(all.match(/^fatal: \[h/gm), message).toHaveLength(10);
        const needle = VALUES['app/canary'].toString();
        for (const form of [needle, Buffer.from(needle).toString('base64'), VALUES['app/binary'].toString('base64')]) expect(all, message).not.toContain(form);
        expect(all).not.toContain('Traceback');
        // Ten hosts, one try: the others believe the first.
        expect(it.started(), message).toHaveLength(starts);
      }
      // What is not there may be meant to be so.
      const { code, text } = await it.play(`- debug: {msg: "<{{ lookup('oxp.vault.secret', 'no/such', errors='ignore') }}>"}`);
      expect([code, /<(None)?>/.test(text)]).toEqual([0, true]);
    }, 300_000);

    it('does not take an agent of another vault for its own, nor one that others can use', async () => {
      const it = await world();
      const { alice } = it;
      await alice.must(['init', 'elsewhere', '--name', 'other', '--yes'], { cwd: alice.at() }).catch(() => undefined);
      const elsewhere = join(alice.at(), 'elsewhere');
      await alice.must(['seal', 'app/canary', '--from', '-', '--vault', elsewhere], { input: 'of the other vault' });
      const task = `- copy: {content: "{{ lookup('oxp.vault.secret', 'app/canary') }}", dest: "{{ out }}/got"}`;
      const out = tempDir('out');
      const socket = join(tempDir('other'), 'a.sock');
      await alice.run('oxp-vault', ['agent', 'start', '--vault', elsewhere, '--socket', socket, '--for', '10m'], { env: it.env });
      try {
        expect((await it.play(task, ['-e', `out=${out}`], { env: { OXP_VAULT_AGENT: socket } })).code).toBe(0);
        expect(readFileSync(join(out, 'got'), 'utf8')).toBe(VALUES['app/canary'].toString());
        expect((await it.play(task, ['-e', `out=${out}`], { env: { OXP_VAULT_AGENT: socket, OXP_VAULT: elsewhere, OXP_VAULT_IDENTITY: '/nowhere' } })).code).toBe(0);
        expect(readFileSync(join(out, 'got'), 'utf8')).toBe('of the other vault');
        await run('chmod', ['666', socket]);
        const unsafe = await it.play(task, ['-e', `out=${out}`], { env: { OXP_VAULT_AGENT: socket } });
        expect([unsafe.code, (unsafe.text + unsafe.stderr).includes('AGENT_UNSAFE: ')]).toEqual([2, true]);
      } finally {
        await run('chmod', ['600', socket]);
        await alice.run('oxp-vault', ['agent', 'stop', '--vault', elsewhere], { env: { ...it.env, OXP_VAULT_AGENT: socket } });
      }
    });

    it('leaves no agent behind when Ansible is killed', async () => {
      const it = await world();
      const running = it.play(`- debug: {msg: "{{ lookup('oxp.vault.secret', 'app/words') | length }}"}\n- command: sleep 8`);
      for (let i = 0; i < 300 && (await sessions(it.alice)).length === 0; i++) await sleep(100);
      const [, pid] = /--while (\d+) /.exec((await it.agents()).join('\n')) ?? [];
      process.kill(Number(pid), 'SIGKILL');
      expect(await it.agentsLeft()).toEqual([]);
      await running;
      expect((await sessions(it.alice)).at(-1)).toContain('ended a session');
    });

    it('reads a sealed inventory, whose templates are text unless it is trusted', async () => {
      const it = await world();
      const python = 'ansible_connection=local ansible_python_interpreter=/usr/bin/python3';
      await it.alice.must(['seal', 'ansible/production', '--from', '-', '--kind', 'ansible-inventory'], { input: `[web]\nw[1:2] ${python} words="{{ 1+1 }}" number=8\n[db]\nd1 ${python}\n[prod:children]\nweb\ndb\n[prod:vars]\ntoken=CANARYtoken\n` });
      await it.alice.must(['seal', 'ansible/yaml', '--from', '-', '--kind', 'ansible-inventory'], { input: 'all:\n  children:\n    web:\n      hosts:\n        w1: {words: "{{ 1+1 }}", list: [a, "{{ 2+2 }}"]}\n' });
      await it.alice.must(['seal', 'ansible/none', '--from', '-'], { input: '[web]\n' });
      it.alice.write('production.sealed.yml', documented('production.sealed.yml'));
      const list = async (file: string): Promise<unknown> => {
        const { code, text, stderr } = await it.run('ansible-inventory', ['-i', file, '--list']);
        expect(code, stderr).toBe(0);
        // Ansible shows with a mark what it will not template.
        const mark = '__ansible_unsafe';
        return JSON.parse(text, (_, value: unknown) => (typeof value === 'object' && value !== null && mark in value ? value[mark] : value));
      };
      expect(await list('production.sealed.yml')).toMatchObject({ prod: { children: ['web', 'db'] }, web: { hosts: ['w1', 'w2'] }, _meta: { hostvars: { w2: { number: 8, token: 'CANARYtoken' }, d1: { token: 'CANARYtoken' } } } });
      const show = async (file: string): Promise<string> => (await it.play('- debug: {msg: "<{{ words }}|{{ (list | default([])) | last | default() }}>"}', ['-i', file, '--limit', 'w1'])).text;
      expect(await show('production.sealed.yml')).toContain('<{{ 1+1 }}|>');
      it.alice.write('yaml.sealed.yml', 'plugin: oxp.vault.sealed\nsecret: ansible/yaml\n');
      expect(await show('yaml.sealed.yml')).toContain('<{{ 1+1 }}|{{ 2+2 }}>');
      it.alice.write('trusted.sealed.yml', 'plugin: oxp.vault.sealed\nsecret: ansible/yaml\ntrusted: true\n');
      expect(await show('trusted.sealed.yml')).toContain('<2|4>');
      it.alice.write('none.sealed.yml', 'plugin: oxp.vault.sealed\nsecret: ansible/none\n');
      const none = await it.run('ansible-inventory', ['-i', 'none.sealed.yml', '--list', '-vvv'], { env: { ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: '1' } });
      expect([none.code === 0, none.stderr.includes('FIELD_NOT_FOUND')]).toEqual([false, true]);
    });

    it('seals: once, with check mode and a diff without values, and lookups see it', async () => {
      const it = await world();
      const { alice } = it;
      await alice.run('oxp-vault', ['agent', 'start', '--for', '10m'], { env: it.env });
      alice.write('seal.yml', documented('seal.yml'));
      const play = async (...args: string[]): ReturnType<Ansible['run']> => it.run('ansible-playbook', ['-i', 'localhost,', 'seal.yml', '-e', 'token=CANARYtoken', '--diff', '-vvv', ...args]);
      try {
        const changed = (text: string): string => /changed=(\d)/.exec(text)?.[1] ?? text;
        const checked = await play('--check');
        expect([checked.code, changed(checked.text)], checked.text + checked.stderr).toEqual([0, '2']);
        expect((await alice.must(['list'])).text).not.toContain('app/token');
        const first = await play();
        expect([first.code, changed(first.text)], first.text + first.stderr).toEqual([0, '2']);
        expect(first.text).toContain('+app/token v1 (document)');
        const second = await play();
        expect([second.code, changed(second.text)]).toEqual([0, '0']);
        const withoutExtra = (text: string): string => text.replaceAll('token=CANARYtoken', '');
        for (const { text, stderr } of [checked, first, second]) expect(withoutExtra(text + stderr)).not.toContain('CANARYtoken');
        const more = await it.play(
          [
            `- oxp.vault.seal: {name: app/token, value_base64: "${VALUES['app/binary'].toString('base64')}"}\n  register: sealed`,
            `- assert: {that: ["sealed.version == 2", "sealed.action == 'import'", "lookup('oxp.vault.secret', 'app/token', format='base64') == '${VALUES['app/binary'].toString('base64')}'"]}`,
            `- oxp.vault.seal: {name: dns/made, generate: true, force: true}\n  register: forced`,
            `- assert: {that: ["forced.version == 2", "forced.kind == 'tsig'"]}`,
            `- oxp.vault.seal: {name: app/file, src: "${alice.write('value', 'from a file\n')}"}`,
            `- assert: {that: ["lookup('oxp.vault.secret', 'app/file') == 'from a file\\n'"]}`,
          ].join('\n'),
        );
        expect(more.code, more.text + more.stderr).toBe(0);
        for (const [args, code] of [['{name: app/x}', 'USAGE'], ['{name: app/x, value: "CANARYx", src: /dev/null}', 'USAGE'], ['{name: app/x, value_base64: "CANARYx!"}', 'BAD_VALUE'], ['{name: CANARYx, value: "CANARYy"}', 'BAD_NAME'], ['{name: kube/x, value: "CANARYx", kind: kubeconfig}', 'BAD_MATERIAL'], ['{name: app/x, value: "CANARYx", identity: /nowhere}', 'IDENTITY_NOT_FOUND']] as const) {
          const refused = await it.play(`- oxp.vault.seal: ${args}`);
          expect([refused.code, /"code": "(\w+)"/.exec(refused.text)?.[1]], refused.text).toEqual([2, code]);
          expect(/"msg": "([^"]*)"/.exec(refused.text)?.[1]).not.toContain('CANARY');
        }
      } finally {
        await alice.run('oxp-vault', ['agent', 'stop'], { env: it.env });
      }
    }, 300_000);

    it('opens what is under ansible-vault with a sealed password', async () => {
      const it = await world();
      const { alice } = it;
      await alice.must(['seal', 'ansible-vault/prod', '--from', '-'], { input: 'the password that is used now' });
      alice.write('by-hand', 'the password that is used now\n');
      alice.write('secret.yml', 'inside: CANARYinside\n');
      const encrypted = await it.run('ansible-vault', ['encrypt', '--vault-id', 'prod@by-hand', 'secret.yml']);
      expect(encrypted.code, encrypted.stderr).toBe(0);
      await run('chmod', ['+x', alice.write('oxp-vault-client', documented('oxp-vault-client'))]);
      const viewed = await it.run('ansible-vault', ['view', '--vault-id', 'prod@./oxp-vault-client', 'secret.yml']);
      expect(viewed, viewed.stderr).toMatchObject({ code: 0, text: 'inside: CANARYinside\n' });
      const missing = await it.run('ansible-vault', ['view', '--vault-id', 'test@./oxp-vault-client', 'secret.yml']);
      expect(missing.code).not.toBe(0);
      expect(missing.stderr.toLowerCase()).toContain('did not find a secret for vault-id=test');
      alice.write('ansible.cfg', documented('ansible.cfg', 2));
      const play = await it.play('- include_vars: secret.yml\n- assert: {that: ["inside == \'CANARYinside\'"]}');
      expect(play.code, play.text + play.stderr).toBe(0);
    });

    it('is what ansible-test asks for, as far as it needs no tools from a registry', async ({ skip }) => {
      // Debian has it in the same package; a venv always.
      if (!existsSync(join(dirname(playbook), 'ansible-test'))) skip('skipped: there is no ansible-test beside this ansible-playbook');
      const it = await ansible(playbook, collections);
      const tests = ['action-plugin-docs', 'compile', 'empty-init', 'line-endings', 'no-assert', 'no-illegal-filenames', 'no-smart-quotes', 'shebang', 'symlinks', 'use-argspec-type-path'];
      const sane = await it.run('ansible-test', ['sanity', '--color', 'no', '--python', 'default', ...tests.flatMap((test) => ['--test', test])], { cwd: join(collections, 'ansible_collections', 'oxp', 'vault') });
      expect(sane.code, sane.text + sane.stderr).toBe(0);
    });

    it.each([['lookup', 'secret'], ['vars', 'role'], ['inventory', 'sealed'], ['module', 'seal']])('ansible-doc shows the %s oxp.vault.%s', async (type, plugin) => {
      const it = await ansible(playbook, collections);
      const shown = await it.run('ansible-doc', ['-t', type, '--json', `oxp.vault.${plugin}`]);
      expect(shown.code, shown.stderr).toBe(0);
      const { doc } = (JSON.parse(shown.text) as Record<string, { doc: { short_description: string; options: Record<string, { description: unknown }> } }>)[`oxp.vault.${plugin}`]!;
      expect(Object.keys(doc.options)).toEqual(expect.arrayContaining(['vault', 'identity', 'program']));
      expect(shown.stderr).not.toMatch(/warn/i);
    });
  });
}

it('the collection has the version of the command', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../packages/cli/package.json', import.meta.url), 'utf8')) as { version: string };
  expect(readFileSync(new URL('../../packages/ansible/galaxy.yml', import.meta.url), 'utf8')).toContain(`\nversion: ${version}\n`);
  expect(existsSync(new URL('../../packages/ansible/LICENSE', import.meta.url))).toBe(true);
});
