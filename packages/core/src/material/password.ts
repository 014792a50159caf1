import * as v from 'valibot';
import { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';
import { attempt, result, samePublic } from './checks.js';
import { FILE, oneLine, sizeWords } from './fields.js';
import { kindHead } from './kinds.js';
import type { Material, MaterialKind } from './material.js';
import { integer, oneOf, parseParameters } from './parameters.js';
import { randomText } from './random-text.js';
import { count } from '../primitives/count.js';

const Parameters = v.strictObject({
  length: v.optional(integer(12, 1024), 24),
  alphabet: v.optional(oneOf(['unambiguous', 'alphanumeric', 'hex', 'symbols']), 'unambiguous'),
});

const parse = (raw: JsonObject) => parseParameters('password', Parameters, raw);

/** The file is the password alone, UTF-8, without a line break. Public: its size in bytes. */
export const password: MaterialKind = {
  ...kindHead('password'),
  parameters: parse,
  describe: (parameters) => `password, ${count(parse(parameters).length, 'character')}`,
  generate: async (parameters) => {
    const parsed = parse(parameters);
    return make(randomText(parsed.length, parsed.alphabet), parsed);
  },
  import: async (bytes, parameters) => make(oneLine('password', bytes), parse(parameters)),
  fields: { password: FILE },
  check: (material) => attempt('is one line of text', () => {
    const text = material.file.use((bytes) => oneLine('password', bytes));
    return [result('is one line of text', true), samePublic(material.public, make(text, {}).public)];
  }),
  facts: sizeWords,
  rotation: () => ({ how: 'generate', words: 'change it wherever it is used' }),
};

function make(text: string, parameters: Material['parameters']): Material {
  const file = Secret.fromText(text);
  return { kind: 'password', file, parameters, public: { size: file.length } };
}
