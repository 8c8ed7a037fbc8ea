import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Capture, type DeviceLists } from './capture';
import { dbfs, levelOf, MutedTalker } from './meter';
import { problemOf } from './problems';

class FakeTrack {
  enabled = true;
  muted = false;
  readyState: 'live' | 'ended' = 'live';
  contentHint = '';
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  constructor(
    readonly kind: 'audio' | 'video',
    readonly deviceId: string,
    readonly media: FakeMedia,
  ) {}
  getSettings() {
    return { deviceId: this.deviceId };
  }
  stop() {
    if (this.readyState === 'live') this.media.log.push(`stop ${this.deviceId}`);
    this.readyState = 'ended';
  }
}

type Want = { audio: unknown; video: unknown };

class FakeMedia extends EventTarget {
  log: string[] = [];
  asked: Want[] = [];
  devices = ['mic1', 'mic2', 'cam1', 'cam2', 'spk1'];
  fails: (want: Want) => string | null = () => null;
  delay = 0;

  #pick(want: unknown, prefix: string): string {
    const exact = (want as { deviceId?: { exact: string } }).deviceId?.exact;
    const found = this.devices.find((d) => (exact === undefined ? d.startsWith(prefix) : d === exact));
    if (found === undefined) throw new DOMException('', exact ? 'OverconstrainedError' : 'NotFoundError');
    return found;
  }

  async getUserMedia(want: Want) {
    this.asked.push(want);
    const failure = this.fails(want);
    if (failure) throw new DOMException('', failure);
    const tracks: FakeTrack[] = [];
    if (want.audio) tracks.push(new FakeTrack('audio', this.#pick(want.audio, 'mic'), this));
    if (want.video) tracks.push(new FakeTrack('video', this.#pick(want.video, 'cam'), this));
    for (const track of tracks) this.log.push(`open ${track.deviceId}`);
    await new Promise((resolve) => setTimeout(resolve, this.delay));
    return {
      getAudioTracks: () => tracks.filter((t) => t.kind === 'audio'),
      getVideoTracks: () => tracks.filter((t) => t.kind === 'video'),
    };
  }

  async enumerateDevices() {
    const kind = (d: string) =>
      d.startsWith('mic') ? 'audioinput' : d.startsWith('cam') ? 'videoinput' : 'audiooutput';
    return this.devices.map((d) => ({ deviceId: d, label: d.toUpperCase(), kind: kind(d) }));
  }
}

let media: FakeMedia;
let capture: Capture;
beforeEach(() => {
  media = new FakeMedia();
  capture = new Capture({ width: 1280, media: media as unknown as MediaDevices });
});
afterEach(() => {
  capture.stop();
  vi.useRealTimers();
});
const fake = (kind: 'mic' | 'camera') => capture.track(kind) as unknown as FakeTrack | null;

describe('capture', () => {
  it('lights no camera when the permission comes after the end', async () => {
    media.delay = 20;
    const opening = capture.open(['mic', 'camera']);
    const second = capture.open(['camera']);
    await Promise.resolve();
    capture.stop();
    await Promise.all([opening, second]);
    expect(fake('mic')).toBeNull();
    expect(fake('camera')).toBeNull();
    expect(media.log).toEqual(['open mic1', 'open cam1', 'stop mic1', 'stop cam1']);
    expect(capture.problem('camera')).toBeNull();
    await capture.open(['camera']);
    expect(fake('camera')?.readyState).toBe('live');
  });

  it('asks once for microphone and camera together', async () => {
    await capture.open(['mic', 'camera']);
    expect(media.asked).toHaveLength(1);
    expect([fake('mic')?.deviceId, fake('camera')?.deviceId]).toEqual(['mic1', 'cam1']);
  });

  it('opens the microphone although the camera is refused', async () => {
    media.fails = ({ video }) => (video ? 'NotAllowedError' : null);
    await capture.open(['mic', 'camera']);
    expect(fake('mic')?.deviceId).toBe('mic1');
    expect(capture.problem('mic')).toBeNull();
    expect(capture.problem('camera')).toBe('denied');
  });

  it('stops the old track before it asks for the new one', async () => {
    await capture.open(['camera']);
    media.log = [];
    await capture.pick('camera', 'cam2');
    expect(media.log).toEqual(['stop cam1', 'open cam2']);
  });

  it('keeps a muted microphone muted on another device', async () => {
    await capture.open(['mic']);
    fake('mic')!.enabled = false;
    await capture.pick('mic', 'mic2');
    expect([fake('mic')?.deviceId, fake('mic')?.enabled]).toEqual(['mic2', false]);
  });

  it('never has two requests under way', async () => {
    media.delay = 20;
    await Promise.all([
      capture.open(['camera']),
      capture.pick('camera', 'cam2'),
      capture.close('camera'),
      capture.open(['camera']),
    ]);
    expect(media.log).toEqual(['open cam1', 'stop cam1', 'open cam2', 'stop cam2', 'open cam2']);
  });

  it('takes another device when the remembered one is gone', async () => {
    capture.prefer('mic', 'headset-of-last-week');
    await capture.open(['mic']);
    expect(fake('mic')?.deviceId).toBe('mic1');
    expect(capture.problem('mic')).toBeNull();
  });

  it('goes over to another device when one is pulled out', async () => {
    await capture.open(['mic']);
    const old = fake('mic')!;
    media.devices = media.devices.filter((d) => d !== 'mic1');
    old.readyState = 'ended';
    old.onended?.();
    await vi.waitFor(() => expect(fake('mic')?.deviceId).toBe('mic2'));
  });

  it('notices a headset that vanished without ending its track', async () => {
    capture.watch();
    await capture.open(['mic']);
    media.devices = media.devices.filter((d) => d !== 'mic1');
    media.dispatchEvent(new Event('devicechange'));
    await vi.waitFor(() => expect(fake('mic')?.deviceId).toBe('mic2'));
  });

  it('tells the lists when a device is plugged in', async () => {
    const lists: DeviceLists[] = [];
    capture.on('devices', (list) => lists.push(list));
    capture.watch();
    media.devices.push('cam3');
    media.dispatchEvent(new Event('devicechange'));
    await vi.waitFor(() => expect(lists.at(-1)?.cameras.map((c) => c.id)).toEqual(['cam1', 'cam2', 'cam3']));
  });

  it('captures anew what stays muted, but not the hiccup at the start', async () => {
    vi.useFakeTimers({ now: 100_000 });
    const opening = capture.open(['camera']);
    await vi.advanceTimersByTimeAsync(1);
    await opening;
    const first = fake('camera')!;
    first.muted = true;
    first.onmute?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(fake('camera')).toBe(first);
    first.onmute?.();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(fake('camera')).not.toBe(first);
  });

  it('reports a busy camera after trying with less', async () => {
    media.fails = ({ video }) => (video ? 'NotReadableError' : null);
    await capture.open(['camera']);
    expect(capture.problem('camera')).toBe('busy');
    expect(media.asked.at(-1)?.video).toBe(true);
  });
});

describe('problems', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'notFound'],
    ['DevicesNotFoundError', 'notFound'],
    ['NotReadableError', 'busy'],
    ['TrackStartError', 'busy'],
    ['OverconstrainedError', 'overconstrained'],
    ['SecurityError', 'insecure'],
    ['TypeError', 'unsupported'],
  ])('%s is %s', (name, problem) => {
    expect(problemOf(new DOMException('', name))).toBe(problem);
  });

  it('survives what is not an error', () => {
    expect(problemOf('no')).toBe('unsupported');
  });
});

