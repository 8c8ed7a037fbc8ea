import { defineConfig } from '@playwright/test';

// One worker: a spec runs up to four browsers, and the machine has two cores.
export default defineConfig({
  testDir: './specs',
  timeout: 240_000,
  expect: { timeout: Number(process.env.E2E_EXPECT ?? 45_000) },
  workers: 1,
  fullyParallel: false,
  retries: process.env.CI ? 1 : 0,
  reporter: [['list']],
  outputDir: '../../test-results',
});
