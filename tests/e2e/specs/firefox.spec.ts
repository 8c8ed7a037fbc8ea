// Firefox ESR among Chromium: join, see, hear, talk, share, in both roles.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { audioEnergy, foreignRequests, inboundVideo, launch, person } from '../lib/browser.ts';
import { launchFirefox } from '../lib/firefox.ts';
import { enter, press } from '../lib/room.ts';
import { ownAddress, Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let chromium: Browser;
let firefox: Browser;
let teacher: Page;
let fox: Page;

test.beforeAll(async () => {
  server = await Server.start({ address: ownAddress() });
  chromium = await launch({ pattern: true });
  firefox = await launchFirefox();
});

test.afterAll(async () => {
  await firefox?.close();
  await chromium?.close();
  await server?.close();
});

/** Frames of all videos of the page that were decoded since it began. */
async function frames(page: Page): Promise<number> {
  return (await inboundVideo(page)).reduce((sum, video) => sum + video.framesDecoded, 0);
}

/** Pictures go on moving. */
async function sees(page: Page): Promise<void> {
  const before = await frames(page);
  await expect.poll(async () => (await frames(page)) - before).toBeGreaterThan(10);
}

async function hears(page: Page): Promise<void> {
  const before = await audioEnergy(page);
  await expect.poll(async () => (await audioEnergy(page)) - before).toBeGreaterThan(0.001);
}

test('a learner on Firefox joins, sees and hears the trainer, and is heard and seen', async () => {
  const room = server.newClass('Lớp có người dùng Firefox');
  teacher = await enter(await person(chromium, server.origin), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
  fox = await enter(await person(firefox, server.origin), server.link(room, 'learner'), { name: 'Trần Văn An', mic: true, camera: true });
  await sees(fox);
  await hears(fox);
  await sees(teacher);
  await hears(teacher);
});

/** A shared screen is shown large and comes through: its slot is the last of the connection. */
async function seesScreen(page: Page): Promise<void> {
  await expect(page.getByTestId('room')).toHaveAttribute('data-layout', 'screen');
  const screen = async () => (await inboundVideo(page)).sort((a, b) => Number(b.mid) - Number(a.mid))[0];
  await expect.poll(async () => (await screen())?.framesDecoded ?? 0).toBeGreaterThan(0);
}

test('a learner on Firefox sees a shared screen large', async () => {
  await press(teacher, 'share');
  await seesScreen(fox);
  await accessible(fox, 'a shared screen in Firefox');
  await teacher.getByTestId('stop-share').first().click();
  await expect(fox.getByTestId('room')).not.toHaveAttribute('data-layout', 'screen');
  await fox.context().close();
  await teacher.context().close();
});

test('a trainer on Firefox is seen and heard, and shares the screen', async () => {
  const room = server.newClass('Lớp do người dùng Firefox dạy');
  fox = await enter(await person(firefox, server.origin), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
  const learner = await enter(await person(chromium, server.origin), server.link(room, 'learner'), { name: 'Lê Thị Bình' });
  await sees(learner);
  await hears(learner);
  await press(fox, 'share');
  await seesScreen(learner);
  await fox.getByTestId('stop-share').first().click();
  await expect(learner.getByTestId('room')).not.toHaveAttribute('data-layout', 'screen');
  expect(foreignRequests).toEqual([]);
});
