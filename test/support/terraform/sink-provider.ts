/**
 * A provider that secrets are given to: in its provider block, in a write-only argument, and in an ordinary one. For each it leaves
 * the SHA-256 of what it got in the directory SINK_DIRECTORY, so that a test can tell that the right value came.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addService, type Attributes, type Call, Config, decodeValue, encodeValue, type Fields, many, one, providerHandlers, UNKNOWN, VALUE, type Values, wireSchema, type WireValue } from '../../../packages/terraform-hooks/src/provider/index.js';
import { serve } from './program.js';

const ATTRIBUTES: Attributes = {
  id: { type: 'string', use: 'computed', description: '' },
  name: { type: 'string', use: 'required', description: '' },
  plain: { type: 'string', use: 'optional', description: '', sensitive: true },
  secret_wo: { type: 'string', use: 'optional', description: '', sensitive: true, writeOnly: true },
  secret_wo_version: { type: 'number', use: 'optional', description: '' },
};

/** The calls for managed resources, which the product has no use for. */
const diagnostics = many('Diagnostic', 2);
const raw: Fields = { typeName: one('string', 1), version: one('int32', 2), rawState: one('DynamicValue', 3) };
const CALLS = {
  ValidateResourceConfig: { request: { typeName: one('string', 1), config: one(VALUE, 2) }, response: { diagnostics: many('Diagnostic', 1) } },
  // A RawState has its JSON under the number under which a DynamicValue has its msgpack.
  UpgradeResourceState: { request: raw, response: { upgradedState: one(VALUE, 1), diagnostics } },
  ReadResource: { request: { typeName: one('string', 1), currentState: one(VALUE, 2) }, response: { newState: one(VALUE, 1), diagnostics } },
  PlanResourceChange: {
    request: { typeName: one('string', 1), priorState: one(VALUE, 2), proposedNewState: one(VALUE, 3), config: one(VALUE, 4) },
    response: { plannedState: one(VALUE, 1), diagnostics: many('Diagnostic', 4) },
  },
  ApplyResourceChange: {
    request: { typeName: one('string', 1), priorState: one(VALUE, 2), plannedState: one(VALUE, 3), config: one(VALUE, 4) },
    response: { newState: one(VALUE, 1), diagnostics: many('Diagnostic', 3) },
  },
} as const satisfies Record<string, Call>;

function note(name: string, value: unknown): void {
  if (typeof value === 'string') writeFileSync(join(process.env['SINK_DIRECTORY'] ?? '.', name), createHash('sha256').update(value).digest('hex'));
}

const provider = providerHandlers({
  description: '',
  attributes: { token: { type: 'string', use: 'optional', description: '', sensitive: true } },
  configure: (config) => config.isKnown('token') && note('provider-token', config.text('token')),
  dataSources: {},
  ephemeralResources: {},
});

interface Change {
  readonly rawState?: WireValue;
  readonly currentState?: WireValue;
  readonly priorState?: WireValue;
  readonly proposedNewState?: WireValue;
  readonly plannedState?: WireValue;
  readonly config?: WireValue;
}

const values = (wire: WireValue | undefined): Values | null => decodeValue(wire ?? {}) as Values | null;

serve(
  {
    ...provider,
    GetProviderSchema: async (request) => ({ ...(await provider.GetProviderSchema(request)), resourceSchemas: { sink_store: wireSchema({ description: '', attributes: ATTRIBUTES }) }, serverCapabilities: {} }),
  },
  (server) =>
    addService(server, 'tfplugin6.Provider', CALLS, {
      ValidateResourceConfig: async () => ({}),
      UpgradeResourceState: async ({ rawState }: Change) => ({ upgradedState: { json: rawState?.msgpack } }),
      ReadResource: async ({ currentState }: Change) => ({ newState: currentState }),
      PlanResourceChange: async ({ priorState, proposedNewState }: Change) => {
        const proposed = values(proposedNewState);
        return { plannedState: encodeValue(proposed && { ...proposed, secret_wo: null, id: values(priorState)?.['id'] ?? UNKNOWN }) };
      },
      ApplyResourceChange: async ({ plannedState, config }: Change) => {
        const planned = values(plannedState);
        if (!planned) return { newState: encodeValue(null) };
        const given = Config.read(config ?? {});
        const name = given.text('name') ?? '';
        note(name, given.get('secret_wo') ?? given.get('plain'));
        await sleep(Number(process.env['SINK_PAUSE'] ?? 0));
        return { newState: encodeValue({ ...planned, secret_wo: null, id: planned['id'] === UNKNOWN ? name : planned['id'] ?? name }) };
      },
    }),
);
