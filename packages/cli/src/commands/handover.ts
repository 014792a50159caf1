/** `handover …`: what is owned by one team becomes another's. Every step is an entry; what comes next is always said. */
import type { Command } from 'commander';
import { digestOption } from '../beforehand.js';
import { type Act, collect, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';

/** The steps are loaded one by one: looking at a handover needs nothing of what completes one. */
const asking = () => import('../handover/asking.js');
const agreeing = () => import('../handover/agreeing.js');
const receiving = () => import('../handover/receiving.js');
const looking = () => import('../handover/looking.js');

const ID = ['<id>', 'the first digits of its id'] as const;
const ID_OR_MINE = ['[id]', 'the first digits of its id; not needed where only one waits for you'] as const;
const CONSENT_DIGEST = digestOption('of what you consent to');

export function define(command: Command, act: Act): void {
  command.description('Hands secrets over: the receivers ask, custodians and owners consent, only then what they hold leaves, the receivers check it and seal it for themselves. `handover show` says what you must do next.');
  defineAsking(command, act);
  defineAgreeing(command, act);
  defineReceiving(command, act);
  defineLooking(command, act);
}

function defineAsking(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('offer'))
      .summary('giver: these secrets, to that role')
      .description('Offers secrets to another role, whose members see it in their status. It binds nobody: they ask for them with handover accept.')
      .argument('<name...>', 'secrets, and paths such as dns/')
      .requiredOption('--to <role>', 'who is to receive them')
      .option('--reason <words>', 'why, for the log')
      .action(act(async (context: CliContext, names: readonly string[], options: import('../handover/asking.js').OfferOptions) => (await asking()).offer(context, names, options))),
    'oxp-vault handover offer dns/ kube/root --to platform --reason "go-live"',
  );
  examples(
    conditions(vaultOptions(command.command('accept')))
      .summary('receiver: ask for what is offered')
      .argument('<offer>', 'the first digits of the id of the offer')
      .action(act(async (context: CliContext, id: string, options: import('../handover/asking.js').RequestWords) => (await asking()).accept(context, id, options))),
    'oxp-vault handover accept 7be20193 --keep-reader infra',
  );
  examples(
    conditions(vaultOptions(command.command('request')))
      .summary('receiver: ask for secrets, or for one use of them')
      .description('Asks for secrets on behalf of a role of yours. A NAME moves that secret; a path such as dns/ everything below it. With --use their owner asks to use them once (to sign a new intermediate, to break the glass) and nothing moves.')
      .argument('<name...>', 'secrets, and paths such as dns/')
      .option('--to <role>', 'your role, which receives them')
      .option('--use', 'for one use, without a transfer')
      .action(act(async (context: CliContext, names: readonly string[], options: import('../handover/asking.js').RequestWords) => (await asking()).request(context, names, options))),
    'oxp-vault handover request pki/root dns/ kube/root --to platform --custody platform-root --keep-reader infra --reason "go-live"',
    'oxp-vault handover request / --to platform --admin carol --admin dora --threshold 2',
    'oxp-vault handover request pki/root --use --reason "new intermediate"',
  );
}

function conditions(command: Command): Command {
  return command
    .option('--custody <group>', 'the custody group that receives what is under custody')
    .option('--keep-reader <role>', 'a role that goes on reading what it reads now; repeat', collect)
    .option('--admin <person>', 'an admin afterwards; repeat. Without it the admins stay', collect)
    .option('--threshold <k>', 'how many of these admins must agree (default: more than half)')
    .option('--not-after <time>', 'until when the others can agree: 7d, 2027-01-31 (default: 7d)')
    .option('--reason <words>', 'why, for the log');
}

