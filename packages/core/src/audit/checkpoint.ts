/** The vault's checkpoint: a C2SP tlog-checkpoint whose extension line names the last page, signed by whoever sequenced. */
import { PUT_BACK, VaultError } from '../errors.js';
import { formatCheckpoint, parseCheckpoint } from '../primitives/checkpoint.js';
import { fromHex, toHex } from '../primitives/hash.js';
import type { SigningKey } from '../primitives/ed25519.js';
import { parseNote, signNote, verifyNote, type Note } from '../primitives/signed-note.js';

export const CHECKPOINT_PATH = 'log/checkpoint';
const ORIGIN = /^oxp-vault\/([0-9a-f]{64})$/;

/** A position of the log. */
export interface LogPoint {
  readonly size: number;
  /** Merkle root, hex. */
  readonly root: string;
}

export interface VaultCheckpoint extends LogPoint {
  readonly vault: string;
  /** SHA-256 of the last page, hex. */
  readonly page: string;
  readonly bytes: Uint8Array;
  readonly note: Note;
}

export interface CheckpointSigner {
  readonly person: string;
  readonly device: string;
}

function signerName(vault: string, signer: CheckpointSigner): string {
  return `oxp-vault/${vault}/${signer.person}/${signer.device}`;
}

export function signCheckpoint(at: LogPoint & { vault: string; page: string }, signer: CheckpointSigner, key: SigningKey): Uint8Array {
  const text = formatCheckpoint({ origin: `oxp-vault/${at.vault}`, size: at.size, root: fromHex(at.root)!, extensions: [`page ${at.page}`] });
  return signNote(text, signerName(at.vault, signer), key);
}

/** Parses a checkpoint file. Nothing in it is believed before `checkpointSignedBy`. Throws BAD_CHECKPOINT. */
export function readCheckpoint(bytes: Uint8Array): VaultCheckpoint {
  const note = parseNote(bytes);
  const { origin, size, root, extensions } = parseCheckpoint(note.text);
  const vault = ORIGIN.exec(origin)?.[1];
  const page = extensions.map((line) => /^page ([0-9a-f]{64})$/.exec(line)?.[1]).find((digest) => digest !== undefined);
  if (vault === undefined || page === undefined || size === 0) {
    throw new VaultError('BAD_CHECKPOINT', 'log/checkpoint is not the checkpoint of a vault', { hint: PUT_BACK });
  }
  return { vault, size, root: toHex(root), page, bytes, note };
}

/** The persons and devices that the checkpoint's signature lines name, unverified. */
export function claimedSigners(checkpoint: VaultCheckpoint): CheckpointSigner[] {
  const prefix = `oxp-vault/${checkpoint.vault}/`;
  return checkpoint.note.signatures.flatMap(({ name }) => {
    const [person, device, ...rest] = name.startsWith(prefix) ? name.slice(prefix.length).split('/') : [];
    return person !== undefined && device !== undefined && rest.length === 0 ? [{ person, device }] : [];
  });
}

export function checkpointSignedBy(checkpoint: VaultCheckpoint, signer: CheckpointSigner, publicKeyHex: string): boolean {
  return verifyNote(checkpoint.note, signerName(checkpoint.vault, signer), fromHex(publicKeyHex)!);
}

/** `7c1f09e2…@1204:9b2c41d0…`, as `--expect` takes it. */
export function formatExpect(vault: string, point?: LogPoint): string {
  return point ? `${vault}@${point.size}:${point.root}` : vault;
}

/** Parses `VAULT[@SIZE:ROOT]`. Throws BAD_VALUE. */
export function parseExpect(text: string): { vault: string; point?: LogPoint } {
  const match = /^([0-9a-f]{64})(?:@(\d{1,15}):([0-9a-f]{64}))?$/.exec(text.trim());
  if (!match) {
    throw new VaultError('BAD_VALUE', 'expect is not of the form VAULT or VAULT@SIZE:ROOT', {
      hint: 'Copy the line that `oxp-vault status` prints on a machine that knows the vault.',
    });
  }
  const [, vault, size, root] = match;
  return size === undefined || root === undefined ? { vault: vault! } : { vault: vault!, point: { size: Number(size), root } };
}
