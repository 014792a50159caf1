/** Addresses of vaults, as they are typed, kept and written down. */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { VaultError } from '../errors.js';
import { inHome } from './home.js';

export const CONFIG_FILE = 'oxp-vault.yaml';

/** `git@host:path`, as servers show it for copying; a directory would have to be named `./git@host:path`. */
const SCP = /^([^\s/:@]+@[^\s/:@]+):(\S+)$/;

export interface VaultAddress {
  /** An absolute path, or an address of another kind as typed. */
  readonly address: string;
  /** The directory from which `git+.` is seen. */
  readonly base: string;
  /** `VAULT[@SIZE:ROOT]` from the file that named the vault. */
  readonly expect?: string;
  /** Who said so, for messages: `--vault`, `OXP_VAULT`, the path of an oxp-vault.yaml, or a directory. */
  readonly from: string;
}

/** A typed address with its path made absolute from `base`. Throws BAD_ADDRESS. */
export function normalAddress(text: string, base: string): string {
  if (text === '' || /[\x00-\x1f\x7f]/.test(text)) throw new VaultError('BAD_ADDRESS', 'the address of the vault is empty or holds control characters');
  if (isRemote(text)) return text;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new VaultError('BAD_ADDRESS', `${text.slice(0, text.indexOf(':'))}: is no kind of place that a vault can be in`, {
      hint: 'A vault is in a directory, or in Git: git+https://…, git+ssh://…, git+file:///… or git+.',
    });
  }
  const scp = SCP.exec(text);
  if (scp) {
    throw new VaultError('BAD_ADDRESS', `the address is one that only git itself understands: ${text}`, {
      hint: `The same for a vault: git+ssh://${scp[1]}/${scp[2]!.replace(/^\//, '')}. A directory of that name: ./${text}`,
    });
  }
  return resolve(base, text.startsWith('~/') ? inHome(process.env, text.slice(2)) : text);
}

/** As it stands in the oxp-vault.yaml in `directory`, which may lie in somebody else's copy of the repository. */
export function addressFor(address: string, directory: string): string {
  if (isRemote(address)) return address;
  const near = relative(directory, address);
  if (near === '') return '.';
  return near.startsWith(`..${sep}`) || near === '..' || isAbsolute(near) ? address : `./${near}`;
}

/** True for what is not a directory. */
export function isRemote(address: string): boolean {
  return address.startsWith('git+') || address.startsWith('s3://');
}

/** The directory and all above it. */
export function* upwards(from: string): Iterable<string> {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}
