/**
 * The public API of `@oxp-vault/core`, by name (test/packaging/api.snapshot.md shows every change of it in a diff). Two parts:
 * what a program needs that reads, writes and watches secrets, and below it the steps that the command `oxp-vault` is made of.
 */

// ---------- For programs ----------

// The short way: found, verified and unlocked as the command does it; a value for one piece of work
export { openVault, type OpenVaultOptions } from './surroundings/open-vault.js';
export { withSecret, type WithSecretOptions } from './surroundings/with-secret.js';

// Errors and secrets
export { VaultError, isVaultError } from './errors.js';
export { ERROR_CLASSES, ERROR_CODES, type ErrorClass, type ErrorCode } from './error-codes.js';
export { explainError } from './explain.js';
export { Secret } from './secret.js';

// What the library needs from outside
export type { Clock, Freshness, LocalState, Store, StoreChange } from './ports.js';
export { directoryStore, fsLocalState, memoryStore, volatileLocalState } from './stores/index.js';
export { gitStore, gitStoreHere, type GitStore, type GitStoreOptions } from './stores/git.js';
export { parseGitAddress } from './stores/git-address.js';

// Where things are for the user who runs this: as the command finds them
export { addressFor, CONFIG_FILE, isRemote, normalAddress, upwards, type VaultAddress } from './surroundings/address.js';
export { findVault } from './surroundings/find-vault.js';
export { account, homeDirectory, inHome } from './surroundings/home.js';
export { storeAt } from './surroundings/store-at.js';
export { cacheDirectory, configDirectory, identityPath, knownCard, lock, readIdentityFile, rememberCard, stateDirectory, unlock, type IdentityFile } from './surroundings/identity-file.js';
export { localState } from './surroundings/local-state.js';
export { IDENTITY_DATA, type StoreSettings, type Surroundings } from './surroundings/surroundings.js';
export { moveVault, readConfig } from './surroundings/vault-config.js';
export { passphraseFile, readPassphraseFile } from './surroundings/passphrase-file.js';

// A vault: its verified state, and the one way to add entries to its log
export { systemClock, Vault, type VaultOptions } from './vault.js';
export type { Deputy, FileSource } from './deputy.js';
export type { Act, Acts, Batch, NewFile } from './engine/append.js';
export { initVault } from './operations/people/init.js';
export { parseExpect, type LogPoint } from './audit/checkpoint.js';
export type { FoundedState, VaultState, VoidLeaf } from './state.js';

// Who runs this
export { createIdentity, formatIdentity, parseIdentity, type Identity, type NewIdentity } from './policy/identity.js';
export { agePassphraseDecrypt, agePassphraseEncrypt } from './primitives/age.js';
export { parseCard, type Card } from './policy/card.js';

// Reading: every opening is recorded before its promise resolves
export { findVersion, openSecrets, readableBy, type OpenedVersion, type OpenRequest } from './operations/opening/open.js';
export { isPurpose } from './seal/ops.js';
export { newestVersion, type SecretVersion, type Standing } from './seal/state.js';
export type { Statement } from './seal/statement.js';
export { FORMAT_NAMES, renderSecrets, type FormatName, type FormatOptions, type OpenedSecret, type Rendered, type RenderedFile } from './formats/index.js';

// Writing: `vault.append(await sealBatch(vault, items))`
export { readersOf, sealBatch, type Sealable, type Sealed } from './operations/sealing/seal.js';
export { retirable, retireVersions, type Retirement } from './operations/sealing/retire.js';
export { isMaterialKind, MATERIAL_KINDS, type MaterialKindName } from './material/kinds.js';
export { materialKind } from './material/registry.js';
export type { CheckResult, Material, MaterialField, MaterialKind, Rotation } from './material/material.js';
export { endStanding, giveStanding, listStanding, standingOf, type GivenStanding, type StandingLine } from './operations/opening/standing.js';

// Custody: shares of a secret, held by several people
export { acknowledgeShares, checkShares, type Acknowledged, type ShareOutcome } from './operations/custody/custodian.js';
export { custodyReport, type CustodianReport, type CustodyAlarm, type CustodyReport } from './operations/custody/report.js';
export { custodyOf, type CustodyLeaf, type CustodyRecord, type CustodyState } from './custody/state.js';

// Watching
export { lossesInWords, lossesWithout, type Loss, type LossKind } from './operations/status/without.js';
export { vaultStatus, type StatusReport } from './operations/status/status.js';
export type { StatusItem } from './operations/status/item.js';
export { recordDrill, runDrill, type DrillLine } from './operations/drill.js';
export type { DrillSummary } from './operations/status/drill.js';
export { verifyVault, type AuditReport, type FileFault } from './operations/log/audit.js';
export { entryInWords, readLog, type LogLine } from './operations/log/view.js';
export { exposureOf, type ExposureQuery, type ExposureReport, type SharesTogether } from './operations/exposure/exposure.js';
export type { ExposureDevice, ExposureHow, Knowledge, RecordedOpening } from './operations/exposure/knowledge.js';
export { summariseExposure, type ExposureSummary } from './operations/exposure/summary.js';
export type { How } from './operations/exposure/evidence.js';
export type { Replacement } from './operations/exposure/replaced.js';
export { exportTiles, findLeaf, proveLeaf } from './operations/log/proof.js';

// Who is who, and who may what
export { policyDigest, type Policy, type Rule } from './policy/policy.js';
export { ruleFor, rolesOf } from './policy/rules.js';
export { newestEpoch, type Device, type Epoch, type Grant, type Person, type PolicyState, type Proposal, type RoleState } from './policy/state.js';

