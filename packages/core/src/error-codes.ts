/**
 * Every error code of the product with its class. The class decides the exit code of the CLI and of the Ansible plugin
 * (docs/format.md, "Exit codes"); the code is what people search for and what `oxp-vault help CODE` explains
 * (error-help.ts). Codes are stable: they are never renamed or reused.
 */
export const ERROR_CLASSES = {
  unexpected: 1,
  usage: 2,
  'not-found': 3,
  denied: 4,
  verification: 5,
  'needs-others': 6,
  conflict: 7,
  store: 8,
  identity: 9,
} as const;

export type ErrorClass = keyof typeof ERROR_CLASSES;

const codes = {
  INTERNAL: 'unexpected',

  // What the caller asked for or wrote down is not usable.
  USAGE: 'usage',
  BAD_NAME: 'usage',
  BAD_VALUE: 'usage',
  BAD_YAML: 'usage',
  BAD_MATERIAL: 'usage',
  BAD_POLICY: 'usage',
  BAD_ADDRESS: 'usage',
  FORMAT_UNSUITABLE: 'usage',
  OUTPUT_EXISTS: 'usage',
  UNSUPPORTED: 'usage',

  VAULT_NOT_FOUND: 'not-found',
  SECRET_NOT_FOUND: 'not-found',
  VERSION_NOT_FOUND: 'not-found',
  FIELD_NOT_FOUND: 'not-found',
  PERSON_NOT_FOUND: 'not-found',
  ROLE_NOT_FOUND: 'not-found',
  ENTRY_NOT_FOUND: 'not-found',
  FILE_NOT_FOUND: 'not-found',

  // The policy, as of the log, does not allow it.
  NOT_ENROLLED: 'denied',
  NOT_ALLOWED: 'denied',
  NOT_A_READER: 'denied',
  MACHINE_NOT_ALLOWED: 'denied',
  KEY_TAKEN: 'denied',
  KEY_REMOVED: 'denied',
  THRESHOLD_TOO_LOW: 'denied',
  WOULD_STRAND: 'denied',
  EPOCH_MISSING: 'denied',
  EPOCH_STALE: 'denied',
  READERS_MISMATCH: 'denied',
  SECRET_IN_STATE: 'denied',
  EXPIRED: 'denied',

  // Bytes are not what somebody entitled has signed, or not the newest.
  BAD_SIGNATURE: 'verification',
  WEAK_KEY: 'verification',
  BAD_CARD: 'verification',
  BAD_ENVELOPE: 'verification',
  NOT_CANONICAL: 'verification',
  BAD_ENTRY: 'verification',
  UNKNOWN_OP: 'verification',
  DUPLICATE_ENTRY: 'verification',
  WRONG_VAULT: 'verification',
  BAD_CHECKPOINT: 'verification',
  BAD_PROOF: 'verification',
  ROLLBACK: 'verification',
  FORK: 'verification',
  HASH_MISMATCH: 'verification',
  DECRYPT_FAILED: 'verification',
  STANZA_MISMATCH: 'verification',
  WRONG_STATEMENT: 'verification',
  SEALER_FAULT: 'verification',
  SELF_CHECK_FAILED: 'verification',
  SHARE_MISMATCH: 'verification',
  EXPECT_MISMATCH: 'verification',
  UPGRADE_REQUIRED: 'verification',
  MIXED_RECIPIENTS: 'verification',
  NO_RECIPIENTS: 'verification',
  LINK_REFUSED: 'verification',
  SOPS_MAC: 'verification',

  NEEDS_SIGNATURES: 'needs-others',
  NEEDS_GRANT: 'needs-others',
  NEEDS_CONSENT: 'needs-others',
  PENDING: 'needs-others',
  NEEDS_SHARES: 'needs-others',
  EXPECT_NEEDED: 'needs-others',

  STALE_DRAFT: 'conflict',
  CONSENT_STALE: 'conflict',
  ALREADY_DONE: 'conflict',
  RACE_LOST: 'conflict',
  LOCKED: 'conflict',
  VAULT_EXISTS: 'conflict',
  REMOTE_ADDED: 'conflict',
  AGENT_RUNNING: 'conflict',

  STORE_INCOMPLETE: 'store',
  STORE_IO: 'store',
  STORE_REMOTE: 'store',
  BLOB_MISSING: 'store',

  IDENTITY_NOT_FOUND: 'identity',
  IDENTITY_INVALID: 'identity',
  PASSPHRASE_NEEDED: 'identity',
  PASSPHRASE_WRONG: 'identity',
  AGENT_UNREACHABLE: 'identity',
  AGENT_UNSAFE: 'identity',
} as const satisfies Record<string, ErrorClass>;

/** The one union of error codes. */
export type ErrorCode = keyof typeof codes;

export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorClass>> = codes;
