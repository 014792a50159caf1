import module from 'node:module';
import { join } from 'node:path';

/**
 * Node 22 and later keep compiled code. Not in their default place below the shared temporary directory: code in the cache is
 * run, so nobody else may be able to put any there.
 */
export function keepCompiledCode(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (directory: string) => unknown };
  const { XDG_CACHE_HOME: cache, HOME: home } = process.env;
  const base = cache || (home ? join(home, '.cache') : undefined);
  if (base !== undefined) enableCompileCache?.(join(base, 'oxp-vault', 'compiled'));
}
