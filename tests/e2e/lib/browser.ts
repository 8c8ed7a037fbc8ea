// Debian's Chromium with fake devices, and what a page of it decodes.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { noisyAudio, patternVideo, restlessVideo, toneAudio, TRAINER_CORNERS, type Corners } from './media-files.ts';

const MEDIA_FOLDER = join(tmpdir(), 'lophoc-e2e-media');

/** A newly built client to try in place of the one inside a server with TLS; see front.ts for the others. */
const CLIENT = process.env.E2E_CLIENT;

const COMMON_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-select-desktop-capture-source=Entire screen',
  '--autoplay-policy=user-gesture-required',
];

export interface LaunchOptions {
  /** Play the trainer's pattern and tone instead of Chromium's own test picture and beep. */
  pattern?: boolean;
  /** Play a picture that takes every bit a layer may have; Chromium's own takes next to none. */
  restless?: boolean;
  /** Play speech-like bursts in noise as the microphone. */
  noise?: boolean;
  /** Refuse every wish for a device, as a person who presses "Block". */
  deny?: boolean;
  /** Further arguments of the program. */
  args?: string[];
}

export async function launch(options: LaunchOptions = {}): Promise<Browser> {
  const args = options.deny
    ? [...COMMON_ARGS.filter((arg) => arg !== '--use-fake-ui-for-media-stream'), '--deny-permission-prompts']
    : [...COMMON_ARGS];
  args.push(...(options.args ?? []));
  // A page served by the test itself has no address, so the server would count as a stranger's network.
  if (CLIENT) args.push('--disable-features=LocalNetworkAccessChecks');
  if (options.noise) args.push(`--use-file-for-fake-audio-capture=${noisyAudio(MEDIA_FOLDER)}`);
  if (options.restless) args.push(`--use-file-for-fake-video-capture=${restlessVideo(MEDIA_FOLDER)}`);
  if (options.pattern) {
    args.push(
      `--use-file-for-fake-video-capture=${patternVideo(MEDIA_FOLDER, TRAINER_CORNERS)}`,
      `--use-file-for-fake-audio-capture=${toneAudio(MEDIA_FOLDER)}`,
    );
  }
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
}

export const DESKTOP = { width: 1280, height: 720 };
export const PHONE = { width: 390, height: 844 };

/** A person's own browser profile. Requests to any foreign origin fail the test. */
export async function person(browser: Browser, origin: string, viewport = DESKTOP): Promise<BrowserContext> {
  const phone = viewport.width < 500;
  const context = await browser.newContext({
    viewport,
    locale: 'vi-VN',
    hasTouch: phone,
    isMobile: phone,
    permissions: [],
  });
  if (CLIENT && origin.startsWith('https:')) await serveClient(context, CLIENT);
  const host = new URL(origin).host;
  context.on('request', (request) => {
    const url = new URL(request.url());
    if ((url.protocol.startsWith('http') || url.protocol.startsWith('ws')) && url.host !== host) {
      foreignRequests.push(request.url());
    }
  });
  return context;
}

async function serveClient(context: BrowserContext, folder: string): Promise<void> {
  await context.route(/^https?:/, async (route) => {
    const file = join(folder, new URL(route.request().url()).pathname);
    if (route.request().resourceType() === 'document') await route.fulfill({ path: join(folder, 'index.html') });
    else if (/\.\w+$/.test(file) && existsSync(file)) await route.fulfill({ path: file });
    else await route.continue();
  });
}

/** Requests any page made to a foreign origin; specs assert that it stays empty. */
export const foreignRequests: string[] = [];

export interface InboundVideo {
  mid: string;
  framesDecoded: number;
  height: number;
  width: number;
  codec: string;
}

interface StatsHook {
  __lophoc?: { pc: RTCPeerConnection | null };
}

/** What the page's peer connection receives as video, by m-line. */
export async function inboundVideo(page: Page): Promise<InboundVideo[]> {
  return page.evaluate(async () => {
    const pc = (window as unknown as StatsHook).__lophoc?.pc;
    if (!pc) return [];
    const report = await pc.getStats();
    const codecs = new Map<string, string>();
    const list: InboundVideo[] = [];
    report.forEach((s) => {
      if (s.type === 'codec') codecs.set(s.id, s.mimeType);
    });
    report.forEach((s) => {
      if (s.type === 'inbound-rtp' && s.kind === 'video') {
        list.push({
          mid: s.mid,
          framesDecoded: s.framesDecoded ?? 0,
          height: s.frameHeight ?? 0,
          width: s.frameWidth ?? 0,
          codec: codecs.get(s.codecId) ?? '',
        });
      }
    });
    return list;
  });
}

/** Sum of the energy of all sound received since the start. */
export async function audioEnergy(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const pc = (window as unknown as StatsHook).__lophoc?.pc;
    if (!pc) return 0;
    let energy = 0;
    (await pc.getStats()).forEach((s) => {
      if (s.type === 'inbound-rtp' && s.kind === 'audio') energy += s.totalAudioEnergy ?? 0;
    });
    return energy;
  });
}

/** Bytes the page's peer connection has sent of one kind. */
export async function sentPackets(page: Page, kind: 'audio' | 'video'): Promise<number> {
  return page.evaluate(async (wanted) => {
    const pc = (window as unknown as StatsHook).__lophoc?.pc;
    if (!pc) return 0;
    let packets = 0;
    (await pc.getStats()).forEach((s) => {
      if (s.type === 'outbound-rtp' && s.kind === wanted) packets += s.packetsSent ?? 0;
    });
    return packets;
  }, kind);
}

/** Colours at the middle of the four quarters of each playing video that is shown. */
export async function shownCorners(page: Page): Promise<number[][][]> {
  return page.evaluate(() => {
    const result: number[][][] = [];
    for (const video of document.querySelectorAll('video')) {
      const box = video.getBoundingClientRect();
      if (!video.videoWidth || box.width < 20 || box.height < 20) continue;
      const canvas = document.createElement('canvas');
      canvas.width = 64;
      canvas.height = 36;
      const context = canvas.getContext('2d');
      if (!context) continue;
      context.drawImage(video, 0, 0, 64, 36);
      const at = (x: number, y: number) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
      result.push([at(16, 8), at(48, 8), at(16, 28), at(48, 28)]);
    }
    return result;
  });
}

/** Whether one of the shown videos has these corners (mirrored pictures do not count). */
export async function showsPattern(page: Page, corners: Corners = TRAINER_CORNERS): Promise<boolean> {
  const shown = await shownCorners(page);
  return shown.some((quarters) =>
    quarters.every((pixel, index) => {
      const wanted = corners[index];
      return wanted !== undefined && pixel.every((value, channel) => Math.abs(value - (wanted[channel] ?? 0)) < 60);
    }),
  );
}

interface Marked {
  __lophoc?: { pc: RTCPeerConnection | null };
  __marked?: RTCPeerConnection | null;
}

/** Remembers the page's present peer connection. */
export async function markConnection(page: Page): Promise<void> {
  await page.evaluate(() => {
    const w = window as unknown as Marked;
    w.__marked = w.__lophoc?.pc ?? null;
  });
}

/** Whether the page has another peer connection than the one remembered. */
export async function hasNewConnection(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const w = window as unknown as Marked;
    const pc = w.__lophoc?.pc ?? null;
    return pc !== null && pc !== w.__marked;
  });
}
