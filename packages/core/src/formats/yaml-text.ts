/** YAML that readers of version 1.1 (PyYAML, so Ansible) and 1.2 (kubectl, scw) understand alike. */
import { Document, Scalar, visit } from 'yaml';

/** Characters that some reader takes for a line break, or refuses, when they stand unescaped. */
const DELICATE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
/**
 * A block literal holds text as it is, so nothing in it may need an escape; CR LF would be read back as LF; and a line of spaces
 * alone is lost in the indentation.
 */
const NOT_IN_BLOCK = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|^[ \t]+$/m;

/**
 * Plain objects, strings, numbers and booleans as one YAML document. Strings are quoted, so that none turns into a boolean,
 * number or date; multi-line ones become block literals where that keeps every byte. Keys are quoted where version 1.1 needs it.
 */
export function yamlText(value: object): string {
  const document = new Document(value, { schema: 'yaml-1.1', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.type = node.value.includes('\n') && !NOT_IN_BLOCK.test(node.value) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
    },
  });
  // Such characters stand in double quotes only: block literals have none, keys are ASCII.
  return document
    .toString({ lineWidth: 0 })
    .replace(DELICATE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
