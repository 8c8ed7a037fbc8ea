// Twelve publishers (bots that replay encoded VP8) are paged through in the gallery.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, expect, type Browser, type Page } from '@playwright/test';
import { foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

const REPO = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const LOADTESTS = process.env.E2E_LOADTESTS ?? join(REPO, 'target/debug/loadtests');
const BOTS = 12;

const COLOURS = JSON.parse(readFileSync(join(REPO, 'tests/fixtures/clips.json'), 'utf8')) as Record<string, string>;

/** The colour of the clip that the bot of this name replays. */
function colourOf(name: string): number[] {
  const clip = COLOURS[`bot-${/(\d+)/.exec(name)?.[1] ?? ''}.ivf`] ?? '';
  return [0, 2, 4].map((at) => parseInt(clip.slice(at, at + 2), 16));
}

/** Tiles of others that do not show the picture of the person they name. */
async function wrongTiles(page: Page): Promise<string[]> {
  const tiles = await page.evaluate(() =>
    [...document.querySelectorAll('[data-testid="tile"]')]
      .filter((tile) => !tile.querySelector('[data-self]'))
      .map((tile) => {
        const name = tile.querySelector('[data-testid="tile-name"]')?.textContent?.trim() ?? '';
        const video = tile.querySelector('video');
        const canvas = document.createElement('canvas');
        canvas.width = 64;
        canvas.height = 36;
        const context = canvas.getContext('2d');
        if (!video?.videoWidth || !context) return { name, pixel: [] };
        context.drawImage(video, 0, 0, 64, 36);
        return { name, pixel: [...context.getImageData(8, 6, 1, 1).data.slice(0, 3)] };
      }),
  );
  if (tiles.length === 0) return ['nobody is shown'];
  return tiles
    .filter(({ name, pixel }) => {
      const wanted = colourOf(name);
      return pixel.length < 3 || pixel.some((value, channel) => !(Math.abs(value - (wanted[channel] ?? 0)) < 45));
    })
    .map(({ name, pixel }) => `${name}: ${pixel.join(' ') || 'no picture'}`);
}

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
    // Every bot of the page shows its own colour, under its own name.
    await expect.poll(() => wrongTiles(page), { timeout: 90_000 }).toEqual([]);
    for (const name of await page.getByTestId('tile-name').allTextContents()) seen.add(name.trim());
    console.log(`page ${number} of ${total}: pictures after ${Date.now() - since} ms`);
    if (number < total) {
      await press(page, 'page-next');
      await expect(label).toHaveText(new RegExp(`^\\s*${number + 1}\\s*/`));
    }
  }
  expect([...seen].filter((name) => !name.includes('Trần Văn An')).length).toBeGreaterThanOrEqual(BOTS);
  await context.close();
});

test('a phone shows four at a time', async () => {
  const context = await person(browser, server.origin, PHONE);
  const page = await enter(context, link, { name: 'Lê Thị Bình' });
  await expect(page.getByTestId('room')).toBeVisible();
  await expect(page.getByTestId('tile')).toHaveCount(4);
  await expect.poll(() => wrongTiles(page), { timeout: 90_000 }).toEqual([]);
  expect(foreignRequests).toEqual([]);
  await context.close();
});
