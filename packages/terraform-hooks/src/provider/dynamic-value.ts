/** How values travel (the protocol's "object wire format"): msgpack, or JSON where nothing is unknown. */
import { decode, encode, ExtData, ExtensionCodec } from '@msgpack/msgpack';

/** A value that Terraform will know only later. */
export const UNKNOWN = Symbol('unknown');

export type Value = null | string | number | bigint | boolean | typeof UNKNOWN | readonly Value[] | { readonly [key: string]: Value };
export type Values = Readonly<Record<string, Value>>;

/** As it stands in a message. */
export interface WireValue {
  readonly msgpack?: Uint8Array;
  readonly json?: Uint8Array;
}

/** Whatever its type and body, an extension means that the value is not known: type 0 says no more, type 12 what is known of it. */
class UnknownCodec extends ExtensionCodec {
  override decode(): unknown {
    return UNKNOWN;
  }

  override tryToEncode(value: unknown): ExtData | null {
    return value === UNKNOWN ? new ExtData(0, Uint8Array.of(0)) : null;
  }
}

const extensionCodec = new UnknownCodec();

/** Null where a whole object is absent, as the state of a resource that does not exist yet. */
export function decodeValue({ msgpack, json }: WireValue): Value {
  if (msgpack !== undefined && msgpack.length > 0) return decode(msgpack, { extensionCodec }) as Value;
  if (json !== undefined && json.length > 0) return JSON.parse(new TextDecoder().decode(json)) as Value;
  return null;
}

export function encodeValue(value: Value): WireValue {
  return { msgpack: encode(value, { extensionCodec }) };
}
