/** One vault as one person meets it: its verified state, its store, and the one way to add entries to its log. */
import { randomBytes } from 'node:crypto';
import { parseEntry, signEntry, type SignedEntry } from './audit/entry.js';
import { CHECKPOINT_PATH, formatExpect, type LogPoint } from './audit/checkpoint.js';
import type { Deputy } from './deputy.js';
import { admit, writeRun, type Acts, type Batch, type NewFile, type Sequencer } from './engine/append.js';
import type { LoadedLog, Vouched } from './engine/load.js';
import { advancePin, vaultAt, type Pin } from './engine/pin.js';
import { loadRemembered } from './engine/remembered.js';
import { isVaultError, PUT_BACK, VaultError } from './errors.js';
import type { Card } from './policy/card.js';
import type { Identity } from './policy/identity.js';
import type { Rule } from './policy/policy.js';
import { livingDevice, type PolicyState } from './policy/state.js';
import type { Clock, Freshness, LocalState, Store } from './ports.js';
import { ruleInEffect } from './rule-in-effect.js';
import { emptyState, type FoundedState } from './state.js';
import type { Json } from './wire.js';
import { entries } from './primitives/count.js';

/** How often a writer that lost a race tries again with the same signed bytes: for a minute or more at a remote store. */
const RACES = 80;
/** Milliseconds. */
const LONGEST_PAUSE = 3000;
/** Writers at once for whom there is room without anybody trying in vain. */
const CROWD = 8;

export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) };

export interface VaultOptions {
  readonly store: Store;
  readonly local: LocalState;
  readonly clock?: Clock;
  /** Needed for whatever signs or decrypts. */
  readonly identity?: Identity;
  /** Who signs and decrypts instead, where there is no identity here. */
  readonly deputy?: Deputy;
  /** `VAULT[@SIZE:ROOT]`: which vault this must be, and a point that its log must contain. */
  readonly expect?: string;
  /**
   * Seconds. A remote store is asked for news where what this machine knows of it is older; 0 unless said otherwise. Infinity: not
   * at all. Writing always finds out.
   */
  readonly maxAge?: number;
}

export class Vault {
  readonly store: Store;
  readonly local: LocalState;
  readonly clock: Clock;
  readonly identity: Identity | undefined;
  readonly deputy: Deputy | undefined;
  readonly #expect: string | undefined;
  #loaded: LoadedLog;
  #pin: Pin;
  #freshness: Freshness | undefined;

  private constructor(options: VaultOptions, loaded: LoadedLog, pin: Pin, freshness: Freshness | undefined) {
    this.store = options.store;
    this.local = options.local;
    this.clock = options.clock ?? systemClock;
    this.identity = options.identity;
    this.deputy = options.deputy;
    this.#expect = options.expect;
    this.#loaded = loaded;
    this.#pin = pin;
    this.#freshness = freshness;
  }

  /**
   * Loads and verifies the vault at a store. Throws VAULT_NOT_FOUND, WRONG_VAULT, EXPECT_MISMATCH, ROLLBACK, FORK,
   * BAD_CHECKPOINT, STORE_INCOMPLETE, UPGRADE_REQUIRED, STORE_REMOTE.
   */
  static async open(options: VaultOptions): Promise<Vault> {
    const { store, maxAge = 0 } = options;
    const load = async (age: number): Promise<Vault> => {
      const freshness = await store.refresh?.(age);
      const { loaded, pin } = await loadRemembered({ ...options, clock: options.clock ?? systemClock }, undefined);
      return new Vault(options, loaded, pin, freshness);
    };
    try {
      return await load(maxAge);
    } catch (error) {
      // A copy that was new enough to read may be older than what this machine is told to expect: only the newest is judged for good.
      const mayBeOld = store.refresh !== undefined && maxAge > 0 && maxAge !== Infinity;
      if (!mayBeOld || !isVaultError(error) || error.class !== 'verification') throw error;
      return load(0);
    }
  }

  /** Begins the log of a new vault with its first entry. Throws VAULT_EXISTS, and WRONG_VAULT where this machine has met another. */
  static async create(options: VaultOptions & { identity: Identity }, first: { vault: string; init: SignedEntry; policyFile: NewFile }): Promise<Vault> {
    // Judged like any other: a first entry that is void would leave a store that nobody can ever load.
    const { run } = admit(emptyState, { entries: [first.init], files: [first.policyFile] });
    await options.store.refresh?.(0);
    const met = await vaultAt(options.local, options.store.address);
    if (met !== undefined && met !== first.vault && !(await options.store.get(CHECKPOINT_PATH))) {
      throw new VaultError('WRONG_VAULT', `this machine knows vault ${met.slice(0, 8)} at ${options.store.address}, and it is not there any more`, { hint: `${PUT_BACK}. A new one has its own place.` });
    }
    if (!(await writeRun(options.store, undefined, first.vault, run, [first.policyFile], sequencerOf(options.identity)))) {
      throw new VaultError('VAULT_EXISTS', `there is a vault at ${options.store.address} already`);
    }
    return Vault.open({ ...options, expect: first.vault });
  }

