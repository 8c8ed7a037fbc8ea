// What is on the screen: layout, pages, tiles, and which slot each tile shows.
// The surface calls in here from effects; `untrack` keeps what is read here from
// becoming a dependency of theirs.
import { untrack } from 'svelte';
import type { BindReason, BindState, Person, PersonId, RoomMode, TrackId, VideoBind } from '../core/proto';
import { rankPeople, stableOrder } from '../core/room/gallery';
import {
  besideWall,
  effectiveLayout,
  LARGE_AT_MOST,
  onStage,
  pageOf,
  sharedScreens,
  spotlitOf,
  wallOrder,
  type Effective,
  type Layout,
} from '../core/room/layout';
import type { Roster } from '../core/room/roster';
import type { SpeakerTracker } from '../core/room/speakers';
import { whenFrameShown } from '../core/rtc/frame-gate';
import { wishedHeight, type Wanted } from '../core/rtc/view-planner';
import type { RoomSession } from '../core/session';
import { keepChoices, readChoices } from './choices';
import type { Tile } from './contract';

interface Bound {
  mid: string;
  st: BindState;
  why?: BindReason;
  rtpTs?: number;
  /** The first frame of this source has been shown. */
  open: boolean;
  cancel?: () => void;
}

interface Shown {
  key: string;
  element: HTMLVideoElement;
}

export interface StageDeps {
  session: RoomSession;
  roster: Roster;
  speakers: SpeakerTracker;
  self(): PersonId;
  mode(): RoomMode;
  /** Whom everybody sees large. */
  spotlight(): readonly PersonId[];
  /** Whether the person is to be seen here at all. */
  sees(person: Person): boolean;
  ownCamera(): MediaStream | null;
  ownScreen(): MediaStream | null;
  /** A page of slides is shown here. */
  slides(): boolean;
  /** Video slots of this device: as many pictures fit on a page. */
  slots(): number;
  /** A wall of so many sites is shown. */
  wall(sites: number): void;
}

const PRIO = { screen: 255, pinned: 220, stage: 200, staff: 120, other: 100 } as const;

function sameTile(a: Tile | undefined, b: Tile): boolean {
  return (
    a !== undefined &&
    a.person === b.person &&
    a.self === b.self &&
    a.track === b.track &&
    a.state === b.state &&
    a.why === b.why
  );
}

export class Stage {
  #layout = $state<Layout>(readChoices().layout);
  effective = $state<Effective>('speaker');
  #page = $state(0);
  pages = $state(1);
  stage = $state.raw<Tile | null>(null);
  large = $state.raw<Tile[]>([]);
  grid = $state.raw<Tile[]>([]);
  pinned = $state<TrackId | null>(null);
  content = $state<'slides' | 'screen' | null>(null);
  twoContents = $state(false);
  #preferred: 'slides' | 'screen' = 'screen';
  #saver = $state(readChoices().dataSaver);
  readonly #deps: StageDeps;
  #pageSize = 9;
  #order: PersonId[] = [];
  #active: PersonId | null = null;
  #tiles = new Map<string, Tile>();
  #sizes = new Map<string, { width: number; height: number }>();
  #shown = new Set<Shown>();
  #bound = new Map<TrackId, Bound>();

