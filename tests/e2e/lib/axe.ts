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
  // The page's own rules forbid foreign scripts; axe is put in from outside the page.
  const result = await page.evaluate(`(async () => { ${AXE}; return await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }); })()`);
  const found = (result as AxeResult).violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  expect.soft(found, where).toEqual([]);
}
