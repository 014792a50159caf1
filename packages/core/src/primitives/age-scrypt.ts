/**
 * The passphrase recipient of age (https://c2sp.org/age, "The scrypt recipient type") with the scrypt of `node:crypto`, which
 * runs beside the event loop and takes half the time of JavaScript.
 */
import { randomBytes, scrypt } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { VaultError } from '../errors.js';
import { FILE_KEY_SIZE } from './age-payload.js';
import { encodeUnpadded, unwrap, wrap } from './age-native.js';
import { concatBytes, fromBase64, utf8 } from './hash.js';

const LABEL = 'age-encryption.org/v1/scrypt';
const SALT_SIZE = 16;
const BLOCK_SIZE = 8;
/** 1 GiB of memory. A file that demands more would only serve to exhaust the machine. */
export const MAX_WORK_FACTOR = 20;

/** Wraps a file key under a passphrase. Must be the only recipient of its file. */
export class ScryptRecipient implements Recipient {
  readonly #passphrase: string;
  readonly #workFactor: number;

  /** `workFactor` is the base-2 logarithm of scrypt's N. */
  constructor(passphrase: string, workFactor: number) {
    if (!Number.isInteger(workFactor) || workFactor < 1 || workFactor > MAX_WORK_FACTOR) {
      throw new VaultError('BAD_VALUE', `The scrypt work factor must be from 1 to ${MAX_WORK_FACTOR}.`);
    }
    this.#passphrase = passphrase;
    this.#workFactor = workFactor;
  }

  async wrapFileKey(fileKey: Uint8Array): Promise<Stanza[]> {
    const salt = randomBytes(SALT_SIZE);
    const key = await derive(this.#passphrase, salt, this.#workFactor);
    const body = wrap(key, fileKey);
    key.fill(0);
    return [{ args: ['scrypt', encodeUnpadded(salt), String(this.#workFactor)], body }];
  }
}

/** Unwraps a file key with a passphrase. */
export class ScryptIdentity implements Identity {
  readonly #passphrase: string;

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /** Null when the file is not under a passphrase. PASSPHRASE_WRONG, or DECRYPT_FAILED for a malformed stanza. */
  async unwrapFileKey(stanzas: readonly Stanza[]): Promise<Uint8Array | null> {
    const stanza = stanzas.find((s) => s.args[0] === 'scrypt');
    if (stanza === undefined) return null;
    // Beside another stanza it would let whoever knows that key stand in for whoever knows the passphrase.
    if (stanzas.length !== 1) throw malformed('its passphrase stanza is not the only one');
    const [, encodedSalt = '', workFactor = '', ...more] = stanza.args;
    const salt = encodedSalt.length === 22 ? fromBase64(`${encodedSalt}==`) : undefined;
    if (salt === undefined || !/^[1-9][0-9]?$/.test(workFactor) || more.length > 0 || stanza.body.length !== FILE_KEY_SIZE + 16) {
      throw malformed('it has a malformed scrypt stanza');
    }
    if (Number(workFactor) > MAX_WORK_FACTOR) throw malformed(`its scrypt work factor is above ${MAX_WORK_FACTOR}`);
    const key = await derive(this.#passphrase, salt, Number(workFactor));
    const fileKey = unwrap(key, stanza.body);
    key.fill(0);
    if (fileKey === undefined) throw new VaultError('PASSPHRASE_WRONG', 'The passphrase does not open the file.');
    return fileKey;
  }
}

function derive(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Uint8Array> {
  const N = 2 ** workFactor;
  // scrypt itself needs 128 N r bytes; the limit is only there to let it have them.
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 2 * 128 * N * BLOCK_SIZE + 65536 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, concatBytes(utf8(LABEL), salt), 32, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function malformed(why: string): VaultError {
  return new VaultError('DECRYPT_FAILED', `The age file does not open: ${why}.`);
}
