/** YAML, for an oxp-vault.yaml that is more than the two lines of address.ts. Loaded only then: the parser takes its time. */
import { parse, YAMLParseError } from 'yaml';

/** The value of the document, or the line that is no YAML. */
export function parseConfigYaml(text: string): { readonly value: unknown } | { readonly badLine: number } {
  try {
    return { value: parse(text) as unknown };
  } catch (error) {
    if (error instanceof YAMLParseError) return { badLine: error.linePos?.[0].line ?? 1 };
    throw error;
  }
}
