import { utf8 } from '../primitives/hash.js';
import { type OutputFormat } from './format.js';
import { valueDocument } from './value-document.js';

export const json: OutputFormat = {
  name: 'json',
  summary: 'one JSON object: name -> text, or {"base64": ...} for what is not UTF-8',
  async render(secrets) {
    const text = `${JSON.stringify(await valueDocument(secrets), null, 2)}\n`;
    return { type: 'bytes', bytes: utf8(text), fileName: 'secrets.json' };
  },
};
