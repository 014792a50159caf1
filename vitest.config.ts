import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests import the sources, so that a failure points at a line of TypeScript. The built packages are tested in test/packaging.
    alias: {
      '@oxp-vault/core': at('./packages/core/src/index.ts'),
      '@oxp-vault/terraform-hooks/provider': at('./packages/terraform-hooks/src/provider/index.ts'),
      '@oxp-vault/terraform-hooks': at('./packages/terraform-hooks/src/index.ts'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    reporters: ['default', at('./test/support/reporter.ts')],
    // Most of the time goes into programs that the tests start and wait for: no core is kept back for Vitest itself.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    // Killed processes, servers and locks on a machine that others use too: once more, and the report names what needed it. Never at a desk.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 120_000,
    coverage: {
      provider: 'v8',
      // Every source file counts, tested or not.
      include: ['packages/*/src/**/*.ts'],
      reporter: ['text-summary', 'lcov'],
    },
  },
});