  constructor(deps: StageDeps) {
    this.#deps = deps;
    this.#pageSize = deps.slots();
    if (this.#saver) deps.session.views.setSaver(true);
    deps.session.on('peer', () => {
      // New slots: nothing is bound until the server says so.
      for (const bound of this.#bound.values()) bound.cancel?.();
      this.#bound.clear();
      this.update();
    });
  }

  get layout(): Layout {
    return this.#layout;
  }
  set layout(layout: Layout) {
    this.#layout = layout;
    this.#page = 0;
    keepChoices({ layout });
    this.update();
  }

  get page(): number {
    return this.#page;
  }
  set page(page: number) {
    this.#page = page;
    this.update();
  }

  get dataSaver(): boolean {
    return this.#saver;
  }
  set dataSaver(on: boolean) {
    this.#saver = on;
    keepChoices({ dataSaver: on });
    this.#deps.session.views.setSaver(on);
  }

  setPageSize(tiles: number): void {
    const size = Math.max(1, Math.floor(tiles));
    if (size === this.#pageSize) return;
    this.#pageSize = size;
    this.update();
  }

  pin(track: TrackId | null): void {
    this.pinned = track;
    const owner = track === null ? undefined : this.ownerOf(track);
    const mic = owner?.tracks.find((t) => t.kind === 'mic')?.k;
    this.#deps.session.views.setAudioPins(mic === undefined ? [] : [mic]);
    this.update();
  }

  /** What to look at while slides and a screen are there at once. */
  preferContent(content: 'slides' | 'screen'): void {
    this.#preferred = content;
    this.update();
  }

  setActive(active: PersonId | null): void {
    this.#active = active;
  }

  ownerOf(track: TrackId): Person | undefined {
    return this.#deps.roster.list.find((person) => person.tracks.some((t) => t.k === track));
  }

  // ---- tiles

  /** Works out layout, stage and grid anew. Cheap enough for every batch of frames. */
  update(): void {
    untrack(() => this.#update());
  }

  #update(): void {
    const { roster, speakers, self, mode, sees } = this.#deps;
    const me = self();
    const people = roster.list.filter(sees);
    const here = new Set(people.map((person) => person.id));
    const active = this.#active !== null && here.has(this.#active) ? this.#active : null;
    const spotlit = spotlitOf(people, this.#deps.spotlight());
    const sites = people.filter((person) => person.site !== undefined && person.id !== me).length;
    const screens = sharedScreens(people, me);
    const owner = this.pinned === null ? undefined : this.ownerOf(this.pinned);
    if (this.pinned !== null && !owner) this.pinned = null;
    // Who is pinned but in another group stays pinned for the return.
    const pinnedOwner = owner && here.has(owner.id) ? owner : undefined;
    const pinnedKind = pinnedOwner?.tracks.find((t) => t.k === this.pinned)?.kind;
    const slides = this.#deps.slides();
    const foreign = screens.some((s) => s.person.id !== me);
    const effective = effectiveLayout({
      wished: this.#layout,
      mode: mode(),
      people: people.length,
      shared: foreign || slides,
      pinned: pinnedKind === 'screen' ? 'screen' : pinnedKind === 'camera' ? 'camera' : null,
      spotlit: spotlit.some((person) => person.id !== me),
      sites,
    });
    if (effective !== this.effective) {
      this.effective = effective;
      this.#page = 0;
    }

    // A shared screen is a thing of the moment: it covers the slides until it ends, or until the viewer wants them.
    if (!(foreign && slides)) this.#preferred = 'screen';
    const two = foreign && slides && pinnedKind !== 'screen';
    const content =
      effective !== 'screen'
        ? null
        : slides && pinnedKind !== 'screen' && (!foreign || this.#preferred === 'slides')
          ? 'slides'
          : 'screen';
    if (this.content !== content) this.content = content;
    if (this.twoContents !== two) this.twoContents = two;

    const large: Tile[] = [];
    const screen = screens.find((s) => s.track === this.pinned) ?? screens[0];
    if (effective === 'screen') {
      if (screen && content === 'screen') large.push(this.#screenTile(screen.person, screen.track));
    } else if (effective === 'speaker') {
      const alone = pinnedOwner ?? (spotlit.length === 0 ? onStage(people, me, active) : null);
      for (const person of alone ? [alone] : spotlit) large.push(this.#cameraTile(person));
    } else if (effective === 'wall') {
      if (screen && screen.person.id !== me) large.push(this.#screenTile(screen.person, screen.track));
      for (const person of besideWall(people, me, active, this.#deps.spotlight())) large.push(this.#cameraTile(person));
      large.splice(LARGE_AT_MOST);
      this.#deps.wall(sites);
    }
    const stage = large[0] ?? null;
    const standsLarge = new Set(large.filter((tile) => tile.kind === 'camera').map((tile) => tile.person.id));

    const nowMs = performance.now();
    const ranked = rankPeople(people, {
      self: me,
      nowMs,
      lastSpoke: (id) => speakers.lastSpoke(id, nowMs),
      arrived: (id) => roster.arrived(id),
    });
    if (effective === 'wall') {
      this.#order = wallOrder(people, ranked);
    } else {
      // Who is shown to all stands first where he cannot stand large.
      const first = new Set(spotlit.map((person) => person.id));
      const best = [...first, ...ranked.filter((id) => !first.has(id))];
      this.#order = stableOrder(this.#order, best, this.#pageSize);
    }
    const tiles: Tile[] = [];
    if (effective === 'gallery') {
      for (const screen of screens)
        if (screen.person.id !== me) tiles.push(this.#screenTile(screen.person, screen.track));
    }
    for (const id of this.#order) {
      const person = roster.get(id);
      if (person && !standsLarge.has(id)) tiles.push(this.#cameraTile(person));
    }
    // A large picture takes one slot of its own.
    const size = Math.min(this.#pageSize, Math.max(1, this.#deps.slots() - standsLarge.size));
    const { page, pages, items } = pageOf(tiles, this.#page, size);
    if (page !== this.#page) this.#page = page;
    this.pages = pages;
    const visible = new Map(items.map((tile) => [tile.key, tile]));
    for (const tile of large) visible.set(tile.key, tile);
    this.#tiles = visible;
    if (this.stage !== stage) this.stage = stage;
    if (large.length !== this.large.length || large.some((tile, i) => tile !== this.large[i])) this.large = large;
    if (items.length !== this.grid.length || items.some((tile, i) => tile !== this.grid[i])) this.grid = items;
    for (const key of this.#sizes.keys()) if (!visible.has(key)) this.#sizes.delete(key);
    for (const shown of this.#shown) this.#connect(shown);
    this.#want();
  }

  /** The same object as before when nothing about the tile changed. */
  #keep(tile: Tile): Tile {
    const known = this.#tiles.get(tile.key);
    return known !== undefined && sameTile(known, tile) ? known : tile;
  }

  #cameraTile(person: Person): Tile {
    const self = person.id === this.#deps.self();
    const base = { key: `${person.id}:camera`, person, self, kind: 'camera' as const };
    const track = person.tracks.find((t) => t.kind === 'camera' && t.st === 'live')?.k ?? null;
    if (self) return this.#keep({ ...base, track, state: this.#deps.ownCamera() ? 'live' : 'off' });
    return this.#keep({ ...base, track, ...this.#stateOf(track) });
  }

  #screenTile(person: Person, track: TrackId): Tile {
    const self = person.id === this.#deps.self();
    const base = { key: `${person.id}:screen`, person, self, kind: 'screen' as const, track };
    if (self) return this.#keep({ ...base, state: this.#deps.ownScreen() ? 'live' : 'off' });
    return this.#keep({ ...base, ...this.#stateOf(track) });
  }

  #stateOf(track: TrackId | null): Pick<Tile, 'state' | 'why'> {
    if (track === null) return { state: 'off' };
    const bound = this.#bound.get(track);
    switch (bound?.st) {
      case 'live':
        return { state: bound.open ? 'live' : 'wait' };
      case 'paused':
        return { state: 'paused', ...(bound.why !== undefined && { why: bound.why }) };
      default:
        return { state: 'wait' };
    }
  }

  // ---- slots

  /** A `bind`: the video group is complete. */
  bind(list: readonly VideoBind[]): void {
    const next = new Map<TrackId, Bound>();
    for (const { mid, k, st, why, rtpTs } of list) {
      if (k === undefined) continue;
      const before = this.#bound.get(k);
      const same = before !== undefined && before.mid === mid && before.rtpTs === rtpTs;
      if (same) this.#bound.delete(k);
      const bound: Bound = same ? before : { mid, st, open: false, ...(rtpTs !== undefined && { rtpTs }) };
      bound.st = st;
      if (why === undefined) delete bound.why;
      else bound.why = why;
      next.set(k, bound);
    }
    for (const gone of this.#bound.values()) gone.cancel?.();
    this.#bound = next;
    this.update();
    for (const [track, bound] of next) {
      if (!bound.open && !bound.cancel && bound.st === 'live') this.#gate(track, bound);
    }
  }

  #gate(track: TrackId, bound: Bound): void {
    // The one attached last: the small window of a page that is hidden paints, the page does not.
    const shown = [...this.#shown].filter((one) => this.#tiles.get(one.key)?.track === track);
    const element = shown.at(-1)?.element ?? null;
    bound.cancel = whenFrameShown(element, bound.rtpTs, () => {
      delete bound.cancel;
      bound.open = true;
      if (this.#bound.get(track) === bound) this.update();
    });
  }

  attach(element: HTMLVideoElement, tile: Tile): () => void {
    const shown: Shown = { key: tile.key, element };
    element.muted = true;
    element.playsInline = true;
    this.#shown.add(shown);
    untrack(() => this.#connect(shown));
    return () => {
      this.#shown.delete(shown);
      element.srcObject = null;
    };
  }

  #streamOf(tile: Tile): MediaStream | null {
    if (tile.self) return tile.kind === 'camera' ? this.#deps.ownCamera() : this.#deps.ownScreen();
    const bound = tile.track === null ? undefined : this.#bound.get(tile.track);
    return bound ? (this.#deps.session.peer.slot(bound.mid)?.stream ?? null) : null;
  }

  #connect({ key, element }: Shown): void {
    const tile = this.#tiles.get(key);
    if (!tile) return;
    const stream = this.#streamOf(tile);
    if (element.srcObject === stream) return;
    element.srcObject = stream;
    // A refused start of a silent picture is tried again with the next change.
    if (stream) void element.play().catch(() => undefined);
  }

  setTileSize(key: string, cssWidth: number, cssHeight: number): void {
    if (cssWidth <= 0 || cssHeight <= 0) this.#sizes.delete(key);
    else this.#sizes.set(key, { width: cssWidth, height: cssHeight });
    untrack(() => this.#want());
  }

  /** Tells the server what is on the screen and how large. */
  #want(): void {
    const ratio = typeof devicePixelRatio === 'number' ? devicePixelRatio : 1;
    const wanted: Wanted[] = [];
    let index = 0;
    const stands = new Set(this.large.map((tile) => tile.key));
    for (const tile of this.#tiles.values()) {
      const size = this.#sizes.get(tile.key);
      if (tile.self || tile.track === null || !size) continue;
      const large = stands.has(tile.key);
      // A screen keeps its shape inside the tile; a face fills it.
      const height = tile.kind === 'screen' ? Math.min(size.height, (size.width * 9) / 16) : size.height;
      const staff = tile.person.role !== 'learner' && tile.person.role !== 'guest';
      const prio =
        tile.kind === 'screen'
          ? PRIO.screen
          : tile.track === this.pinned
            ? PRIO.pinned
            : large
              ? PRIO.stage
              : staff
                ? PRIO.staff
                : Math.max(1, PRIO.other - index);
      index += 1;
      wanted.push({ track: tile.track, kind: tile.kind, height: wishedHeight(height, ratio), prio });
    }
    this.#deps.session.views.setWanted(wanted);
  }

  stop(): void {
    for (const bound of this.#bound.values()) bound.cancel?.();
    this.#bound.clear();
    for (const { element } of this.#shown) element.srcObject = null;
    this.#shown.clear();
  }
}
