import { describe, expect, it } from 'vitest';
import { defaultBootstrap, materialKind, MATERIAL_KINDS, parseBootstrap } from '../../../packages/core/src/material/index.js';
import { refused } from './helpers.js';

const FILE = 'bootstrap.yaml';
const parse = (text: string) => parseBootstrap(text, FILE);
const one = async (entry: string) => (await parse(`secrets:\n  a/b: ${entry}\n`)).secrets[0]!;

describe('a plan', () => {
  it('is read from what people write', async () => {
    const plan = await parse(`secrets:
  pki/issuing:             { kind: pki-intermediate, issuer: pki/root, subject: { CN: Example Issuing }, permit: [example.internal] }
  pki/root:                { kind: pki-root, subject: { CN: Example Root, O: Example } }
  ssh/bootstrap:           { kind: ssh-key, comment: bootstrap@example.internal }
  dns/rfc2136_tsig_secret: { kind: tsig, key: external-dns., algorithm: hmac-sha256 }
  scaleway/root:           { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  terraform/state:         { kind: state-key }
  kube/root:
    kind: kubeconfig
    import: { file: ~/kubeconfig.yaml }
  ansible/inventory:       { kind: ansible-inventory, import: { file: inventory.yml } }
  ci/token:                { kind: api-key, provider: generic, import: { env: CI_TOKEN } }
  docs/plan:               { kind: document, import: { stdin: true } }
`);
    expect(plan.secrets.map(({ name, line }) => `${line} ${name}`)).toEqual(['3 pki/root', '2 pki/issuing', '4 ssh/bootstrap', '5 dns/rfc2136_tsig_secret', '6 scaleway/root', '7 terraform/state', '8 kube/root', '11 ansible/inventory', '12 ci/token', '13 docs/plan']);
    const byName = Object.fromEntries(plan.secrets.map((secret) => [secret.name, secret]));
    expect(byName['pki/issuing']).toEqual({
      name: 'pki/issuing',
      kind: 'pki-intermediate',
      parameters: { issuer: 'pki/root', subject: { CN: 'Example Issuing' }, algorithm: 'ecdsa-p384', permit: ['example.internal'], years: 5, 'path-length': 0 },
      issuer: 'pki/root',
      line: 2,
    });
    expect(byName['scaleway/root']?.import).toEqual({ from: 'env', variables: { access: 'SCW_ACCESS_KEY', secret: 'SCW_SECRET_KEY' } });
    expect(byName['kube/root']?.import).toEqual({ from: 'file', path: '~/kubeconfig.yaml' });
    expect(byName['ci/token']).toMatchObject({ parameters: { provider: 'generic' }, import: { from: 'env', variable: 'CI_TOKEN' } });
    expect(byName['docs/plan']?.import).toEqual({ from: 'stdin' });
  });

  it.each(['secrets:\n', 'secrets: {}\n'])('may ask for nothing: %j', async (text) => {
    expect(await parse(text)).toEqual({ secrets: [] });
  });

  it('is the same whatever stands in comments', async () => {
    expect(await one('{ kind: password } # value: x')).toEqual({ name: 'a/b', kind: 'password', parameters: { length: 24, alphabet: 'unambiguous' }, line: 2 });
  });

  it('takes in a CA without asking for what its certificate says', async () => {
    expect(await one('{ kind: kubeconfig, import: { terraform: { dir: ../infra, output: kubeconfig } } }')).toMatchObject({ import: { from: 'terraform', directory: '../infra', output: 'kubeconfig' } });
    expect(await one('{ kind: kubeconfig, import: { terraform: { dir: ., output: kube-config, program: tofu } } }')).toMatchObject({ import: { from: 'terraform', directory: '.', output: 'kube-config', program: 'tofu' } });
    expect(await one('{ kind: pki-intermediate, import: { file: ca.pem } }')).toMatchObject({ kind: 'pki-intermediate', import: { from: 'file', path: 'ca.pem' } });
  });
});

describe('order', () => {
  const ca = (issuer: string): string => `{ kind: pki-intermediate, issuer: ${issuer}, subject: { CN: x } }`;
  const root = '{ kind: pki-root, subject: { CN: x } }';
  const order = async (entries: Record<string, string>): Promise<string[]> => (await parse(`secrets:\n${Object.entries(entries).map(([name, entry]) => `  ${name}: ${entry}\n`).join('')}`)).secrets.map(({ name }) => name);

  it('puts issuers first and changes nothing else', async () => {
    expect(await order({ p: '{ kind: password }', c: ca('b'), d: ca('r'), b: ca('r'), r: root, q: '{ kind: password }' })).toEqual(['p', 'r', 'b', 'c', 'd', 'q']);
  });

  it('leaves an issuer that is in the vault to the vault', async () => {
    expect(await order({ a: ca('pki/root') })).toEqual(['a']);
  });

  it('waits for no issuer of what is taken in', async () => {
    const taken = await one('{ kind: pki-intermediate, issuer: a/b, import: { file: ca.pem } }');
    expect(taken).not.toHaveProperty('issuer');
    expect(taken.parameters).toMatchObject({ issuer: 'a/b' });
    expect(await one('{ kind: password, import: { env: A } }')).not.toHaveProperty('issuer');
  });

  it('refuses circles', async () => {
    expect((await refused('BAD_VALUE', () => order({ a: ca('b'), b: ca('c'), c: ca('b') }))).message).toBe(`${FILE}, line 3: b: issuer: goes round in a circle: b is issued by c is issued by b`);
    await refused('BAD_VALUE', () => order({ a: ca('a') }));
  });

  it('refuses an issuer that is no CA', async () => {
    expect((await refused('BAD_VALUE', () => order({ a: ca('b'), b: '{ kind: password }' }))).message).toBe(`${FILE}, line 2: a: issuer: b is a password, not a CA`);
  });
});

