// A publisher's upper layers rest while nobody watches them, and are there again
// when somebody does, without negotiation.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { launch, person } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let learner: Page;

type Stat = Record<string, unknown> & { type: string; kind?: string };
type Hooks = { __lophoc: { stats(): Promise<Stat[]>; pc: RTCPeerConnection } };

/** Frames of the own camera sent so far, by layer. */
const sent = (page: Page): Promise<Record<string, number>> =>
  page.evaluate(async () => {
    const out: Record<string, number> = {};
    for (const stat of await (window as unknown as Hooks).__lophoc.stats()) {
      if (stat.type !== 'outbound-rtp' || stat.kind !== 'video' || !stat.rid) continue;
      const rid = String(stat.rid);
      out[rid] = (out[rid] ?? 0) + Number(stat.framesSent ?? 0);
    }
    return out;
  });

/** Frames of the own camera in the next two seconds: of the smallest layer, of the others. */
async function flow(page: Page): Promise<{ small: number; upper: number }> {
  const before = await sent(page);
  await page.waitForTimeout(2_000);
  const after = await sent(page);
  const of = (rid: string) => (after[rid] ?? 0) - (before[rid] ?? 0);
  return { small: of('q'), upper: of('h') + of('f') };
}

/** Frames decoded from others so far. */
const decoded = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    let frames = 0;
    for (const stat of await (window as unknown as Hooks).__lophoc.stats()) {
      if (stat.type === 'inbound-rtp' && stat.kind === 'video') frames += Number(stat.framesDecoded ?? 0);
    }
    return frames;
  });

const offers = (page: Page) =>
  page.evaluate(() => (window as unknown as Hooks).__lophoc.pc.localDescription?.sdp.match(/^o=.*/m)?.[0]);

test.beforeAll(async () => {
  server = await Server.start();
  const room = server.newClass('Bồi dưỡng giáo viên: hình không ai xem');
  browser = await launch();
  trainer = await enter(await person(browser, server.origin), server.link(room, 'trainer'), {
    name: 'Nguyễn Thị Hạnh',
    camera: true,
  });
  learner = await enter(await person(browser, server.origin), server.link(room, 'learner'), { name: 'Trần Văn An' });
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('upper layers rest while nobody watches and resume when somebody does', async () => {
  test.setTimeout(240_000);
  // Shown large: an upper layer flows.
  await expect.poll(async () => (await flow(trainer)).upper, { timeout: 60_000 }).toBeGreaterThan(5);
  const before = await offers(trainer);

  await press(learner, 'more');
  await learner.getByTestId('data-saver').click();
  await expect.poll(async () => (await flow(trainer)).upper, { timeout: 60_000 }).toBe(0);
  // The smallest goes on, slowly: that the camera is on is told from its packets.
  const idle = await flow(trainer);
  expect(idle.small).toBeGreaterThan(0);
  expect(idle.small).toBeLessThanOrEqual(14);

  await press(learner, 'more');
  await learner.getByTestId('data-saver').click();
  await expect.poll(async () => (await flow(trainer)).upper, { timeout: 60_000 }).toBeGreaterThan(5);
  const seen = await decoded(learner);
  await expect.poll(() => decoded(learner), { timeout: 30_000 }).toBeGreaterThan(seen + 10);
  expect(await offers(trainer)).toBe(before);
});

test('a camera that was off begins with all its layers', async () => {
  test.setTimeout(180_000);
  await press(learner, 'more');
  await learner.getByTestId('data-saver').click();
  await expect.poll(async () => (await flow(trainer)).upper, { timeout: 60_000 }).toBe(0);
  await press(trainer, 'camera');
  await expect.poll(async () => (await flow(trainer)).small, { timeout: 30_000 }).toBe(0);
  await press(learner, 'more');
  await learner.getByTestId('data-saver').click();
  await press(trainer, 'camera');
  await expect.poll(async () => (await flow(trainer)).upper, { timeout: 60_000 }).toBeGreaterThan(5);
});
