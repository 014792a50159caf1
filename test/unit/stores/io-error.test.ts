import { expect, it } from 'vitest';
import { storeError } from '../../../packages/core/src/stores/io-error.js';

const denied = Object.assign(new Error('canary'), { code: 'EACCES' });

it.each([
  ['cannot write', /may write there/],
  ['cannot make the directory of', /may write there/],
  ['cannot read', /may read it/],
  ['cannot list', /may read it/],
])('%s, for want of permission: the hint is about that', (doing, hint) => {
  const { code, message, hint: given } = storeError(denied, doing, '/srv/vault/log');
  expect([code, message, given]).toEqual(['STORE_IO', `${doing} /srv/vault/log: EACCES`, expect.stringMatching(hint)]);
});
