// Learners on Chromium and Firefox behind a bad network, through the server's own way
// out: loss, a link that becomes narrow and wide again, a shared screen.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { audioEnergy, inboundVideo, launch, person } from '../lib/browser.ts';
import { launchFirefox } from '../lib/firefox.ts';
import { Relay } from '../lib/relay.ts';
import { enter, press } from '../lib/room.ts';
import { ownAddress, Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

const LOSSY = { loss: 8, rtt: 80 };
/** Carries the smallest layer (120 kbit/s, 135 lines) and sound to one, never the next (400 kbit/s, 270 lines); kbit/s. */
const NARROW = 300;
/** Higher than the smallest layer, lower than the next. */
const LARGE = 200;

let server: Server;
let relay: Relay;
let chromium: Browser;
let firefox: Browser;
let trainer: Page;
let chrome: Page;
let fox: Page;

type Stat = Record<string, unknown> & { type: string; kind?: string };
type Hooks = { __lophoc: { stats(): Promise<Stat[]> } };

/** Frames decoded since it began. */
async function frames(page: Page): Promise<number> {
  return (await inboundVideo(page)).reduce((sum, video) => sum + video.framesDecoded, 0);
}

/** Height of the largest picture that has grown by frames in the last second. */
async function height(page: Page): Promise<number> {
  const before = await inboundVideo(page);
  await page.waitForTimeout(1_000);
  const live = (await inboundVideo(page)).filter((now) => now.framesDecoded > (before.find((was) => was.mid === now.mid)?.framesDecoded ?? 0));
  return Math.max(0, ...live.map((video) => video.height));
}

/** A tenth of a second's worth of pictures a second at least, for five seconds. */
async function flows(page: Page): Promise<void> {
  await expect
    .poll(
      async () => {
        const before = await frames(page);
        await page.waitForTimeout(5_000);
        return (await frames(page)) - before;
      },
      { timeout: 60_000 },
    )
    .toBeGreaterThan(40);
}

test.beforeAll(async () => {
  const own = ownAddress();
  if (!own) throw new Error('this machine has no address but loopback');
  server = await Server.start({ address: own });
  relay = await Relay.start(own, server.mediaPort, LOSSY);
  chromium = await launch({ restless: true });
  firefox = await launchFirefox({ hidden: true });
  const room = server.newClass('Lớp qua mạng yếu');
  trainer = await enter(await person(chromium, server.origin), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
  chrome = await enter(await relay.between(await person(chromium, server.origin)), server.link(room, 'learner'), { name: 'Trần Văn An' });
  fox = await enter(await relay.between(await person(firefox, server.origin)), server.link(room, 'learner'), { name: 'Lê Thị Bình' });
});

test.afterAll(async () => {
  await firefox?.close();
  await chromium?.close();
  relay?.close();
  await server?.close();
});

test('with a twelfth lost each way both browsers see and hear', async () => {
  for (const page of [chrome, fox]) {
    await flows(page);
    const before = await audioEnergy(page);
    await expect.poll(async () => (await audioEnergy(page)) - before).toBeGreaterThan(0.001);
  }
});

/** Packets of sound lost so far, and samples played and made up for lack of them. */
const heard = (page: Page) =>
  page.evaluate(async () => {
    const out = { packets: 0, lost: 0, played: 0, concealed: 0 };
    for (const stat of await (window as unknown as Hooks).__lophoc.stats()) {
      // The one slot that is spoken in.
      if (stat.type !== 'inbound-rtp' || stat.kind !== 'audio' || Number(stat.packetsReceived ?? 0) <= out.packets) continue;
      out.packets = Number(stat.packetsReceived);
      out.lost = Number(stat.packetsLost ?? 0);
      out.played = Number(stat.totalSamplesReceived ?? 0);
      out.concealed = Number(stat.concealedSamples ?? 0) - Number(stat.silentConcealedSamples ?? 0);
    }
    return out;
  });

test('redundant sound makes up for what is lost', async () => {
  // Loss is reported every few seconds; the redundancy follows the first report.
  await expect.poll(async () => (await heard(chrome)).lost, { timeout: 60_000 }).toBeGreaterThan(20);
  await chrome.waitForTimeout(5_000);
  const before = await heard(chrome);
  await chrome.waitForTimeout(20_000);
  const after = await heard(chrome);
  const lost = (after.lost - before.lost) / (after.lost - before.lost + after.packets - before.packets);
  const concealed = (after.concealed - before.concealed) / (after.played - before.played);
  console.log(`lost ${(100 * lost).toFixed(1)} %, made up ${(100 * concealed).toFixed(1)} %`);
  expect(lost).toBeGreaterThan(0.04);
  expect(concealed).toBeLessThan(lost / 2);
});

/**
 * How the picture is for five seconds. None at all is `given up` where the page says that the
 * link is too weak for it, else `missing`: a camera that was lost is no thrift.
 */
async function course(page: Page): Promise<'large' | 'small' | 'now and then' | 'given up' | 'missing'> {
  const looks: number[] = [];
  for (let second = 0; second < 5; second++) looks.push(await height(page));
  if (looks.some((one) => one >= LARGE)) return 'large';
  if (looks.every((one) => one > 0)) return 'small';
  if (looks.some((one) => one > 0)) return 'now and then';
  const told = await page.getByTestId('tile').evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('aria-label') ?? ''));
  return told.some((label) => label.includes('Tạm dừng hình do mạng yếu')) ? 'given up' : 'missing';
}

