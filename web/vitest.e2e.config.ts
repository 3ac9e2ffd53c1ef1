import { defineConfig } from 'vitest/config';

// Browser scenarios against a running server (CUNTONG_URL). One after another:
// they share one demo province, and a report in one is visible in the next.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
