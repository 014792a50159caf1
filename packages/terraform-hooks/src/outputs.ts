/** What `terraform output -json` and `tofu output -json` print: every output of the root module, sensitive ones included. */
import * as v from 'valibot';

const Outputs = v.record(v.string(), v.looseObject({ value: v.unknown() }));

/** By its name. Values are whatever JSON there was. */
export type TerraformOutputs = ReadonlyMap<string, unknown>;

/** Undefined for what is no such document. */
export function parseOutputs(text: string): TerraformOutputs | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return undefined; // the parser's own message quotes the text
  }
  const parsed = v.safeParse(Outputs, raw);
  // A list is a record of its places to valibot.
  return parsed.success && !Array.isArray(raw) ? new Map(Object.entries(parsed.output).map(([name, { value }]) => [name, value])) : undefined;
}

/** A text as it is, everything else as JSON; undefined where there is no such output, or none that has a value. */
export function outputValue(outputs: TerraformOutputs, name: string): Uint8Array | undefined {
  const value = outputs.get(name);
  if (value === undefined || value === null) return undefined;
  return new TextEncoder().encode(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`);
}
