import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Playback, Track } from '../../core/playback/shapes';
import { ElementMaster, PlainMaster } from './master';
import { Player } from './player.svelte';

const s = (n: number) => n * 1000;

const track = (id: string, from: number, to: number): Track => ({
  id,
  kind: 'camera',
  person: 'co',
  name: 'Cô Hằng',
  fromMs: s(from),
  toMs: s(to),
  url: `/${id}`,
  mime: 'video/webm; codecs="vp8"',
  width: 640,
  height: 360,
  presenter: true,
});

function playback(more: Partial<Playback> = {}): Playback {
  return {
    id: 'r',
    title: 'Buổi 1',
    classTitle: 'Lớp',
    startedMs: 0,
    durationMs: s(60),
    cuts: [
      { fromMs: s(10), toMs: s(20) },
      { fromMs: s(50), toMs: s(60) },
    ],
    live: false,
    tracks: [track('a', 0, 30), track('b', 30, 60)],
    slides: [],
    boards: [],
    chat: [],
    polls: [],
    chapters: [],
    captions: [],
    downloads: {},
    resumeMs: 0,
    urlsExpireMs: Date.now() + 3_600_000,
    mine: { watchedPercent: 0, canWithdraw: false },
    ...more,
  };
}

/** A media element as far as the player looks at it; its time stands unless it is moved. */
class FakeMedia extends EventTarget {
  currentTime = 0;
  readyState = 4;
  paused = true;
  seeking = false;
  ended = false;
  playbackRate = 1;
  defaultPlaybackRate = 1;
  volume = 1;
  muted = false;
  src = '/sound';
  error: { message: string } | null = null;
  play = vi.fn(async () => void (this.paused = false));
  pause = vi.fn(() => void (this.paused = true));
  load = vi.fn();
  getAttribute = (name: string) => (name === 'src' ? this.src : null);
  removeAttribute = vi.fn();
}
const media = (fake: FakeMedia) => fake as unknown as HTMLVideoElement;

let players: Player[] = [];
function make(more: Partial<Playback> = {}, options: Partial<ConstructorParameters<typeof Player>[0]> = {}): Player {
  const player = new Player({ playback: playback(more), page: String, canPlay: () => true, ...options });
  players.push(player);
  return player;
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  for (const one of players) one.close();
  players = [];
  vi.useRealTimers();
});

describe('a play', () => {
  it('goes past a cut to the moment, and ends where nothing more is shown', async () => {
    const player = make();
    await player.play();
    await pass(9_950);
    expect(player.t).toBeLessThan(s(10));
    await pass(100);
    expect(player.t).toBeGreaterThanOrEqual(s(20));
    expect(player.t).toBeLessThan(s(20.2));
    // 60 s less 20 s of cuts.
    await pass(s(31));
    expect([player.ended, player.playing, player.net]).toEqual([true, false, s(40)]);
    expect(player.watched.percent(player.line)).toBeGreaterThan(97);
    await player.play();
    expect(player.t).toBeLessThan(s(1));
  });

  it('counts as watched only what was played', async () => {
    const player = make();
    player.seek(s(25));
    await player.play();
    await pass(2_000);
    player.seek(s(40));
    await pass(1_000);
    player.pause();
    await pass(5_000);
    const spans = player.watched.take();
    expect(spans).toHaveLength(2);
    expect(spans[0]?.[0]).toBe(s(25));
    expect(Math.abs((spans[0]?.[1] ?? 0) - s(27))).toBeLessThan(250);
    expect(Math.abs((spans[1]?.[1] ?? 0) - s(41))).toBeLessThan(250);
  });

  it('moves by net time, and never into a cut', () => {
    const player = make();
    player.seekNet(s(9));
    player.step(s(5));
    expect(player.t).toBe(s(24));
    player.seek(s(12));
    expect(player.t).toBe(s(20));
    player.step(-s(60));
    expect(player.t).toBe(0);
  });

  it('begins where one stopped last time', () => {
    expect(make({ resumeMs: s(28) }).t).toBe(s(28));
    expect(make({ resumeMs: s(28) }).resumed).toBe(true);
    expect(make().resumed).toBe(false);
  });

  it('runs faster when asked to', async () => {
    const player = make();
    player.setRate(2);
    await player.play();
    await pass(4_000);
    expect(Math.abs(player.t - s(8))).toBeLessThan(300);
  });
});

