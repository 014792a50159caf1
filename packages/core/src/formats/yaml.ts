import { utf8 } from '../primitives/hash.js';
import type { OutputFormat } from './format.js';
import { valueDocument } from './value-document.js';

export const yaml: OutputFormat = {
  name: 'yaml',
  summary: 'one YAML mapping, the same as json',
  async render(secrets) {
    const { yamlText } = await import('./yaml-text.js');
    const text = yamlText(await valueDocument(secrets));
    return { type: 'bytes', bytes: utf8(text), fileName: 'secrets.yaml' };
  },
};
