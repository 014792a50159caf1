import { expect } from 'vitest';
import { VaultError } from '../../../packages/core/src/errors.js';
import type { CheckResult, GenerateContext, Material, MaterialKind } from '../../../packages/core/src/material/index.js';
import { Secret } from '../../../packages/core/src/secret.js';
import type { JsonObject } from '../../../packages/core/src/wire.js';

/** 23 Nov 2026, 12:00 UTC. */
export const NOW = 1795435200;

export function context(name = 'some/name', more: Partial<GenerateContext> = {}): GenerateContext {
  return { now: NOW, name, ...more };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(material: Material): string {
  return material.file.useText((text) => text);
}

export function read(kind: MaterialKind, material: Material, field: string): string {
  const value = kind.fields[field]!.read(material);
  return typeof value === 'string' ? value : new TextDecoder().decode(value);
}

export function generate(kind: MaterialKind, parameters: JsonObject = {}, more: Partial<GenerateContext> = {}): Promise<Material> {
  return kind.generate!(kind.parameters(parameters), context('some/name', more));
}

export function take(kind: MaterialKind, value: Uint8Array | string, parameters: JsonObject = {}): Promise<Material> {
  return kind.import(typeof value === 'string' ? bytes(value) : value, kind.parameters(parameters, 'import'), context());
}

export async function failures(kind: MaterialKind, material: Material, now = NOW): Promise<CheckResult[]> {
  return (await kind.check(material, { now })).filter(({ ok }) => !ok);
}

/** The checks pass as they are, and some check fails once the file or the public parts are another's. */
export async function expectBound(kind: MaterialKind, material: Material, other: Material): Promise<void> {
  expect(await failures(kind, material)).toEqual([]);
  expect(await failures(kind, { ...material, file: other.file }), 'another file under these public parts').not.toEqual([]);
}

/** Runs `fn`, which must fail with this code, and gives the error. No part of `secret` may be in anything that it prints. */
export async function refused(code: string, fn: () => unknown, secret?: string): Promise<VaultError> {
  let caught: unknown;
  try {
    await fn();
  } catch (error) {
    caught = error;
  }
  expect(caught, 'nothing was refused').toBeInstanceOf(VaultError);
  const error = caught as VaultError;
  expect(error.code, error.message).toBe(code);
  if (secret !== undefined) expect(JSON.stringify(error) + String(error.stack) + String(error.cause)).not.toContain(secret);
  return error;
}

export { Secret };