function defineAgreeing(command: Command, act: Act): void {
  examples(
    command
      .command('consent')
      .summary('custodian, owner: agree to a request')
      .description('Works out for itself what is asked, shows it, and signs your consent to exactly that. What you hold leaves only once enough consents are in the log: with --wait this command stays for it, else your next one that writes does it.')
      .argument(...ID_OR_MINE)
      .option('--wait', 'stay until the others have consented, and release then')
      .option(...CONSENT_DIGEST)
      .action(act(async (context: CliContext, id: string | undefined, options: import('../handover/agreeing.js').ConsentOptions) => (await agreeing()).consent(context, id, options))),
    'oxp-vault handover consent --wait',
    'oxp-vault handover consent 4f2a91c0 --wait',
  );
  examples(
    vaultOptions(command.command('release'))
      .summary('give what you have consented to, now')
      .description('Seals your shares, and the keys of the files that you read, to the one-time key of the receiver. It happens by itself with your next command that writes; this one does it also where others have given enough.')
      .argument(...ID_OR_MINE)
      .action(act(async (context: CliContext, id: string | undefined) => (await agreeing()).release(context, id))),
    'oxp-vault handover release 4f2a91c0',
  );
  examples(
    vaultOptions(command.command('abort'))
      .summary('stop it, or take back what no custodian has acknowledged')
      .argument(...ID)
      .option('--reason <words>', 'why, for the log')
      .action(act(async (context: CliContext, id: string, options: { reason?: string }) => (await agreeing()).abort(context, id, options))),
    'oxp-vault handover abort 4f2a91c0 --reason "wrong role"',
  );
}

function defineReceiving(command: Command, act: Act): void {
  examples(
    vaultOptions(command.command('complete'))
      .summary('receiver: open, check and seal for yourselves')
      .description('Puts the shares together in memory, checks every material against what was signed about it, and seals it for the receivers in one entry, the receipt. Run it again where it was stopped. Of a use the values go to --out, or, where it is one, to a pipe.')
      .argument(...ID_OR_MINE)
      .option('--out <dir>', 'of a use: write the values into a new directory that only you can read')
      .action(act(async (context: CliContext, id: string | undefined, options: import('../handover/receiving.js').CompleteWords) => (await receiving()).complete(context, id, options))),
    'oxp-vault handover complete 4f2a91c0',
    'oxp-vault handover complete 91be03aa | openssl x509 -req -in issuing.csr -CA root.crt -CAkey /dev/stdin',
  );
  examples(
    vaultOptions(command.command('finalize'))
      .summary('receiver, admin: make the policy say so, and renew what can be')
      .description('Proposes the policy that the request comes to, and finishes once the admins have signed it: keys turn, and with --rotate what can be made anew is. Run it again wherever it had to wait (exit code 6).')
      .argument(...ID_OR_MINE)
      .option('--rotate', 'make new values of what can be generated here')
      .action(act(async (context: CliContext, id: string | undefined, options: { rotate?: boolean }) => (await receiving()).finalize(context, id, options))),
    'oxp-vault handover finalize 4f2a91c0 --rotate',
  );
}

function defineLooking(command: Command, act: Act): void {
  examples(
    readOptions(command.command('list')).summary('all handovers and offers').action(act(async (context: CliContext) => (await looking()).list(context))),
    'oxp-vault handover list',
  );
  examples(
    readOptions(command.command('show')).summary('how far it is, and who must do what').argument(...ID).action(act(async (context: CliContext, id: string) => (await looking()).show(context, id))),
    'oxp-vault handover show 4f2a91c0',
    'oxp-vault handover show 4f2a91c0 --json',
  );
  examples(
    readOptions(command.command('verify'))
      .summary('auditor: judge all of it again, from the log alone')
      .description('Folds the log from its first entry and holds the handover against it: who signed what when, that nothing left before enough had agreed, that the receipt is right, that every file is there. Needs no identity. Exit code 5 when a check fails.')
      .argument(...ID)
      .action(act(async (context: CliContext, id: string) => (await looking()).verify(context, id))),
    'oxp-vault handover verify 4f2a91c0',
  );
}
