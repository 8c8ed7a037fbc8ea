// What real browsers send is recorded as it is: camera in VP8 and in H.264, a shared
// screen, through a network that loses packets, with a microphone that is muted, pictures
// that change their size, somebody who comes late, slides and chat. Debian's ffmpeg
// decodes every file without a word, the player plays and seeks, and the film is whole.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { foreignRequests, launch, person } from '../lib/browser.ts';
import { complaints, silences, sizes, streams } from '../lib/ffmpeg.ts';
import { pdf } from '../lib/pdf.ts';
import { addSession, Api, demoClass, signIn } from '../lib/records.ts';
import { Relay } from '../lib/relay.ts';
import { inRoom, press } from '../lib/room.ts';
import { ownAddress, Server } from '../lib/server.ts';

interface Item {
  id: string;
  state: string;
  canWatch: boolean;
  durationMs: number;
}
interface Track {
  id: string;
  kind: 'camera' | 'screen';
  name: string;
  url: string;
  mime: string;
  fromMs: number;
  toMs: number;
}
interface Playback {
  sound?: string;
  film?: string;
  tracks: Track[];
  slides: { page: number }[];
  chat: { text: string }[];
}
interface Hooks {
  __lophoc: { pc: RTCPeerConnection };
}

/** The sender of the camera, or of the screen. */
async function constrain(page: Page, kind: 'camera' | 'screen', width: number, height: number): Promise<void> {
  await page.evaluate(
    async ([kind, width, height]) => {
      const { pc } = (window as unknown as Hooks).__lophoc;
      const tracks = pc.getSenders().flatMap((sender) => (sender.track?.kind === 'video' ? [sender.track] : []));
      // A shared surface says what it is.
      const track = tracks.find((one) => ('displaySurface' in one.getSettings()) === (kind === 'screen'));
      if (!track) throw new Error(`no ${kind}`);
      await track.applyConstraints({ width: { max: width, ideal: width }, height: { max: height, ideal: height } });
    },
    [kind, width, height] as const,
  );
}

/** How often the server asked for lost packets of what the page sends. */
const asked = (page: Page) =>
  page.evaluate(async () => {
    let count = 0;
    (await (window as unknown as Hooks).__lophoc.pc.getStats()).forEach((stat) => {
      if (stat.type === 'outbound-rtp' && stat.kind === 'video') count += stat.nackCount ?? 0;
    });
    return count;
  });

/** Codecs of the pictures the page sends. */
const sends = (page: Page) =>
  page.evaluate(async () => {
    const report = await (window as unknown as Hooks).__lophoc.pc.getStats();
    const codecs = new Set<string>();
    report.forEach((stat) => {
      if (stat.type === 'outbound-rtp' && stat.kind === 'video' && stat.framesEncoded > 0) codecs.add(report.get(stat.codecId)?.mimeType);
    });
    return [...codecs];
  });

/** A browser that offers nothing but H.264 for what it sends. */
async function h264(context: BrowserContext): Promise<BrowserContext> {
  await context.addInitScript(() => {
    const set = RTCRtpTransceiver.prototype.setCodecPreferences;
    RTCRtpTransceiver.prototype.setCodecPreferences = function (this: RTCRtpTransceiver, codecs: RTCRtpCodec[]) {
      set.call(this, this.direction === 'sendonly' ? codecs.filter((codec) => codec.mimeType !== 'video/VP8') : codecs);
    };
  });
  return context;
}

