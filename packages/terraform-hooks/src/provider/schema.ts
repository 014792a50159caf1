/** What a block takes and gives, and how Terraform is told. */
import { VaultError } from '@oxp-vault/core';
import { UNKNOWN, decodeValue, type Value, type Values, type WireValue } from './dynamic-value.js';

/** A type constraint in the JSON form of cty. */
export type Type = 'string' | 'number' | 'bool' | 'dynamic' | readonly ['list' | 'set' | 'map', Type];

export interface Attribute {
  readonly type: Type;
  readonly description: string;
  /** `optional computed`: the person's word, else ours. */
  readonly use: 'required' | 'optional' | 'computed' | 'optional computed';
  readonly sensitive?: boolean;
  /** Only for managed resources: in the configuration, and nowhere else. */
  readonly writeOnly?: boolean;
}

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Block {
  readonly description: string;
  readonly attributes: Attributes;
}

/** As a Schema message. */
export function wireSchema({ description, attributes }: Block): object {
  return { version: 0, block: { version: 0, description, attributes: Object.entries(attributes).map(([name, attribute]) => wireAttribute(name, attribute)) } };
}

function wireAttribute(name: string, { type, description, use, sensitive = false, writeOnly = false }: Attribute): object {
  return {
    name,
    type: Buffer.from(JSON.stringify(type)),
    description,
    required: use === 'required',
    optional: use.startsWith('optional'),
    computed: use.endsWith('computed'),
    sensitive,
    writeOnly,
  };
}

/** A block as a person wrote it. Terraform has checked its types against the schema. */
export class Config {
  readonly #values: Values;

  constructor(values: Values) {
    this.#values = values;
  }

  static read(value: WireValue): Config {
    const values = decodeValue(value);
    return new Config(values !== null && typeof values === 'object' && !Array.isArray(values) ? (values as Values) : {});
  }

  get(name: string): Value {
    return this.#values[name] ?? null;
  }

  /** Undefined where nothing is said. Throws UNSUPPORTED for what is not known yet. */
  text(name: string): string | undefined {
    const value = this.#known(name);
    return value === null ? undefined : String(value);
  }

  /** A whole number from 1. Undefined where nothing is said. Throws BAD_VALUE, and UNSUPPORTED for what is not known yet. */
  count(name: string): number | undefined {
    const value = this.#known(name);
    if (value === null) return undefined;
    // Numbers may come as decimal text.
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < 1) throw new AttributeFault(name, new VaultError('BAD_VALUE', `${name} is no whole number from 1`));
    return number;
  }

  isKnown(name: string): boolean {
    return this.get(name) !== UNKNOWN;
  }

  #known(name: string): Exclude<Value, symbol | object> | null {
    const value = this.get(name);
    if (value === UNKNOWN) {
      throw new AttributeFault(name, new VaultError('UNSUPPORTED', `${name} is not known before the apply`, { hint: 'Give it as a constant, a variable, or what a data source gives.' }));
    }
    return value as Exclude<Value, symbol | object> | null;
  }
}

/** A fault of one attribute: Terraform then shows its line. */
export class AttributeFault extends Error {
  override readonly name = 'AttributeFault';
  readonly attribute: string;
  readonly fault: VaultError;

  constructor(attribute: string, fault: VaultError) {
    super(fault.message, { cause: fault });
    this.attribute = attribute;
    this.fault = fault;
  }
}
