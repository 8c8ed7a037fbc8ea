import { defineConfig } from '@playwright/test';

// Pictures of the real program for the readme: make screenshots.
export default defineConfig({
  testDir: './pictures',
  timeout: 240_000,
  expect: { timeout: 60_000 },
  workers: 1,
  reporter: [['list']],
  outputDir: '../../test-results',
});
