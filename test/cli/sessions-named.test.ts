import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { buildCli } from './harness.js';
import { runSession } from './script.js';

/** A port of the loopback that nobody listens on just now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

describeWith(['bash', 'named', 'nsupdate', 'dig'], 'a name server and its key', () => {
  const pidFile = join(tempDir('named'), 'named.pid');

  beforeAll(buildCli, 300_000);

  // It ends with the session, but not with one that failed.
  afterEach(() => {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')));
  });

  it('go through a rotation together', async () => {
    const session = fileURLToPath(new URL('./sessions/named/dns.txt', import.meta.url));
    await expect(runSession(session, { env: { PORT: String(await freePort()), NAMED_PID: pidFile } })).resolves.toBeUndefined();
  });
});
