/** The PEM form of age files (https://c2sp.org/age, "ASCII armor"), by `age-encryption`. */
import { VaultError } from '../errors.js';

/** DECRYPT_FAILED for what is not strictly armored. */
export async function ageUnarmor(text: string): Promise<Uint8Array> {
  const { armor } = await import('age-encryption');
  try {
    return armor.decode(text);
  } catch {
    throw new VaultError('DECRYPT_FAILED', 'the armor of an age file is damaged'); // without the cause: decoders quote their input
  }
}

export async function ageArmor(file: Uint8Array): Promise<string> {
  const { armor } = await import('age-encryption');
  return armor.encode(file);
}