/** Part of the sound of ten seconds that is made up for lack of packets; all of it while nothing is played. */
async function madeUp(page: Page): Promise<number> {
  const [before, energy] = [await heard(page), await audioEnergy(page)];
  await page.waitForTimeout(10_000);
  const [after, now] = [await heard(page), await audioEnergy(page)];
  // Samples of half the time at least, of somebody who speaks.
  if (after.played - before.played < 240_000 || now - energy <= 0.001) return 1;
  return (after.concealed - before.concealed) / (after.played - before.played);
}

test('a narrow link takes the larger layers away, and a wide one brings them again', async () => {
  test.setTimeout(600_000);
  await relay.become({ rtt: 40 });
  for (const page of [chrome, fox]) await expect.poll(() => height(page), { timeout: 90_000 }).toBeGreaterThan(LARGE);
  // Both share it: for sound, and the smallest layer where it fits beside it.
  await relay.become({ rtt: 40, downKbit: NARROW });
  for (const page of [chrome, fox]) await expect.poll(() => course(page), { timeout: 60_000 }).toMatch(/^(small|now and then|given up)$/);
  // The picture gives way to the sound, which goes on nearly whole.
  for (const page of [chrome, fox]) await expect.poll(() => madeUp(page), { timeout: 60_000 }).toBeLessThan(0.1);
  await relay.become({ rtt: 40 });
  for (const page of [chrome, fox]) await expect.poll(() => height(page), { timeout: 90_000 }).toBeGreaterThan(LARGE);
});

test('a shared screen comes through loss', async () => {
  await relay.become(LOSSY);
  // A screen has a line of its own, on which nothing came so far.
  const playing = async (page: Page) => new Set((await inboundVideo(page)).filter((video) => video.framesDecoded > 0).map((video) => video.mid));
  const before = new Map([
    [chrome, await playing(chrome)],
    [fox, await playing(fox)],
  ]);
  await press(trainer, 'share');
  for (const page of [chrome, fox]) {
    await expect(page.getByTestId('room')).toHaveAttribute('data-layout', 'screen');
    await expect.poll(async () => [...(await playing(page))].some((mid) => !before.get(page)?.has(mid)), { timeout: 60_000 }).toBe(true);
  }
});

test('one alone on the same narrow link has the smallest layer beside the sound', async () => {
  test.setTimeout(600_000);
  await trainer.getByTestId('stop-share').first().click();
  await expect(chrome.getByTestId('room')).not.toHaveAttribute('data-layout', 'screen');
  await fox.close();
  await relay.become({ rtt: 40 });
  await expect.poll(() => height(chrome), { timeout: 90_000 }).toBeGreaterThan(LARGE);
  await relay.become({ rtt: 40, downKbit: NARROW });
  // With pauses where a busy machine is late by itself.
  await expect.poll(() => course(chrome), { timeout: 90_000 }).toMatch(/^(small|now and then)$/);
  await expect.poll(() => madeUp(chrome), { timeout: 60_000 }).toBeLessThan(0.1);
});
