// The room as the surface sees it: one stay, from welcome to leaving.
import type {
  Audience,
  CaptionLang,
  ChatId,
  ErrorCode,
  MediaKind,
  Person,
  PersonId,
  RaisedHand,
  RoomInfo,
  RoomMode,
  ServerFrame,
  SlotCounts,
  TrackId,
  Welcome,
  You,
} from '../core/proto';
import { PEOPLE_PAGE } from '../core/proto';
import type { Action, Counts } from '../core/proto';
import { keepAwake } from '../core/media/wake-lock';
import type { MediaProblem } from '../core/media/problems';
import { fetchCaptions, fetchStays } from '../core/net/api';
import { saveBlob } from '../core/files/save';
import type { ClientFrame } from '../core/proto';
import { sendFile } from '../core/files/upload';
import { MAX_DECK_BYTES, MAX_IN_BYTES, MAX_OUT_BYTES } from '../core/files/limits';
import { FrameBatch } from '../core/room/batch';
import { isStaff, NO_COUNTS, Roster } from '../core/room/roster';
import { levelFromWire, SpeakerTracker } from '../core/room/speakers';
import type { RoomSession } from '../core/session';
import { Arrange } from './arrange.svelte';
import { Boards } from './boards.svelte';
import { Captions } from './captions.svelte';
import { Chat } from './chat.svelte';
import type { FromStartModel, HallModel, Layout, RoomModel, Tile } from './contract';
import type { Devices } from './devices.svelte';
import { Files } from './files.svelte';
import { GroupStore } from './groups.svelte';
import { Net } from './net.svelte';
import { NotesShelf } from './notes-shelf.svelte';
import { Notices } from './notices.svelte';
import { OwnMedia } from './own-media.svelte';
import { Polls } from './polls.svelte';
import { Slides } from './slides.svelte';
import { Stage } from './stage.svelte';
import { Talk } from './talk.svelte';
import { Uploads } from './uploads.svelte';
import { RecordingState } from './recording.svelte';

/** How often it is looked at whether somebody stopped speaking, ms. */
const SPEAKERS_EVERY = 300;
/** Comings and goings are told one by one only in rooms up to this size, and so many at once. */
const TELL_UP_TO = 50;
const TELL_AT_ONCE = 3;
const NOBODY_WAITS: RoomModel['lobby'] = { total: 0, list: [] };
/** A file whose way was cut is sent again after this, or when the link is back, ms. */
const UPLOAD_AGAIN = 5_000;
/** A link that was gone longer than this is worth "connected again", ms. */
const NOTABLE_CUT = 1_500;

/** What a weak link sends of one's own voice, kbit/s. */
const OWN_SPEECH_KBPS = 16;

export interface RoomDeps {
  session: RoomSession;
  devices: Devices;
  listenOnly: boolean;
  welcome: Welcome;
  /** Id of the class session, for its attendance file. */
  classSession: string | null;
  /** Slots for a wall of sites; null where this device is too small for one. */
  wall?: SlotCounts | null;
}

type Over = NonNullable<RoomModel['over']>;

function overReason(code: ErrorCode | undefined): Over['reason'] {
  switch (code) {
    case 'ended':
      return 'ended';
    case 'removed':
    case 'banned':
      return 'removed';
    case 'taken_over':
    case 'elsewhere':
      return 'takenOver';
    case 'expired':
      return 'expired';
    case 'full':
      return 'full';
    case 'server_full':
      return 'serverFull';
    default:
      return 'error';
  }
}

function meOf(you: You): RoomModel['me'] {
  return { person: you.person, name: you.name, role: you.role, perms: new Set(you.perms), floor: you.floor };
}

