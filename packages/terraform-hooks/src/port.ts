/** What the protocols need of a vault. The command implements it, on a vault; so may an agent's client, and anybody who embeds them. */
import type { JsonObject } from '@oxp-vault/core';

export interface SecretRef {
  readonly name: string;
  /** One part of it instead of the whole file. */
  readonly field?: string;
  /** The newest unless named. */
  readonly version?: number;
}

/** What is signed and public about a version of a secret. */
export interface SecretView {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  readonly public: JsonObject;
  /** False for a field that is itself public. */
  readonly private: boolean;
}

export interface SecretPort {
  /** Decrypts nothing. Throws SECRET_NOT_FOUND, VERSION_NOT_FOUND, FIELD_NOT_FOUND, PENDING. */
  look(ref: SecretRef): Promise<SecretView>;
  /**
   * The value, in an output format if one is named. What is private is recorded as opened before this resolves. The bytes are the
   * caller's, to wipe. Throws NOT_A_READER, NEEDS_GRANT, FORMAT_UNSUITABLE and what opening throws.
   */
  read(ref: SecretRef, format?: string): Promise<Uint8Array>;
}
