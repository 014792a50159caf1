/**
 * A session: an agent, or a program run with secrets, that opens what it is asked for within one scope. The scope is recorded before
 * anything is served, and at the end what was really opened; in between there is no entry for each of a thousand questions.
 */
import { VaultError } from '../../errors.js';
import { pathMatches, RulePath, toSortedSet } from '../../wire.js';
import * as v from 'valibot';
import type { Vault } from '../../vault.js';
import { decryptVersions, describeOpened, findVersion, openSecrets, type OpenedVersion } from './open.js';
import { record, type Recording } from './recording.js';
import { standingOf } from './standing.js';

export interface SessionOptions extends Omit<Recording, 'purpose'> {
  /** Names, `dns/` for all below it, `/` for everything: of what this person reads. */
  readonly scope: readonly string[];
  /** Why, for the log. */
  readonly purpose: string;
}

export class Session {
  readonly vault: Vault;
  readonly scope: readonly string[];
  readonly #recording: SessionOptions;
  /** Digest of the entry that began it. Undefined for a machine all of whose openings are covered by standing access. */
  readonly #began: string | undefined;
  readonly #opened = new Set<string>();
  #ended = false;

  private constructor(vault: Vault, scope: readonly string[], recording: SessionOptions, began: string | undefined) {
    this.vault = vault;
    this.scope = scope;
    this.#recording = recording;
    this.#began = began;
  }

  /** Records the scope and begins. Throws BAD_NAME, NOT_ENROLLED, IDENTITY_NOT_FOUND, and what keeping the record throws. */
  static async begin(vault: Vault, options: SessionOptions): Promise<Session> {
    vault.requireEnrolled();
    const scope = toSortedSet(options.scope);
    if (scope.length === 0 || scope.some((path) => !v.is(RulePath, path))) {
      throw new VaultError('BAD_NAME', 'a scope is made of names and paths: dns/tsig is one secret, dns/ all below it, / everything');
    }
    const names = vault.state.secrets.versions.sortedKeys().filter((name) => scope.some((path) => pathMatches(path, name)));
    const standing = names.length > 0 && names.every((name) => standingOf(vault, name) !== undefined);
    return new Session(vault, scope, options, standing ? undefined : await record(vault, { scope }, options));
  }

  /** Entry digest; undefined where nothing had to be recorded. */
  get id(): string | undefined {
    return this.#began;
  }

  /** Names of the secrets that were opened so far, in order. */
  get opened(): string[] {
    const { statements } = this.vault.state.secrets;
    return toSortedSet([...this.#opened].map((digest) => statements.get(digest)?.name ?? digest));
  }

  covers(name: string): boolean {
    return this.scope.some((path) => pathMatches(path, name));
  }

  /** Opens a secret at its newest version, or at `version`. Throws NOT_ALLOWED outside of the scope, and what opening throws. */
  async open(name: string, version?: number): Promise<OpenedVersion> {
    if (this.#ended) throw new VaultError('NOT_ALLOWED', 'this session has ended');
    if (!this.covers(name)) {
      throw new VaultError('NOT_ALLOWED', `${name} is outside of what this session may open: ${this.scope.join(', ')}`, {
        hint: 'Begin one with a wider scope, or open it by yourself: oxp-vault open NAME',
      });
    }
    const found = findVersion(this.vault, name, version);
    // Without an entry that announced it, what standing access does not cover (any more) is recorded by itself.
    if (this.#began === undefined) {
      const [alone] = await openSecrets(this.vault, { ...this.#recording, secrets: [{ name, version: found.statement.version }] });
      return alone!;
    }
    const [opened] = await decryptVersions(this.vault, [found]);
    this.#opened.add(found.digest);
    return describeOpened(this.vault, found, opened!.file);
  }

  /** Records what was opened. The second time it does nothing. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#began !== undefined) await record(this.vault, { session: this.#began, statements: toSortedSet(this.#opened) }, this.#recording);
  }
}