export class Room implements RoomModel {
  room = $state.raw<RoomInfo>({} as RoomInfo);
  me = $state.raw<RoomModel['me']>({} as RoomModel['me']);
  people = $state.raw<Person[]>([]);
  counts = $state.raw<Counts>(NO_COUNTS);
  hands = $state.raw<RaisedHand[]>([]);
  sampled = $state(false);
  audioBlocked = $state(false);
  speaking = $state.raw<ReadonlySet<PersonId>>(new Set());
  activeSpeaker = $state<PersonId | null>(null);
  asked = $state.raw<RoomModel['asked']>(null);
  lobby = $state.raw<RoomModel['lobby']>(NOBODY_WAITS);
  readonly recording = new RecordingState(
    () => this.room,
    (message) => this.#act(message),
    async (recording) =>
      (await import('./from-start')).mayFromStart({ recording, token: () => this.session.link.token }),
  );
  check = $state.raw<RoomModel['check']>(null);
  checkResult = $state.raw<RoomModel['checkResult']>(null);
  over = $state.raw<Over | null>(null);
  readonly listenOnly: boolean;
  readonly devices: Devices;
  readonly net: Net;
  readonly mod: RoomModel['mod'];
  readonly session: RoomSession;
  readonly talk: Talk;
  readonly polls: Polls;
  readonly groups: GroupStore;
  readonly arrange: Arrange;
  readonly slides: Slides;
  readonly boards: Boards;
  readonly captions: Captions;
  readonly notes: NotesShelf;
  readonly files: Files;
  readonly #uploads: Uploads;
  readonly #chat: Chat;
  readonly #stage: Stage;
  readonly #own: OwnMedia;
  readonly #notices = new Notices();
  readonly #roster = new Roster();
  readonly #speakers = new SpeakerTracker();
  readonly #batch: FrameBatch<ServerFrame>;
  readonly #classSession: string | null;
  #levelListeners = new Set<(levels: Map<PersonId, number>) => void>();
  #audioBinds = new Map<string, TrackId>();
  #haveState = false;
  #lostAt: number | null = null;
  #timers: ReturnType<typeof setInterval>[] = [];
  #undo: (() => void)[] = [];
  #stopped = false;

