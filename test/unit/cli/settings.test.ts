import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../packages/cli/src/sealing/settings.js';

describe('--set', () => {
  it('takes text, numbers, lists and parts of a map', () => {
    const list = ['years=10', 'algorithm=rsa-4096', 'permit=["example.internal"]', 'subject.CN=Example = Root', 'subject.O=Example', 'on=true', 'empty='];
    expect(parseSettings(list)).toEqual({ years: 10, algorithm: 'rsa-4096', permit: ['example.internal'], subject: { CN: 'Example = Root', O: 'Example' }, on: true, empty: '' });
  });

  it('takes what only begins like JSON as text', () => {
    expect(parseSettings(['a=10 years', 'b=2001:db8::', 'c=[x', 'd=007'])).toEqual({ a: '10 years', b: '2001:db8::', c: '[x', d: '007' });
  });

  it.each([[['years']], [['=1']], [['a.b.c=1']], [['a=1', 'a=2']], [['a=1', 'a.b=2']], [['a.b=1', 'a.b=2']]])('refuses %j', (list) => {
    expect(() => parseSettings(list)).toThrowError(expect.objectContaining({ code: 'USAGE' }));
  });

  it('does not repeat a value, which may be a secret that was typed by mistake', () => {
    expect(() => parseSettings(['hunter2hunter2'])).toThrowError(expect.not.objectContaining({ message: expect.stringContaining('hunter2') as string }));
  });

  it('makes no object with another prototype', () => {
    const settings = parseSettings(['__proto__=1', 'constructor.x=1'].slice(1));
    expect(Object.getPrototypeOf(settings)).toBe(Object.prototype);
    expect(() => parseSettings(['__proto__=1'])).toThrowError(expect.objectContaining({ code: 'USAGE' }));
  });
});
