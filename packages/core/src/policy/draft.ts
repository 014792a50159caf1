/** policy.yaml, the policy as people write it. */
export { compileDraft, type DraftBase } from './draft-compile.js';
export { formatDraft } from './draft-format.js';
export { parseDraft, type Draft, type DraftRule } from './draft-parse.js';
export { initialPolicy, type InitialPolicy } from './initial.js';
