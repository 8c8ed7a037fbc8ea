// Pictures of screens for docs/, small enough to be kept: WebP made by `cwebp`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

/** Where pictures go; unset where none are wanted. */
const FOLDER = process.env.E2E_PICTURES;

/** Whether pictures are wanted. */
export const pictured = FOLDER !== undefined;

/** Takes a picture of what the window shows, where pictures are wanted. */
export async function picture(page: Page, name: string): Promise<void> {
  if (FOLDER === undefined) return;
  mkdirSync(FOLDER, { recursive: true });
  const png = join(FOLDER, `${name}.png`);
  await page.screenshot({ path: png, animations: 'disabled' });
  if (process.env.E2E_PICTURES_PNG) return;
  execFileSync('cwebp', ['-quiet', '-q', '70', png, '-o', join(FOLDER, `${name}.webp`)]);
  rmSync(png);
}
