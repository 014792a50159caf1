export { directoryStore, type DirectoryStoreOptions } from './directory.js';
export { fsLocalState } from './fs-local-state.js';
export { breakLock, describeLock, type LockDescription, type LockHolder } from './lock.js';
export { removeLeftovers } from './leftovers.js';
export { memoryStore } from './memory.js';
export { volatileLocalState } from './volatile-local-state.js';
export { isStorePath } from './path.js';
export type { Liveness } from './process-identity.js';
