/**
 * Values as SOPS, a Go program, holds them: which type a scalar has, and the bytes that its MAC takes of it (sops.go, ToBytes).
 * Whatever is read differently here than there makes a MAC that does not match: a refusal, never a wrong value.
 */
import { utf8 } from '../../primitives/hash.js';
import { badSops, type GoValue } from './model.js';

export function goString(text: string): GoValue {
  return { type: 'str', text, bytes: utf8(text) };
}

/** A decrypted value by the type that stands beside it. Throws BAD_MATERIAL where the two do not fit. */
export function goTyped(type: string, bytes: Uint8Array): GoValue {
  if (type === 'str' || type === 'bytes') return { type: 'str', text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), bytes };
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const value = type === 'int' ? goInt(text) : type === 'float' ? goFloat(text) : type === 'bool' ? goBool(text) : type === 'time' ? goTime(text) : undefined;
  if (!value) throw badSops('holds a value that is not of the type that stands beside it');
  return value;
}

/** A plain scalar of YAML as go-yaml v3 resolves it; undefined for null. */
export function yamlPlain(text: string): GoValue | undefined {
  if (/^(~|null|Null|NULL|)$/.test(text)) return undefined;
  if (/^[+]?\.(inf|Inf|INF)$/.test(text)) return floatValue(Infinity);
  if (/^-\.(inf|Inf|INF)$/.test(text)) return floatValue(-Infinity);
  if (/^\.(nan|NaN|NAN)$/.test(text)) return floatValue(NaN);
  if (!/^[-+.0-9]/.test(text)) return goBool(text) ?? goString(text);
  const digits = text.replaceAll('_', '');
  return goTime(text) ?? based(digits) ?? goFloat(digits, YAML_FLOAT) ?? goString(text);
}

/** A literal of JSON: number, true, false; undefined for null. */
export function jsonPlain(text: string): GoValue | undefined {
  if (text === 'null') return undefined;
  return goBool(text) ?? goInt(text) ?? goFloat(text) ?? goString(text);
}

const YAML_FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const FLOAT = /^([-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?Inf|NaN)$/;
const MAX_INT = 2n ** 63n;

function goBool(text: string): GoValue | undefined {
  return /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? boolValue(/^t/i.test(text)) : undefined;
}

function boolValue(value: boolean): GoValue {
  return { type: 'bool', text: String(value), bytes: utf8(value ? 'True' : 'False') };
}

function goInt(text: string): GoValue | undefined {
  return /^[-+]?[0-9]+$/.test(text) ? intValue(BigInt(text.replace(/^\+/, ''))) : undefined;
}

/** strconv.ParseInt with base 0: 0x, 0o, 0b, and a leading 0 for octal. */
function based(text: string): GoValue | undefined {
  const [, sign = '', digits = ''] = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)$/.exec(text) ?? [];
  if (digits === '') return undefined;
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return intValue(sign === '-' ? -size : size);
}

function intValue(value: bigint): GoValue | undefined {
  if (value >= MAX_INT || value < -MAX_INT) return undefined;
  return { type: 'int', text: String(value), bytes: utf8(String(value)) };
}

function goFloat(text: string, form = FLOAT): GoValue | undefined {
  return form.test(text) ? floatValue(Number(text.replace(/Inf$/, 'Infinity'))) : undefined;
}

function floatValue(value: number): GoValue {
  const text = Number.isFinite(value) ? (Object.is(value, -0) ? '-0' : String(value)) : Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  return { type: 'float', text, bytes: utf8(formatFloat(value)) };
}

/** strconv.FormatFloat(value, 'f', -1, 64): the shortest digits that read back as the same number, never an exponent. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '', exponent = '0'] = String(Math.abs(value)).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const TIME = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?(Z|[-+]\d{2}:\d{2}))|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?))?$/;

/** The forms of time that go-yaml takes, as RFC 3339 with no more digits than needed. */
function goTime(text: string): GoValue | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const [, year = '', month = '', day = '', h, m, s, f, zone, h2, m2, s2, f2] = match;
  const two = (part = '0'): string => part.padStart(2, '0');
  const fraction = (f ?? f2 ?? '').replace(/0+$/, '');
  const time = `${year}-${two(month)}-${two(day)}T${two(h ?? h2)}:${two(m ?? m2)}:${two(s ?? s2)}${fraction === '' ? '' : `.${fraction}`}${zone === undefined || /^[-+]00:00$/.test(zone) ? 'Z' : zone}`;
  // What is no date (the 31st of February) stays text.
  const [date = ''] = time.split('T');
  const read = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(read) || new Date(read).toISOString().slice(0, 10) !== date || Number.isNaN(Date.parse(time))) return undefined;
  return { type: 'time', text: time, bytes: utf8(time) };
}
