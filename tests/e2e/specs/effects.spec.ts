// What is done to sound and picture before they are sent: strong noise suppression and
// background blur, both from our own origin.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { audioEnergy, foreignRequests, launch, person } from '../lib/browser.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

interface Hooked {
  __lophoc: {
    pc: RTCPeerConnection;
    room: { mic: string; camera: string; devices: { effects: { patient: boolean; filter: boolean; blur: boolean } } };
  };
}

let server: Server;
let browser: Browser;
let room: string;
let teacher: Page;
let learner: Page;

/** Loudness of what the page sends, dBFS: the quietest and the loudest tenth of a second of seven seconds. */
async function sentLoudness(page: Page): Promise<{ floor: number; peak: number }> {
  return page.evaluate(async () => {
    const track = (window as unknown as Hooked).__lophoc.pc.getSenders().find((s) => s.track?.kind === 'audio')?.track;
    if (!track) throw new Error('no sound is sent');
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let floor = Infinity;
    let peak = -Infinity;
    // The first moments of a new graph are silent.
    await new Promise((next) => setTimeout(next, 500));
    for (let n = 0; n < 70; n++) {
      await new Promise((next) => setTimeout(next, 100));
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const value of samples) sum += value * value;
      const db = 10 * Math.log10(sum / samples.length + 1e-12);
      floor = Math.min(floor, db);
      peak = Math.max(peak, db);
    }
    await context.close();
    return { floor, peak };
  });
}

/** The steepest step between neighbours along a line of the largest shown video: an edge is steep, a blur is not. */
async function steepest(page: Page): Promise<number> {
  return page.evaluate(() => {
    const videos = [...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0);
    const video = videos.sort((a, b) => b.clientWidth - a.clientWidth)[0];
    if (!video) return -1;
    const canvas = document.createElement('canvas');
    canvas.width = 240;
    canvas.height = 135;
    const context = canvas.getContext('2d');
    if (!context) return -1;
    context.drawImage(video, 0, 0, 240, 135);
    const line = context.getImageData(60, 34, 120, 1).data;
    let steep = 0;
    for (let x = 4; x < line.length; x += 4) {
      const step = Math.abs(line[x]! - line[x - 4]!) + Math.abs(line[x + 1]! - line[x - 3]!) + Math.abs(line[x + 2]! - line[x - 2]!);
      steep = Math.max(steep, step);
    }
    return steep;
  });
}

const sentTrack = (page: Page, kind: string) =>
  page.evaluate((wanted) => {
    const senders = (window as unknown as Hooked).__lophoc.pc.getSenders();
    return senders.find((s) => s.track?.kind === wanted)?.track?.id ?? '';
  }, kind);

async function choose(page: Page, kind: 'mic' | 'camera', effect: string): Promise<void> {
  await press(page, `${kind}-menu`);
  await press(page, effect);
  await page.keyboard.press('Escape');
  await expect(page.getByTestId(effect)).toBeHidden();
}

test.beforeAll(async () => {
  server = await Server.start();
  browser = await launch({ pattern: true, noise: true });
  room = server.newClass('Lọc ồn và làm mờ nền', 'discussion');
  const strong = await person(browser, server.origin);
  // Blur is offered to machines with more than two cores; no machine is too slow here, whatever else it carries.
  await strong.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 8 }));
  // Nor to those whose graphics are drawn by a program, as here; so the model is kept away, and
  // what is looked at is what is sent until it is there: all of it blurred.
  await strong.addInitScript(() => {
    const get = WebGL2RenderingContext.prototype.getExtension as (this: WebGL2RenderingContext, name: string) => unknown;
    WebGL2RenderingContext.prototype.getExtension = function (this: WebGL2RenderingContext, name: string) {
      return name === 'WEBGL_debug_renderer_info' ? null : get.call(this, name);
    } as typeof WebGL2RenderingContext.prototype.getExtension;
  });
  await strong.route(/selfie_segmentation.*\.wasm/, () => undefined);
  teacher = await enter(strong, server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
  learner = await enter(await person(browser, server.origin), server.link(room, 'learner'), { name: 'Trần Văn An' });
  await teacher.evaluate(() => {
    (window as unknown as Hooked).__lophoc.room.devices.effects.patient = true;
  });
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('strong noise suppression quietens the pauses and lets speech through', async () => {
  const before = await sentLoudness(teacher);
  const raw = await sentTrack(teacher, 'audio');
  await choose(teacher, 'mic', 'filter');
  await expect.poll(() => sentTrack(teacher, 'audio')).not.toBe(raw);
  await expect.poll(async () => (await sentLoudness(teacher)).floor, { timeout: 60_000 }).toBeLessThan(before.floor - 6);
  const after = await sentLoudness(teacher);
  expect(after.peak).toBeGreaterThan(before.peak - 12);
  // It arrives: the learner hears on.
  const heard = await audioEnergy(learner);
  await expect.poll(() => audioEnergy(learner)).toBeGreaterThan(heard);
});

test('muted it is silent at once, and back again', async () => {
  await press(teacher, 'mic');
  await expect.poll(async () => (await sentLoudness(teacher)).peak, { timeout: 60_000 }).toBeLessThan(-100);
  await press(teacher, 'mic');
  await expect.poll(async () => (await sentLoudness(teacher)).peak, { timeout: 60_000 }).toBeGreaterThan(-40);
});

test('switched off the microphone itself is sent again', async () => {
  const filtered = await sentTrack(teacher, 'audio');
  await choose(teacher, 'mic', 'filter');
  await expect.poll(() => sentTrack(teacher, 'audio')).not.toBe(filtered);
  expect((await sentLoudness(teacher)).peak).toBeGreaterThan(-40);
});

test('background blur changes what the others see, and ends when it is switched off', async () => {
  // Nobody is in the picture: all of it is background.
  await expect.poll(() => steepest(learner), { timeout: 60_000 }).toBeGreaterThan(120);
  await choose(teacher, 'camera', 'blur');
  await expect.poll(() => steepest(teacher), { timeout: 60_000 }).toBeLessThan(90);
  await expect.poll(() => steepest(learner), { timeout: 60_000 }).toBeLessThan(90);
  await choose(teacher, 'camera', 'blur');
  await expect.poll(() => steepest(learner), { timeout: 60_000 }).toBeGreaterThan(120);
});

test('blur is not offered where a program draws the graphics', async () => {
  const plain = await person(browser, server.origin);
  await plain.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 8 }));
  const other = await enter(plain, server.link(room, 'learner'), { name: 'Lê Thị Bình', camera: true });
  await press(other, 'camera-menu');
  await expect(other.getByRole('menu')).toBeVisible();
  await expect(other.getByTestId('blur')).toHaveCount(0);
});

test('nothing was asked of a foreign origin', () => {
  expect(foreignRequests).toEqual([]);
});
