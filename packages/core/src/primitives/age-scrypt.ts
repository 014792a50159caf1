/**
 * Passphrases of age (https://c2sp.org/age, "The scrypt recipient type") on `node:crypto`, for the extension points of
 * `age-encryption`: a third faster than scrypt in JavaScript, at every command that asks for one.
 */
import { randomBytes, scrypt } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { VaultError } from '../errors.js';
import { encodeUnpadded, unwrap, wrap } from './age-native.js';
import { FILE_KEY_SIZE } from './age-payload.js';
import { concatBytes, fromBase64 } from './hash.js';

/** What `age-encryption` accepts as well: 1 GiB of memory. More would only serve to exhaust the machine. */
export const MAX_WORK_FACTOR = 20;
const LABEL = new TextEncoder().encode('age-encryption.org/v1/scrypt');
const SALT_SIZE = 16;
const TAG_SIZE = 16;

/** Wraps the file key under a passphrase: the only stanza of its file. `workFactor` is the base-2 logarithm of scrypt's N. */
export class ScryptRecipient implements Recipient {
  readonly #passphrase: string;
  readonly #workFactor: number;

  constructor(passphrase: string, workFactor: number) {
    this.#passphrase = passphrase;
    this.#workFactor = workFactor;
  }

  async wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]> {
    const salt = Uint8Array.from(randomBytes(SALT_SIZE));
    const wrapKey = await derive(this.#passphrase, salt, this.#workFactor);
    return [{ args: ['scrypt', encodeUnpadded(salt), String(this.#workFactor)], body: wrap(wrapKey, fileKey) }];
  }
}

export class ScryptIdentity implements Identity {
  readonly #passphrase: string;

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /** Null when the file is not under a passphrase. PASSPHRASE_WRONG; DECRYPT_FAILED for a stanza that is malformed, too costly, or not alone. */
  async unwrapFileKey(stanzas: readonly Stanza[]): Promise<Uint8Array | null> {
    const stanza = stanzas.find(({ args }) => args[0] === 'scrypt');
    if (stanza === undefined) return null;
    const [, salt = '', workFactor = ''] = stanza.args;
    const saltBytes = salt.length === 22 ? fromBase64(`${salt}==`) : undefined;
    if (stanzas.length !== 1) throw malformed('a passphrase beside other recipients');
    if (stanza.args.length !== 3 || saltBytes?.length !== SALT_SIZE || !/^[1-9][0-9]*$/.test(workFactor) || stanza.body.length !== FILE_KEY_SIZE + TAG_SIZE) throw malformed('a malformed scrypt stanza');
    if (Number(workFactor) > MAX_WORK_FACTOR) throw malformed('a work factor that would exhaust the machine');
    const fileKey = unwrap(await derive(this.#passphrase, saltBytes, Number(workFactor)), stanza.body);
    if (fileKey === undefined) throw new VaultError('PASSPHRASE_WRONG', 'the passphrase does not open this file');
    return fileKey;
  }
}

function derive(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
  const N = 2 ** workFactor;
  // 128 r (N + p + 2) bytes is what OpenSSL counts; its own limit is 32 MiB.
  const options = { N, r: 8, p: 1, maxmem: 1024 * (N + 3) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, concatBytes(LABEL, salt), 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

function malformed(what: string): VaultError {
  return new VaultError('DECRYPT_FAILED', `the age file does not open: it has ${what}`);
}
