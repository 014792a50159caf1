import { parse, YAMLParseError } from 'yaml';

/** What YAML says, whatever it is. Throws what `fault` makes of the line where it is no YAML. */
export function yamlValue(text: string, fault: (line: number) => Error): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    if (error instanceof YAMLParseError) throw fault(error.linePos?.[0].line ?? 1);
    throw error;
  }
}
