import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectAgent } from '../../../packages/core/src/agent/client.js';
import { serveAgent } from '../../../packages/core/src/agent/server.js';
import { prepareSocket, socketIsThere } from '../../../packages/core/src/agent/socket.js';
import { Session } from '../../../packages/core/src/operations/opening/session.js';
import { Vault } from '../../../packages/core/src/vault.js';
import { tempDir } from '../../support/tmp.js';
import { codeOf, makeVault, memoryLocal, NOW, people, seal } from '../../support/vaults.js';

describe('an agent whose time is over', () => {
  it('answers nothing more, by the clock and not by a timer, and is gone', async () => {
    const { alice } = await people('alice');
    const { store, vault } = await makeVault({ people: [alice] });
    await seal(vault, 'app/one');
    let now = NOW;
    const mine = await Vault.open({ store, local: memoryLocal(), identity: alice, clock: { now: () => now }, expect: vault.id });
    const session = await Session.begin(mine, { scope: ['/'], purpose: 'agent' });
    const socket = join(tempDir('agent'), 'a', 's');
    const running = await serveAgent(session, { socket, until: NOW + 10 });
    const agent = await connectAgent(socket);
    const wanted = { secrets: [{ name: 'app/one' }] };
    expect((await agent!.secrets(wanted))[0]!.value.useText((text) => text)).toBe('value of app/one');
    now = NOW + 10;
    expect(await codeOf(agent!.secrets(wanted))).toBe('AGENT_UNREACHABLE');
    await running.ended;
    expect(existsSync(socket)).toBe(false);
    expect(await codeOf(session.open('app/one'))).toBe('NOT_ALLOWED');
  });
});

describe('the place of a socket', () => {
  it('is not believed where everybody may exchange the directory that it lies in', async () => {
    const above = join(tempDir('agent-place'), 'oxp-vault-1000');
    mkdirSync(above, { mode: 0o700 });
    const socket = join(above, 'a', 'agent.sock');
    await prepareSocket(socket);
    expect(socketIsThere(socket)).toBe(false);
    chmodSync(above, 0o777);
    expect(await codeOf(prepareSocket(socket))).toBe('AGENT_UNSAFE');
    expect(() => socketIsThere(socket)).toThrow('everybody may exchange');
    // It may be /tmp that is not believed: nobody is told to remove just that.
    expect(() => socketIsThere(socket)).toThrow(expect.objectContaining({ hint: expect.not.stringMatching(/Remove it/) }));
    chmodSync(above, 0o1777);
    expect(socketIsThere(socket)).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)('nor where another user made that, or a link to it (only root can set this up)', async () => {
    const place = tempDir('agent-place');
    const above = join(place, 'oxp-vault-1000');
    const socket = join(above, 'a', 'agent.sock');
    mkdirSync(above, { mode: 0o755 });
    await prepareSocket(socket);
    chownSync(above, 12_345, 12_345);
    expect(() => socketIsThere(socket)).toThrow('it belongs to another user');
    expect(await codeOf(prepareSocket(socket))).toBe('AGENT_UNSAFE');
    chownSync(above, 0, 0);
    const link = join(place, 'link');
    symlinkSync(above, link);
    expect(socketIsThere(join(link, 'a', 'agent.sock'))).toBe(false);
    lchownSync(link, 12_345, 12_345);
    expect(() => socketIsThere(join(link, 'a', 'agent.sock'))).toThrow('it belongs to another user');
  });
});
