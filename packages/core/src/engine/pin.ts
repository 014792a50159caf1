/** The pin: the newest checkpoint that this machine has accepted, kept per vault and per address. It never goes back. */
import * as v from 'valibot';
import { VaultError } from '../errors.js';
import type { LocalState } from '../ports.js';
import type { LogPoint } from '../audit/checkpoint.js';
import { fromBase64, sha256Hex, toBase64, utf8 } from '../primitives/hash.js';
import { Count, Hex32 } from '../wire.js';

const PinFile = v.strictObject({
  size: Count,
  root: Hex32,
  /** When this machine accepted it, whole seconds by its own clock. */
  accepted: Count,
  /** False until a person has said which vault this is: `--expect`, oxp-vault.yaml, or its id typed in. */
  confirmed: v.boolean(),
  /** The checkpoint file, base64: what `sync --restore` puts back where somebody has set it back or taken it away. */
  checkpoint: v.optional(v.string()),
});
export type Pin = v.InferOutput<typeof PinFile>;

const AddressFile = v.strictObject({ address: v.string(), vault: Hex32 });

function pinPath(vault: string): string {
  return `vaults/${vault}/pin.json`;
}

function addressPath(address: string): string {
  return `addresses/${sha256Hex(utf8(address)).slice(0, 32)}.json`;
}

export async function readPin(local: LocalState, vault: string): Promise<Pin | undefined> {
  return readJson(local, pinPath(vault), PinFile);
}

/** The vault that this machine has met at an address, if any. */
export async function vaultAt(local: LocalState, address: string): Promise<string | undefined> {
  return (await readJson(local, addressPath(address), AddressFile))?.vault;
}

/** A point of the log, with the checkpoint file that says so where that is at hand. */
export interface PinPoint extends LogPoint {
  readonly bytes?: Uint8Array;
}

/** Keeps the newer of what is there and `point`; `confirmed` is never taken back. */
export async function advancePin(local: LocalState, address: string, vault: string, point: PinPoint, now: number, confirmed: boolean): Promise<Pin> {
  const before = await readPin(local, vault);
  const newest = before && before.size >= point.size ? before : pinAt(point, now);
  const pin: Pin = { ...newest, confirmed: confirmed || (before?.confirmed ?? false) };
  const same = before && before.size === pin.size && before.root === pin.root && before.confirmed === pin.confirmed;
  if (!same) await local.write(pinPath(vault), utf8(JSON.stringify(pin)));
  if ((await vaultAt(local, address)) !== vault) await local.write(addressPath(address), utf8(JSON.stringify({ address, vault })));
  return pin;
}

function pinAt({ size, root, bytes }: PinPoint, now: number): Omit<Pin, 'confirmed'> {
  return { size, root, accepted: now, ...(bytes ? { checkpoint: toBase64(bytes) } : {}) };
}

/** Moves the pin wherever people say, also back or onto another history: theirs is the last word (`sync --repin`). */
export async function replacePin(local: LocalState, vault: string, point: PinPoint, now: number): Promise<void> {
  await local.write(pinPath(vault), utf8(JSON.stringify({ ...pinAt(point, now), confirmed: true } satisfies Pin)));
}

/** The checkpoint file of a pin. */
export function pinnedCheckpoint(pin: Pin): Uint8Array | undefined {
  return pin.checkpoint === undefined ? undefined : fromBase64(pin.checkpoint);
}

async function readJson<T>(local: LocalState, path: string, schema: v.GenericSchema<T>): Promise<T | undefined> {
  const bytes = await local.read(path);
  if (!bytes) return undefined;
  // A pin that does not read must not count as no pin: that would switch the protection off.
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw damaged(path, cause);
  }
  const parsed = v.safeParse(schema, raw);
  if (!parsed.success) throw damaged(path);
  return parsed.output;
}

function damaged(path: string, cause?: unknown): VaultError {
  return new VaultError('STORE_IO', `the local state file ${path} is damaged`, {
    cause,
    hint: 'It holds what this machine has seen of the vault. Remove it only if you can compare `oxp-vault status` with a colleague afterwards.',
  });
}
