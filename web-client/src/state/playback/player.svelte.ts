// One play of a recording: the clock, the pictures that follow it, what was watched. Times
// are recording time unless they are called net.
import { BoardTape } from '../../core/playback/boards';
import { chapterAt, chaptersOf } from '../../core/playback/chapters';
import { correct } from '../../core/playback/drift';
import { picturesOf, playable, renewed, type CanPlay, type Pictures } from '../../core/playback/formats';
import { comingAt, sceneAt, type Scene, type Wish } from '../../core/playback/scene';
import type { Playback, Span, Track } from '../../core/playback/shapes';
import { Timeline } from '../../core/playback/timeline';
import { resumeAt, Watched } from '../../core/playback/watched';
import { ElementMaster, PlainMaster, type Master } from './master';

export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2] as const;
/** How often clock and pictures are looked at while playing, ms. */
const TICK = 100;
/** Pictures are fetched so long before they are shown. */
const AHEAD = 8_000;
/** A picture that does not come is asked for again after so long. */
const STUCK = 15_000;
/** At the end of what is recorded so far it is looked for more this often, ms. */
const MORE_EVERY = 4_000;

interface Follower {
  track: () => Track;
  video: HTMLVideoElement;
  movedAt: number;
  tookMs: number;
  seekingSince: number | null;
}

const TYPES = new Map<string, boolean>();

/** Whether this browser plays a type. */
export const browserPlays: CanPlay = (mime) => {
  let known = TYPES.get(mime);
  if (known === undefined) {
    known = document.createElement('video').canPlayType(mime) !== '';
    TYPES.set(mime, known);
  }
  return known;
};

export interface PlayerOptions {
  playback: Playback;
  /** Words for a slide without a title. */
  page: (n: number, deck: string) => string;
  canPlay?: CanPlay;
  soundOnly?: boolean;
  rate?: number;
  /** A fresh answer with fresh addresses, or nothing. */
  renew?: () => Promise<Playback | null>;
  clock?: () => number;
}

/** Of a recording that goes on: whether a fresh answer reaches further. */
function hasMore(old: Playback, fresh: Playback): boolean {
  if (fresh.sound === undefined) return old.sound === undefined && fresh.durationMs > old.durationMs;
  return old.sound === undefined || clusters(fresh.sound) > clusters(old.sound);
}

/** How much of a growing file stands behind an address: its name begins with the number. */
function clusters(url: string): number {
  return Number.parseInt(url.slice(url.lastIndexOf('/') + 1), 10) || 0;
}

/** Firefox ends sound with an error where there is no loudspeaker; other browsers play on unheard. */
const lacksOutput = (error: MediaError | null) => error?.message.includes('MediaSinkAudio') === true;

export class Player {
  playback = $state.raw<Playback>() as Playback;
  /** Replaces the cuts of the recording: in the editor. */
  ownCuts = $state.raw<readonly Span[] | null>(null);
  /** Where the play is. */
  t = $state(0);
  playing = $state(false);
  /** It should play and cannot: data is missing. */
  waiting = $state(false);
  ended = $state(false);
  /** Nothing was played yet, and nowhere was gone to. */
  untouched = $state(true);
  /** All that is recorded so far was watched, and it goes on. */
  caughtUp = $state(false);
  /** The browser wants a tap first, or the sound cannot be had. */
  problem = $state<'sound' | null>(null);
  /** This machine has nothing to be heard with: pictures go by a clock of their own. */
  silent = $state(false);
  rate = $state(1);
  volume = $state(1);
  muted = $state(false);
  soundOnly = $state(false);
  wish = $state<Wish>('content');
  readonly watched = new Watched();