describe('pictures', () => {
  it('stand where the sound is, are played with it, and let go when not shown', async () => {
    const player = make();
    const sound = new FakeMedia();
    const picture = new FakeMedia();
    const release = player.lead(media(sound));
    const drop = player.follow(() => player.playback.tracks[1]!, media(picture));
    player.seek(s(35));
    expect(sound.currentTime).toBe(35);
    expect(picture.currentTime).toBe(5);
    await player.play();
    expect(sound.play).toHaveBeenCalled();
    await pass(200);
    expect(picture.paused).toBe(false);
    // The sound goes on, the picture has fallen behind.
    sound.currentTime = 38;
    await pass(2_000);
    expect(picture.currentTime).toBeGreaterThanOrEqual(8);
    player.pause();
    expect(picture.paused).toBe(true);
    drop();
    expect(picture.removeAttribute).toHaveBeenCalledWith('src');
    release();
  });

  it('are none at all with sound only', () => {
    const player = make();
    expect(player.scene.large.kind).toBe('camera');
    player.soundOnly = true;
    expect([player.scene.large.kind, player.scene.beside, player.coming]).toEqual(['none', [], []]);
  });

  it('come as one film where the parts cannot be played, and are waited for where there is none', () => {
    expect(make({ film: '/f.mp4' }, { canPlay: () => false }).whole).toBe(true);
    expect(make({}, { canPlay: () => false }).pictures).toBe('waiting');
  });

  it('of a film follow net time', () => {
    const player = make({ film: '/f.mp4' }, { canPlay: () => false });
    const film = new FakeMedia();
    player.lead(media(film), true);
    player.seek(s(25));
    expect(film.currentTime).toBe(15);
  });
});

describe('addresses', () => {
  it('are had anew when a file cannot be loaded, and the fault is said when that does not help', async () => {
    const fresh = playback({ sound: '/fresh' });
    const renew = vi.fn(async () => fresh);
    const player = make({ sound: '/old' }, { renew });
    const sound = new FakeMedia();
    player.lead(media(sound));
    sound.dispatchEvent(new Event('error'));
    await pass(10);
    expect(player.playback.sound).toBe('/fresh');
    expect(player.problem).toBeNull();
    sound.dispatchEvent(new Event('error'));
    await pass(10);
    expect(renew).toHaveBeenCalledTimes(1);
    expect(player.problem).toBe('sound');
    await player.retry();
    expect(player.problem).toBeNull();
  });

  it('are not at fault where the machine has no loudspeaker: it goes on without sound', async () => {
    const renew = vi.fn(async () => playback({ sound: '/fresh' }));
    const player = make({ sound: '/sound' }, { renew });
    const sound = new FakeMedia();
    const letGo = player.lead(media(sound));
    await player.play();
    sound.currentTime = 3;
    await pass(200);
    sound.error = { message: 'OnMediaSinkAudioError' };
    sound.dispatchEvent(new Event('error'));
    await pass(10);
    expect(player.silent).toBe(true);
    expect(renew).not.toHaveBeenCalled();
    // The page takes the element away.
    letGo();
    await pass(2_000);
    expect(player.playing).toBe(true);
    expect(player.t).toBeGreaterThanOrEqual(4_500);
    expect(player.problem).toBeNull();
  });

  it('are kept while the recording grows', () => {
    const player = make({ sound: '/old' });
    player.grow(playback({ sound: '/new', durationMs: s(90), cuts: [] }));
    expect([player.playback.sound, player.line.netMs]).toEqual(['/old', s(90)]);
  });
});

