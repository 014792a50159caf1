/** Playbooks of docs/ansible.md against a real name server and a real sshd, both on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { buildCli } from '../cli/harness.js';
import { ansible, documented, installCollection } from '../support/ansible.js';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

/** One that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (there) return true;
    await sleep(50);
  }
  return false;
}

/** A directory with the configuration of a name server whose key is still to come, and a program that has it read its keys. */
function nameServer(named: string, port: number): { directory: string; reload: string } {
  const directory = tempDir('named');
  const file = (name: string): string => join(directory, name);
  writeFileSync(file('zone.db'), '$TTL 60\n@ IN SOA ns hostmaster 1 60 60 60 60\n@ IN NS ns\nns IN A 127.0.0.1\n');
  writeFileSync(
    file('named.conf'),
    `include "${file('tsig.key')}";
options { directory "${directory}"; pid-file "${file('named.pid')}"; session-keyfile "${file('session.key')}"; lock-file none; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; allow-transfer { none; }; recursion no; notify no; dnssec-validation no; };
controls { };
zone "example.test" { type primary; file "${file('zone.db')}"; update-policy { grant ddns. zonesub A; grant ddns-v2. zonesub A; }; };
`,
  );
  const reload = file('reload');
  const script = `#!/bin/sh
touch log
case $(grep -c 'running$' log) in
  0) wanted='running$'; before=0; '${named}' -c named.conf -L '${file('log')}';;
  *) wanted='reloading configuration succeeded'; before=$(grep -c "$wanted" log); kill -HUP "$(cat named.pid)";;
esac
i=0
while [ "$(grep -c "$wanted" log)" -le "$before" ]; do i=$((i + 1)); [ $i -lt 300 ] || exit 1; sleep 0.1; done
`;
  writeFileSync(reload, script.replace('touch', `cd '${directory}' || exit\ntouch`), { mode: 0o755 });
  onTestFinished(() => {
    if (existsSync(file('named.pid'))) process.kill(Number(readFileSync(file('named.pid'), 'utf8')), 'SIGKILL');
  });
  return { directory, reload };
}

