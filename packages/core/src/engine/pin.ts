/**
 * The pin: the newest checkpoint that this machine has accepted, kept per vault and per address. It never goes back.
 *
 * Processes of one user move it at the same time, without a lock: each pin is a file of its own, named by its size and root and written
 * once, and the largest counts. Whoever writes one removes those that it has read before and that say nothing more. So a slow
 * process with an older checkpoint adds a file that does not count, and takes nothing away.
 */
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
  /** The checkpoint file, base64: what `sync --restore` puts back where somebody has set it back or taken it away. */
  checkpoint: v.optional(v.string()),
});
type PinFile = v.InferOutput<typeof PinFile>;

export interface Pin extends PinFile {
  /** False until a person has said which vault this is: `--expect`, oxp-vault.yaml, or its id typed in. */
  readonly confirmed: boolean;
}

const SIZE_DIGITS = 16;
const ROOT_DIGITS = 16;
/** At the end of a name, so that two processes can say the one and the other without reading each other. */
const CONFIRMED = '-confirmed.json';
/** Each time somebody has moved the pin between listing and reading. */
const ATTEMPTS = 100;

const AddressFile = v.strictObject({ address: v.string(), vault: Hex32 });

function pinFolder(vault: string): string {
  return `vaults/${vault}/pins/`;
}

function pinPath(vault: string, { size, root }: LogPoint, confirmed: boolean): string {
  return `${pinFolder(vault)}${String(size).padStart(SIZE_DIGITS, '0')}-${root.slice(0, ROOT_DIGITS)}${confirmed ? CONFIRMED : '.json'}`;
}

function addressPath(address: string): string {
  return `addresses/${sha256Hex(utf8(address)).slice(0, 32)}.json`;
}

/** The pin, and the files that say so. */
async function readPins(local: LocalState, vault: string): Promise<{ pin: Pin | undefined; paths: readonly string[] }> {
  for (let attempt = 1; ; attempt++) {
    const paths = (await local.list(pinFolder(vault))).sort();
    const newest = paths.at(-1);
    const file = newest === undefined ? undefined : await readJson(local, newest, PinFile);
    if (file) return { pin: { ...file, confirmed: paths.some((path) => path.endsWith(CONFIRMED)) }, paths };
    // There was one, and it has given way to a newer one since.
    if (newest === undefined) return { pin: undefined, paths };
    if (attempt === ATTEMPTS) throw damaged(newest);
  }
}

export async function readPin(local: LocalState, vault: string): Promise<Pin | undefined> {
  return (await readPins(local, vault)).pin;
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
  const { pin: before, paths } = await readPins(local, vault);
  const newest = before && before.size >= point.size ? before : pinAt(point, now);
  const pin: Pin = { ...newest, confirmed: confirmed || (before?.confirmed ?? false) };
  if (!before || newest !== before || pin.confirmed !== before.confirmed) await writePin(local, vault, pin, paths);
  if ((await vaultAt(local, address)) !== vault) await local.write(addressPath(address), utf8(JSON.stringify({ address, vault })));
  return pin;
}

async function writePin(local: LocalState, vault: string, { confirmed, ...file }: Pin, superseded: readonly string[]): Promise<void> {
  const path = pinPath(vault, file, confirmed);
  await local.write(path, utf8(JSON.stringify(file satisfies PinFile)));
  for (const old of superseded) if (old !== path) await local.remove(old);
}

function pinAt({ size, root, bytes }: PinPoint, now: number): PinFile {
  return { size, root, accepted: now, ...(bytes ? { checkpoint: toBase64(bytes) } : {}) };
}

/** Moves the pin wherever people say, also back or onto another history: theirs is the last word (`sync --repin`). */
export async function replacePin(local: LocalState, vault: string, point: PinPoint, now: number): Promise<void> {
  const pin = { ...pinAt(point, now), confirmed: true };
  await writePin(local, vault, pin, []);
  // After it is written: at no time is there no pin.
  await writePin(local, vault, pin, await local.list(pinFolder(vault)));
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