describe('a recording that goes on', () => {
  const at = (n: number, durationMs: number, more: Partial<Playback> = {}) =>
    playback({ live: true, cuts: [], sound: `/media/r/${n}.sound.webm?s=${n}`, durationMs, ...more });
  /** The element of the sound as the page makes it: another one for another address. */
  function sounds(player: Player) {
    const made: FakeMedia[] = [];
    let letGo = () => undefined as void;
    let of: string | undefined;
    const put = () => {
      if (player.playback.sound === of) return;
      of = player.playback.sound;
      letGo();
      const one = new FakeMedia();
      made.push(one);
      letGo = player.lead(media(one));
    };
    put();
    return { made, put };
  }
  function over(one: FakeMedia, seconds: number) {
    one.currentTime = seconds;
    one.ended = true;
    one.paused = true;
    one.dispatchEvent(new Event('ended'));
  }

  it('is gone on with where its files ended, from fresh addresses, and does not end', async () => {
    const renew = vi.fn(async () => at(60, s(90)));
    const player = make(at(30, s(45)), { renew });
    const { made, put } = sounds(player);
    await player.play();
    made[0]!.currentTime = 29.9;
    await pass(150);
    over(made[0]!, 30);
    expect([player.ended, player.waiting]).toEqual([false, true]);
    await pass(50);
    put();
    expect(made).toHaveLength(2);
    expect(made[1]!.currentTime).toBe(30);
    expect(made[1]!.play).toHaveBeenCalled();
    await pass(200);
    expect([player.playing, player.waiting, player.caughtUp, player.line.netMs]).toEqual([true, false, false, s(90)]);
  });

  it('says at its end that more comes, and plays on as soon as there is more', async () => {
    let n = 30;
    const renew = vi.fn(async () => at(n, s(n + 15)));
    const player = make(at(30, s(45)), { renew });
    const { made, put } = sounds(player);
    await player.play();
    over(made[0]!, 30);
    await pass(10);
    expect([player.caughtUp, player.playing, player.ended]).toEqual([true, true, false]);
    await pass(9_000);
    expect(renew).toHaveBeenCalledTimes(3);
    expect(player.watched.take()).toEqual([]);
    n = 45;
    await pass(4_000);
    put();
    expect(player.caughtUp).toBe(false);
    expect(made[1]!.play).toHaveBeenCalled();
  });

  it('is not begun anew by a press at its end, and a pause or another place ends the waiting', async () => {
    const renew = vi.fn(async () => at(30, s(45)));
    const player = make(at(30, s(45)), { renew });
    const { made } = sounds(player);
    await player.play();
    over(made[0]!, 30);
    await pass(10);
    player.pause();
    expect(player.caughtUp).toBe(false);
    const asked = renew.mock.calls.length;
    await pass(20_000);
    expect(renew).toHaveBeenCalledTimes(asked);
    made[0]!.play.mockClear();
    await player.play();
    await pass(10);
    // An element that has ended would play from its beginning.
    expect(made[0]!.play).not.toHaveBeenCalled();
    expect(player.caughtUp).toBe(true);
    made[0]!.ended = false;
    player.seek(s(5));
    expect(player.caughtUp).toBe(false);
  });

  it('ends as any other once it is over', async () => {
    const renew = vi.fn(async () => at(40, s(40), { live: false }));
    const player = make(at(30, s(45)), { renew });
    const { made, put } = sounds(player);
    await player.play();
    over(made[0]!, 30);
    await pass(50);
    put();
    over(made[1]!, 40);
    expect([player.ended, player.playing]).toEqual([true, false]);
  });
});

describe('clocks', () => {
  it('of a recording without sound stand and run', async () => {
    const clock = new PlainMaster();
    clock.seek(500);
    await clock.play();
    await pass(1_000);
    expect(Math.round(clock.now())).toBe(1_500);
    clock.setRate(2);
    await pass(1_000);
    expect(Math.round(clock.now())).toBe(3_500);
    clock.pause();
    await pass(1_000);
    expect(Math.round(clock.now())).toBe(3_500);
  });

  it('of an element run only when it has what it needs', () => {
    const fake = new FakeMedia();
    const clock = new ElementMaster(media(fake));
    expect(clock.running).toBe(false);
    fake.paused = false;
    expect(clock.running).toBe(true);
    fake.readyState = 2;
    expect(clock.running).toBe(false);
  });
});