  /** The same vault as met by somebody who has unlocked an identity since. */
  as(identity: Identity): Vault {
    const { deputy: _left, ...options } = this.#options();
    return new Vault({ ...options, identity }, this.#loaded, this.#pin, this.#freshness);
  }

  /** The same vault as met by somebody for whom a deputy acts. */
  through(deputy: Deputy): Vault {
    const { identity: _left, ...options } = this.#options();
    return new Vault({ ...options, deputy }, this.#loaded, this.#pin, this.#freshness);
  }

  get state(): FoundedState {
    return this.#loaded.log.state;
  }

  get policy(): PolicyState {
    return this.state.policy;
  }

  /** The rule that decides for a secret of this name now: the policy's, or what a handover has put in its place until the policy says it. */
  ruleFor(name: string): Rule | undefined {
    return ruleInEffect(this.state, name);
  }

  get log(): LoadedLog['log'] {
    return this.#loaded.log;
  }

  /** The vault's id, hex. */
  get id(): string {
    return this.policy.vault;
  }

  /** Size and root of the accepted checkpoint. */
  get point(): LogPoint {
    const { size, root } = this.#loaded.checkpoint;
    return { size, root };
  }

  /** The checkpoint file as accepted. */
  get checkpointBytes(): Uint8Array {
    return this.#loaded.checkpoint.bytes;
  }

  /** How new what was read of a remote store is; undefined for a store that is read where it is. */
  get freshness(): Freshness | undefined {
    return this.#freshness;
  }

  /** False on a fresh copy that nobody has vouched for: it may be old, or not the vault that was meant. */
  get confirmed(): boolean {
    return this.#pin.confirmed;
  }

  /** Ready to paste after `--expect`. */
  get expectLine(): string {
    return formatExpect(this.id, this.point);
  }

  /** The identity, which must be enrolled with a living device. Throws IDENTITY_NOT_FOUND, NOT_ENROLLED. */
  requireEnrolled(): Identity {
    const identity = this.#requireIdentity();
    this.requireEnrolledCard(identity.card);
    return identity;
  }

  /** Who acts here, with a living device: whose identity this is, or who the deputy acts for. Throws IDENTITY_NOT_FOUND, NOT_ENROLLED. */
  requireActor(): Card {
    return this.requireEnrolledCard(this.deputy?.card ?? this.#requireIdentity().card);
  }

  /** The same of somebody's public half: for what is only planned. Throws NOT_ENROLLED. */
  requireEnrolledCard(card: Card): Card {
    const { person, device, id } = card;
    if (!livingDevice(this.policy, person, id)) {
      throw new VaultError('NOT_ENROLLED', `${person} (device ${device}) is not enrolled in this vault`, { hint: this.#wayIn(card) });
    }
    return card;
  }

  #wayIn({ person, id, line }: Card): string {
    if (this.policy.removed.has(id)) return 'Its key was removed, and never returns. What is left to do: oxp-vault status';
    const adding = this.policy.proposals.find((proposal) => proposal.policy?.persons[person]?.cards.includes(line));
    if (adding) return `Policy ${adding.number} (${adding.digest.slice(0, 8)}) adds it, once enough have signed: oxp-vault status`;
    if (this.policy.people.has(person)) return 'Your other device lets it in, by the .card file that `identity create` wrote: oxp-vault device add CARD';
    return 'Send your .card file to an admin, who types: oxp-vault member add CARD';
  }

  /** Accepts the vault at this address as the one that was meant. */
  async confirm(): Promise<void> {
    this.#pin = await advancePin(this.local, this.store.address, this.id, this.point, this.clock.now(), true);
  }

  /** Reads what has been added since, from a remote store too. */
  async refresh(): Promise<void> {
    this.#freshness = await this.store.refresh?.(0);
    await this.#reload([]);
  }

  async #reload(vouched: readonly Vouched[]): Promise<void> {
    const { loaded, pin } = await loadRemembered(this.#options(), this.#loaded.log, vouched);
    this.#loaded = loaded;
    this.#pin = pin;
  }

  #options(): VaultOptions & { readonly clock: Clock } {
    const { store, local, clock, identity, deputy } = this;
    return { store, local, clock, ...(identity ? { identity } : {}), ...(deputy ? { deputy } : {}), ...(this.#expect === undefined ? {} : { expect: this.#expect }) };
  }

  /** Reads on after a deputy has written: a store that does not show this point of the log is found out. */
  async catchUp(point: LogPoint): Promise<void> {
    this.#freshness = await this.store.refresh?.(0);
    await this.#reload([{ ...point, by: 'the agent' }]);
  }

  /** Signs an entry as of what this client has seen. It has no effect until appended. */
  sign(op: string, body: object): SignedEntry {
    const { policy, digest } = this.policy;
    const frame = { vault: this.id, seen: this.point, policy: { number: policy.number, digest }, time: this.clock.now() };
    return signAs(this.#requireIdentity(), frame, op, body);
  }

  /** The same for all of these, with their files. */
  signed({ acts, files }: Acts): Batch {
    return { entries: acts.map(({ op, body }) => this.sign(op, body)), files };
  }

  /**
   * Appends entries, all or, when one is refused, none of those not yet written. Judged again after every lost race. What is not signed yet
   * is signed first, once, or by the deputy. Gives the digests of the entries. Throws the refusal, EXPECT_NEEDED on an unconfirmed copy, RACE_LOST
   * when others are always first.
   */
  async append(what: Batch | Acts, options: { recordOnly?: boolean } = {}): Promise<readonly string[]> {
    if (!this.confirmed && options.recordOnly !== true) {
      throw new VaultError('EXPECT_NEEDED', 'this copy of the vault is new to this machine: nobody has said yet that it is the right one', {
        details: [`vault  ${this.id}`, `here   ${entries(this.point.size)}, root ${this.point.root.slice(0, 8)}`],
        hint: 'Ask somebody who knows it for the line that `oxp-vault status` prints, and pass it once: --expect VAULT@SIZE:ROOT',
      });
    }
    if (this.deputy && 'acts' in what) {
      const { point, digests } = await this.deputy.append(what, { keep: false });
      await this.catchUp(point);
      return digests;
    }
    const identity = this.#requireIdentity();
    const batch = 'acts' in what ? this.signed(what) : what;
    const sequencer = sequencerOf(identity);
    // Round again after a lost race, and while something is left: an entry that puts a policy into effect ends its checkpoint.
    for (let races = 0; ; ) {
      const began = performance.now();
      const { run, around } = admit(this.state, batch);
      if (run.length === 0) return batch.entries.map((entry) => parseEntry(entry.line).digest);
      // A checkpoint counts only when its signer is enrolled before or after its last leaf: never write one that nobody accepts.
      if (!around.some((s) => s.policy && livingDevice(s.policy, sequencer.person, identity.card.id))) {
        throw new VaultError('NOT_ENROLLED', `${sequencer.person} (device ${sequencer.device}) is not enrolled where these entries end`, {
          hint: 'Somebody who is enrolled then must append them.',
        });
      }
      const written = await writeRun(this.store, this.#loaded, this.id, run, batch.files, sequencer);
      if (!written) {
        if (++races > RACES) throw new VaultError('RACE_LOST', 'others were writing all the time', { hint: 'Nothing was written. Try again.' });
        // In proportion to what a try costs here: of several who all try at once, all but one have worked for nothing.
        const pause = Math.min(LONGEST_PAUSE, (performance.now() - began) * Math.min(races, CROWD));
        await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * pause));
      }
      // A store that has taken this write and then shows an older log, or another, is found out at once.
      await this.#reload(written ? [{ ...written, by: 'this machine' }] : []);
    }
  }

  #requireIdentity(): Identity {
    if (this.identity) return this.identity;
    throw new VaultError('IDENTITY_NOT_FOUND', 'this needs your identity', { hint: 'Name it with --identity, or make one: oxp-vault identity create' });
  }
}

/** Signs an entry; `frame` is what the signer has seen. */
export function signAs(
  identity: Identity,
  frame: { vault: string; seen: LogPoint; policy: { number: number; digest: string }; time: number },
  op: string,
  body: object,
): SignedEntry {
  const { person, device } = identity.card;
  return signEntry({ ...frame, actor: { person, device }, op, nonce: randomBytes(16).toString('hex'), body: body as Json }, identity.signingKey);
}

function sequencerOf(identity: Identity): Sequencer {
  const { person, device } = identity.card;
  return { person, device, key: identity.signingKey };
}
