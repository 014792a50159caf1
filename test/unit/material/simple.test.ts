import { describe, expect, it } from 'vitest';
import { document } from '../../../packages/core/src/material/document.js';
import { password } from '../../../packages/core/src/material/password.js';
import { expectBound, failures, generate, read, refused, Secret, take, textOf } from './helpers.js';

describe('password', () => {
  it('has 24 characters that nobody confuses', async () => {
    const made = await generate(password);
    expect(textOf(made)).toMatch(/^[A-HJ-NP-Za-hj-km-np-z2-9]{24}$/);
    expect(made.public).toEqual({ size: 24 });
    expect(made.parameters).toEqual({ length: 24, alphabet: 'unambiguous' });
    expect(read(password, made, 'password')).toBe(textOf(made));
    expect(textOf(await generate(password))).not.toBe(textOf(made));
    await expectBound(password, made, await generate(password, { length: 25 }));
  });

  it('uses every character of its alphabet about as often', async () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 60; i++) for (const c of textOf(await generate(password, { length: 1000, alphabet: 'hex' }))) counts.set(c, (counts.get(c) ?? 0) + 1);
    expect(counts.size).toBe(16);
    // Chi-squared with 15 degrees of freedom; an honest source goes beyond 60 once in some three million runs.
    const expected = 60_000 / 16;
    expect([...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)).toBeLessThan(60);
  });

  it.each([
    ['alphanumeric', /^[A-Za-z0-9]{500}$/],
    ['hex', /^[0-9a-f]{500}$/],
    ['symbols', /^[^\s"'`$\\]{500}$/],
  ])('knows the alphabet %s', async (alphabet, pattern) => {
    expect(textOf(await generate(password, { length: 500, alphabet }))).toMatch(pattern);
  });

  it.each([[{ length: 11 }], [{ length: 1025 }], [{ length: '24' }], [{ alphabet: 'abc' }], [{ value: 'hunter2' }]])('refuses %o', async (parameters) => {
    await refused('BAD_VALUE', () => password.parameters(parameters), 'hunter2');
  });

  it('takes off one line break and nothing else', async () => {
    expect(textOf(await take(password, ' pass word \n'))).toBe(' pass word ');
    expect(textOf(await take(password, 'x\r\n'))).toBe('x');
    for (const value of ['', '\n', 'a\n\n', 'a\nb', 'a\0b', '\uFEFFa', new Uint8Array([0xc3, 0x28])]) await refused('BAD_MATERIAL', () => take(password, value));
  });

  it('is checked', async () => {
    expect(await failures(password, { ...(await generate(password)), file: Secret.fromText('a\nb') })).not.toEqual([]);
  });
});

describe('document', () => {
  it('keeps any bytes', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const kept = await take(document, bytes);
    expect(kept.file.use((file) => [...file])).toEqual([...bytes]);
    expect(kept.public).toEqual({ size: 256 });
    expect(kept.file.use((file) => file)).not.toBe(bytes);
    await expectBound(document, kept, await take(document, 'x'));
  });

  it('refuses nothing at all, and cannot be made', async () => {
    await refused('BAD_MATERIAL', () => take(document, ''));
    expect(document.generate).toBeUndefined();
    expect(document.rotation({}, {}).how).toBe('by-hand');
  });
});
