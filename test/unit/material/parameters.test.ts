import { expect, it } from 'vitest';
import { ParameterError, materialKind } from '../../../packages/core/src/material/index.js';
import { refused } from './helpers.js';

const fault = async (kind: string, parameters: Record<string, never> | object): Promise<ParameterError> => {
  const { parameters: check } = await materialKind(kind);
  const error = await refused('BAD_VALUE', () => check(parameters as never), 'hunter2');
  expect(error).toBeInstanceOf(ParameterError);
  return error as ParameterError;
};

it.each([
  ['password', { length: 'hunter2' }, 'length', 'expected an integer from 12 to 1024', undefined],
  ['password', { alphabet: ['hunter2'] }, 'alphabet', 'expected one of unambiguous, alphanumeric, hex, symbols', undefined],
  ['password', { lenght: 24 }, 'lenght', 'no such parameter', 'parameters: length, alphabet'],
  ['document', { size: 24 }, 'size', 'no such parameter', 'this kind takes no parameters'],
  ['password', { Password: 'hunter2' }, 'Password', 'no such parameter', 'a value is never written down here: use import: { env | file | stdin }'],
  ['pki-root', { subject: { O: 'hunter2' } }, 'subject.CN', 'is missing', undefined],
  ['pki-root', { subject: { CN: 'x', DC: 'hunter2' } }, 'subject.DC', 'no such parameter', undefined],
  ['pki-root', { subject: 'hunter2' }, 'subject', 'expected Object', undefined],
  ['tsig', { key: 5 }, 'key', 'expected string', undefined],
])('of %s, %o: names the field and never the value', async (kind, parameters, field, words, hint) => {
  expect(await fault(kind, parameters)).toMatchObject({ field, fault: words, message: `${kind}: ${field}: ${words}`, hint });
});