  constructor({ session, devices, listenOnly, welcome, classSession, wall }: RoomDeps) {
    this.session = session;
    this.devices = devices;
    this.listenOnly = listenOnly;
    this.#classSession = classSession;
    this.room = welcome.room;
    this.me = meOf(welcome.you);
    this.net = new Net(session);
    this.#chat = new Chat(session, () => this.me.person, welcome.room.room);
    this.talk = new Talk(session, () => this.me.person);
    this.polls = new Polls(session, () => this.me.perms.has('poll'));
    this.#own = new OwnMedia({
      session,
      devices,
      may: (action) => this.me.perms.has(action),
      refused: (code) => this.#notices.add('error', { code }),
    });
    const act = (msg: ClientFrame) => this.#act(msg);
    this.groups = new GroupStore({ act, notices: this.#notices, self: () => this.me.person }, welcome.you.group);
    this.arrange = new Arrange({
      act,
      spotlight: () => this.room.spotlight ?? [],
      present: (who) => this.sampled || this.#roster.get(who) !== undefined,
    });
    this.#uploads = new Uploads({
      token: () => session.link.token,
      send: sendFile,
      arrived: (way, value) => (way === 'deck' ? this.slides : this.files).arrived(value),
      online: () => this.#online(),
    });
    const sharing = {
      request: act,
      perms: () => this.me.perms,
      self: () => this.me.person,
      uploads: this.#uploads,
    };
    this.slides = new Slides({
      ...sharing,
      send: (msg) => session.send(msg),
      nameOf: (who) => this.#roster.get(who)?.name ?? '',
      most: MAX_DECK_BYTES,
      refused: (code) => this.#notices.add('error', { code }),
      changed: () => this.#stage.update(),
    });
    this.boards = new Boards({
      request: act,
      fetch: async (board, after) => {
        const reply = await session.request<'boardPage'>({ t: 'boardGet', board, after });
        return reply.ok ? reply.frame : null;
      },
      send: (msg) => session.send(msg),
      perms: () => this.me.perms,
      self: () => this.me.person,
      nameOf: (who) => this.#roster.get(who)?.name ?? '',
      refused: (code) => this.#notices.add('error', { code }),
      changed: () => this.#stage.update(),
    });
    this.captions = new Captions({
      request: act,
      fetch: async (before) => {
        const reply = await session.request<'captionPage'>({ t: 'captionPage', before });
        return reply.ok ? reply.frame : null;
      },
      send: (msg) => session.send(msg),
      perms: () => this.me.perms,
      self: () => this.me.person,
      refused: (code) => this.#notices.add('error', { code }),
      save: (lang) => this.#saveCaptions(lang),
      now: () => performance.now(),
    });
    this.notes = new NotesShelf(
      {
        request: act,
        fetch: async (msg) => {
          const reply = await session.request<'notesPage'>(msg);
          if (reply.ok) return reply.frame;
          return reply.code === 'forbidden' || reply.code === 'not_found' ? 'gone' : null;
        },
        may: () => this.me.perms.has('notes'),
        staff: () => this.me.perms.has('moderate'),
        role: () => this.me.role,
        self: () => this.me.person,
        group: () => this.groups.mine?.name ?? '',
        refused: (code) => this.#notices.add('error', { code }),
      },
      welcome.you.notes,
    );
    this.files = new Files({ ...sharing, most: { out: MAX_OUT_BYTES, in: MAX_IN_BYTES } });
    this.#stage = new Stage({
      session,
      roster: this.#roster,
      speakers: this.#speakers,
      self: () => this.me.person,
      mode: () => this.room.mode,
      spotlight: () => this.room.spotlight ?? [],
      sees: (person) => this.groups.sees(person),
      ownCamera: () => (this.#own.camera === 'live' ? devices.preview : null),
      ownScreen: () => this.#own.screenStream,
      slots: () => session.slots.v,
      wall: (sites) => this.#widen(sites, wall ?? null),
      slides: () => this.slides.shown !== null || this.boards.shown !== null,
    });
    this.mod = this.#moderation();
    this.#batch = new FrameBatch((frames) => this.#take(frames));
    this.audioBlocked = devices.audio.blocked;
    this.#undo.push(
      keepAwake(),
      devices.audio.on('blocked', (blocked) => (this.audioBlocked = blocked)),
      devices.onOutgoing(() => queueMicrotask(() => this.#stage.update())),
      session.on('frame', (frame) => {
        if (frame.t === 'levels') this.#onLevels(frame.l);
        else this.#batch.push(frame);
      }),
      session.on('status', (status) => {
        if (status === 'reconnecting') this.#lostAt ??= Date.now();
      }),
      session.on('welcome', ({ welcome: next, again }) => this.#onWelcome(next, again)),
      session.on('resumed', ({ you }) => {
        this.#setMe(you);
        this.notes.again();
        this.#recovered();
        this.#resend();
      }),
      session.on('over', ({ code }) => {
        this.#batch.flushNow();
        this.#finish({ reason: overReason(code), ...(code !== undefined && { code }) });
      }),
    );
    session.speakingSlots = () => this.#speakingSlots();
    this.#timers.push(setInterval(() => this.#updateSpeakers(), SPEAKERS_EVERY));
    this.#sendThrift();
    this.#own.begin();
  }

  // ---- what comes from the server

  #onWelcome(welcome: Welcome, again: boolean): void {
    this.#batch.flushNow();
    this.room = welcome.room;
    this.#sendThrift();
    this.#setMe(welcome.you);
    if (again) {
      this.#recovered();
      this.#resend();
    }
  }

  /** What was written without a link goes out. */
  #resend(): void {
    this.#chat.resend();
    this.talk.resend();
    this.polls.resend();
  }

  #recovered(): void {
    const gone = this.#lostAt === null ? 0 : Date.now() - this.#lostAt;
    this.#lostAt = null;
    if (gone > NOTABLE_CUT) this.#notices.add('recovered');
  }

  #setMe(you: You): void {
    const before = this.me;
    this.me = meOf(you);
    if (!this.me.perms.has('admit')) this.lobby = NOBODY_WAITS;
    if (this.groups.setMine(you.group)) queueMicrotask(() => this.#showRoster());
    this.notes.setOwn(you.notes);
    if (you.role !== before.role && before.role !== undefined) this.#notices.add('roleChanged', { role: you.role });
    if (you.floor && !before.floor) this.#notices.add('floorGiven');
    if (!you.floor && before.floor) this.#notices.add('floorTaken');
    const captioned = before.perms?.has('caption') ?? this.me.perms.has('caption');
    if (this.me.perms.has('caption') !== captioned) this.#notices.add(captioned ? 'captionerOff' : 'captionerOn');
    this.#own.check();
    this.slides.check();
  }

  /** Resolves once the link is back, or after a while anyway: a cut upload is worth another try. */
  #online(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        undo();
        resolve();
      };
      const timer = setTimeout(done, UPLOAD_AGAIN);
      const undo = this.session.on('status', (status) => {
        if (status === 'ok') done();
      });
    });
  }

  /** A batch of frames: the stores change once for all of them. */
  #take(frames: readonly ServerFrame[]): void {
    let rosterChanged = false;
    for (const frame of frames) {
      this.talk.take(frame);
      this.polls.take(frame);
      this.slides.take(frame);
      this.boards.take(frame);
      this.captions.take(frame);
      this.notes.take(frame);
      this.files.take(frame);
      switch (frame.t) {
        case 'state': {
          const again = this.#haveState;
          this.#haveState = true;
          this.#roster.replace(frame.people);
          this.counts = frame.counts;
          this.sampled = frame.sampled;
          this.hands = frame.hands;
          this.groups.set(frame.groups);
          this.#chat.replace(frame.chat, frame.moreChat, again);
          rosterChanged = true;
          break;
        }
        case 'people':
          this.#tellComings(frame);
          this.#roster.change(frame.add ?? [], frame.chg ?? [], frame.del ?? []);
          for (const gone of frame.del ?? []) this.#speakers.forget(gone);
          this.counts = frame.counts;
          rosterChanged = true;
          break;
        case 'hands':
          this.hands = frame.list;
          break;
        case 'chat':
        case 'chatDirect':
          this.#chat.add([frame.m]);
          break;
        case 'chatMine':
          this.#chat.mine(frame.list);
          break;
        case 'chatGone':
          this.#chat.gone(frame.chat);
          break;
        case 'you':
          this.#setMe(frame);
          break;
        case 'room':
          this.#onRoom(frame);
          rosterChanged = true;
          break;
        case 'muted':
          this.#own.muted(frame.kind);
          this.#notices.add('mutedBy', { text: frame.by, media: frame.kind });
          break;
        case 'asked':
          this.asked = { kind: frame.kind, by: frame.by };
          break;
        case 'askReply': {
          const text = this.#roster.get(frame.who)?.name;
          this.#notices.add(frame.accept ? 'askAccepted' : 'askDeclined', {
            media: frame.kind,
            ...(text !== undefined && { text }),
          });
          break;
        }
        case 'lobby':
          this.#onLobby(frame);
          break;
        case 'recordDesk':
          this.recording.onDesk(frame);
          break;
        case 'recordMine':
          this.recording.onMine(frame);
          break;
        case 'unrecorded':
          this.recording.onUnrecorded(frame.list);
          break;
        case 'check':
          this.check = { check: frame.check, until: frame.until };
          break;
        case 'checkResult':
          this.checkResult = { check: frame.check, asked: frame.asked, answered: frame.answered };
          break;
        case 'groups':
          this.groups.set(frame.groups);
          rosterChanged = true;
          break;
        case 'groupsSaid':
          this.groups.heard({ text: frame.text, by: frame.by });
          break;
        case 'rung':
          this.net.rung = frame.on ?? null;
          this.#sendThrift();
          break;
        case 'warn':
          this.#notices.add('error', { code: frame.code });
          break;
        case 'bind':
          if (rosterChanged) this.#showRoster();
          rosterChanged = false;
          if (frame.a) this.#audioBinds = new Map(frame.a.flatMap(({ mid, k }) => (k === undefined ? [] : [[mid, k]])));
          if (frame.v) this.#stage.bind(frame.v);
          break;
        default:
      }
    }
    if (rosterChanged) this.#showRoster();
  }

  #onLobby({ total, list }: RoomModel['lobby']): void {
    const newest = list.at(-1);
    if (total > this.lobby.total && newest) this.#notices.add('waits', { text: newest.name });
    this.lobby = { total, list };
  }

  #showRoster(): void {
    this.people = this.#roster.list;
    this.#stage.update();
  }

  #onRoom(frame: RoomInfo): void {
    // Whole, but for what belongs to the frame.
    const room: RoomInfo & { t?: unknown; id?: unknown; seq?: unknown } = { ...frame };
    delete room.t;
    delete room.id;
    delete room.seq;
    if (room.locked !== this.room.locked) this.#notices.add(room.locked ? 'locked' : 'unlocked');
    const me = this.me.person;
    if (room.spotlight?.includes(me) && !this.room.spotlight?.includes(me)) this.#notices.add('spotlit');
    if (room.mode !== this.room.mode) this.#notices.add('modeChanged', { mode: room.mode });
    this.room = room;
    this.#sendThrift();
  }

  /** A wall of sites gets more slots where the device carries them: one new peer connection, once. */
  #widen(sites: number, wall: SlotCounts | null): void {
    if (!wall || this.session.slots.v >= wall.v || sites <= this.session.slots.v || this.#stage.dataSaver) return;
    const mine = this.#roster.get(this.me.person);
    if (!isStaff(this.me.role) && mine?.site === undefined) return;
    queueMicrotask(() => this.session.setProfile('wall', wall));
  }

  #tellComings(frame: Extract<ServerFrame, { t: 'people' }>): void {
    if (!this.#haveState || frame.counts.total > TELL_UP_TO) return;
    const joined = (frame.add ?? []).filter((p) => p.id !== this.me.person && !this.#roster.get(p.id));
    const left = (frame.del ?? []).flatMap((id) => this.#roster.get(id) ?? []);
    if (joined.length <= TELL_AT_ONCE) for (const p of joined) this.#notices.add('joined', { text: p.name });
    if (left.length <= TELL_AT_ONCE) for (const p of left) this.#notices.add('left', { text: p.name });
  }

  // ---- voices

  #onLevels(list: readonly [PersonId, number][]): void {
    this.#speakers.hear(list, performance.now());
    if (this.#levelListeners.size > 0) {
      const levels = new Map(list.map(([who, dbov]) => [who, levelFromWire(dbov)]));
      for (const listener of this.#levelListeners) listener(levels);
    }
    this.#updateSpeakers();
  }

  #updateSpeakers(): void {
    const now = performance.now();
    const speaking = this.#speakers.speaking(now);
    for (const who of speaking) if (!this.#hears(who)) speaking.delete(who);
    const leading = this.#speakers.active(now, this.me.person);
    const active = leading !== null && this.#hears(leading) ? leading : null;
    const same = speaking.size === this.speaking.size && [...speaking].every((who) => this.speaking.has(who));
    if (same && active === this.activeSpeaker) return;
    if (!same) this.speaking = speaking;
    this.activeSpeaker = active;
    this.#stage.setActive(active);
    this.#stage.update();
  }

  /** Not in another group. */
  #hears(who: PersonId): boolean {
    const person = this.#roster.get(who);
    return person === undefined || this.groups.sees(person);
  }

  #speakingSlots(): string[] {
    const out: string[] = [];
    for (const [mid, track] of this.#audioBinds) {
      const owner = this.#stage.ownerOf(track);
      if (owner && this.speaking.has(owner.id)) out.push(mid);
    }
    return out;
  }

  onLevels(cb: (levels: Map<PersonId, number>) => void): () => void {
    this.#levelListeners.add(cb);
    return () => this.#levelListeners.delete(cb);
  }

  // ---- chat

  get chat() {
    return this.#chat.list;
  }
  get moreChat(): boolean {
    return this.#chat.more;
  }
  get unread(): number {
    return this.#chat.unread;
  }
  get unreadDirect(): number {
    return this.#chat.unreadDirect;
  }
  get wroteAt(): number | null {
    return this.#chat.wroteAt;
  }
  get pendingChat() {
    return this.#chat.pending;
  }
  sendChat(text: string, to: Audience = 'all'): void {
    this.#chat.send(text, to);
  }
  discardChat(cid: string): string {
    return this.#chat.discard(cid);
  }
  deleteChat(chat: ChatId): Promise<ErrorCode | null> {
    return this.#act({ t: 'chatDelete', chat });
  }
  retryChat(cid: string): void {
    this.#chat.retry(cid);
  }
  olderChat(): Promise<void> {
    return this.#chat.older();
  }
  setChatOpen(open: boolean): void {
    this.#chat.setOpen(open);
  }

  // ---- layout

  get layout(): Layout {
    return this.#stage.layout;
  }
  set layout(layout: Layout) {
    this.#stage.layout = layout;
  }
  get effectiveLayout() {
    return this.#stage.effective;
  }
  get page(): number {
    return this.#stage.page;
  }
  set page(page: number) {
    this.#stage.page = page;
  }
  get pages(): number {
    return this.#stage.pages;
  }
  get stage(): Tile | null {
    return this.#stage.stage;
  }
  get large(): Tile[] {
    return this.#stage.large;
  }
  get grid(): Tile[] {
    return this.#stage.grid;
  }
  get content() {
    return this.#stage.content;
  }
  get twoContents(): boolean {
    return this.#stage.twoContents;
  }
  preferContent(content: 'slides' | 'screen'): void {
    this.#stage.preferContent(content);
  }
  get pinned(): TrackId | null {
    return this.#stage.pinned;
  }
  get dataSaver(): boolean {
    return this.#stage.dataSaver;
  }
  set dataSaver(on: boolean) {
    this.#stage.dataSaver = on;
    this.#sendThrift();
  }

  /**
   * Speech that weak links bear, while somebody in the room has one. Whoever saves data, or
   * hardly has a link, sends the own picture small: sound comes first.
   */
  #sendThrift(): void {
    const own = this.dataSaver || this.net.rung?.at === 'sound';
    const wished = this.room.speechKbps;
    const speechKbps = own ? Math.min(OWN_SPEECH_KBPS, wished ?? OWN_SPEECH_KBPS) : wished;
    this.session.setThrift({ smallCamera: own, ...(speechKbps !== undefined && { speechKbps }) });
  }
  setPageSize(tiles: number): void {
    this.#stage.setPageSize(tiles);
  }
  pin(track: TrackId | null): void {
    this.#stage.pin(track);
  }
  attach(el: HTMLVideoElement, tile: Tile): () => void {
    return this.#stage.attach(el, tile);
  }
  setTileSize(key: string, cssWidth: number, cssHeight: number): void {
    this.#stage.setTileSize(key, cssWidth, cssHeight);
  }

  // ---- own media

  get mic() {
    return this.#own.mic;
  }
  get camera() {
    return this.#own.camera;
  }
  get screen() {
    return this.#own.screen;
  }
  get talkingWhileMuted(): boolean {
    return this.#own.talkingWhileMuted;
  }
  async toggleMic(): Promise<void> {
    await this.#own.toggleMic();
  }
  async toggleCamera(): Promise<void> {
    await this.#own.toggleCamera();
    this.#stage.update();
  }
  async startScreen(): Promise<MediaProblem | null> {
    const problem = await this.#own.startScreen();
    this.#stage.update();
    return problem;
  }
  async stopScreen(): Promise<void> {
    await this.#own.stopScreen();
    this.#stage.update();
  }
  async unblockAudio(): Promise<void> {
    this.devices.audio.unlock(0);
    await this.devices.audio.play();
  }

  async replyAsk(accept: boolean): Promise<void> {
    const { asked } = this;
    if (!asked) return;
    this.asked = null;
    const code = await this.#act({ t: 'askReply', kind: asked.kind, accept });
    if (!accept) return;
    if (code === null) await this.#own.accept(asked.kind);
    else this.#notices.add('error', { code });
  }

  async replyCheck(): Promise<ErrorCode | null> {
    const { check } = this;
    if (!check) return null;
    const code = await this.#act({ t: 'checkReply', check: check.check });
    // Too late is as much an end of the question as an answer.
    if (code !== 'busy' && this.check === check) this.check = null;
    return code;
  }

  serverNow(local: number): number {
    return this.session.link.clock.toServer(local);
  }

  async hall(): Promise<HallModel> {
    const { hallModel } = await import('./hall');
    const mine = this.#roster.get(this.me.person);
    return hallModel({
      session: this.#classSession ?? '',
      site: mine?.site === undefined ? null : this.me.person,
      token: () => this.session.link.token,
    });
  }

  async fromStart(): Promise<FromStartModel> {
    const { fromStartModel } = await import('./from-start');
    return fromStartModel({ recording: this.room.recording?.recording ?? '', token: () => this.session.link.token });
  }

  hush(on: boolean): void {
    this.devices.audio.hush(on);
  }

  get notices() {
    return this.#notices.list;
  }
  dismissNotice(id: number): void {
    this.#notices.dismiss(id);
  }

  // ---- actions

  async #act(msg: ClientFrame): Promise<ErrorCode | null> {
    const reply = await this.session.request(msg);
    if (reply.ok) return null;
    return reply.code === 'network' ? 'busy' : reply.code;
  }

  raiseHand(up: boolean): Promise<ErrorCode | null> {
    return this.#act({ t: 'hand', up });
  }

  async findPeople(q: string, from: number): Promise<{ total: number; list: Person[] }> {
    const reply = await this.session.request<'peoplePage'>({ t: 'peoplePage', q, from, n: PEOPLE_PAGE });
    return reply.ok ? { total: reply.frame.total, list: reply.frame.list } : { total: 0, list: [] };
  }

  #moderation(): RoomModel['mod'] {
    const act = (msg: ClientFrame) => this.#act(msg);
    return {
      mute: (who: PersonId, kind: MediaKind) => act({ t: 'modMute', who, kind }),
      muteAll: (mayUnmute: boolean, except: readonly PersonId[] = []) =>
        act({ t: 'modMuteAll', mayUnmute, ...(except.length > 0 && { except: [...except] }) }),
      ask: (who: PersonId, kind: MediaKind) => act({ t: 'modAsk', who, kind }),
      floor: (who: PersonId, give: boolean) => act({ t: 'modFloor', who, give }),
      lowerHand: (who?: PersonId) => act({ t: 'modHand', ...(who !== undefined && { who }) }),
      remove: (who: PersonId, bar: boolean) => act({ t: 'modRemove', who, bar }),
      lock: (locked: boolean) => act({ t: 'modLock', locked }),
      setMode: (mode: RoomMode) => act({ t: 'modMode', mode }),
      end: () => act({ t: 'modEnd' }),
      start: () => act({ t: 'modStart' }),
      takeBreak: (on: boolean, minutes?: number) =>
        act({ t: 'modBreak', on, ...(minutes !== undefined && { minutes }) }),
      setWaiting: (on: boolean) => act({ t: 'modWaiting', on }),
      admit: (who?: PersonId) => act({ t: 'modAdmit', ...(who !== undefined && { who }) }),
      deny: (who: PersonId) => act({ t: 'modDeny', who }),
      record: (form) =>
        act(form ? { t: 'modRecord', on: true, ...form } : { t: 'modRecord', on: false, who: '', why: '', keep: '' }),
      pauseRecording: (on) => act({ t: 'modRecordPause', on }),
      holdCheck: (windowSec: number) => act({ t: 'modCheck', windowSec }),
      downloadStays: () => this.#downloadStays(),
    };
  }

  async #downloadStays(): Promise<ErrorCode | null> {
    if (this.#classSession === null) return 'not_found';
    const file = await fetchStays(this.#classSession, this.session.link.token);
    if (!file.ok) return file.code === 'network' ? 'busy' : file.code;
    saveBlob(file.value, `stays-${this.#classSession}.csv`);
    return null;
  }

  async #saveCaptions(lang: CaptionLang): Promise<ErrorCode | null> {
    if (this.#classSession === null) return 'not_found';
    const file = await fetchCaptions(this.#classSession, lang, this.session.link.token);
    if (!file.ok) return file.code === 'network' ? 'busy' : file.code;
    saveBlob(file.value, `${this.room.title} - phụ đề (${lang}).vtt`);
    return null;
  }

  /** Whether an action is allowed now. */
  may(action: Action): boolean {
    return this.me.perms.has(action);
  }

  async leave(): Promise<void> {
    if (this.over) return;
    this.#finish({ reason: 'left' });
    await this.session.leave();
  }

  #finish(over: Over): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.over = over;
    for (const timer of this.#timers) clearInterval(timer);
    for (const undo of this.#undo) undo();
    this.#own.stop();
    this.talk.stop();
    this.#uploads.stop();
    this.slides.stop();
    this.boards.stop();
    this.captions.stop();
    this.notes.stop();
    this.#stage.stop();
    this.net.stop();
    this.devices.stop();
    this.speaking = new Set();
    this.asked = null;
    this.check = null;
  }
}
