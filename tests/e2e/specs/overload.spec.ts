// A server with more to do than it may: pictures go step by step, sound stays, and
// nobody new is let in but staff.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { audioEnergy, inboundVideo, launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let room: string;
let trainer: Page;
let learner: Page;

const frames = async (page: Page) => (await inboundVideo(page)).reduce((sum, video) => sum + video.framesDecoded, 0);

/** Whether pictures come in the next two seconds. */
async function sees(page: Page): Promise<boolean> {
  const before = await frames(page);
  await page.waitForTimeout(2_000);
  return (await frames(page)) > before;
}

test.beforeAll(async () => {
  browser = await launch();
  server = await Server.start();
  room = server.newClass('Máy chủ quá tải');
  const link = (role: 'trainer' | 'learner') => server.link(room, role);
  trainer = await enter(await person(browser, server.origin), link('trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
  learner = await enter(await person(browser, server.origin), link('learner'), { name: 'Trần Văn An' });
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('pictures are given up, those who lead are told, sound stays', async () => {
  await expect.poll(() => sees(learner)).toBe(true);
  // A thousandth of a core: any sound and picture is more than that.
  await server.down();
  server.setMedia('overload_at = 1');
  await server.up();
  const banner = trainer.getByTestId('overload');
  await expect(banner).toHaveAttribute('data-stage', 'video');
  await expect(banner).toBeVisible();
  await picture(trainer, 'overload-1280');
  await expect(learner.getByTestId('overload')).toHaveCount(0);
  await expect.poll(() => sees(learner), { timeout: 30_000 }).toBe(false);
  const before = await audioEnergy(learner);
  await expect.poll(async () => (await audioEnergy(learner)) - before).toBeGreaterThan(0.001);
  expect(server.log()).toContain('overload of a media shard');
});

test('newcomers hear that the server is full; staff and those who are in come in', async () => {
  // What counts as full is seen a few seconds after nothing is left to give up.
  await expect(async () => {
    const page = await (await person(browser, server.origin, PHONE)).newPage();
    await page.goto(server.link(room, 'learner'));
    await page.getByLabel('Họ và tên').fill('Phạm Thị Dung');
    await page.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await expect(page.getByText('Máy chủ đã hết sức tải', { exact: true })).toBeVisible({ timeout: 5_000 });
    await picture(page, 'server-full-390');
    await page.context().close();
  }).toPass({ timeout: 60_000 });
  await learner.reload();
  await expect(learner.getByTestId('room')).toBeVisible();
  const adviser = await enter(await person(browser, server.origin), server.link(room, 'adviser'), { name: 'Lê Văn Cường' });
  await expect(adviser.getByTestId('room')).toBeVisible();
});
