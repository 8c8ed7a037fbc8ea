// Twelve publishers (bots that replay encoded VP8) are paged through in the gallery.
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, expect, type Browser } from '@playwright/test';
import { foreignRequests, launch, person, PHONE, shownCorners } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

const REPO = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const LOADTESTS = process.env.E2E_LOADTESTS ?? join(REPO, 'target/debug/loadtests');
const BOTS = 12;

let server: Server;
let browser: Browser;
let bots: ChildProcess;
let link: string;

test.beforeAll(async () => {
  // Three shards on purpose: the room spans them.
  server = await Server.start({ shards: 3 });
  const room = server.newClass('Thảo luận mười hai điểm cầu');
  link = server.link(room, 'learner');
  bots = spawn(
    LOADTESTS,
    ['bots', '--server', server.origin, '--link', server.link(room, 'learner'), '--count', String(BOTS), '--seconds', '600'],
    { stdio: 'inherit' },
  );
  browser = await launch();
});

test.afterAll(async () => {
  bots?.kill('SIGKILL');
  await browser?.close();
  await server?.close();
});

test('a learner pages through twelve publishers and each page plays', async () => {
  const context = await person(browser, server.origin);
  const page = await enter(context, link, { name: 'Trần Văn An' });
  await press(page, 'open-people');
  await expect(page.getByTestId('people-panel').getByTestId('person')).toHaveCount(BOTS + 1, { timeout: 90_000 });
  await press(page, 'open-people');
  await press(page, 'layout-menu');
  await page.getByTestId('layout-gallery').click();
  await expect(page.getByTestId('room')).toHaveAttribute('data-layout', 'gallery');

  const seen = new Set<string>();
  const label = page.getByTestId('page-label');
  const total = Number(/\/\s*(\d+)/.exec((await label.textContent()) ?? '')?.[1] ?? '1');
  expect(total).toBeGreaterThan(1);
  for (let number = 1; number <= total; number++) {
    const since = Date.now();
    const tiles = page.getByTestId('tile');
    const others = tiles.filter({ hasNot: page.locator('[data-self="true"]') });
    await expect
      .poll(
        async () => {
          const shown = await shownCorners(page);
          return shown.filter((quarters) => quarters.some((pixel) => pixel.some((value) => value > 40))).length;
        },
        { timeout: 90_000 },
      )
      .toBeGreaterThanOrEqual(Math.max(1, Math.min(await others.count(), number === total ? 1 : 4) - 1));
    for (const name of await tiles.locator('[data-testid="tile-name"]').allTextContents()) seen.add(name.trim());
    console.log(`page ${number} of ${total}: pictures after ${Date.now() - since} ms`);
    if (number < total) await press(page, 'page-next');
  }
  expect([...seen].filter((name) => !name.includes('Trần Văn An')).length).toBeGreaterThanOrEqual(BOTS);
  await context.close();
});

test('a phone shows four at a time', async () => {
  const context = await person(browser, server.origin, PHONE);
  const page = await enter(context, link, { name: 'Lê Thị Bình' });
  await expect(page.getByTestId('room')).toBeVisible();
  await expect.poll(async () => (await shownCorners(page)).length, { timeout: 90_000 }).toBeGreaterThanOrEqual(1);
  expect(foreignRequests).toEqual([]);
  await context.close();
});