for (const name of ['ansible-playbook', 'ansible-playbook@2.19'] as const) {
  let collections = '';

  describeWith([name, 'dig', 'named', 'nsupdate'], `a name server, by ${name}`, ({ [name]: playbook, dig, named }) => {
    beforeAll(async () => {
      await buildCli();
      collections = await installCollection(playbook);
    }, 300_000);

    it('gets its sealed key, and takes an update that is signed with it', async () => {
      const world = await ansible(playbook, collections);
      const { alice } = world;
      await alice.must(['seal', 'dns/tsig', '--kind', 'tsig', '--set', 'key=ddns.']);
      const secret = (await alice.must(['open', 'dns/tsig#secret'])).text;
      const port = await freePort();
      const { directory, reload } = nameServer(named, port);
      alice.write('dns.yml', documented('dns.yml'));
      alice.write('nameservers.ini', '[nameservers]\nhere ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n');
      const play = (): ReturnType<typeof world.run> => world.run('ansible-playbook', ['-i', 'nameservers.ini', 'dns.yml', '-vvv', '-e', `dns_port=${port} bind_directory=${directory} bind_reload=${reload}`]);
      const first = await play();
      expect(first.code, first.text + first.stderr).toBe(0);
      const asked = await mustRun(dig, ['@127.0.0.1', '-p', String(port), '+short', 'www.example.test', 'A']);
      expect(asked.text).toBe('192.0.2.1\n');
      expect(first.text + first.stderr).not.toContain(secret);
      expect(world.started().filter((line) => line.startsWith('agent start'))).toHaveLength(1);
      // The next key beside the one before, until that is retired; what signs is the next.
      await alice.must(['rotate', 'dns/tsig']);
      writeFileSync(join(alice.work, 'dns.yml'), documented('dns.yml').replace('192.0.2.1', '192.0.2.2'));
      const second = await play();
      expect(second.code, second.text + second.stderr).toBe(0);
      expect((await mustRun(dig, ['@127.0.0.1', '-p', String(port), '+short', 'www.example.test', 'A'])).text.split('\n').toSorted()).toEqual(['', '192.0.2.1', '192.0.2.2']);
      expect(readFileSync(join(directory, 'tsig.key'), 'utf8').match(/^key "ddns/gm)).toHaveLength(2);
    }, 300_000);
  });

  describeWith([name, 'ssh', 'ssh-add', 'ssh-agent', 'ssh-keygen', 'sshd'], `a play over SSH, by ${name}`, ({ [name]: playbook, 'ssh-keygen': keygen, sshd }) => {
    beforeAll(async () => {
      await buildCli();
      collections = await installCollection(playbook);
    }, 300_000);

    it('connects with a sealed key that lies on no disk', async () => {
      const world = await ansible(playbook, collections);
      const { alice } = world;
      await alice.must(['seal', 'ssh/deploy', '--kind', 'ssh-key']);
      await alice.must(['seal', 'app/canary', '--from', '-'], { input: 'CANARYssh' });
      const port = await freePort();
      const directory = tempDir('sshd');
      await startSshd(sshd, keygen, directory, port, (await alice.must(['open', 'ssh/deploy#public-key'])).text);
      const options = `-F /dev/null -o ControlMaster=no -o IdentityFile=none -o UserKnownHostsFile=${join(directory, 'known_hosts')} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes`;
      const remote = `ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${userInfo().username} ansible_python_interpreter=/usr/bin/python3 ansible_remote_tmp=${directory}/remote`;
      alice.write('hosts.ini', `far ${remote}\n`);
      alice.write('site.yml', `- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {content: "{{ lookup('oxp.vault.secret', 'app/canary') }}", dest: "${directory}/got"}\n`);
      const env = { ...world.env, ANSIBLE_SSH_ARGS: options };
      const args = ['-i', 'hosts.ini', 'site.yml'];
      const without = await world.run('ansible-playbook', args, { env });
      expect([without.code, without.text.includes('Permission denied')], without.text).toEqual([4, true]);
      const result = await alice.run('oxp-vault', ['exec', '--ssh-agent', 'ssh/deploy', '--scope', '/', '--', playbook, ...args], { env, timeout: 240_000 });
      expect(result.code, result.text + result.stderr).toBe(0);
      expect(readFileSync(join(directory, 'got'), 'utf8')).toBe('CANARYssh');
      // Where a key could have been left: searched for the middle of it, which no other file has.
      const key = (await alice.must(['open', 'ssh/deploy'])).text.split('\n')[2]!;
      for (const place of [alice.home, alice.env['TMPDIR']!, alice.work, directory]) expect((await run('grep', ['-rlF', key, place])).text).toBe('');
    }, 300_000);
  });
}

async function startSshd(sshd: string, keygen: string, directory: string, port: number, publicKey: string): Promise<void> {
  const at = (file: string): string => join(directory, file);
  await mustRun(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', at('host')]);
  writeFileSync(at('authorized_keys'), `${publicKey.trim()}\n`);
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(at('host.pub'), 'utf8')}`);
  mkdirSync(at('remote'), { mode: 0o700 });
  chmodSync(at('authorized_keys'), 0o600);
  // Where root runs it, it wants an empty directory of root's, which the init script of the distribution makes.
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  writeFileSync(
    at('sshd_config'),
    `ListenAddress 127.0.0.1
HostKey ${at('host')}
PidFile none
AuthorizedKeysFile ${at('authorized_keys')}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`,
  );
  const server: ChildProcess = spawn(sshd, ['-D', '-e', '-f', at('sshd_config'), '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  onTestFinished(() => void server.kill('SIGKILL'));
  expect(await answers(port), said).toBe(true);
}
