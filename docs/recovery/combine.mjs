#!/usr/bin/env node
// Shares of a secret under custody, back into the age identity that opens it: node combine.mjs STATEMENT.json SHARE… > identity.txt
// It needs Node and nothing else. How to get the statement and the shares, and what then: README.md beside it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [statementFile, ...shareFiles] = process.argv.slice(2);
const { name, version, custody } = JSON.parse(readFileSync(statementFile, 'utf8'));
const fail = (why) => { process.stderr.write(`combine: ${why}\n`); process.exit(1); };

// Arithmetic in GF(2^8), polynomial 0x11b. A share of Shamir's ends in its x; the secret is the value at 0.
const times = (a, b) => { let product = 0; for (; b; b >>= 1, a = (a << 1) ^ (a & 0x80 ? 0x11b : 0)) if (b & 1) product ^= a; return product; };
const inverse = (a) => { let power = 1; for (let i = 0; i < 254; i++) power = times(power, a); return power; };
const weight = (xs, i) => xs.reduce((w, x, j) => (j === i ? w : times(w, times(x, inverse(x ^ xs[i])))), 1);
const shamir = (parts) => parts[0].subarray(0, -1).map((_, k) => parts.reduce((sum, part, i) => sum ^ times(part[k], weight(parts.map((p) => p.at(-1)), i)), 0));
const xor = (parts) => parts[0].map((_, k) => parts.reduce((sum, part) => sum ^ part[k], 0));

// Each share is one line, and must match the commitment that was signed when it was dealt.
const shares = new Map();
for (const file of shareFiles) {
  const [word, vault, secret, number, path, base64] = readFileSync(file, 'utf8').trimEnd().split(' ');
  const leaf = custody.leaves.find((each) => each.path === path);
  if (word !== 'oxp-share/v1' || secret !== name || number !== String(version) || !leaf) fail(`${file} is no share of ${name} version ${version}`);
  const share = Buffer.from(base64, 'base64');
  const hash = createHash('sha256').update('oxp-vault/share/v1\0');
  for (const part of [vault, secret, number, path, share].map((each) => Buffer.from(each))) hash.update(Buffer.from([0, 0, part.length >> 8, part.length & 255])).update(part);
  if (hash.digest('hex') !== leaf.commitment) fail(`the share of ${leaf.person} (${file}) is not the one that was dealt`);
  shares.set(path, Uint8Array.from(share));
}

// A node needs `need` of its children: all by XOR, one as it is, else Shamir. What a nested node gives is a share of its parent.
const join = ({ need, of }, prefix) => {
  const parts = of.map((child, i) => (typeof child === 'string' ? shares.get(prefix + i) : join(child, `${prefix}${i}.`))).filter(Boolean).slice(0, need);
  if (parts.length < need) return undefined;
  return need === 1 ? parts[0] : (need === of.length ? xor : shamir)(parts);
};
const secret = join(custody.tree, '') ?? fail(`${shares.size} shares are not enough for ${JSON.stringify(custody.tree)}`);

// Bech32 of the 32 bytes, as age writes identities.
const prefix = custody.recipient.startsWith('age1pq1') ? 'age-secret-key-pq-' : 'age-secret-key-';
const checksum = (values) => values.reduce((c, v) => [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].reduce((r, g, i) => ((c >> (25 + i)) & 1 ? r ^ g : r), ((c & 0x1ffffff) << 5) ^ v), 1);
const words = [...secret].map((byte) => byte.toString(2).padStart(8, '0')).join('').padEnd(260, '0').match(/.{5}/g).map((bits) => parseInt(bits, 2));
const codes = [...prefix].map((c) => c.charCodeAt(0));
const sum = checksum([...codes.map((c) => c >> 5), 0, ...codes.map((c) => c & 31), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
const digits = [...words, ...[25, 20, 15, 10, 5, 0].map((shift) => (sum >> shift) & 31)];
process.stdout.write(`${prefix}1${digits.map((d) => 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'[d]).join('')}\n`.toUpperCase());
