import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';

// Pictures of the real program: those of the readme, and every main screen at both
// sizes (docs/SCREENS.md), taken by the plays that otherwise look at them with axe.
process.env.E2E_PICTURES ??= resolve(dirname(fileURLToPath(import.meta.url)), '../../docs/screens');

export default defineConfig({
  testDir: '.',
  testMatch: ['pictures/*.spec.ts', 'specs/*-access.spec.ts', 'specs/{record,playback,overload}.spec.ts'],
  timeout: 900_000,
  expect: { timeout: 120_000 },
  workers: 1,
  reporter: [['list']],
  outputDir: '../../test-results',
});
