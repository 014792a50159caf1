import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { generateSigningKey } from '../../../packages/core/src/primitives/ed25519.js';
import { toHex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import {
  decodeVerifierKey,
  encodeVerifierKey,
  formatNote,
  noteKeyHash,
  parseNote,
  signNote,
  verifyNote,
  type NoteSignature,
} from '../../../packages/core/src/primitives/signed-note.js';

const bad = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    if (isVaultError(error, 'BAD_CHECKPOINT')) return error.message;
    throw error;
  }
  throw new Error('accepted');
};

/** The example of the specification. */
const vkey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const example = 'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const line = example.slice(example.indexOf('—'));

describe('the example of the specification', () => {
  const key = decodeVerifierKey(vkey);

  it('verifies', () => {
    const note = parseNote(utf8(example));
    expect(note.text).toBe('This is an example message.\n');
    expect(verifyNote(note, key.name, key.publicKey)).toBe(true);
    expect(new TextDecoder().decode(formatNote(note.text, note.signatures))).toBe(example);
  });

  it('does not verify with another text, name or key', () => {
    const note = parseNote(utf8(example));
    expect(verifyNote({ ...note, text: 'This is an example massage.\n' }, key.name, key.publicKey)).toBe(false);
    expect(verifyNote(note, 'example.com/bar', key.publicKey)).toBe(false);
    expect(verifyNote(note, key.name, generateSigningKey().publicKey)).toBe(false);
    const renamed = parseNote(utf8(example.replace('example.com/foo', 'example.com/bar')));
    expect(verifyNote(renamed, 'example.com/bar', key.publicKey)).toBe(false);
    expect(verifyNote(renamed, key.name, key.publicKey)).toBe(false);
  });

  it('has the key id of its name and key', () => {
    expect(toHex(noteKeyHash(key.name, key.type, key.publicKey))).toBe('530d903a');
    expect(encodeVerifierKey(key)).toBe(vkey);
  });
});

describe('signNote', () => {
  it('signs what verifies, next to signatures of keys nobody knows', () => {
    const signer = generateSigningKey();
    const signed = parseNote(signNote('a\n\nb\n', 'log/alice/laptop', signer));
    const unknown: NoteSignature[] = Array.from({ length: 20 }, (_, i) => ({
      name: i % 2 === 0 ? 'log/alice/laptop' : `witness.example/${i}`,
      keyId: Uint8Array.of(i, 0, 0, 1),
      signature: new Uint8Array(i === 3 ? 5000 : 72),
    }));
    const note = parseNote(formatNote(signed.text, [...unknown, ...signed.signatures]));
    expect(note.text).toBe('a\n\nb\n');
    expect(note.signatures).toHaveLength(21);
    expect(verifyNote(note, 'log/alice/laptop', signer.publicKey)).toBe(true);
  });

  it('rejects the note when one signature of a known key fails, wherever it stands', () => {
    const signer = generateSigningKey();
    const note = parseNote(signNote('text\n', 'k', signer));
    const forged = note.signatures.map((s) => ({ ...s, signature: s.signature.map((b, i) => (i === 9 ? b ^ 1 : b)) }));
    expect(verifyNote({ ...note, signatures: [...note.signatures, ...forged] }, 'k', signer.publicKey)).toBe(false);
    expect(verifyNote({ ...note, signatures: [...forged, ...note.signatures] }, 'k', signer.publicKey)).toBe(false);
    expect(verifyNote({ ...note, signatures: [] }, 'k', signer.publicKey)).toBe(false);
  });
});

describe('parseNote refuses', () => {
  it.each([
    ['no signature', 'text\n'],
    ['no signature after the blank line', 'text\n\n'],
    ['text without a newline before the blank line', `text${line}`],
    ['no final newline', example.slice(0, -1)],
    ['a hyphen for the dash', example.replace('—', '-')],
    ['two spaces', example.replace('— ', '—  ')],
    ['a third field', example.replace(/\n$/, ' x\n')],
    ['an empty key name', example.replace('example.com/foo', '')],
    ['a plus sign in the key name', example.replace('example.com/foo', 'a+b')],
    ['a Unicode space in the key name', example.replace('example.com/foo', 'a\u00a0b')],
    ['base64 that is not canonical', example.replace('aQM=', 'aQN=')],
    ['base64 without padding', example.replace('aQM=', 'aQM')],
    ['a key id without a signature', `text\n\n— k AAAAAA==\n`],
    ['a carriage return', example.replace('message.\n', 'message.\r\n')],
    ['a tab', example.replace('This ', 'This\t')],
    ['a trailing blank line', `${example}\n`],
    ['more than 100 signatures', `text\n\n${line.repeat(101)}`],
    ['more than 1 MiB', `${'x'.repeat(1 << 20)}\n\n${line}`],
  ])('%s', (_, text) => {
    expect(text).not.toBe(example);
    expect(bad(() => parseNote(utf8(text)))).not.toBe('');
  });

  it('invalid UTF-8', () => {
    expect(bad(() => parseNote(Uint8Array.from([0xff, ...utf8(example)])))).toContain('UTF-8');
  });
});

describe('formatNote refuses', () => {
  const signature: NoteSignature = { name: 'k', keyId: new Uint8Array(4), signature: new Uint8Array(64) };
  it.each<[string, string, NoteSignature[]]>([
    ['text without a final newline', 'text', [signature]],
    ['control characters', 'te\0xt\n', [signature]],
    ['no signature', 'text\n', []],
    ['a key name with a space', 'text\n', [{ ...signature, name: 'a b' }]],
    ['a key name with a newline', 'text\n', [{ ...signature, name: 'a\nb' }]],
  ])('%s', (_, text, signatures) => {
    expect(bad(() => formatNote(text, signatures))).not.toBe('');
  });
});

describe('decodeVerifierKey refuses', () => {
  it.each([
    ['an id that is not its own', vkey.replace('530d903a', '530d903b')],
    ['another name', vkey.replace('foo', 'bar')],
    ['an upper-case id', vkey.replace('530d903a', '530D903A')],
    ['a missing part', 'example.com/foo+530d903a'],
    ['bad base64', `${vkey}=`],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(bad(() => decodeVerifierKey(text))).not.toBe('');
  });

  it('but not plus signs in the base64', () => {
    const publicKey = new Uint8Array(32).fill(0xfb);
    const text = encodeVerifierKey({ name: 'k', type: 1, publicKey });
    expect(text.split('+').length).toBeGreaterThan(3);
    expect(decodeVerifierKey(text)).toEqual({ name: 'k', type: 1, publicKey });
  });
});
