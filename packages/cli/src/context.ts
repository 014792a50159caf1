/** What a command works with, each part made when it is first asked for: a command pays for what it uses. */
import { type Card, type Clock, findVault, type Identity, type IdentityFile, identityPath, isVaultError, knownCard, type LocalState, localState, passphraseFile, readIdentityFile, readPassphraseFile, rememberCard, stateDirectory, type Store, storeAt, systemClock, unlock, Vault, type VaultAddress, VaultError } from '@oxp-vault/core';
import type { Io } from './io.js';
import { progressLine } from './progress.js';
import type { Prompter } from './prompt.js';
import { type Paint, paintFor, pathForEyes } from './render.js';

/** As they stand on the command line, before or after the command. */
export interface GlobalOptions {
  readonly vault?: string;
  readonly identity?: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  /** `VAULT[@SIZE:ROOT]`, on commands that take it (command.ts, vaultOptions). */
  readonly expect?: string;
  /** On commands that only read (command.ts, readOptions). */
  readonly offline?: boolean;
  readonly maxAge?: number;
}

const TRIES = 3;
/** Too many digits to find another vault with the same ones. */
const ID_DIGITS = 16;
/** Seconds for which what a remote store has said is taken as the newest by commands that only read. */
const MAX_AGE = 60;

export class CliContext {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly paint: Paint;
  readonly clock: Clock;
  #local: LocalState | undefined;
  #lookingLocal: LocalState | undefined;
  #address: Promise<VaultAddress> | undefined;
  #identityFile: Promise<IdentityFile> | undefined;
  #identity: Promise<Identity> | undefined;
  #prompter: Promise<Prompter> | undefined;
  /** True once a remote store was believed as it was known here, without asking for news. */
  #unasked = false;

  constructor(io: Io, options: GlobalOptions) {
    this.io = io;
    this.options = options;
    this.paint = paintFor(io.stdout, io.env);
    this.clock = io.clock ?? systemClock;
  }

  /** The same without one of the options, where a command means something else by it. */
  without(option: keyof GlobalOptions): CliContext {
    const { [option]: _left, ...options } = this.options;
    return new CliContext(this.io, options);
  }

  get json(): boolean {
    return this.options.json ?? false;
  }

  /** True when somebody is there to answer. */
  get interactive(): boolean {
    return this.io.stdin.isTTY && this.io.stderr.isTTY;
  }

  /** True where an identity under a passphrase can be unlocked: somebody is there to type it, or a file holds it. */
  get canUnlock(): boolean {
    return this.interactive || passphraseFile(this.io, this.options.passphraseFile) !== undefined;
  }