// Values of signed bytes
export { pathMatches, isName, isSecretName, type Json, type JsonObject } from './wire.js';

// ---------- What the command is made of ----------

// Changing the policy
export { compileDraft, formatDraft, initialPolicy, parseDraft, type Draft, type DraftBase, type InitialPolicy } from './policy/draft.js';
export { policyDifference, type WordsLine } from './policy/words.js';
export { pastPolicies, policyHistory, type PolicyRecord } from './operations/people/policy-history.js';
export { findProposal, previewPolicy, proposePolicy, signPolicy, withdrawPolicy, type PolicyOutcome } from './operations/people/policy-change.js';

// People, devices and the keys of roles
export { grantMissing, successorBase, turnDueKeys, withMember, withoutMember, withoutRoles, type MemberAddition } from './operations/people/members.js';
export { planOffboarding, rotateAll, type OffboardingPlan, type OffboardingTask, type RotationRun } from './operations/people/offboarding.js';
export { addDevice, addedThrough, checkRemoval, ownDevice, removeDevice, type DeviceChange } from './operations/people/devices.js';
export { grantRole, previewTurn, turnRole, ungranted, type TurnPreview } from './operations/people/role-turn.js';
export { makeMissingKeys } from './operations/people/init.js';

// Making material without a vault
export { selfSignedCertificate, type SelfSigned } from './material/self-signed.js';
export { importCa } from './material/registry.js';

// Planning before anything is sealed or opened
export { defaultBootstrap } from './material/bootstrap-default.js';
export { parseBootstrap, type BootstrapPlan, type BootstrapSecret } from './material/bootstrap.js';
export type { ImportSource, TerraformProgram } from './material/bootstrap-import.js';
export { MAX_IMPORT_BYTES, type ImportPort } from './operations/sealing/import-value.js';
export { planSeal, type SealPlanOptions } from './operations/sealing/bootstrap.js';
export { readersInWords, wipePlan, type SealAction, type SealLine, type SealPlan, type SealStep, type WantedSecret } from './operations/sealing/plan.js';
export { runSealPlan } from './operations/sealing/run.js';
export { planRotation, type RotationPlan, type RotationStep } from './operations/sealing/rotate.js';
export { openViews, parseView, planOpening, type Opening, type OpeningItem, type View } from './operations/opening/views.js';
export { openValue } from './operations/opening/one-value.js';
export { Session, type SessionOptions } from './operations/opening/session.js';
export { agentSourceFor, deputyFor, findAgent, ownAgent } from './agent/find.js';
export { agentSource, connectAgent, requireAgent, type Agent, type AgentSecret } from './agent/client.js';
export { serveAgent, type RunningAgent } from './agent/server.js';
export { AGENT_VARIABLE, privateSocket, socketOf } from './agent/socket.js';
export { readingFault } from './operations/opening/faults.js';
export { sealFault } from './operations/sealing/faults.js';

// SOPS files
export { isSopsType, openSopsFile, type OpenedSops, type SopsSource } from './material/sops/open.js';
export { SOPS_TYPES, type SopsDepth, type SopsPiece, type SopsType } from './material/sops/model.js';
export { sopsImport, type SopsImport, type SopsTarget } from './operations/sealing/import-sops.js';

// Handovers
export { acceptOffer, handoverOffer, requestHandover, REQUEST_LASTS, resolveTargets, type RequestOptions } from './operations/handover/request.js';
export { consentTo, planConsent, type ConsentPlan } from './operations/handover/consent.js';
export { releaseDue, releasesDue, releaseTo, type Released } from './operations/handover/release.js';
export { completeHandover, type CompleteOptions, type Completion, type ReceivedTarget } from './operations/handover/complete.js';
export { finalizeHandover, requireFinalizable, type Finalization, type Unrotated } from './operations/handover/finalize.js';
export { openProposalOf, successorOf } from './operations/handover/policy.js';
export { abortHandover } from './operations/handover/abort.js';
export { verifyHandover, type HandoverReport, type VerifiedStep } from './operations/handover/verify.js';
export { findHandover, findOffer } from './operations/handover/find.js';
export { describeHandover, listHandovers, listOffers, showHandover, taintsOf, type ActView, type HandoverView, type OfferView, type TargetView } from './operations/handover/view.js';
export { nextSteps, type NextStep } from './operations/handover/steps.js';
export { stageOf, type Drill, type Handover, type HandoverStage } from './handover/state.js';

// Words
export { nearNames } from './operations/near-names.js';
export { noSuchPerson, noSuchRole } from './operations/no-such.js';
export { count, entries, thousands } from './primitives/count.js';

// Upkeep
export { choresDue, doHousekeeping, type Housekeeping } from './operations/housekeeping.js';
export { parseQueueFile, takeOverCopy, takeOverQueue, type QueueFile, type TakenOver } from './operations/copies/take-over.js';
export { decodeQueued, discard, encodeQueued, listQueued, type Drained, type Queued, type RejectedEntry } from './engine/queue.js';
export { cloneVault, type CloneReport } from './operations/copies/clone.js';
export { restoreVault, type Restored, type RestoreOptions } from './operations/copies/restore.js';
export type { RestoreSources } from './operations/copies/restore-sources.js';
export { planRepin, repin, type Repinning } from './operations/copies/repin.js';
export type { Remembering } from './engine/remembered.js';
export { appendOrQueue } from './operations/copies/append-or-queue.js';
export { findGarbage, removeGarbage, type Garbage } from './operations/log/garbage.js';
export { breakLock, removeLeftovers, type LockDescription } from './stores/index.js';
