import { type ErrorCode, VaultError } from '../errors.js';
import type { YamlFile } from '../primitives/yaml.js';

/** The error for the part of a bootstrap file at `path`: where it stands, the secret and its field, what is wrong. */
export type FailAt = (code: ErrorCode, path: readonly string[], fault: string, options?: { hint?: string | undefined; nameless?: boolean }) => VaultError;

export function failIn(yaml: YamlFile): FailAt {
  return (code, path, fault, options = {}) => {
    const [, secret, ...field] = path;
    const words = [secret === undefined || options.nameless === true ? '' : secret, field.join('.'), fault].filter((part) => part !== '');
    return new VaultError(code, `${yaml.place(path)}: ${words.join(': ')}`, options.hint === undefined ? {} : { hint: options.hint });
  };
}
