import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/hostile/*.check.ts'], pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 },
});
