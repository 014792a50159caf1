import type { KeyPath } from '../primitives/yaml.js';

/** `roles.infra.members[1]`; keys that are no plain words in quotes, so that they can be shown. */
export function keyPath(path: KeyPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const text = /^[\w.-]{1,64}$/.test(step) ? step : JSON.stringify(step.slice(0, 64)).replace(/[^\x20-\x7e]/g, '?');
      return i === 0 ? text : `.${text}`;
    })
    .join('');
}
