/**
 * The public API of `@oxp-vault/core`, by name (test/packaging/api.snapshot.md shows every change of it in a diff).
 */

// Errors and secrets
export { VaultError, isVaultError } from './errors.js';
export { ERROR_CLASSES, ERROR_CODES, type ErrorClass, type ErrorCode } from './error-codes.js';
export { explainError } from './explain.js';
export { Secret } from './secret.js';

// What the library needs from outside
export type { Clock, LocalState, Store } from './ports.js';
export { breakLock, directoryStore, fsLocalState, memoryStore, removeLeftovers, type LockDescription } from './stores/index.js';

// A vault
export { systemClock, Vault, type VaultOptions } from './vault.js';
export { initVault, makeMissingKeys } from './operations/init.js';
export { parseExpect, type LogPoint } from './audit/checkpoint.js';
export { newestVersion, type SecretVersion, type Standing } from './seal/state.js';
export type { Statement } from './seal/statement.js';
export type { VaultState, VoidLeaf } from './state.js';
export { isName, isSecretName, type Json, type JsonObject } from './wire.js';

// Identities and cards
export { createIdentity, formatIdentity, parseIdentity, type Identity, type NewIdentity } from './policy/identity.js';
export { parseCard, type Card } from './policy/card.js';
export { agePassphraseDecrypt, agePassphraseEncrypt } from './primitives/age.js';

// Policy and people
export type { Policy, Rule } from './policy/policy.js';
export { policyDigest } from './policy/policy.js';
export { compileDraft, formatDraft, initialPolicy, parseDraft, type Draft, type DraftBase, type InitialPolicy } from './policy/draft.js';
export { policyDifference, type WordsLine } from './policy/words.js';
export { policyHistory, type PolicyRecord } from './operations/policy-history.js';
export { ruleFor, rolesOf } from './policy/rules.js';
export { newestEpoch, type Device, type Epoch, type Grant, type Person, type PolicyState, type Proposal, type RoleState } from './policy/state.js';
export { findProposal, policyOutcome, proposePolicy, signPolicy, withdrawPolicy, type PolicyOutcome } from './operations/policy-change.js';
export { grantMissing, successorBase, turnDueKeys, withMember, withoutMember, type MemberAddition } from './operations/members.js';
export { knownTo, type KnownSecret } from './operations/known-secrets.js';
export { addDevice, addedThrough, ownDevice, removeDevice, type DeviceChange } from './operations/devices.js';
export { grantRole, holdsKey, turnRole, ungranted } from './operations/role-turn.js';

// Sealing and opening
export { readersOf, sealBatch, type Sealable, type Sealed } from './operations/seal.js';
export { decryptVersions, findVersion, openSecrets, readableBy, type OpenedVersion, type OpenRequest } from './operations/open.js';

// What is going on
export { vaultStatus, type StatusItem, type StatusReport } from './operations/status.js';
export { openViews, parseView, planOpening, type Opening, type OpeningItem, type View } from './operations/open-views.js';

// The daily commands
export { planSeal, type SealPlanOptions } from './operations/bootstrap.js';
export { MAX_IMPORT_BYTES, sourceWords, type ImportPort } from './operations/import-value.js';
export { toSeal, wipePlan, readersInWords, type SealAction, type SealLine, type SealPlan, type SealStep, type WantedSecret } from './operations/seal-plan.js';
export { runSealPlan } from './operations/seal-run.js';
export { planRotation, type RotationPlan, type RotationStep } from './operations/rotate.js';
export { retirable, retireVersions, type Retirement } from './operations/retire.js';
export { doHousekeeping, drainQueue, type Housekeeping, type RejectedEntry } from './operations/housekeeping.js';
export { appendOrQueue } from './operations/append-or-queue.js';
export { readingFault } from './operations/reading-faults.js';
export { sealFault } from './operations/seal-faults.js';

// Kinds of material
export type { CheckResult, Material, MaterialField, MaterialKind, Rotation } from './material/material.js';
export { isMaterialKind, MATERIAL_KINDS, type MaterialKindName } from './material/kinds.js';
export { materialKind } from './material/registry.js';
export { parseBootstrap, type BootstrapPlan, type BootstrapSecret } from './material/bootstrap.js';
export type { ImportSource } from './material/bootstrap-import.js';
export { defaultBootstrap } from './material/bootstrap-default.js';

// SOPS files
export { isSopsType, openSopsFile, type OpenedSops, type SopsSource } from './material/sops/open.js';
export { SOPS_TYPES, type SopsDepth, type SopsPiece, type SopsType } from './material/sops/model.js';
export { sopsImport, type SopsImport, type SopsTarget } from './operations/import-sops.js';

// Output formats
export { FORMAT_NAMES, formatsFor, isFormatName, outputFormat, outputFormats, renderSecrets, type FormatName, type FormatOptions, type OpenedSecret, type OutputFormat, type Rendered, type RenderedFile } from './formats/index.js';

// Audit
export { verifyVault, type AuditReport, type FileFault } from './operations/audit.js';
export { findGarbage, type Garbage } from './operations/garbage.js';
export { exportTiles, findLeaf, proveLeaf } from './operations/log-proof.js';
export { readLog, type LogLine } from './operations/log-view.js';