describe('what is refused', () => {
  const cases: [string, string, string, RegExp][] = [
    ['broken YAML', 'BAD_YAML', 'secrets:\n  a: "hunter2\n', /^bootstrap\.yaml, line \d: a character is missing/],
    ['an empty file, which may be one cut short', 'BAD_YAML', '# nothing\n', /^bootstrap\.yaml, line 1: the file is empty$/],
    ['a list', 'BAD_YAML', '- hunter2\n', /^bootstrap\.yaml, line 1: expected a map/],
    ['a text', 'BAD_YAML', 'hunter2\n', /^bootstrap\.yaml, line 1: expected a map/],
    ['another key', 'BAD_YAML', 'secrets: {}\nreaders: hunter2\n', /^bootstrap\.yaml, line 2: there is a key beside secrets$/],
    ['a list of secrets', 'BAD_YAML', 'secrets:\n  - hunter2\n', /^bootstrap\.yaml, line 1: secrets is not a map/],
    ['two documents', 'BAD_YAML', 'secrets: {}\n---\nsecrets: {}\n', /^bootstrap\.yaml, line 2: a second document/],
    ['the same secret twice', 'BAD_YAML', 'secrets:\n  a: { kind: password }\n  a: { kind: tsig }\n', /^bootstrap\.yaml, line 3: the same key twice/],
    ['the same field twice', 'BAD_YAML', 'secrets:\n  a: { kind: password, kind: tsig }\n', /^bootstrap\.yaml, line 2: the same key twice/],
    ['an alias', 'BAD_YAML', 'secrets:\n  a: { kind: password }\n  b: *hunter2\n', /^bootstrap\.yaml, line 3: /],
    ['an anchor', 'BAD_YAML', 'secrets:\n  a: &hunter2 { kind: password }\n', /^bootstrap\.yaml, line 2: an anchor/],
    ['a tag', 'BAD_YAML', 'secrets:\n  a: !hunter2 { kind: password }\n', /^bootstrap\.yaml, line 2: a tag/],
    ['a secret that is a text', 'BAD_YAML', 'secrets:\n  app/a: hunter2\n', /^bootstrap\.yaml, line 2: app\/a: expected a map/],
    ['a bad name', 'BAD_NAME', 'secrets:\n  App/hunter2: { kind: password }\n', /^bootstrap\.yaml, line 2: this is no name/],
    ['a name that climbs', 'BAD_NAME', 'secrets:\n  a/../b: { kind: password }\n', /^bootstrap\.yaml, line 2: this is no name/],
    ['__proto__', 'BAD_YAML', 'secrets:\n  __proto__: { kind: password }\n', /^bootstrap\.yaml, line 2: __proto__ cannot be/],
    ['no kind', 'BAD_VALUE', 'secrets:\n  a: { length: 12 }\n', /^bootstrap\.yaml, line 2: a: kind: is missing/],
    ['an unknown kind', 'BAD_VALUE', 'secrets:\n  a:\n    kind: hunter2\n', /^bootstrap\.yaml, line 3: a: kind: there is no such kind/],
    ['an unknown parameter', 'BAD_VALUE', 'secrets:\n  a:\n    kind: password\n    size: hunter2\n', /^bootstrap\.yaml, line 4: a: size: no such parameter/],
    ['a value', 'BAD_VALUE', 'secrets:\n  a:\n    kind: password\n    value: hunter2\n', /^bootstrap\.yaml, line 4: a: value: no such parameter/],
    ['a deep parameter', 'BAD_VALUE', 'secrets:\n  r:\n    kind: pki-root\n    subject:\n      CN: x\n      C: hunter2\n', /^bootstrap\.yaml, line 6: r: subject\.C: expected the two capital letters/],
    ['an item of a list', 'BAD_VALUE', 'secrets:\n  r:\n    kind: pki-root\n    subject: { CN: x }\n    permit:\n      - example.org\n      - "*.hunter2"\n', /^bootstrap\.yaml, line 7: r: permit\.1: expected a DNS name/],
    ['a missing parameter', 'BAD_VALUE', 'secrets:\n  r:\n    kind: pki-root\n', /^bootstrap\.yaml, line 2: r: subject: is missing/],
    ['null', 'BAD_VALUE', 'secrets:\n  a: { kind: password, length: }\n', /^bootstrap\.yaml, line 2: a: length: expected text/],
    ['a fraction', 'BAD_VALUE', 'secrets:\n  a: { kind: password, length: 24.5 }\n', /^bootstrap\.yaml, line 2: a: length: expected text, a whole/],
    ['a strange key', 'BAD_VALUE', 'secrets:\n  r: { kind: pki-root, subject: { CN: x, "ä": y } }\n', /^bootstrap\.yaml, line 2: r: subject: expected text/],
    ['an import-only kind without import', 'BAD_VALUE', 'secrets:\n  k: { kind: kubeconfig }\n', /^bootstrap\.yaml, line 2: k: a kubeconfig cannot be made/],
    ['a Scaleway key without import', 'BAD_VALUE', 'secrets:\n  k: { kind: api-key, provider: scaleway }\n', /^bootstrap\.yaml, line 2: k: provider: a key of provider scaleway cannot be made/],
    ['import as a text', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: hunter2 }\n', /^bootstrap\.yaml, line 2: a: import: expected a map/],
    ['an empty import', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: {} }\n', /: a: import: expected exactly one/],
    ['two imports', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: { env: A, file: b } }\n', /: a: import: expected exactly one/],
    ['another import', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: { text: hunter2 } }\n', /: a: import: expected exactly one/],
    ['a value as a variable', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: { env: hunter2-! } }\n', /: a: import\.env: expected the name of an environment variable/],
    ['fields for a kind without', 'BAD_VALUE', 'secrets:\n  a: { kind: password, import: { env: { secret: A } } }\n', /: a: import\.env: a password is taken in whole/],
    ['an unknown field', 'BAD_VALUE', 'secrets:\n  a: { kind: api-key, import: { env: { secret: A, user: B } } }\n', /: a: import\.env\.user: no such field/],
    ['a value as a field’s variable', 'BAD_VALUE', 'secrets:\n  a: { kind: api-key, import: { env: { secret: "hunter2 " } } }\n', /: a: import\.env\.secret: expected the name/],
    ['a missing field', 'BAD_VALUE', 'secrets:\n  a: { kind: api-key, import: { env: { access: A } } }\n', /: a: import\.env: the field secret is missing/],
    ['terraform as a text', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { terraform: ../infra } }\n', /: a: import\.terraform: expected a map/],
    ['terraform without a directory', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { terraform: { output: a } } }\n', /: a: import\.terraform\.dir: expected the directory/],
    ['a value as an output', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { terraform: { dir: x, output: "hunter2 " } } }\n', /: a: import\.terraform\.output: expected the name of an output/],
    ['a program of one’s own', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { terraform: { dir: x, output: a, program: ./evil } } }\n', /: a: import\.terraform\.program: expected terraform or tofu/],
    ['an unknown field of terraform', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { terraform: { dir: x, output: a, value: y } } }\n', /: a: import\.terraform\.value: no such field/],
    ['an empty path', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { file: "" } }\n', /: a: import\.file: expected a path/],
    ['stdin: false', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { stdin: false } }\n', /: a: import\.stdin: expected true/],
    ['stdin twice', 'BAD_VALUE', 'secrets:\n  a: { kind: document, import: { stdin: true } }\n  b: { kind: document, import: { stdin: true } }\n', /^bootstrap\.yaml, line 3: b: import: a already reads/],
  ];
  it.each(cases)('%s', async (_title, code, text, message) => {
    expect((await refused(code, () => parse(text), 'hunter2')).message).toMatch(message);
  });

  it('hints where a value belongs', async () => {
    expect((await refused('BAD_VALUE', () => one('{ kind: password, value: x }'))).hint).toContain('import:');
    expect((await refused('BAD_VALUE', () => one('{ kind: nope }'))).hint).toContain('pki-root');
  });
});

describe('the file that init writes', () => {
  it('asks for one password', async () => {
    expect((await parse(defaultBootstrap())).secrets).toMatchObject([{ name: 'app/password', kind: 'password', parameters: { length: 24 } }]);
  });

  it('shows every kind, in examples that work when uncommented', async () => {
    const uncommented = defaultBootstrap().replace(/^ {2}# (?=[a-z]+\/)/gm, '  ');
    const { secrets } = await parse(uncommented);
    expect(new Set(secrets.map(({ kind }) => kind))).toEqual(new Set(Object.keys(MATERIAL_KINDS)));
  });

  it('names every parameter that a kind takes', async () => {
    const text = defaultBootstrap();
    for (const name of Object.keys(MATERIAL_KINDS)) {
      const { hint } = await refused('BAD_VALUE', async () => (await materialKind(name)).parameters({ frobnicate: 1 }, 'import'));
      const parameters = /^parameters: (.*)$/.exec(hint ?? '')?.[1]?.split(', ') ?? [];
      for (const parameter of parameters) expect(text, `${name}: ${parameter}`).toContain(parameter);
    }
  });
});