  readonly line: Timeline = $derived(new Timeline(this.playback.durationMs, this.ownCuts ?? this.playback.cuts));
  readonly pictures: Pictures = $derived.by(() => picturesOf(this.playback, this.#can));
  readonly net: number = $derived(this.line.toNet(this.t));
  readonly chapters = $derived.by(() => chaptersOf(this.playback, this.line, this.#page));
  readonly chapter: number = $derived(chapterAt(this.chapters, this.t));
  readonly boards = $derived(new BoardTape(this.playback.boards));
  readonly #tracks = $derived.by(() => playable(this.playback.tracks, this.#can));
  readonly scene: Scene = $derived(
    sceneAt(
      { slides: this.playback.slides, tracks: this.#tracks },
      this.boards,
      this.t,
      this.wish,
      this.pictures === 'parts' && !this.soundOnly,
    ),
  );
  /** Pictures to have ready: shown now, or soon. */
  readonly coming: Track[] = $derived(
    this.playing && !this.soundOnly && this.pictures === 'parts' ? comingAt(this.#tracks, this.t, AHEAD) : [],
  );

  readonly #can: CanPlay;
  readonly #page: (n: number, deck: string) => string;
  readonly #renew: () => Promise<Playback | null>;
  readonly #clock: () => number;
  #master: Master = new PlainMaster();
  #followers = new Set<Follower>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #border: ReturnType<typeof setTimeout> | undefined;
  #renewed = 0;
  #begun = false;
  #more: ReturnType<typeof setTimeout> | undefined;

  constructor({ playback, page, canPlay, soundOnly, rate, renew, clock }: PlayerOptions) {
    this.#can = canPlay ?? browserPlays;
    this.#page = page;
    this.#renew = renew ?? (async () => null);
    this.#clock = clock ?? (() => performance.now());
    this.playback = playback;
    this.soundOnly = soundOnly ?? false;
    this.rate = rate ?? 1;
    this.t = resumeAt(this.line, playback.resumeMs);
    this.#master = new PlainMaster(this.#clock);
    this.#master.seek(this.t);
  }

  /** The play began somewhere else than at the start. */
  get resumed(): boolean {
    return this.line.toNet(resumeAt(this.line, this.playback.resumeMs)) > 0;
  }

  /** Whether the composed file leads instead of the sound. */
  get whole(): boolean {
    return this.pictures === 'whole' && !this.soundOnly;
  }

  /** Takes the element that leads; gives back how to let go of it. */
  lead(element: HTMLMediaElement, whole = false): () => void {
    const at = this.t;
    this.#master.pause();
    const master = whole
      ? new ElementMaster(
          element,
          (own) => this.line.toRecording(own),
          (t) => this.line.toNet(t),
        )
      : new ElementMaster(element);
    this.#master = master;
    const place = () => master.seek(this.t);
    if (element.readyState >= 1) place();
    else element.addEventListener('loadedmetadata', place, { once: true });
    master.setRate(this.rate);
    element.volume = this.volume;
    element.muted = this.muted;
    const waits = () => (this.waiting = this.playing);
    const goes = () => (this.waiting = false);
    const stopped = () => {
      // Headphones pulled out, another program, the page's end.
      if (this.playing && !element.seeking && !element.ended) this.pause();
    };
    const ended = () => this.#edge();
    const broken = () => void this.#broken(element);
    const listeners = [
      ['waiting', waits],
      ['seeking', waits],
      ['playing', goes],
      ['seeked', goes],
      ['canplay', goes],
      ['pause', stopped],
      ['ended', ended],
      ['error', broken],
    ] as const;
    for (const [name, listener] of listeners) element.addEventListener(name, listener);
    if (this.playing) void this.#start();
    return () => {
      element.removeEventListener('loadedmetadata', place);
      for (const [name, listener] of listeners) element.removeEventListener(name, listener);
      if (this.#master !== master) return;
      const plain = new PlainMaster(this.#clock);
      plain.seek(this.#begun ? this.t : at);
      plain.setRate(this.rate);
      this.#master = plain;
      if (this.playing) void plain.play();
    };
  }

  /** A picture that follows the clock. */
  follow(track: () => Track, video: HTMLVideoElement): () => void {
    const one: Follower = { track, video, movedAt: -Infinity, tookMs: 150, seekingSince: null };
    this.#followers.add(one);
    const began = () => {
      one.seekingSince ??= this.#clock();
    };
    const done = () => {
      if (one.seekingSince !== null) one.tookMs = this.#clock() - one.seekingSince;
      one.seekingSince = null;
    };
    const broken = () => void this.#renewAddresses();
    const ready = () => this.#keep(one);
    video.muted = true;
    video.addEventListener('loadedmetadata', ready);
    video.addEventListener('seeking', began);
    video.addEventListener('seeked', done);
    video.addEventListener('error', broken);
    this.#keep(one);
    return () => {
      this.#followers.delete(one);
      video.removeEventListener('loadedmetadata', ready);
      video.removeEventListener('seeking', began);
      video.removeEventListener('seeked', done);
      video.removeEventListener('error', broken);
      // What is not shown is fetched no further.
      video.pause();
      video.removeAttribute('src');
      video.load();
    };
  }

  async toggle(): Promise<void> {
    if (this.playing) this.pause();
    else await this.play();
  }

  async play(): Promise<void> {
    if (this.playing) return;
    if (this.ended || this.line.isOver(this.t)) this.seek(this.line.shownFrom(0));
    this.playing = true;
    this.untouched = false;
    this.#begun = true;
    // An element that has ended would begin anew.
    if (this.playback.live && this.#master.over) this.#edge();
    else await this.#start();
  }

  async #start(): Promise<void> {
    this.#timer ??= setInterval(() => this.tick(), TICK);
    try {
      await this.#master.play();
    } catch (error) {
      // A play that a pause or a seek interrupted is none of a problem.
      if (error instanceof DOMException && error.name === 'AbortError') return;
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.pause();
    }
    this.tick();
  }

  pause(): void {
    this.playing = false;
    this.waiting = false;
    this.#leaveEdge();
    clearInterval(this.#timer);
    clearTimeout(this.#border);
    this.#timer = undefined;
    this.#master.pause();
    this.watched.rest();
    for (const one of this.#followers) this.#keep(one);
  }

  /** Goes to a recording time; inside a cut to its end. */
  seek(t: number): void {
    const to = this.line.shownFrom(t);
    this.untouched = false;
    this.ended = false;
    this.#leaveEdge();
    this.watched.rest();
    this.t = to;
    this.#master.seek(to);
    for (const one of this.#followers) {
      one.movedAt = -Infinity;
      this.#keep(one);
    }
    if (to >= this.line.durationMs) this.#edge();
    else if (this.playing) this.#plan();
  }

  seekNet(net: number): void {
    this.seek(this.line.toRecording(Math.min(net, Math.max(0, this.line.netMs - 1))));
  }

  step(byMs: number): void {
    this.seekNet(Math.max(0, this.net + byMs));
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.#master.setRate(rate);
    for (const one of this.#followers) this.#keep(one);
    this.#plan();
  }

  setVolume(volume: number): void {
    this.volume = Math.min(1, Math.max(0, volume));
    this.muted = this.volume === 0;
    this.#sound();
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    if (!muted && this.volume === 0) this.volume = 0.5;
    this.#sound();
  }

  #sound(): void {
    if (!(this.#master instanceof ElementMaster)) return;
    this.#master.element.volume = this.volume;
    this.#master.element.muted = this.muted;
  }

  /** Looks at the clock: skips cuts, ends, keeps pictures beside the sound. */
  tick(): void {
    if (!this.playing) return;
    const now = this.line.clamp(this.#master.now());
    if (this.line.isOver(now)) return this.#edge();
    const cut = this.line.cutAt(now);
    if (cut) {
      this.watched.at(cut.fromMs);
      this.seek(cut.toMs);
      return;
    }
    this.t = now;
    if (this.#master.running && this.#more === undefined) {
      this.waiting = false;
      this.watched.at(now);
    } else this.watched.rest();
    for (const one of this.#followers) this.#keep(one);
    this.#plan();
    const left = this.playback.urlsExpireMs - Date.now();
    if (left < 30_000) void this.#renewAddresses();
  }

  /** The border of a cut is met to the moment, not to the next look. */
  #plan(): void {
    clearTimeout(this.#border);
    if (!this.playing) return;
    const left = (this.line.nextStop(this.t) - this.#master.now()) / this.rate;
    if (left < TICK * 2) this.#border = setTimeout(() => this.tick(), Math.max(0, left));
  }

  #keep(one: Follower): void {
    const { video } = one;
    const track = one.track();
    if (video.readyState < 1) return;
    const now = this.playing ? this.#master.now() : this.t;
    const inside = now >= track.fromMs && now < track.toMs;
    const clock = this.#clock();
    if (video.seeking && one.seekingSince !== null && clock - one.seekingSince > STUCK) one.seekingSince = null;
    const goes = this.playing && inside && this.#master.running;
    const act = correct(
      {
        wantMs: Math.min(track.toMs, Math.max(track.fromMs, now)) - track.fromMs,
        haveMs: video.currentTime * 1000,
        rate: this.rate,
        playing: goes && !video.paused,
        seeking: video.seeking,
        sinceMs: clock - one.movedAt,
        tookMs: one.tookMs,
      },
      video.playbackRate,
    );
    if (act.do === 'seek') {
      one.movedAt = clock;
      video.currentTime = act.toMs / 1000;
      video.playbackRate = this.rate;
    } else if (act.do === 'rate') video.playbackRate = act.rate;
    if (goes && video.paused) void video.play().catch(() => undefined);
    else if (!goes && !video.paused) video.pause();
  }

  /** Where there is nothing after: the end, or as far as it is recorded. */
  #edge(): void {
    if (!this.playback.live) return this.#end();
    if (!this.playing || this.#more !== undefined) return;
    this.waiting = true;
    this.watched.rest();
    for (const one of this.#followers) one.video.pause();
    // What was recorded since the addresses were made is there at once.
    this.#more = setTimeout(() => void this.#goOn(), 0);
  }

  /** Goes on with what was recorded meanwhile, or looks again soon. */
  async #goOn(): Promise<void> {
    const turn = this.#more;
    const fresh = await this.#renew();
    // Somebody paused or went elsewhere.
    if (turn !== this.#more) return;
    if (fresh && (!fresh.live || hasMore(this.playback, fresh))) {
      const sound = this.playback.sound;
      this.#leaveEdge();
      this.playback = fresh;
      // Another sound is another element, which goes on by itself.
      if (sound === fresh.sound) void this.#start();
      return;
    }
    this.waiting = false;
    this.caughtUp = true;
    this.#more = setTimeout(() => void this.#goOn(), MORE_EVERY);
  }

  #leaveEdge(): void {
    clearTimeout(this.#more);
    this.#more = undefined;
    this.caughtUp = false;
  }

  #end(): void {
    this.pause();
    this.t = this.line.durationMs;
    this.ended = true;
  }

  /** Somebody pressed “again” after the sound could not be had. */
  async retry(): Promise<void> {
    this.#renewed = 0;
    this.problem = null;
    await this.#renewAddresses();
  }

  async #broken(element: HTMLMediaElement): Promise<void> {
    // An element without an address is one that is let go.
    if (!element.getAttribute('src')) return;
    if (lacksOutput(element.error)) {
      this.silent = true;
      return;
    }
    if (await this.#renewAddresses()) return;
    this.pause();
    this.problem = 'sound';
  }

  /** Fresh addresses, at most once a minute. */
  async #renewAddresses(): Promise<boolean> {
    const now = Date.now();
    if (now - this.#renewed < 60_000) return false;
    this.#renewed = now;
    const fresh = await this.#renew();
    if (!fresh) return false;
    this.playback = fresh;
    return true;
  }

  /** What was added while the recording goes on. */
  grow(fresh: Playback): void {
    this.playback = renewed(this.playback, fresh, this.playback.urlsExpireMs - Date.now() > 60_000);
  }

  close(): void {
    this.pause();
  }
}
