import sodium from 'libsodium-wrappers';
import { VaultError } from '../errors.js';

/** libsodium's crypto_box_seal to one X25519 public key. BAD_VALUE for a key that is not 32 bytes or of small order. */
export async function sealer(publicKey: Uint8Array | undefined): Promise<(message: Uint8Array) => Uint8Array> {
  await sodium.ready;
  if (publicKey?.length !== sodium.crypto_box_PUBLICKEYBYTES) throw badKey();
  return (message) => {
    try {
      return sodium.crypto_box_seal(message, publicKey);
    } catch (cause) {
      throw badKey(cause);
    }
  };
}

function badKey(cause?: unknown): VaultError {
  return new VaultError('BAD_VALUE', 'the GitHub public key is no usable X25519 key', { hint: 'Fetch it again.', cause });
}
