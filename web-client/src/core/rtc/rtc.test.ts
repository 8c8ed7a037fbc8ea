import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pickAudioCodecs, pickVideoCodecs } from './codecs';
import { browserName, deviceClass, isFirefox, isWebKit, sendsScreenLayers } from './compat';
import { BLIND_DELAY, rtpAtOrAfter, whenFrameShown } from './frame-gate';
import type { Rid } from '../proto';
import { cameraLayers, pauseUnwatched, CAMERA_RIDS, SCREEN_RIDS, screenLayers } from './layers';
import { AudioWatchdog, netLevel, NO_SAMPLE, packetsByMid, StatsSampler } from './stats';

const codec = (mimeType: string, sdpFmtpLine?: string) => ({
  mimeType,
  clockRate: 90_000,
  ...(sdpFmtpLine && { sdpFmtpLine }),
});

describe('codecs', () => {
  it('keep VP8, one constrained-baseline H.264 and RTX, in this order', () => {
    const able = [
      codec('video/H264', 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f'),
      codec('video/H264', 'packetization-mode=1;profile-level-id=42e01f'),
      codec('video/H264', 'packetization-mode=0;profile-level-id=42e01f'),
      codec('video/VP9', 'profile-id=0'),
      codec('video/AV1'),
      codec('video/VP8'),
      codec('video/rtx'),
      codec('video/ulpfec'),
    ];
    expect(pickVideoCodecs(able).map((c) => c.mimeType)).toEqual(['video/VP8', 'video/H264', 'video/rtx']);
    expect(pickVideoCodecs(able)[1]?.sdpFmtpLine).toContain('42e01f');
  });

  it('keep Opus first and RED second', () => {
    const able = [codec('audio/red'), codec('audio/PCMU'), codec('audio/opus'), codec('audio/CN')];
    expect(pickAudioCodecs(able).map((c) => c.mimeType)).toEqual(['audio/opus', 'audio/red']);
  });

  it('leave the offer alone when none of ours is there', () => {
    expect(pickVideoCodecs([codec('video/AV1'), codec('video/rtx')])).toEqual([]);
  });
});

describe('camera layers', () => {
  const sent = (width?: number, height?: number) =>
    cameraLayers(width, height)
      .filter((layer) => layer.active)
      .map((layer) => layer.scaleResolutionDownBy);

  it('are three for a camera that is large enough, or whose size is not known', () => {
    expect(sent(1280, 720)).toEqual([4, 2, 1]);
    expect(sent(960, 540)).toEqual([4, 2, 1]);
    expect(sent()).toEqual([4, 2, 1]);
  });

  it('are two, with the whole picture among them, for a small one', () => {
    expect(sent(640, 480)).toEqual([2, 1]);
  });
});

describe('layers nobody watches', () => {
  const camera = (watched?: Rid[], own = cameraLayers(1280, 720)) =>
    pauseUnwatched(own, CAMERA_RIDS, watched).map((layer) => layer.active);
  const small = cameraLayers(640, 480);
  const thrifty = cameraLayers(1280, 720, true);

  it('are all sent until something is told', () => {
    expect(camera()).toEqual([true, true, true]);
    expect(pauseUnwatched(small, CAMERA_RIDS)).toEqual(small);
  });

  it('rest, but for the smallest, which goes on slowly', () => {
    expect(camera(['q'])).toEqual([true, false, false]);
    expect(camera(['h'])).toEqual([true, true, false]);
    expect(camera(['q', 'f'])).toEqual([true, false, true]);
    expect(camera([])).toEqual([true, false, false]);
    const [idle] = pauseUnwatched(cameraLayers(1280, 720), CAMERA_RIDS, []);
    expect(idle).toMatchObject({ maxFramerate: 5, maxBitrate: 60_000 });
    const [watched] = pauseUnwatched(cameraLayers(1280, 720), CAMERA_RIDS, ['q']);
    expect(watched).toMatchObject({ maxFramerate: 15, maxBitrate: 120_000 });
  });

  it('that this device does not send are stood for by the next smaller one', () => {
    expect(camera(['f'], small)).toEqual([true, true, false]);
    expect(camera(['f'], thrifty)).toEqual([true, false, false]);
    const [only] = pauseUnwatched(thrifty, CAMERA_RIDS, ['h', 'f']);
    expect(only).toMatchObject({ active: true, maxFramerate: 15 });
  });

  it('of a screen are two', () => {
    const screen = (watched: Rid[]) =>
      pauseUnwatched(screenLayers(), SCREEN_RIDS, watched).map((layer) => layer.active);
    expect(screen(['f'])).toEqual([true, true]);
    expect(screen(['h'])).toEqual([true, false]);
    expect(screen([])).toEqual([true, false]);
    expect(pauseUnwatched(screenLayers(), SCREEN_RIDS, ['h'])[0]).toMatchObject({ maxBitrate: 250_000 });
  });

  it('never make a layer send that this device does not want to', () => {
    const all: Rid[] = ['q', 'h', 'f'];
    for (const own of [small, thrifty, cameraLayers(1280, 720)]) {
      for (let mask = 0; mask < 8; mask += 1) {
        const sent = pauseUnwatched(
          own,
          CAMERA_RIDS,
          all.filter((_, bit) => (mask >> bit) & 1),
        );
        expect(sent.some((layer) => layer.active)).toBe(true);
        sent.forEach((layer, index) => expect(layer.active && !own[index]?.active).toBe(false));
      }
    }
  });
});

describe('browser features', () => {
  const CHROME =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
  const IPHONE =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1';
  const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';

  it('tell the families apart', () => {
    expect(browserName(CHROME)).toBe('chromium/156');
    expect(browserName(IPHONE)).toBe('safari/17');
    expect(browserName(FIREFOX)).toBe('firefox/153');
    expect([isWebKit(CHROME), isWebKit(IPHONE), isFirefox(FIREFOX)]).toEqual([false, true, true]);
    expect([CHROME, IPHONE, FIREFOX].map((ua) => sendsScreenLayers(ua))).toEqual([true, false, false]);
  });

  it('tell phone, tablet and desk apart', () => {
    expect(deviceClass({ userAgent: IPHONE, maxTouchPoints: 5 }, 390)).toBe('phone');
    expect(deviceClass({ userAgent: CHROME, maxTouchPoints: 10 }, 800)).toBe('tablet');
    expect(deviceClass({ userAgent: CHROME, maxTouchPoints: 0 }, 720)).toBe('desk');
  });
});

describe('the first frame of a new picture', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  class Video {
    callbacks: ((now: number, info: { rtpTimestamp?: number }) => void)[] = [];
    requestVideoFrameCallback(callback: (now: number, info: { rtpTimestamp?: number }) => void) {
      return this.callbacks.push(callback);
    }
    cancelVideoFrameCallback() {
      this.callbacks = [];
    }
    show(rtpTimestamp?: number) {
      for (const callback of this.callbacks.splice(0)) callback(0, rtpTimestamp === undefined ? {} : { rtpTimestamp });
    }
  }
  const element = (video: Video) => video as unknown as HTMLVideoElement;

  it('opens at the frame of the named time, not at an older one', () => {
    const video = new Video();
    const open = vi.fn();
    whenFrameShown(element(video), 1_000, open);
    video.show(900);
    vi.advanceTimersByTime(500);
    expect(open).not.toHaveBeenCalled();
    video.show(1_000);
    expect(open).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10_000);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('opens after a short wait where nothing tells about frames', () => {
    const open = vi.fn();
    whenFrameShown(null, 1_000, open);
    vi.advanceTimersByTime(BLIND_DELAY);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('opens in the end even if no frame matches', () => {
    const open = vi.fn();
    whenFrameShown(element(new Video()), 1_000, open);
    vi.advanceTimersByTime(3_000);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it('does nothing once cancelled', () => {
    const video = new Video();
    const open = vi.fn();
    whenFrameShown(element(video), 5, open)();
    video.show(9);
    vi.advanceTimersByTime(3_000);
    expect(open).not.toHaveBeenCalled();
  });

  it('compares RTP times across the wrap', () => {
    expect(rtpAtOrAfter(5, 0xffff_fff0)).toBe(true);
    expect(rtpAtOrAfter(0xffff_fff0, 5)).toBe(false);
    expect(rtpAtOrAfter(7, 7)).toBe(true);
  });
});

describe('statistics', () => {
  const report = (stats: Record<string, unknown>[]) => stats as unknown as RTCStatsReport;
  const at = (bytes: number, received: number, lost: number) =>
    report([
      { type: 'codec', id: 'c1', mimeType: 'video/VP8' },
      {
        type: 'candidate-pair',
        id: 'p',
        nominated: true,
        state: 'succeeded',
        currentRoundTripTime: 0.08,
        bytesReceived: bytes,
        bytesSent: 1_000,
      },
      {
        type: 'inbound-rtp',
        id: 'i',
        mid: '9',
        packetsReceived: received,
        packetsLost: lost,
        frameHeight: 360,
        codecId: 'c1',
      },
      { type: 'remote-inbound-rtp', id: 'r', fractionLost: 0.04 },
    ]);

  it('tell the time since the last sample', () => {
    const sampler = new StatsSampler();
    sampler.sample(at(0, 100, 0), 0);
    const sample = sampler.sample(at(125_000, 190, 10), 5_000);
    expect(sample).toMatchObject({ rttMs: 80, kbpsDown: 200, lossDown: 0.1, lossUp: 0.04, codec: 'VP8', height: 360 });
  });

  it('do not guess rates from one sample', () => {
    expect(new StatsSampler().sample(at(10, 1, 0), 0)).toMatchObject({ kbpsDown: null, lossDown: null });
  });

  it('become four steps', () => {
    expect(netLevel(NO_SAMPLE, true)).toBe(4);
    expect(netLevel({ ...NO_SAMPLE, lossDown: 0.03 }, true)).toBe(3);
    expect(netLevel({ ...NO_SAMPLE, rttMs: 600 }, true)).toBe(2);
    expect(netLevel({ ...NO_SAMPLE, lossUp: 0.2 }, true)).toBe(1);
    expect(netLevel(NO_SAMPLE, false)).toBe(0);
    expect(netLevel(NO_SAMPLE, true, 9_000)).toBe(0);
  });

  it('count packets by m-line', () => {
    expect(packetsByMid(at(0, 42, 0)).get('9')).toBe(42);
  });
});

describe('the audio watchdog', () => {
  const packets = (n: number) => new Map([['4', n]]);

  it('acts after three seconds of a speaker without packets, and at most twice', () => {
    const dog = new AudioWatchdog();
    const acted = Array.from({ length: 20 }, () => dog.check(['4'], packets(10)));
    expect(acted.indexOf(true)).toBe(3);
    expect(acted.filter(Boolean)).toHaveLength(2);
  });

  it('stays quiet while packets come or nobody speaks', () => {
    const dog = new AudioWatchdog();
    for (let i = 0; i < 10; i += 1) {
      expect(dog.check(['4'], packets(i))).toBe(false);
    }
    for (let i = 0; i < 10; i += 1) expect(dog.check([], packets(10))).toBe(false);
  });
});
