/** `--set key=value`: parameters of a kind, as in bootstrap.yaml. Never a secret: argv is for everybody to see. */
import { type Json, type JsonObject, VaultError } from '@oxp-vault/core';

type Settings = { [key: string]: Json | Settings };

const KEY = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)?$/;

/** `years=10`, `permit=["example.internal"]`, `subject.CN=Example Root`. Throws USAGE; the value is not repeated. */
export function parseSettings(list: readonly string[]): JsonObject {
  const settings: Settings = {};
  for (const item of list) {
    const at = item.indexOf('=');
    const key = item.slice(0, Math.max(at, 0));
    if (!KEY.test(key)) throw new VaultError('USAGE', '--set takes key=value', { hint: 'Such as --set years=10, or --set subject.CN="Example Root".' });
    const [first = '', second] = key.split('.');
    const value = readValue(item.slice(at + 1));
    if (second === undefined) put(settings, first, value, key);
    else {
      const inner = Object.hasOwn(settings, first) ? settings[first] : (settings[first] = {});
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) throw twice(key);
      put(inner as Settings, second, value, key);
    }
  }
  return settings;
}

function put(into: Settings, key: string, value: Json, label: string): void {
  if (Object.hasOwn(into, key)) throw twice(label);
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

function twice(key: string): VaultError {
  return new VaultError('USAGE', `--set gives ${key} twice`);
}

/** Numbers, true, false, lists and objects as JSON; everything else is text as it stands. */
function readValue(text: string): Json {
  if (!/^(-?\d|true$|false$|\[|\{|")/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    // "10 years", "2001:db8::": text that only begins like JSON.
    return text;
  }
}