describe('loudness', () => {
  it('is measured in dBFS', () => {
    expect(dbfs(new Float32Array(8))).toBe(-Infinity);
    expect(dbfs(new Float32Array([1, -1, 1, -1]))).toBeCloseTo(0);
    expect(dbfs(new Float32Array([0.1, -0.1]))).toBeCloseTo(-20);
  });

  it('is shown between silence and full', () => {
    expect([levelOf(-Infinity), levelOf(-60), levelOf(-10), levelOf(0)]).toEqual([0, 0, 1, 1]);
  });
});

describe('talking while muted', () => {
  it('is hinted at after four seconds, through short pauses', () => {
    const talker = new MutedTalker();
    let hinted: number | null = null;
    for (let t = 0; t < 6_000; t += 100) {
      const pause = t % 2_000 > 1_000;
      if (talker.hear(pause ? -70 : -30, true, t)) hinted ??= t;
    }
    expect(hinted).toBe(4_000);
  });

  it('is not hinted at for a cough, nor while the microphone is on', () => {
    const talker = new MutedTalker();
    for (let t = 0; t < 9_000; t += 100) {
      expect(talker.hear(t < 300 ? -20 : -80, true, t)).toBe(false);
    }
    for (let t = 0; t < 9_000; t += 100) expect(talker.hear(-20, false, t)).toBe(false);
  });
});
