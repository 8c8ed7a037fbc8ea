// Data saving: one tap leaves sound and slides, a second one brings everything back.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let learner: Page;

interface Got {
  video: number;
  audio: number;
  voices: number;
}
type Stat = Record<string, unknown> & { type: string; kind?: string };
type Hooks = { __lophoc: { stats(): Promise<Stat[]>; pc: RTCPeerConnection } };

/** Packets that came so far, and how many audio slots got any since `before`. */
async function got(page: Page): Promise<Got & { each: Record<string, number> }> {
  return page.evaluate(async () => {
    const out = { video: 0, audio: 0, voices: 0, each: {} as Record<string, number> };
    for (const stat of await (window as unknown as Hooks).__lophoc.stats()) {
      if (stat.type !== 'inbound-rtp') continue;
      const packets = Number(stat.packetsReceived ?? 0);
      if (stat.kind === 'video') out.video += packets;
      else {
        out.audio += packets;
        out.each[String(stat.mid)] = packets;
      }
    }
    return out;
  });
}

/** What came in the next second. */
async function flow(page: Page): Promise<Got> {
  const before = await got(page);
  await page.waitForTimeout(1_000);
  const after = await got(page);
  const voices = Object.entries(after.each).filter(([mid, n]) => n > (before.each[mid] ?? 0) + 5).length;
  return { video: after.video - before.video, audio: after.audio - before.audio, voices };
}

/** Samples of sound played so far, and how many of them were made up for lack of packets. */
function played(page: Page): Promise<{ all: number; concealed: number }> {
  return page.evaluate(async () => {
    const out = { all: 0, concealed: 0, packets: -1 };
    for (const stat of await (window as unknown as Hooks).__lophoc.stats()) {
      // The one slot that is spoken in; the others play silence.
      const packets = Number(stat.packetsReceived ?? 0);
      if (stat.type !== 'inbound-rtp' || stat.kind !== 'audio' || packets <= out.packets) continue;
      out.packets = packets;
      out.all = Number(stat.totalSamplesReceived ?? 0);
      out.concealed = Number(stat.concealedSamples ?? 0) - Number(stat.silentConcealedSamples ?? 0);
    }
    return out;
  });
}

/** Rate the microphone is allowed, bit/s. */
const speech = (page: Page) =>
  page.evaluate(() => {
    const { pc } = (window as unknown as Hooks).__lophoc;
    const sender = pc.getSenders().find((one) => one.track?.kind === 'audio');
    return sender?.getParameters().encodings[0]?.maxBitrate ?? 0;
  });

const badge = (page: Page) => page.getByTestId('net-badge');

test.beforeAll(async () => {
  server = await Server.start();
  const room = server.newClass('Bồi dưỡng giáo viên: mạng yếu');
  browser = await launch();
  const come = async (role: 'trainer' | 'learner', name: string, viewport?: { width: number; height: number }) =>
    enter(await person(browser, server.origin, viewport), server.link(room, role), {
      name,
      mic: role === 'trainer',
      camera: role === 'trainer',
    });
  trainer = await come('trainer', 'Nguyễn Thị Hạnh');
  learner = await come('learner', 'Trần Văn An');
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('one tap leaves the sound and takes the pictures', async () => {
  test.setTimeout(180_000);
  await expect.poll(async () => (await flow(learner)).video, { timeout: 60_000 }).toBeGreaterThan(10);
  await expect(badge(learner)).toHaveAttribute('data-rung', 'full');
  expect(await speech(trainer)).toBe(32_000);

  await press(learner, 'more');
  await learner.getByTestId('data-saver').click();
  await expect(badge(learner)).toHaveAttribute('data-rung', 'sound', { timeout: 20_000 });
  await expect.poll(async () => (await flow(learner)).video, { timeout: 30_000 }).toBe(0);
  // Speech comes in bundles of 60 ms, and the browser plays every one of them.
  await learner.waitForTimeout(3_000);
  const before = await played(learner);
  const still = await flow(learner);
  expect(still.audio).toBeGreaterThan(10);
  expect(still.audio).toBeLessThan(25);
  expect(still.voices).toBe(1);
  await learner.waitForTimeout(4_000);
  const after = await played(learner);
  const samples = after.all - before.all;
  expect(samples).toBeGreaterThan(48_000 * 2);
  expect((after.concealed - before.concealed) / samples).toBeLessThan(0.1);
  await expect(badge(learner)).toContainText('Chỉ âm thanh và trang trình chiếu');
});

test('those who lead see it, and speech is sent small for those who need it', async () => {
  test.setTimeout(120_000);
  await expect.poll(() => speech(trainer), { timeout: 30_000 }).toBe(16_000);
  await press(trainer, 'open-people');
  const row = trainer.getByTestId('person').filter({ hasText: 'Trần Văn An' });
  await expect(row.getByTestId('rung')).toHaveAttribute('data-rung', 'sound');
  await expect(row.getByTestId('rung')).toHaveAttribute('data-why', 'chosen');
  await expect(row).toContainText('Tiết kiệm dữ liệu');
  await accessible(trainer, 'people with a rung');
  await trainer.screenshot({ path: test.info().outputPath('people.png') });
});

test('the state of the connection says it in words, on a phone too', async () => {
  test.setTimeout(120_000);
  await badge(learner).click();
  await expect(learner.getByTestId('stats')).toContainText('bạn đang tiết kiệm dữ liệu');
  await accessible(learner, 'state of the connection');
  await learner.screenshot({ path: test.info().outputPath('saver-desk.png') });
  await learner.setViewportSize(PHONE);
  await learner.screenshot({ path: test.info().outputPath('saver-phone.png') });
  await learner.keyboard.press('Escape');
  await learner.screenshot({ path: test.info().outputPath('room-phone.png') });
  await learner.setViewportSize({ width: 1280, height: 720 });
});

test('a second tap brings everything back', async () => {
  test.setTimeout(180_000);
  await badge(learner).click();
  await learner.getByTestId('stats-saver').getByRole('checkbox').uncheck();
  await learner.keyboard.press('Escape');
  await expect(badge(learner)).toHaveAttribute('data-rung', 'full', { timeout: 20_000 });
  await expect.poll(async () => (await flow(learner)).video, { timeout: 60_000 }).toBeGreaterThan(10);
  await expect.poll(() => speech(trainer), { timeout: 60_000 }).toBe(32_000);
});
