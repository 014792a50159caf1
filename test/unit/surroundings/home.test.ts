import { userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { homeDirectory, inHome } from '../../../packages/core/src/surroundings/home.js';
import { configDirectory, stateDirectory } from '../../../packages/core/src/surroundings/identity-file.js';

vi.mock('node:os', async (actual) => ({ ...(await actual<typeof import('node:os')>()), userInfo: vi.fn<typeof import('node:os').userInfo>() }));

const account = (homedir: string): void => void vi.mocked(userInfo).mockReturnValue({ username: 'alice', uid: 1, gid: 1, shell: null, homedir });

beforeEach(() => account('/home/alice'));
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
    ['the machine does not know this account', () => vi.mocked(userInfo).mockImplementation(() => { throw Object.assign(new Error('uv_os_get_passwd'), { code: 'ENOENT' }); })],
    ['this account has none', () => account('')],
  ])('is asked for where %s', (_why, given) => {
    given();
    expect(homeDirectory({})).toBeUndefined();
    expect(() => inHome({}, '.config')).toThrow(expect.objectContaining({ code: 'STORE_IO', hint: expect.stringContaining('HOME') }));
    expect(() => configDirectory({ cwd: '/w', env: {} })).toThrow(expect.objectContaining({ code: 'STORE_IO' }));
    expect(configDirectory({ cwd: '/w', env: { XDG_CONFIG_HOME: '/x' } })).toBe('/x/oxp-vault');
  });
});
