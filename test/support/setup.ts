/** Runs before every test file: no test ever sees this user's own vaults, identities or git settings. */
for (const name of Object.keys(process.env)) {
  if (name.startsWith('OXP_VAULT') || name.startsWith('GIT_')) delete process.env[name];
}
// Certificates that the machine adds are read at each start of Node 20, which takes longer than the rest of it: no program that a test starts needs them.
delete process.env['NODE_EXTRA_CA_CERTS'];
