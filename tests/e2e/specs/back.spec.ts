// Coming back: the page hidden and frozen, the network away, a device taken away. Sound
// returns in the same stay, without a reload.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { audioEnergy, launch, person } from '../lib/browser.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let context: BrowserContext;
let learner: Page;
let trainer: Page;
let me: string;

const self = (page: Page) =>
  page.evaluate(() => (window as unknown as { __lophoc: { room: { me: { person: string } } } }).__lophoc.room.me.person);
async function hears(page: Page): Promise<void> {
  const before = await audioEnergy(page);
  await expect.poll(async () => Math.abs((await audioEnergy(page)) - before), { timeout: 45_000 }).toBeGreaterThan(0.001);
}
async function sameStay(): Promise<void> {
  expect(await self(learner)).toBe(me);
  expect(await learner.evaluate(() => (window as unknown as { __stayed?: boolean }).__stayed)).toBe(true);
}

test.beforeAll(async () => {
  server = await Server.start();
  browser = await launch();
  const room = server.newClass('Trở lại lớp', 'discussion');
  trainer = await enter(await person(browser, server.origin), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true });
  context = await person(browser, server.origin);
  learner = await enter(context, server.link(room, 'learner'), { name: 'Trần Văn An', mic: true });
  await learner.evaluate(() => ((window as unknown as { __stayed?: boolean }).__stayed = true));
  me = await self(learner);
  await hears(learner);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('a page that was frozen hears again', async () => {
  const cdp = await context.newCDPSession(learner);
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' });
  await trainer.waitForTimeout(5_000);
  await cdp.send('Page.setWebLifecycleState', { state: 'active' });
  await hears(learner);
  await sameStay();
});

test('the network goes and comes: sound by itself, within the time of a resume', async () => {
  await context.setOffline(true);
  await expect(learner.getByTestId('reconnecting')).toBeVisible();
  await context.setOffline(false);
  await expect(learner.getByTestId('reconnecting')).toBeHidden();
  await hears(learner);
  await sameStay();
});

test('a microphone that ended is had again and heard', async () => {
  await learner.evaluate(() => {
    const { room } = (window as unknown as { __lophoc: { room: { devices: { capture: { track(kind: 'mic'): MediaStreamTrack } } } } })
      .__lophoc;
    const track = room.devices.capture.track('mic');
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await expect
    .poll(() =>
      learner.evaluate(
        () =>
          (window as unknown as { __lophoc: { room: { mic: string; devices: { capture: { track(kind: 'mic'): MediaStreamTrack | null } } } } })
            .__lophoc.room.devices.capture.track('mic')?.readyState,
      ),
    )
    .toBe('live');
  await hears(trainer);
  await sameStay();
});
