import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectAgent } from '../../../packages/core/src/agent/client.js';
import { serveAgent } from '../../../packages/core/src/agent/server.js';
import { Session } from '../../../packages/core/src/operations/session.js';
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