async function come(context: BrowserContext, link: string, mic: boolean): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`));
  await page.goto(`${link}?e2e=1`);
  const enter = page.getByRole('button', { name: 'Vào lớp', exact: true });
  await expect(enter).toBeVisible();
  const accept = page.getByTestId('recording-accept');
  if (await accept.isVisible()) await accept.check();
  for (const [id, on] of [
    ['toggle-mic', mic],
    ['toggle-camera', true],
  ] as const) {
    const toggle = page.getByTestId(id);
    if (((await toggle.getAttribute('aria-pressed')) === 'true') !== on) await toggle.click();
    await expect(toggle).toHaveAttribute('aria-pressed', String(on));
  }
  await enter.click();
  await inRoom(page);
  return page;
}

test('what browsers send through loss is recorded whole, played and made a film', async () => {
  test.setTimeout(900_000);
  const own = ownAddress();
  if (!own) throw new Error('this machine has no address but loopback');
  const server = await Server.start({ demo: true, address: own });
  let browser: Browser | undefined;
  let relay: Relay | undefined;
  try {
    relay = await Relay.start(own, server.mediaPort, { loss: 5, rtt: 60 });
    browser = await launch({ pattern: true });
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi ghi hình qua mạng yếu', false);
    const { room } = await api.get<{ room: string }>(`/sessions/${lesson.id}`);
    const set = await office.request.put(`${server.origin}/api/v1/sessions/${lesson.id}/recording`, {
      data: { on: true, own: true, who: 'Ban tổ chức lớp', why: 'Xem lại', keep: '6 tháng', by: 'server', auto: true, whom: 'all', ask: 'consent' },
      headers: { 'X-Lophoc': '1', Origin: server.origin },
    });
    expect(set.ok(), await set.text()).toBe(true);
    const bad = async () => relay!.between(await person(browser!, server.origin));

    const trainer = await come(await bad(), server.link(room, 'trainer', 'Nguyễn Thị Hạnh'), true);
    const second = await come(await h264(await bad()), server.link(room, 'trainer', 'Trần Văn Bảy'), false);
    const start = trainer.getByTestId('start-lesson');
    if (await start.isVisible()) await start.click();
    await expect(trainer.getByTestId('recording')).toHaveAttribute('data-state', 'on', { timeout: 60_000 });
    await expect.poll(() => sends(trainer)).toEqual(['video/VP8']);
    await expect.poll(() => sends(second)).toEqual(['video/H264']);
    await trainer.waitForTimeout(6_000);

    // Nothing is heard for some seconds.
    await press(trainer, 'mic');
    await trainer.waitForTimeout(6_000);
    await press(trainer, 'mic');
    await trainer.waitForTimeout(2_000);

    // Other sizes, while it is recorded.
    await press(trainer, 'share');
    await expect(trainer.getByTestId('stop-share').first()).toBeVisible();
    await trainer.waitForTimeout(6_000);
    await constrain(trainer, 'camera', 640, 360);
    await constrain(second, 'camera', 640, 360);
    await constrain(trainer, 'screen', 640, 480);
    await trainer.waitForTimeout(6_000);

    const late = await come(await bad(), server.link(room, 'learner', 'Lê Thị Muộn'), true);
    await trainer.getByTestId('stop-share').first().click();
    await press(trainer, 'open-docs');
    await trainer.getByTestId('deck-file').setInputFiles({ name: 'Bài giảng.pdf', mimeType: 'application/pdf', buffer: pdf(2) });
    const deck = trainer.getByTestId('deck').filter({ hasText: 'Bài giảng.pdf' });
    await expect(deck).toHaveAttribute('data-state', 'ready', { timeout: 300_000 });
    await deck.getByTestId('deck-present').click();
    await expect(late.getByTestId('slide')).toHaveAttribute('data-page', '1');
    await trainer.waitForTimeout(2_000);
    await trainer.getByTestId('slide-next').click();
    await expect(late.getByTestId('slide')).toHaveAttribute('data-page', '2');
    await press(late, 'open-chat');
    await late.getByTestId('chat-input').fill('Em chào cả lớp.');
    await late.keyboard.press('Enter');
    await trainer.waitForTimeout(4_000);
    // The way did lose what was sent, and the server asked for it.
    expect(await asked(trainer)).toBeGreaterThan(0);
    expect(await asked(second)).toBeGreaterThan(0);
    await api.post(`/sessions/${lesson.id}/end`, {});

    const found = async (): Promise<Item | undefined> => (await api.get<{ items: Item[] }>(`/recordings?session=${lesson.id}`)).items[0];
    await expect.poll(async () => (await found())?.canWatch === true && (await found())?.state !== 'recording', { timeout: 120_000 }).toBe(true);
    const item = (await found())!;
    const playback = () => api.get<Playback>(`/recordings/${item.id}/playback`);
    await expect.poll(async () => (await playback()).sound !== undefined, { timeout: 120_000 }).toBe(true);
    const shown = await playback();

    // Every file, by Debian's ffmpeg.
    const folder = join(server.folder, 'data/recordings', item.id);
    const files = readdirSync(folder).filter((name) => /\.(webm|mkv)$/.test(name));
    expect(files.length).toBeGreaterThan(6);
    for (const file of files) expect(complaints(join(folder, file)), file).toBe('');
    const of = (name: string, kind: string) => shown.tracks.filter((track) => track.name === name && track.kind === kind);
    const file = (track: Track) => join(folder, new URL(track.url, server.origin).pathname.replace(/^.*\/\d+\./, ''));
    const told = shown.tracks.map((track) => `${track.name} ${track.kind} ${track.mime} ${track.fromMs}–${track.toMs} ${sizes(file(track)).join(' → ')}`);
    console.log(told.join('\n'));

    // Another size is in the same file of VP8 and begins another of H.264.
    const cameras = of('Nguyễn Thị Hạnh', 'camera');
    expect(cameras.every((track) => track.mime.includes('vp8'))).toBe(true);
    expect(cameras.map((track) => sizes(file(track)).length).some((count) => count > 1)).toBe(true);
    const others = of('Trần Văn Bảy', 'camera');
    expect(others.length).toBeGreaterThan(1);
    const each = others.map((track) => sizes(file(track)));
    expect(each.every((one) => one.length === 1)).toBe(true);
    expect(new Set(each.flat()).size).toBeGreaterThan(1);
    const screens = of('Nguyễn Thị Hạnh', 'screen');
    expect(screens.flatMap((track) => sizes(file(track))).length).toBeGreaterThan(1);
    // Who came late is heard; whom nobody promoted is in no picture.
    expect(of('Lê Thị Muộn', 'camera')).toEqual([]);
    const { segments } = await api.get<{ segments: { kind: string; person: string }[] }>(`/recordings/${item.id}`);
    expect(new Set(segments.filter((one) => one.kind === 'voice').map((one) => one.person)).size).toBe(2);
    // The muted microphone is silence, and nothing else is.
    const quiet = silences(join(folder, 'sound.webm'), 3);
    expect(quiet).toHaveLength(1);
    expect(quiet[0]!.seconds).toBeGreaterThan(4);
    expect(quiet[0]!.seconds).toBeLessThan(9);
    expect(shown.slides.map((one) => one.page)).toEqual(expect.arrayContaining([1, 2]));
    expect(shown.chat.map((one) => one.text)).toContain('Em chào cả lớp.');

    // Played, and sought.
    await page.goto(`${server.origin}/recordings/${item.id}`);
    const player = page.getByTestId('player');
    await expect(player).toBeVisible();
    await page.getByTestId('play').click();
    const at = () => player.evaluate((one) => Number((one as HTMLElement).dataset.t));
    await expect.poll(at).toBeGreaterThan(1_000);
    const drawn = (track: Track) => page.locator(`video[data-track="${track.id}"]`).evaluate((one) => (one as HTMLVideoElement).readyState);
    // The first may be a moment long: what the server kept of before.
    const camera = cameras.reduce((a, b) => (b.toMs - b.fromMs > a.toMs - a.fromMs ? b : a));
    await expect.poll(() => drawn(camera)).toBeGreaterThan(1);
    const seek = (ms: number) =>
      page.getByTestId('place').evaluate((one, ms) => {
        const input = one as HTMLInputElement;
        input.value = String(ms);
        input.dispatchEvent(new Event('input', { bubbles: true }));
        input.dispatchEvent(new Event('change', { bubbles: true }));
      }, ms);
    for (const track of [screens[0]!, others.at(-1)!, camera]) {
      const to = track.fromMs + Math.floor((track.toMs - track.fromMs) / 2);
      await seek(to);
      await expect.poll(at).toBeGreaterThanOrEqual(to);
      await expect.poll(at).toBeLessThan(to + 20_000);
      if (track !== others.at(-1)) await expect.poll(() => drawn(track)).toBeGreaterThan(1);
    }

    // One film of all, as long as what is shown.
    await expect.poll(async () => (await playback()).film !== undefined, { timeout: 400_000 }).toBe(true);
    const film = join(server.folder, 'film.mp4');
    const bytes = await office.request.get(new URL((await playback()).film!, server.origin).href);
    expect(bytes.ok()).toBe(true);
    writeFileSync(film, await bytes.body());
    expect(complaints(film)).toBe('');
    const made = streams(film);
    expect(made).toMatchObject({ codecs: ['h264', 'aac'], width: 1280, height: 720 });
    expect(Math.abs(made.seconds - item.durationMs / 1_000)).toBeLessThan(0.5);
    expect(foreignRequests).toEqual([]);
  } finally {
    relay?.close();
    await browser?.close();
    await server.close();
  }
});
