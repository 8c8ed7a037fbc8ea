// What axe finds on a page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, type Page } from '@playwright/test';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  violations: { id: string; help: string; nodes: { target: string[] }[] }[];
}

/** Fails where the page breaks a rule of WCAG 2.2 AA that axe can tell. */
export async function accessible(page: Page, where: string): Promise<void> {
  // A run for pictures is not one for faults.
  if (process.env.E2E_PICTURES !== undefined) return;
  // The page's own rules forbid foreign scripts; axe is put in from outside the page.
  const result = await page.evaluate(`(async () => { ${AXE}; return await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }); })()`);
  const found = (result as AxeResult).violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  expect.soft(found, where).toEqual([]);
}

/** Waits until what moves on the page and comes to an end has ended. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((one) => one.effect?.getComputedTiming().endTime !== Infinity);
    const patience = new Promise((done) => setTimeout(done, 3_000));
    await Promise.race([patience, Promise.all(ending.map((one) => one.finished.catch(() => undefined)))]);
  });
}

/** As `accessible`, in the room's dark theme and in its light one. */
export async function accessibleInBoth(page: Page, where: string): Promise<void> {
  const theme = (name: string) => page.evaluate((value) => (document.documentElement.dataset.theme = value), name);
  await accessible(page, `${where}, dark`);
  await theme('light');
  // Colours of buttons change softly: half-way they are nobody's colours.
  await settled(page);
  await accessible(page, `${where}, light`);
  await theme('dark');
}