  /**
   * The same command with a remote store asked for news; undefined where it was, or was not to be. For an answer that was no: what is not
   * there, or not allowed, may have come within the last minute.
   */
  asked(): CliContext | undefined {
    if (!this.#unasked) return undefined;
    const context = new CliContext(this.io, { ...this.options, maxAge: 0 });
    // Nobody types a passphrase twice for one command.
    context.#identity = this.#identity;
    context.#lookingLocal = this.#lookingLocal;
    return context;
  }

  // Output

  /** A result, on stdout. */
  async print(text: string | Uint8Array): Promise<void> {
    await this.io.stdout.write(text);
  }

  /** The result: one JSON document with --json, else the text. */
  async result(document: unknown, text: string): Promise<void> {
    await this.print(this.json ? `${JSON.stringify(document, null, 2)}\n` : text);
  }

  /** Anything that is no result, on stderr: one line, or several. */
  async say(text: string): Promise<void> {
    await this.io.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** What somebody should know although nobody asked. */
  async warn(text: string): Promise<void> {
    await this.say(`${this.paint.mark('!')} ${text}`);
  }

  /** The one next thing to type. Not for machines. */
  async next(text: string): Promise<void> {
    if (!this.json) await this.say(`Next: ${text}`);
  }

  /** A path as a person here would type it. */
  path(path: string): string {
    return pathForEyes(path, this.io);
  }

  // Questions

  prompter(): Promise<Prompter> {
    return (this.#prompter ??= this.io.prompter ? Promise.resolve(this.io.prompter) : import('./prompt.js').then((m) => m.terminalPrompter()));
  }

  /** True with --yes. Throws USAGE where nobody can be asked, and then names the options that say it beforehand. */
  async confirm(question: string, beforehand = '--yes'): Promise<boolean> {
    if (this.options.yes) return true;
    if (!this.interactive) throw new VaultError('USAGE', 'this needs a yes, and there is no terminal to ask at', { hint: `Say it beforehand: ${beforehand}` });
    return (await this.prompter()).confirm(question);
  }

  // Where things are

  address(): Promise<VaultAddress> {
    return (this.#address ??= findVault(this.io, this.options.vault));
  }

  /** The store at an address; the one that was found for this command unless another is given. */
  async store(where?: Pick<VaultAddress, 'address' | 'base'>): Promise<Store> {
    const onProgress = progressLine(this.io.stderr);
    return storeAt(where ?? (await this.address()), { io: this.io, offline: this.options.offline ?? false, interactive: this.interactive, ...(onProgress ? { onProgress } : {}) });
  }

  local(): LocalState {
    return (this.#local ??= localState(this.io, this.options.identity));
  }

  /** For what only looks: where this machine can keep nothing, that is said once, and what was kept before still counts. */
  async #localToLook(): Promise<LocalState> {
    if (this.#lookingLocal) return this.#lookingLocal;
    const local = localState(this.io, this.options.identity, { look: true });
    if (local.volatile && !this.local().volatile) await this.warn(`Nothing of this is remembered: ${this.path(stateDirectory(this.io))} cannot be written.`);
    return (this.#lookingLocal = local);
  }

  // Who runs this

  /** Where the identity lies, or would be made. */
  identityPath(): string {
    return identityPath(this.io, this.options.identity);
  }

  identityFile(): Promise<IdentityFile> {
    return (this.#identityFile ??= readIdentityFile(this.io, this.options.identity));
  }

  /** The unlocked identity. Throws IDENTITY_NOT_FOUND, PASSPHRASE_NEEDED, PASSPHRASE_WRONG, IDENTITY_INVALID. */
  identity(): Promise<Identity> {
    return (this.#identity ??= this.#unlock());
  }

  /** The card of this person as far as it is known without a passphrase. */
  async whoami(): Promise<Card | undefined> {
    try {
      return await knownCard(this.#lookingLocal ?? this.local(), await this.identityFile());
    } catch (error) {
      if (isVaultError(error, 'IDENTITY_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** The card of this person for what is only planned: a passphrase is asked for where the card is not known yet. Throws IDENTITY_NOT_FOUND. */
  async card(): Promise<Card> {
    return (await this.whoami()) ?? (await this.identity()).card;
  }

  async #unlock(): Promise<Identity> {
    const file = await this.identityFile();
    if (!file.encrypted && file.othersMayRead) await this.warn(`Others may read ${this.path(file.path ?? '')}, which has no passphrase: whoever does is you. For you alone: chmod 600 ${this.path(file.path ?? '')}`);
    const identity = file.encrypted ? await this.#unlockWithPassphrase(file) : await unlock(file);
    await rememberCard(this.local(), file, identity.card);
    return identity;
  }

  async #unlockWithPassphrase(file: IdentityFile): Promise<Identity> {
    const where = file.path === undefined ? 'OXP_VAULT_IDENTITY_DATA' : this.path(file.path);
    const fromFile = passphraseFile(this.io, this.options.passphraseFile);
    if (fromFile !== undefined) {
      const passphrase = await readPassphraseFile(fromFile);
      return opening(`the passphrase in ${this.path(fromFile)} does not open ${where}`, () => unlock(file, passphrase));
    }
    if (!this.interactive) {
      throw new VaultError('PASSPHRASE_NEEDED', `the identity ${where} is under a passphrase, and there is no terminal to ask for it`, {
        hint: 'Name a file that holds it: --passphrase-file FILE (or OXP_VAULT_PASSPHRASE_FILE)',
      });
    }
    const prompter = await this.prompter();
    for (let left = TRIES; ; left--) {
      try {
        const passphrase = await prompter.passphrase(`Passphrase for ${where}:`);
        return await opening(`that passphrase does not open ${where}`, () => unlock(file, passphrase));
      } catch (error) {
        if (!isVaultError(error, 'PASSPHRASE_WRONG') || left === 1) throw error;
        await this.say('That is not the passphrase. Again:');
      }
    }
  }

  // The vault

  /** Which vault this must be, as far as anybody has said: `--expect`, OXP_VAULT_EXPECT, or the oxp-vault.yaml that named it. */
  async expect(): Promise<string | undefined> {
    return this.options.expect ?? (this.io.env['OXP_VAULT_EXPECT'] || (await this.address()).expect);
  }

  /**
   * The verified vault. `identity`: unlocked, for whatever signs or decrypts. `write`: the same, and where nobody has said yet
   * that this is the right vault, a person at a terminal is asked for the line that says so. `news`: a remote store is asked, whatever is known of it.
   * `look`: for what neither signs nor changes anything, also where this machine can keep nothing.
   */
  async vault({ identity = false, write = false, news = write, look = false }: { identity?: boolean; write?: boolean; news?: boolean; look?: boolean } = {}): Promise<Vault> {
    const expect = await this.expect();
    const store = await this.store();
    const maxAge = this.options.offline ? Infinity : write ? 0 : (this.options.maxAge ?? (news ? 0 : MAX_AGE));
    const base = { store, local: look ? await this.#localToLook() : this.local(), clock: this.clock, maxAge, ...(identity || write ? { identity: await this.identity() } : {}) };
    const asking = this.clock.now();
    const vault = await Vault.open({ ...base, ...(expect === undefined ? {} : { expect }) });
    this.#unasked ||= !this.options.offline && this.options.maxAge === undefined && maxAge > 0 && (vault.freshness?.fetched ?? Infinity) <= asking;
    return write ? this.#confirmed(vault) : vault;
  }

  /** What was loaded with `news` and without an identity, now to be written to with it. */
  async unlocked(seen: Vault): Promise<Vault> {
    return this.#confirmed(seen.as(await this.identity()));
  }

  async #confirmed(vault: Vault): Promise<Vault> {
    if (vault.confirmed || !this.interactive) return vault;
    const { store, local, clock, identity } = vault;
    return Vault.open({ store, local, clock, ...(identity ? { identity } : {}), expect: await this.#askExpect(vault) });
  }

  async #askExpect(vault: Vault): Promise<string> {
    // The id is not shown: somebody who copies it from here has confirmed nothing.
    await this.say(`This machine has not met the vault at ${this.path(vault.store.address)} before. Ask somebody who knows it for the line \`expect\` that \`oxp-vault status\` prints there.`);
    const prompter = await this.prompter();
    const answer = (await prompter.text(`The line, or the first ${ID_DIGITS} digits of the vault's id:`)).trim();
    if (!/^[0-9a-f]+$/.test(answer) || answer.length === 64) return answer;
    const hint = 'Nothing was written. Check the address, and ask again.';
    if (answer.length < ID_DIGITS) throw new VaultError('EXPECT_NEEDED', `${answer.length} digits are too few to tell vaults apart`, { hint });
    if (!vault.id.startsWith(answer)) throw new VaultError('EXPECT_MISMATCH', 'that is the id of another vault', { hint });
    return vault.id;
  }
}

/** Says which file it was, and what is left to do. */
async function opening(message: string, attempt: () => Promise<Identity>): Promise<Identity> {
  try {
    return await attempt();
  } catch (cause) {
    if (!isVaultError(cause, 'PASSPHRASE_WRONG')) throw cause;
    throw new VaultError('PASSPHRASE_WRONG', message, { cause, hint: 'Nobody can recover it. A backup opens with the passphrase that it was made under: --identity FILE' });
  }
}
