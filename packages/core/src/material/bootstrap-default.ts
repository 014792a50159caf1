/**
 * The bootstrap.yaml that `init` writes: one password to try things with, and an example of every kind as a comment. It is not
 * secret and never holds a value.
 */
export function defaultBootstrap(): string {
  return `# What must exist in the vault: made by \`oxp-vault seal\` where it is missing, never replaced.
# Who may read it is not said here but in policy.yaml. This file never holds a value.
#
# Every secret has a kind. Where it comes from:
#   (nothing)                                   it is made here
#   import: { file: PATH }                      taken in from a file, byte for byte
#   import: { env: VARIABLE }                   from an environment variable
#   import: { env: { FIELD: VARIABLE, … } }     from several, for kinds with fields
#   import: { stdin: true }                     from standard input; one secret of the file at most
#   import: { terraform: { dir: PATH, output: NAME } }   from an output of Terraform; OpenTofu with program: tofu
secrets:
  app/password: { kind: password }
  # app/pin:                 { kind: password, length: 32, alphabet: hex }   # unambiguous (default), alphanumeric, hex, symbols
  #
  # A root CA, and an intermediate that signs with it:
  # pki/root:                { kind: pki-root, subject: { CN: Example Root, O: Example } }
  #                            # algorithm: ecdsa-p384 (default), ecdsa-p256, ed25519, rsa-4096; years: 20; path-length: 1
  # pki/issuing:             { kind: pki-intermediate, issuer: pki/root, subject: { CN: Example Issuing }, permit: [example.internal] }
  #                            # exclude: [DNS names]; usages: [serverAuth, clientAuth, …]; years: 5; path-length: 0
  #
  # ssh/bootstrap:           { kind: ssh-key, comment: bootstrap@example.internal }   # algorithm: ed25519 (default), ecdsa-p256, -p384, -p521, rsa-3072, rsa-4096
  # ssh/users-ca:            { kind: ssh-ca, comment: users@example.internal }
  #
  # dns/rfc2136_tsig_secret: { kind: tsig, key: external-dns., algorithm: hmac-sha256 }   # or hmac-sha384, hmac-sha512
  #
  # terraform/state:         { kind: state-key }                     # method: aes_gcm (default) or pbkdf2
  #
  # scaleway/root:           { kind: api-key, provider: scaleway, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  # ci/token:                { kind: api-key }                       # a random token; bytes: 32
  #
  # kube/root:               { kind: kubeconfig, import: { file: ~/kubeconfig.yaml } }
  # ansible/inventory:       { kind: ansible-inventory, import: { file: inventory.yml } }   # format: yaml or ini, told from the content
  # docs/network-plan:       { kind: document, import: { file: network-plan.pdf } }
`;
}
