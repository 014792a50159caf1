/** Every kind of material with its one-line summary: the part that help, tables and bootstrap.yaml need without loading any. */
export const MATERIAL_KINDS = {
  'pki-root': { summary: 'X.509 root CA: a private key with its self-signed certificate', importOnly: false },
  'pki-intermediate': { summary: 'X.509 intermediate CA, issued by a root or another intermediate', importOnly: false },
  'ssh-key': { summary: 'SSH key pair in OpenSSH format', importOnly: false },
  'ssh-ca': { summary: 'SSH certificate authority key pair in OpenSSH format', importOnly: false },
  tsig: { summary: 'TSIG key for DNS updates and transfers, as a named.conf key clause', importOnly: false },
  'state-key': { summary: 'key or passphrase that encrypts OpenTofu state', importOnly: false },
  'api-key': { summary: 'API key: Scaleway, any other, or a random token', importOnly: false },
  kubeconfig: { summary: 'kubeconfig of a cluster', importOnly: true },
  'ansible-inventory': { summary: 'Ansible inventory, YAML or INI', importOnly: true },
  password: { summary: 'random password', importOnly: false },
  document: { summary: 'any file', importOnly: true },
} as const satisfies Record<string, { readonly summary: string; readonly importOnly: boolean }>;

export type MaterialKindName = keyof typeof MATERIAL_KINDS;

export function isMaterialKind(name: string): name is MaterialKindName {
  return Object.hasOwn(MATERIAL_KINDS, name);
}

/** The first three members of a MaterialKind. */
export function kindHead<K extends MaterialKindName>(kind: K): { kind: K; summary: string; importOnly: boolean } {
  return { kind, ...MATERIAL_KINDS[kind] };
}
