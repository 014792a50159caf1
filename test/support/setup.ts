/** Runs before every test file: no test ever sees this user's own vaults, identities or git settings. */
for (const name of Object.keys(process.env)) {
  if (name.startsWith('OXP_VAULT') || name.startsWith('GIT_')) delete process.env[name];
}
