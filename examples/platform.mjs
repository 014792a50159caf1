/**
 * An infrastructure program in the style of Pulumi or CDKTF, with this vault behind it: it builds resources of
 * public parts, and lets a value out only into the call that needs it. Run it where `oxp-vault` would find the vault:
 *
 *     node examples/platform.mjs
 *
 * No cloud is reached: `Stack` only collects what a real engine would apply.
 */
import { newestVersion, openVault, withSecret } from '@oxp-vault/core';

/** What an engine of this kind is, as far as this example needs it. */
class Stack {
  resources = [];

  resource(type, name, inputs) {
    this.resources.push({ type, name, inputs });
  }
}

const vault = await openVault();
const stack = new Stack();

// What is public about a secret stands signed in the log: no opening, no record, safe in any state file.
const tsig = publicParts('dns/rfc2136_tsig_secret');
stack.resource('dns:TsigKey', 'external-dns', { keyName: tsig.keyname, algorithm: tsig.algorithm });
const root = publicParts('pki/root');
stack.resource('pki:TrustAnchor', 'root', { certificate: root.certificate, fingerprint: root.fingerprint });

// The value itself goes to the one call that needs it; it is recorded before it is there, and wiped when the call is done.
const accepted = await withSecret(vault, 'dns/rfc2136_tsig_secret#secret', (secret) => secret.useText(updateZone), { purpose: 'platform program: zone update' });
stack.resource('dns:Zone', 'example.internal', { updatedWith: tsig.keyname, accepted });

process.stdout.write(`${JSON.stringify(stack.resources, null, 2)}\n`);

function publicParts(name) {
  const version = newestVersion(vault.state.secrets.versions.get(name) ?? []);
  if (!version) throw new Error(`${name} is not sealed yet: oxp-vault seal`);
  return version.statement.public;
}

/** Stands for what would send a signed update to the name server. */
function updateZone(key) {
  return Buffer.from(key, 'base64').length === 32;
}
