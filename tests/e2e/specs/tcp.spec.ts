// An office whose firewall lets no UDP out: sound and picture by TCP on the media port,
// from the first second, or when UDP dies in the middle of a lesson.
import { createSocket, type Socket } from 'node:dgram';
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { audioEnergy, inboundVideo, launch, showsPattern } from '../lib/browser.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

/** As in networks that drop UDP: Chromium opens no UDP socket for a connection. */
const NO_UDP = '--webrtc-ip-handling-policy=disable_non_proxied_udp';

function visitor(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ locale: 'vi-VN', viewport: { width: 1280, height: 720 } });
}

/** Protocol of the pair the page's newest connection has chosen. */
function way(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const pc = (window as unknown as { __lophoc?: { pc: RTCPeerConnection | null } }).__lophoc?.pc;
    if (!pc) return 'none';
    const entries = [...(await pc.getStats()).values()] as (Record<string, unknown> & { id: string; type: string })[];
    const transport = entries.find((one) => one.type === 'transport');
    const pair = entries.find((one) => one.id === transport?.['selectedCandidatePairId']);
    const local = entries.find((one) => one.id === pair?.['localCandidateId']);
    return local ? String(local['protocol']) : 'none';
  });
}

async function frames(page: Page): Promise<number> {
  return (await inboundVideo(page)).reduce((sum, one) => sum + one.framesDecoded, 0);
}

/** Waits until the page shows the trainer, moving, and hears the tone. */
async function follows(page: Page): Promise<void> {
  await expect.poll(() => showsPattern(page), { timeout: 60_000 }).toBe(true);
  const [seen, heard] = [await frames(page), await audioEnergy(page)];
  await expect.poll(() => frames(page), { timeout: 45_000 }).toBeGreaterThan(seen + 20);
  await expect.poll(() => audioEnergy(page), { timeout: 45_000 }).toBeGreaterThan(heard + 0.001);
}

test('a trainer and a learner whose networks drop UDP see and hear by TCP', async () => {
  const server = await Server.start();
  const trainers = await launch({ pattern: true, args: [NO_UDP] });
  const learners = await launch({ args: [NO_UDP] });
  const others = await launch();
  try {
    const room = server.newClass('Lớp không có UDP');
    const trainer = await enter(await visitor(trainers), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
    const learner = await enter(await visitor(learners), server.link(room, 'learner'), { name: 'Trần Văn An' });
    const other = await enter(await visitor(others), server.link(room, 'learner'), { name: 'Lê Thị Bình' });
    await follows(learner);
    await follows(other);
    expect(await way(trainer)).toBe('tcp');
    expect(await way(learner)).toBe('tcp');
    // Where UDP works it is taken.
    expect(await way(other)).toBe('udp');
    const metrics = await (await fetch(`${server.origin}/metrics`)).text();
    const count = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
    expect(count('lophoc_media_tcp_connections\\{state="peer"\\}')).toBeGreaterThanOrEqual(2);
    expect(count('lophoc_media_tcp_packets_total\\{dir="in"\\}')).toBeGreaterThan(100);
    expect(count('lophoc_media_tcp_packets_total\\{dir="out"\\}')).toBeGreaterThan(100);
    expect(count('lophoc_media_drops_total\\{reason="tcp_full"\\}')).toBe(0);
  } finally {
    await trainers.close();
    await learners.close();
    await others.close();
    await server.close();
  }
});

/** A line for UDP between browsers and the server that can be cut. */
class Line {
  private readonly front: Socket = createSocket('udp4');
  private readonly backs = new Map<number, Socket>();
  private cut = false;
  readonly port: Promise<number>;

  constructor(server: () => number) {
    this.port = new Promise((done) => this.front.bind(0, '127.0.0.1', () => done(this.front.address().port)));
    this.front.on('message', (bytes, from) => {
      let back = this.backs.get(from.port);
      if (!back) {
        back = createSocket('udp4');
        back.on('message', (answer) => this.cut || this.front.send(answer, from.port, from.address));
        this.backs.set(from.port, back);
      }
      if (!this.cut) back.send(bytes, server(), '127.0.0.1');
    });
  }

  break(): void {
    this.cut = true;
  }

  close(): void {
    for (const socket of [this.front, ...this.backs.values()]) socket.close();
  }
}

/** The page's UDP goes over the line and no other way; its TCP goes straight to the server. */
async function overLine(context: BrowserContext, line: number): Promise<void> {
  await context.addInitScript((port) => {
    const Native = RTCPeerConnection;
    const own = /^a=candidate:.*\r\n/gm;
    const theirs = /^(a=candidate:\S+ 1 udp \d+ \S+) \d+ /gm;
    window.RTCPeerConnection = class extends Native {
      // The server would find a candidate of ours without the line.
      override set onicecandidate(_: ((this: RTCPeerConnection, event: RTCPeerConnectionIceEvent) => unknown) | null) {
        super.onicecandidate = null;
      }
      override get localDescription(): RTCSessionDescription | null {
        const real = super.localDescription;
        return real && new RTCSessionDescription({ type: real.type, sdp: real.sdp.replace(own, '') });
      }
      override setRemoteDescription(answer: RTCSessionDescriptionInit): Promise<void> {
        return super.setRemoteDescription({ ...answer, sdp: answer.sdp?.replace(theirs, `$1 ${port} `) });
      }
    } as typeof RTCPeerConnection;
  }, line);
}

test('a learner whose UDP dies in the middle of a lesson goes on by TCP', async () => {
  const server = await Server.start();
  const line = new Line(() => server.mediaPort);
  const trainers = await launch({ pattern: true });
  const learners = await launch();
  try {
    const room = server.newClass('Lớp mất UDP');
    await enter(await visitor(trainers), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true, camera: true });
    const context = await visitor(learners);
    await overLine(context, await line.port);
    const learner = await enter(context, server.link(room, 'learner'), { name: 'Trần Văn An' });
    await follows(learner);
    expect(await way(learner)).toBe('udp');
    line.break();
    await expect.poll(() => way(learner), { timeout: 45_000 }).toBe('tcp');
    await follows(learner);
  } finally {
    await trainers.close();
    await learners.close();
    line.close();
    await server.close();
  }
});
