// Five people, a vault in Git, rules that enough of them have signed, and the secrets that a platform is born with.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { SCALEWAY, writeBootstrap, writePolicy } from './material.mjs';
import { as, aside, asJson, cardOf, chapter, deskOf, quietly, quote, scratch, settleIn, tool, whereIs } from './stage.mjs';

const PEOPLE = ['alice', 'bruno', 'frank', 'carol', 'dora'];
const ROLES = { infra: ['bruno'], security: ['frank'], platform: ['carol', 'dora'] };
const repository = join(scratch, 'platform.git');

/** Gives where the vault is, for those who look at its files: `{git, directory}`. */
export async function beginnings() {
  await people();
  const vault = await theVault();
  await rules(vault);
  await material();
  return vault;
}

async function people() {
  chapter('Five people. Each makes an identity; the card is the public half, and goes to Alice.', 'Alice and Bruno build the platform, Frank is of security, Carol and Dora will run it. (No passphrases: this is a demo.)');
  PEOPLE.forEach(settleIn);
  const [first, ...others] = PEOPLE;
  await as(first, identity(first));
  await Promise.all(others.map((person) => quietly(person, identity(person))));
}

const identity = (person) => `identity create --person ${person} --device laptop --no-passphrase --card ${cardOf(person)}`;

async function theVault() {
  chapter('Alice makes the vault, outside of the platform that it will bring to life.', 'Three admins, two of whom must agree to any change of the rules.');
  const git = whereIs('git') !== undefined;
  if (git) {
    await tool('git', `init -q --bare ${repository}`, { quiet: true });
    await tool('git', `clone -q ${repository} .`, { quiet: true });
    aside('In a clone of the team\'s repository it becomes a branch of it, oxp-vault, which no work tree ever touches.');
  } else aside('There is no git on this machine: the vault will be a plain directory.');
  const members = Object.entries(ROLES).flatMap(([role, of]) => of.map((person) => `--member ${role}=${cardOf(person)}`));
  const place = git ? '' : `${join(scratch, 'vault')} `;
  await as('alice', `init ${place}${Object.keys(ROLES).map((role) => `--role ${role}`).join(' ')} --admin ${cardOf('bruno')} --admin ${cardOf('carol')} ${members.join(' ')}`);
  return { git, directory: git ? repository : join(scratch, 'vault') };
}

async function rules({ git }) {
  chapter('Who may do what is a file that people edit, propose and sign.', 'The root of the PKI is split among people: two of infra AND one of security have to agree before anybody holds it.');
  quote(writePolicy());
  const { digest } = await asJson('alice', 'policy propose --dry-run');
  await quietly('alice', `policy propose --yes --expect ${digest}`);
  if (git) {
    await tool('git', 'add oxp-vault.yaml policy.yaml', { quiet: true });
    await tool('git', 'commit -q -m drafts', { quiet: true });
    await tool('git', 'push -q origin HEAD', { quiet: true });
    await tool('git', `clone -q ${repository} .`, { person: 'bruno' });
    await Promise.all(PEOPLE.slice(2).map((person) => tool('git', `clone -q ${repository} .`, { person, quiet: true })));
  } else for (const person of PEOPLE.slice(1)) cpSync(join(deskOf('alice'), 'oxp-vault.yaml'), join(deskOf(person), 'oxp-vault.yaml'));
  await as('bruno', `policy sign --yes --expect ${digest}`, { note: 'Alice has proposed it. Bruno sees in words what changes, and signs.' });
}

async function material() {
  chapter('What must exist is said in bootstrap.yaml: generated where it can be, imported where it comes from elsewhere.');
  quote(await writeBootstrap());
  await as('alice', 'seal', { env: SCALEWAY });
  await as('alice', 'seal', { env: SCALEWAY, note: 'Running it twice changes nothing.' });
  chapter('The root counts once its custodians have said that their shares open.');
  await quietly('alice', 'custody ack');
  await quietly('bruno', 'custody ack');
  await as('frank', 'custody ack', { note: 'Alice and Bruno have; now Frank. Nobody of the three can open it alone.' });
  chapter('Until now Alice, as their steward, knew the key of the platform team. Carol makes their own.');
  await as('carol', 'role rekey platform');
}
