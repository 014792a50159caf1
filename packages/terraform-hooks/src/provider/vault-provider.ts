/** The provider `oxpvault` over whatever opens secrets: a vault in this process, or an agent. */
import { VaultError } from '@oxp-vault/core';
import type { SecretPort } from '../port.js';
import type { Provider } from './provider.js';
import { publicDataSource } from './public.js';
import { ephemeralSecret } from './secret.js';
import { type ProviderSettings, readSettings, SETTINGS } from './settings.js';

/** Where the provider is found unless it is configured otherwise. `.internal` is nobody's: no registry will ever offer one of that name. */
export const PROVIDER_SOURCE = 'oxp-vault.internal/oxp/oxpvault';

/** Gives the port that a configured provider reads through. Called when the first secret is asked for. */
export type Connect = (settings: ProviderSettings) => Promise<SecretPort>;

export function vaultProvider(connect: Connect): Provider {
  let settings: ProviderSettings | undefined;
  let connected: Promise<SecretPort> | undefined;
  const port = (): Promise<SecretPort> => {
    if (settings === undefined) return Promise.reject(new VaultError('INTERNAL', 'the provider was asked before it was configured'));
    const attempt = connected ?? connect(settings);
    connected = attempt;
    // Whatever was wrong may be right the next time: a long-lived provider is asked again.
    attempt.catch(() => {
      if (connected === attempt) connected = undefined;
    });
    return attempt;
  };
  return {
    description: 'Secrets of an oxp-vault, without a trace in state and plan.',
    attributes: SETTINGS,
    configure(config) {
      settings = readSettings(config);
      connected = undefined;
    },
    dataSources: { oxpvault_public: publicDataSource(port) },
    ephemeralResources: { oxpvault_secret: ephemeralSecret(port) },
  };
}
