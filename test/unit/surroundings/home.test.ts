import { userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { socketOf } from '../../../packages/core/src/agent/socket.js';
import { account, homeDirectory, inHome } from '../../../packages/core/src/surroundings/home.js';
import { configDirectory, stateDirectory } from '../../../packages/core/src/surroundings/identity-file.js';
import { runMain } from '../../cli/harness.js';
import { sandbox } from '../../support/sandbox.js';

vi.mock('node:os', async (actual) => ({ ...(await actual<typeof import('node:os')>()), userInfo: vi.fn<typeof import('node:os').userInfo>() }));

const known = (homedir: string): void => void vi.mocked(userInfo).mockReturnValue({ username: 'alice', uid: 1, gid: 1, shell: null, homedir });

const unknown = (): void => void vi.mocked(userInfo).mockImplementation(() => { throw Object.assign(new Error('uv_os_get_passwd'), { code: 'ENOENT' }); });

beforeEach(() => known('/home/alice'));
afterEach(() => vi.mocked(userInfo).mockReset());

describe('the home directory', () => {
  it.each([
    ['/elsewhere', '/elsewhere'],
    ['', '/home/alice'],
    ['here', '/home/alice'],
    [undefined, '/home/alice'],
  ])('with HOME %j is %s', (HOME, home) => {
    expect(homeDirectory({ HOME })).toBe(home);
    // Never below the directory that a command happens to be typed in.
    expect(stateDirectory({ cwd: '/w', env: { HOME } })).toBe(`${home}/.local/state/oxp-vault`);
  });

  it.each([
    ['the machine does not know this account', unknown],
    ['this account has none', () => known('')],
  ])('is asked for where %s', (_why, given) => {
    given();
    expect(homeDirectory({})).toBeUndefined();
    expect(() => inHome({}, '.config')).toThrow(expect.objectContaining({ code: 'STORE_IO', hint: expect.stringContaining('HOME') }));
    expect(() => configDirectory({ cwd: '/w', env: {} })).toThrow(expect.objectContaining({ code: 'STORE_IO' }));
    expect(configDirectory({ cwd: '/w', env: { XDG_CONFIG_HOME: '/x' } })).toBe('/x/oxp-vault');
  });
});

describe('an account that is a mere number, as in many a container', () => {
  it('has no name, and an agent in a place of its own', () => {
    unknown();
    expect(account()).toBeUndefined();
    expect(socketOf({}, '/vault')).toContain(`oxp-vault-${process.getuid?.()}`);
  });

  it('is asked for a name', async () => {
    unknown();
    const nobody = sandbox('nobody', { env: { USER: undefined, LOGNAME: undefined } });
    const refused = await runMain(nobody, ['identity', 'create', '--no-passphrase']);
    expect(refused).toMatchObject({ code: 2, text: '' });
    expect(refused.stderr).toContain('oxp-vault identity create --person NAME');
    expect((await runMain(nobody, ['identity', 'create', '--no-passphrase', '--person', 'ci', '--device', 'pod'])).code).toBe(0);
  });
});
