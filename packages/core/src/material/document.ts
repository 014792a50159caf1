import * as v from 'valibot';
import { Secret } from '../secret.js';
import { result, samePublic } from './checks.js';
import { badMaterial, FILE, sizeWords } from './fields.js';
import { kindHead } from './kinds.js';
import type { MaterialKind } from './material.js';
import { parseParameters } from './parameters.js';

const Parameters = v.strictObject({});

/** Any bytes, kept exactly. Public: their number. */
export const document: MaterialKind = {
  ...kindHead('document'),
  parameters: (raw) => parseParameters('document', Parameters, raw),
  describe: () => 'document',
  import: async (bytes, parameters) => {
    if (bytes.length === 0) throw badMaterial('document', 'is empty');
    return { kind: 'document', file: Secret.take(bytes.slice()), parameters: parseParameters('document', Parameters, parameters), public: { size: bytes.length } };
  },
  fields: { content: FILE },
  check: async (material) => [result('is not empty', material.file.length > 0), samePublic(material.public, { size: material.file.length })],
  facts: sizeWords,
  rotation: () => ({ how: 'by-hand', words: 'make a new one where it came from, then seal it' }),
};
