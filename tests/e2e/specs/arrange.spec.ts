// Moderation of a room with a trainer and two learners: permits, spotlight, muting all but
// one, a role handed over.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { launch, person } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let an: Page;
let binh: Page;

async function personMenu(page: Page, name: string): Promise<void> {
  if (!(await page.getByTestId('people-panel').isVisible())) await press(page, 'open-people');
  await page.getByTestId('person').filter({ hasText: name }).getByTestId('person-menu').click();
}

test.beforeAll(async () => {
  server = await Server.start();
  browser = await launch();
  const room = server.newClass('Điều hành phòng', 'discussion');
  const link = server.link(room, 'learner');
  const enterAs = async (url: string, name: string) =>
    enter(await person(browser, server.origin), url, { name, mic: true, camera: true });
  trainer = await enterAs(server.link(room, 'trainer'), 'Nguyễn Thị Hạnh');
  an = await enterAs(link, 'Trần Văn An');
  binh = await enterAs(link, 'Lê Thị Bình');
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('a permit taken away stops the camera, and given back allows it again', async () => {
  await press(trainer, 'more');
  await press(trainer, 'open-permits');
  await press(trainer, 'permit-camera');
  await expect.poll(() => an.evaluate(() => (window as never as { __lophoc: { room: { camera: string } } }).__lophoc.room.camera)).toBe('off');
  await press(trainer, 'permit-camera');
  await trainer.keyboard.press('Escape');
  await expect
    .poll(() => an.evaluate(() => (window as never as { __lophoc: { room: { may(a: string): boolean } } }).__lophoc.room.may('showCamera')))
    .toBe(true);
});

test('somebody in the spotlight stands large for everybody', async () => {
  await personMenu(trainer, 'Trần Văn An');
  await press(trainer, 'spotlight');
  for (const page of [trainer, binh]) {
    await expect(page.getByTestId('room')).toHaveAttribute('data-layout', 'speaker');
    await expect(page.getByTestId('tile').first()).toHaveAttribute('aria-label', /Trần Văn An.*Ghim cho mọi người/u);
  }
});

test('all are muted but who is in the spotlight', async () => {
  await press(trainer, 'more');
  await press(trainer, 'mute-all');
  await press(trainer, 'confirm-mute-all');
  const mic = (page: Page) =>
    page.evaluate(() => (window as never as { __lophoc: { room: { mic: string } } }).__lophoc.room.mic);
  await expect.poll(() => mic(binh)).toBe('muted');
  expect(await mic(an)).toBe('live');
});

test('a role is handed over at once', async () => {
  await personMenu(trainer, 'Lê Thị Bình');
  await press(trainer, 'give-role');
  await trainer.getByTestId('role-adviser').check();
  await press(trainer, 'next-role');
  await press(trainer, 'confirm-role');
  await expect
    .poll(() => binh.evaluate(() => (window as never as { __lophoc: { room: { may(a: string): boolean } } }).__lophoc.room.may('groups')))
    .toBe(true);
});
