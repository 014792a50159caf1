import { VaultError } from '../errors.js';
import { utf8 } from '../primitives/hash.js';
import { label, type OutputFormat } from './format.js';
import { derived, upperName } from './names.js';
import { valueText } from './parts.js';

/** What every reader takes as it stands: POSIX sh, `docker --env-file` (which keeps quotes literally), dotenv libraries. */
const BARE = /^[A-Za-z0-9_@%+=:,./-]*$/;
/**
 * Variables that steer the shell, the loader or the interpreter that reads the file: a secret that happens to be (or was
 * deliberately) called `path` or `ld/preload` must not become one.
 */
const STEERING = new RegExp(
  `^(?:${[
    'PATH|HOME|SHELL|ENV|IFS|PWD|OLDPWD|CDPATH|PPID|UID|EUID|OPTIND|PS[0-4]|SHELLOPTS|BASHOPTS|PROMPT_COMMAND',
    'LD_.*|DYLD_.*|BASH_.*|GIT_(?:SSH|SSH_COMMAND|DIR|EXEC_PATH|CONFIG.*)',
    'NODE_OPTIONS|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PERL5LIB|PERL5OPT|RUBYLIB|RUBYOPT',
  ].join('|')})$`,
);

/**
 * `NAME=value` lines for `set -a; . ./file` in any POSIX shell. Quoting is the shell's: in single quotes, where newlines and `$`
 * are themselves, a quote as `'\''`. Without quotes where no reader needs them, because `docker --env-file` has neither quotes nor
 * lines that continue.
 */
export const env: OutputFormat = {
  name: 'env',
  summary: 'NAME=value lines for a POSIX shell: set -a; . ./secrets.env',
  options: ['prefix'],
  async render(secrets, options) {
    const lines = await Promise.all(
      derived(secrets, (secret) => upperName(secret, options.prefix)).map(async ({ name, secret }) => {
        if (STEERING.test(name)) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} would become the variable ${name}, which steers programs`, {
            hint: 'Give a prefix for the names.',
          });
        }
        const value = await valueText(secret);
        if (value.includes('\0')) {
          throw new VaultError('FORMAT_UNSUITABLE', `${label(secret)} holds a NUL byte, which no environment variable can`, {
            hint: 'Use raw or files, or json.',
          });
        }
        return `${name}=${quote(value)}\n`;
      }),
    );
    return { type: 'bytes', bytes: utf8(lines.join('')), fileName: 'secrets.env' };
  },
};

function quote(value: string): string {
  return BARE.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
