// A room of made-up people for looking at the screens at any size. It is deterministic,
// talks to no server and is left out of the production bundle.
import type {
  Action,
  Audience,
  ChatEntry,
  Counts,
  ErrorCode,
  MediaKind,
  Person,
  PersonId,
  RaisedHand,
  Role,
  RoomInfo,
  RoomMode,
  TrackId,
} from '../core/proto';
import { besideWall, spotlitOf, wallOrder } from '../core/room/layout';
import { byGivenName } from '../ui/names';
import { MAX_SPOTLIGHT } from '../core/proto';
import { drawPerson, drawSlide, pick, still } from './fixture-pictures';
import { FixtureGroups } from './fixture-groups.svelte';
import { FixturePolls, FixtureTalk, fixtureDirect, fixtureQuestions } from './fixture-talk.svelte';
import { fixtureBoards } from './fixture-board';
import { fixtureSharing, NO_SHARING, type FixtureSharing } from './fixture-slides';
import type { Files } from './files.svelte';
import type { Boards } from './boards.svelte';
import type { Captions } from './captions.svelte';
import type { NotesShelf } from './notes-shelf.svelte';
import { fixtureNotes } from './fixture-notes';
import { WORDS } from './fixture-words';
import { fixtureCaptions } from './fixture-captions';
import type { Slides } from './slides.svelte';
import type {
  DeviceInfo,
  DevicesModel,
  EffectsModel,
  JoinModel,
  Layout,
  LinkInfo,
  MediaProblem,
  NetModel,
  FromStartModel,
  HallModel,
  RoomModel,
  Tile,
} from './contract';
import { RecordingState } from './recording.svelte';

const NAMES: readonly [string, string?][] = [
  ['Công Tằng Tôn Nữ Huyền Trang', 'Trường THCS Nguyễn Bỉnh Khiêm'],
  ['Nguyễn Thị Minh Hằng', 'Trường Tiểu học Lê Hồng Phong'],
  ['Trần Đình Đức', 'Phòng GDĐT huyện Mỹ Đức'],
  ["H'Hen Niê", 'Trường PTDTNT Buôn Hồ'],
  ['Phạm Đức Anh', 'Trường THPT Chu Văn An'],
  ['Bùi Thị Ngọc Ánh', 'Trường Mầm non Hoa Sen'],
  ['Đặng Thị Ái', 'Trường THCS Trần Phú'],
  ['Y Moan Êban', 'Trường TH Cư Pui'],
  ['Hoàng Hà'],
  ['Vũ Thị Thùy Dương', 'Trung tâm GDNN – GDTX quận Nam Từ Liêm'],
  ['Ngô Thị Hân', 'Trường THCS Ái Mộ'],
  ['Lê Nguyễn Hoàng Phương Uyên', 'Trường Tiểu học Kim Đồng'],
  ['Đỗ Văn Ân', 'Trường THPT Nguyễn Huệ'],
  ['Nguyễn Văn Dũng', 'Trường THCS Quang Trung'],
  ['Lý Hạ', 'Trường Tiểu học Bình Minh'],
  ['Điểm cầu Trường THCS Nguyễn Bỉnh Khiêm', '32 người'],
];
const SURNAMES = ['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng', 'Huỳnh', 'Phan', 'Vũ', 'Võ', 'Đặng', 'Bùi', 'Đỗ'];
const MIDDLES = ['Thị', 'Văn', 'Thị Thanh', 'Đức', 'Ngọc', 'Hoàng', 'Thị Kim', 'Quang'];
const GIVEN = [
  'An',
  'Bình',
  'Cường',
  'Duyên',
  'Giang',
  'Hiền',
  'Khánh',
  'Lan',
  'Mai',
  'Nga',
  'Oanh',
  'Phúc',
  'Quỳnh',
  'Sơn',
  'Thảo',
  'Vượng',
  'Xuân',
  'Yến',
];

function makePerson(n: number, at: number): Person {
  const named = NAMES[n];
  const name = named?.[0] ?? `${pick(SURNAMES, n * 7)} ${pick(MIDDLES, n * 5)} ${pick(GIVEN, n * 11)}`;
  const unit = named ? named[1] : `Trường THCS số ${1 + (n % 40)}`;
  const role: Role =
    n === 1 ? 'trainer' : n === 2 ? 'organiser' : n === 4 ? 'technician' : n === 8 ? 'guest' : 'learner';
  const camera = n % 4 !== 3 && n < 60 && n !== 6;
  const mic = n === 1 || n === 2 ? 'live' : n % 9 === 8 ? null : 'muted';
  return {
    id: `p${n}` as PersonId,
    name,
    ...(unit === undefined ? {} : { unit }),
    role,
    link: n === 10 ? 'lost' : 'ok',
    floor: n === 5,
    ...(n === 3 || n === 6 || n === 11 ? { hand: at - (n + 1) * 41_000 } : {}),
    tracks: [
      ...(mic ? [{ k: `k${n}m` as TrackId, kind: 'mic' as const, st: mic as 'live' | 'muted' }] : []),
      ...(camera ? [{ k: `k${n}c` as TrackId, kind: 'camera' as const, st: 'live' as const }] : []),
    ],
  };
}

/** A calm drawing of a person at a desk. */
class FixtureEffects implements EffectsModel {
  canFilter = true;
  canBlur = true;
  filter = $state(false);
  music = $state(false);
  blur = $state(false);
  fault = $state.raw<EffectsModel['fault']>(null);
  async setFilter(on: boolean) {
    this.filter = on;
    if (on) this.music = false;
  }
  async setMusic(on: boolean) {
    this.music = on;
    if (on) this.filter = false;
  }
  setBlur(on: boolean) {
    this.blur = on;
  }
  dismissFault() {
    this.fault = null;
  }
}

class FixtureDevices implements DevicesModel {
  readonly effects = new FixtureEffects();
  mics: DeviceInfo[] = [
    { id: 'default', label: 'Mặc định – Micro tích hợp' },
    { id: 'm2', label: 'Tai nghe Logitech H390 (046d:0a8f)' },
  ];
  cameras: DeviceInfo[] = [{ id: 'c1', label: 'HD Webcam C270 (046d:0825)' }];
  speakers: DeviceInfo[] = [
    { id: 'default', label: 'Mặc định – Loa tích hợp' },
    { id: 's2', label: 'Tai nghe Logitech H390 (046d:0a8f)' },
  ];
  micId = $state<string | null>('default');
  cameraId = $state<string | null>('c1');
  speakerId = $state<string | null>('default');
  micOn = $state(false);
  cameraOn = $state(false);
  micProblem = $state<MediaProblem | null>(null);
  cameraProblem = $state<MediaProblem | null>(null);
  preview = $state.raw<MediaStream | null>(null);
  micLost = $state(false);
  cameraLost = $state(false);
  canPickSpeaker = true;
  canShareScreen = true;

  constructor(
    private readonly me: Person,
    private readonly problem: MediaProblem | null = null,
  ) {}

  async start(opts: { mic: boolean; camera: boolean }) {
    if (this.problem) {
      this.micProblem = this.problem;
      this.cameraProblem = this.problem;
      return;
    }
    await this.setMic(opts.mic);
    await this.setCamera(opts.camera);
  }
  async setMic(on: boolean) {
    this.micOn = on;
  }
  async setCamera(on: boolean) {
    this.cameraOn = on;
    this.preview = on ? still((ctx, w, h) => drawPerson(ctx, w, h, this.me)) : null;
  }
  async pick(kind: 'mic' | 'camera' | 'speaker', id: string) {
    if (kind === 'mic') this.micId = id;
    if (kind === 'camera') this.cameraId = id;
    if (kind === 'speaker') this.speakerId = id;
  }
  onLevel(cb: (level01: number) => void) {
    const timer = setInterval(() => cb(0.55), 200);
    return () => clearInterval(timer);
  }
  async regain() {
    this.micLost = this.cameraLost = false;
  }
  async recordCue() {
    // Nothing sounds in a fixture.
  }
  async testSpeaker() {
    await new Promise((done) => setTimeout(done, 300));
  }
  stop() {
    this.micOn = false;
    this.cameraOn = false;
    this.preview = null;
  }
}

/** What a fixture room shows. */
export interface FixtureOptions {
  people: number;
  layout: Layout;
  role: Role;
  mode: RoomMode;
  screen: boolean;
  /** The moment the fixture stands at, ms since the epoch. */
  now: number;
  conn: NetModel['conn'];
  asked: boolean;
  audioBlocked: boolean;
  sharing: boolean;
  talking: boolean;
  /** Made-up polls by name. */
  polls?: readonly string[];
  /** Messages to some among those to all. */
  direct?: boolean;
  /** Slides and files; none when left out. */
  slides?: FixtureSharing;
}

const STAFF_RIGHTS: Action[] = [
  'speak',
  'showCamera',
  'shareScreen',
  'chat',
  'raiseHand',
  'lowerHands',
  'mute',
  'askUnmute',
  'giveFloor',
  'remove',
  'lock',
  'setMode',
  'end',
  'export',
  'start',
  'break',
  'admit',
  'check',
  'chatPrivate',
  'question',
  'react',
  'moderate',
  'poll',
  'slides',
  'arrange',
  'setRole',
  'groups',
  'browse',
  'handOut',
  'handIn',
  'draw',
  'notes',
];

const LEARNER_RIGHTS: Action[] = [
  'showCamera',
  'speak',
  'chat',
  'raiseHand',
  'chatPrivate',
  'question',
  'react',
  'browse',
  'handIn',
];

const ALL_PERMITTED: RoomInfo['permits'] = {
  mic: true,
  camera: true,
  screen: true,
  chat: true,
  private: true,
  question: true,
  react: true,
  hand: true,
  browse: true,
  handIn: true,
  openQuestions: true,
  draw: false,
  notes: false,
};

class FixtureRoom implements RoomModel {
  room = $state.raw<RoomInfo>({
    room: 'r1' as RoomInfo['room'],
    title: 'Bồi dưỡng giáo viên cốt cán môn Ngữ văn – Buổi 3',
    host: 'Sở Giáo dục và Đào tạo Hà Nội',
    mode: 'training',
    locked: false,
    recording: {
      by: 'external',
      who: 'Ban tổ chức, Sở GDĐT Hà Nội',
      why: 'Lưu hồ sơ lớp tập huấn và cho người học xem lại.',
      keep: 'Mở cho người học tối thiểu 06 tháng.',
      since: 0,
    },
    startedAt: 0,
    phase: 'live',
    waiting: false,
    permits: ALL_PERMITTED,
    slowSec: 0,
  });
  me = $state.raw<RoomModel['me']>({} as RoomModel['me']);
  people = $state.raw<Person[]>([]);
  hands = $state.raw<RaisedHand[]>([]);
  sampled = false;
  chat = $state.raw<ChatEntry[]>([]);
  moreChat = $state(false);
  unread = $state(0);
  unreadDirect = $state(0);
  wroteAt = $state<number | null>(null);
  pendingChat = $state.raw<RoomModel['pendingChat']>([]);
  talk: FixtureTalk;
  polls: FixturePolls;
  net: NetModel;
  devices: FixtureDevices;
  listenOnly = false;
  audioBlocked = $state(false);
  lobby = $state.raw<RoomModel['lobby']>({ total: 0, list: [] });
  readonly recording = new RecordingState(
    () => this.room,
    async (message) => {
      if (message.t === 'recordReply') this.recording.onMine(message);
      return null;
    },
  );
  check = $state.raw<RoomModel['check']>(null);
  checkResult = $state.raw<RoomModel['checkResult']>(null);
  speaking = $state.raw<ReadonlySet<PersonId>>(new Set(['p1' as PersonId]));
  activeSpeaker: PersonId | null;
  layout = $state<Layout>('auto');
  page = $state(0);
  pinned = $state<TrackId | null>(null);
  dataSaver = $state(false);
  mic = $state<'off' | 'muted' | 'live'>('muted');
  camera = $state<'off' | 'live'>('off');
  screen = $state<'off' | 'live'>('off');
  talkingWhileMuted = $state(false);
  asked = $state.raw<{ kind: MediaKind; by: string } | null>(null);
  notices = $state.raw<RoomModel['notices']>([]);
  over = $state.raw<RoomModel['over']>(null);
  readonly groups = new FixtureGroups({
    people: () => this.people,
    assign: (who, group) => this.#change(who, ({ group: _, ...p }) => (group === null ? p : { ...p, group })),
    self: () => this.me.person,
    now: () => this.options.now,
  });
  readonly arrange: RoomModel['arrange'] = {
    permits: async (permits) => {
      this.room = { ...this.room, permits };
      return null;
    },
    spotlight: async (who, on) => {
      const others = (this.room.spotlight ?? []).filter((id) => id !== who);
      if (on && others.length >= MAX_SPOTLIGHT) return 'full';
      this.room = { ...this.room, spotlight: on ? [...others, who] : others };
      return null;
    },
    clearSpotlight: async () => {
      this.room = { ...this.room, spotlight: [] };
      return null;
    },
    role: async (who, role) => {
      this.#change(who, (p) => ({ ...p, role }));
      return null;
    },
    substitute: async (who, instead) => {
      this.#change(who, ({ standsFor: _, ...p }) => (instead === '' ? p : { ...p, standsFor: instead }));
      return null;
    },
  };
  readonly slides: Slides;
  readonly boards: Boards;
  readonly captions: Captions;
  readonly notes: NotesShelf;
  readonly files: Files;
  #preferred = $state<'slides' | 'screen'>('screen');
  #size = $state(9);
  #sharer: Person | null = null;
  #nextId = 1;

  constructor(private readonly options: FixtureOptions) {
    const all = Array.from({ length: Math.max(1, options.people) }, (_, n) => makePerson(n, options.now));
    const mine: Person = { ...(all[0] as Person), role: options.role };
    all[0] = mine;
    if (options.people > 1 && options.screen) {
      this.#sharer = all[1] as Person;
      this.#sharer.tracks.push({ k: 'k1s' as TrackId, kind: 'screen', st: 'live' });
    }
    this.room = { ...this.room, mode: options.mode, startedAt: options.now - 754_000 };
    const staff = options.role !== 'learner' && options.role !== 'guest';
    this.me = {
      person: mine.id,
      name: mine.name,
      role: options.role,
      perms: new Set<Action>(staff ? STAFF_RIGHTS : LEARNER_RIGHTS),
      floor: false,
    };
    const rank = (p: Person) => (p.role === 'learner' || p.role === 'guest' ? 1 : 0);
    this.people = all.sort((a, b) => rank(a) - rank(b) || byGivenName(a.name, b.name));
    this.hands = all
      .filter((p) => p.hand !== undefined)
      .map((p) => ({ who: p.id, name: p.name, at: p.hand as number }))
      .sort((a, b) => a.at - b.at);
    this.chat =
      options.people > 1
        ? WORDS.map((text, i) => {
            const from = all[i % all.length] as Person;
            return {
              id: `c${i}` as ChatEntry['id'],
              from: from.id,
              name: from.name,
              role: from.role,
              text,
              at: options.now - (WORDS.length - i) * 97_000,
              cid: `x${i}`,
            };
          })
        : [];
    if (options.direct)
      this.chat = [...this.chat, ...fixtureDirect(all, mine, options.now)].sort((a, b) => a.at - b.at);
    this.unreadDirect = options.direct ? 1 : 0;
    this.talk = new FixtureTalk(this.me, options.now);
    if (options.people > 1) this.talk.questions = fixtureQuestions(all, options.now, staff, mine.id);
    this.talk.onslow = (slowSec) => (this.room = { ...this.room, slowSec });
    this.talk.ontimer = (secs, label) => {
      const { timer: _, ...rest } = this.room;
      const at = options.now;
      this.room = secs > 0 ? { ...rest, timer: { at, until: at + secs * 1000, label } } : rest;
    };
    this.polls = new FixturePolls(all, options.now);
    this.polls.fill(options.polls ?? [], staff);
    this.moreChat = options.people > 12;
    this.unread = options.people > 1 ? 3 : 0;
    this.activeSpeaker = options.people > 1 ? ('p1' as PersonId) : null;
    this.layout = options.layout;
    this.devices = new FixtureDevices(mine);
    this.audioBlocked = options.audioBlocked;
    this.screen = options.sharing ? 'live' : 'off';
    this.talkingWhileMuted = options.talking;
    this.asked = options.asked ? { kind: 'mic', by: 'Nguyễn Thị Minh Hằng' } : null;
    const sharing = fixtureSharing(options.slides ?? NO_SHARING, {
      now: options.now,
      self: () => this.me.person,
      nameOf: (who) => this.people.find((p) => p.id === who)?.name ?? '',
      perms: () => this.me.perms,
    });
    this.slides = sharing.slides;
    this.files = sharing.files;
    this.boards = fixtureBoards({ self: () => this.me.person, perms: () => this.me.perms });
    this.notes = fixtureNotes({
      self: () => this.me.person,
      perms: () => this.me.perms,
      role: () => this.me.role,
      group: () => this.groups.mine?.name ?? '',
      now: options.now,
    });
    this.captions = fixtureCaptions({
      self: () => this.me.person,
      perms: () => this.me.perms,
      now: options.now,
      hand: (who, on) => {
        this.#change(who, ({ captions: _, ...p }) => (on ? { ...p, captions: true } : p));
        if (who !== this.me.person) return;
        const perms = new Set(this.me.perms);
        if (on) perms.add('caption');
        else perms.delete('caption');
        this.me = { ...this.me, perms };
      },
    });
    sharing.start();
    this.net = {
      conn: options.conn,
      level: options.conn === 'ok' ? 3 : 0,
      since: options.conn === 'reconnecting' ? options.now - 4000 : null,
      retryInMs: options.conn === 'reconnecting' ? 3000 : null,
      retryNow: () => undefined,
      stats: { rttMs: 38, lossDown: 0.012, lossUp: 0.004, kbpsDown: 1240, kbpsUp: 310, codec: 'VP8', height: 720 },
      rung: null,
    };
  }

  get twoContents() {
    return this.#sharer !== null && this.slides.shown !== null;
  }
  get content() {
    if (this.effectiveLayout !== 'screen') return null;
    const slides =
      (this.slides.shown !== null || this.boards.shown !== null) && (!this.#sharer || this.#preferred === 'slides');
    return slides ? ('slides' as const) : ('screen' as const);
  }
  preferContent(content: 'slides' | 'screen') {
    this.#preferred = content;
  }
  get counts(): Counts {
    const of = (test: (p: Person) => boolean) => this.people.filter(test).length;
    const guests = of((p) => p.role === 'guest');
    const learners = of((p) => p.role === 'learner');
    return {
      total: this.people.length,
      people: this.people.length,
      staff: this.people.length - guests - learners,
      learners,
      guests,
      hands: this.hands.length,
    };
  }
  get effectiveLayout() {
    if (this.layout !== 'auto') return this.layout;
    if (this.room.mode === 'conference' && this.people.some((p) => p.site !== undefined)) return 'wall';
    if (this.#sharer || this.slides.shown || this.boards.shown) return 'screen';
    if (this.room.spotlight?.length) return 'speaker';
    return this.people.length > 1 && this.room.mode === 'training' ? 'speaker' : 'gallery';
  }
  #tile(person: Person, kind: 'camera' | 'screen'): Tile {
    const track = person.tracks.find((x) => x.kind === kind);
    const self = person.id === this.me.person;
    const base = { key: `${person.id}-${kind}`, person, self, kind };
    if (self && kind === 'camera')
      return { ...base, track: track?.k ?? null, state: this.camera === 'live' ? 'live' : 'off' };
    if (!track) return { ...base, track: null, state: 'off' };
    if (person.id === 'p5') return { ...base, track: track.k, state: 'paused', why: 'bw' };
    if (person.id === 'p9') return { ...base, track: track.k, state: 'wait' };
    return { ...base, track: track.k, state: 'live' };
  }
  get #visible(): Person[] {
    return this.people.filter((p) => this.groups.sees(p));
  }
  get #order(): Person[] {
    if (this.effectiveLayout === 'wall') {
      const ids = wallOrder(
        this.#visible,
        this.#visible.map((p) => p.id),
      );
      return ids.flatMap((id) => this.people.find((p) => p.id === id) ?? []);
    }
    const first = (p: Person) =>
      p.id === this.me.person ? 0 : p.id === this.activeSpeaker ? 1 : p.tracks.some((x) => x.kind === 'camera') ? 2 : 3;
    return this.#visible.sort((a, b) => first(a) - first(b));
  }
  get large(): Tile[] {
    const spotlight = this.room.spotlight ?? [];
    if (this.effectiveLayout === 'wall')
      return besideWall(this.#visible, this.me.person, this.activeSpeaker, spotlight).map((p) =>
        this.#tile(p, 'camera'),
      );
    const spotlit = spotlitOf(this.#visible, spotlight);
    if (this.effectiveLayout === 'speaker' && spotlit.length > 0 && this.pinned === null)
      return spotlit.map((p) => this.#tile(p, 'camera'));
    const only = this.#only;
    return only ? [only] : [];
  }
  get stage(): Tile | null {
    return this.large[0] ?? null;
  }
  get #only(): Tile | null {
    if (this.effectiveLayout === 'gallery') return null;
    const pinned = this.people.find((p) => p.tracks.some((x) => x.k === this.pinned));
    if (pinned) return this.#tile(pinned, 'camera');
    if (this.effectiveLayout === 'screen')
      return this.#sharer && this.content === 'screen' ? this.#tile(this.#sharer, 'screen') : null;
    const speaker = this.#visible.find((p) => p.id === this.activeSpeaker) ?? this.#visible[1];
    return speaker ? this.#tile(speaker, 'camera') : null;
  }
  get #tiles(): Tile[] {
    const large = new Set(this.large.filter((tile) => tile.kind === 'camera').map((tile) => tile.person.id));
    const list = this.options.people === 0 ? [] : this.#order.filter((p) => !large.has(p.id));
    return list.map((p) => this.#tile(p, 'camera'));
  }
  get pages() {
    return Math.max(1, Math.ceil(this.#tiles.length / this.#size));
  }
  get grid(): Tile[] {
    return this.#tiles.slice(this.page * this.#size, (this.page + 1) * this.#size);
  }
  setPageSize(tiles: number) {
    this.#size = Math.max(1, tiles);
    if (this.page >= this.pages) this.page = this.pages - 1;
  }
  pin(track: TrackId | null) {
    this.pinned = track;
    if (track && this.layout === 'gallery') this.layout = 'speaker';
  }
  attach(el: HTMLVideoElement, tile: Tile) {
    const stream = still((ctx, w, h) =>
      tile.kind === 'screen' ? drawSlide(ctx, w, h) : drawPerson(ctx, w, h, tile.person),
    );
    el.srcObject = stream;
    void el.play?.().catch(() => undefined);
    return () => {
      stream?.getTracks().forEach((track) => track.stop());
      el.srcObject = null;
    };
  }
  setTileSize() {
    // Nothing is received, so no size is wanted.
  }
  onLevels(cb: (levels: Map<PersonId, number>) => void) {
    const timer = setInterval(() => cb(new Map([['p1' as PersonId, 0.7]])), 200);
    return () => clearInterval(timer);
  }
  async unblockAudio() {
    this.audioBlocked = false;
  }
  async toggleMic() {
    this.mic = this.mic === 'live' ? 'muted' : 'live';
  }
  async toggleCamera() {
    this.camera = this.camera === 'live' ? 'off' : 'live';
    await this.devices.setCamera(this.camera === 'live');
  }
  async startScreen() {
    this.screen = 'live';
    return null;
  }
  async stopScreen() {
    this.screen = 'off';
  }
  async replyAsk(accept: boolean) {
    this.asked = null;
    if (accept) this.mic = 'live';
  }
  dismissNotice(id: number) {
    this.notices = this.notices.filter((n) => n.id !== id);
  }
  notice(kind: RoomModel['notices'][number]['kind'], text?: string, code?: ErrorCode) {
    this.notices = [
      ...this.notices,
      { id: this.#nextId++, kind, ...(text ? { text } : {}), ...(code ? { code } : {}) },
    ];
  }
  #change(who: PersonId, edit: (p: Person) => Person) {
    this.people = this.people.map((p) => (p.id === who ? edit(p) : p));
  }
  async raiseHand(up: boolean) {
    const at = this.options.now;
    this.hands = this.hands.filter((h) => h.who !== this.me.person);
    if (up) this.hands = [...this.hands, { who: this.me.person, name: this.me.name, at }];
    this.#change(this.me.person, ({ hand: _, ...p }) => (up ? { ...p, hand: at } : p));
    return null;
  }
  sendChat(text: string, to: Audience = 'all') {
    if (to === 'all') this.wroteAt = this.options.now;
    const n = this.#nextId++;
    const toName = typeof to === 'object' ? this.people.find((p) => p.id === to.person)?.name : undefined;
    this.chat = [
      ...this.chat,
      {
        id: `cx${n}` as ChatEntry['id'],
        from: this.me.person,
        name: this.me.name,
        role: this.me.role,
        text,
        at: this.options.now,
        cid: `cx${n}`,
        ...(to !== 'all' && { to }),
        ...(toName !== undefined && { toName }),
      },
    ];
  }
  retryChat() {
    this.pendingChat = [];
  }
  discardChat(cid: string) {
    const text = this.pendingChat.find((p) => p.cid === cid)?.text ?? '';
    this.pendingChat = this.pendingChat.filter((p) => p.cid !== cid);
    return text;
  }
  async deleteChat(chat: string) {
    this.chat = this.chat.filter((m) => m.id !== chat);
    return null;
  }
  async olderChat() {
    this.moreChat = false;
  }
  setChatOpen(open: boolean) {
    if (open) this.unread = this.unreadDirect = 0;
  }
  async findPeople(_q: string, from: number) {
    return { total: this.people.length, list: this.people.slice(from, from + 50) };
  }
  serverNow = (local: number): number => local;
  async replyCheck() {
    this.check = null;
    return null;
  }
  async fromStart(): Promise<FromStartModel> {
    return { playback: async () => null, watched: async () => true };
  }
  hushed = false;
  hush(on: boolean): void {
    this.hushed = on;
  }
  async hall(): Promise<HallModel> {
    let items = this.people.slice(0, 40).map((p, n) => ({
      person: p.id,
      name: p.name,
      unit: p.unit ?? 'Trường THCS Nguyễn Du',
      position: n % 3 === 0 ? 'Tổ trưởng chuyên môn' : 'Giáo viên',
      here: n % 2 === 0,
      elsewhere: n % 7 === 3,
      how: n % 4 === 0 ? ('qr' as const) : null,
    }));
    return {
      people: async () => ({ items, total: items.length }),
      tick: async (people, on) => {
        items = items.map((p) => (people.includes(p.person) ? { ...p, here: on } : p));
        return true;
      },
      code: async () => ({
        url: 'https://lop.example/check/4f9c',
        svg: '<svg viewBox="0 0 8 8"><path d="M0 0h3v3H0zM5 0h3v3H5zM0 5h3v3H0zM4 4h1v1H4zM6 6h2v2H6z"/></svg>',
        expiresMs: 0,
      }),
    };
  }
  mod: RoomModel['mod'] = {
    mute: async (who, kind) => {
      this.#change(who, (p) => ({ ...p, tracks: p.tracks.map((x) => (x.kind === kind ? { ...x, st: 'muted' } : x)) }));
      return null;
    },
    muteAll: async () => null,
    ask: async () => null,
    floor: async (who, give) => {
      this.#change(who, (p) => ({ ...p, floor: give }));
      this.hands = this.hands.filter((h) => h.who !== who);
      return null;
    },
    lowerHand: async (who) => {
      this.hands = this.hands.filter((h) => who !== undefined && h.who !== who);
      return null;
    },
    remove: async (who) => {
      this.people = this.people.filter((p) => p.id !== who);
      return null;
    },
    start: async () => {
      this.room = { ...this.room, phase: 'live', lessonAt: this.options.now };
      return null;
    },
    takeBreak: async (on, minutes = 10) => {
      const { breakUntil: _, ...rest } = this.room;
      this.room = on
        ? { ...rest, phase: 'break', breakUntil: this.options.now + minutes * 60_000 }
        : { ...rest, phase: 'live' };
      return null;
    },
    setWaiting: async (waiting) => {
      this.room = { ...this.room, waiting };
      return null;
    },
    admit: async (who) => {
      const list = who === undefined ? [] : this.lobby.list.filter((w) => w.who !== who);
      this.lobby = { total: list.length, list };
      return null;
    },
    deny: (who) => this.mod.admit(who),
    holdCheck: async (windowSec) => {
      this.check = { check: 'k1', until: this.options.now + windowSec * 1000 };
      return null;
    },
    record: async (form) => {
      const { recording: _, ...rest } = this.room;
      this.room = form ? { ...rest, recording: { since: this.options.now, ...form, notice: 1 } } : rest;
      return null;
    },
    pauseRecording: async (on) => {
      const { recording } = this.room;
      if (recording) this.room = { ...this.room, recording: { ...recording, state: on ? 'paused' : 'on' } };
      return null;
    },
    lock: async (locked) => {
      this.room = { ...this.room, locked };
      this.notice(locked ? 'locked' : 'unlocked');
      return null;
    },
    setMode: async (mode) => {
      this.room = { ...this.room, mode };
      return null;
    },
    end: async () => {
      this.over = { reason: 'ended' };
      return null;
    },
    downloadStays: async () => null,
  };
  async leave() {
    this.over = { reason: 'left' };
  }
}

export function fixtureRoom(options: FixtureOptions): FixtureRoom {
  return new FixtureRoom(options);
}

/** Devices and a link for the join page; `state` may also be an error code. */
export function fixtureJoin(o: {
  state: string;
  role: Role;
  named: boolean;
  problem: MediaProblem | null;
  now: number;
  rules?: boolean;
  recording?: boolean;
}): {
  devices: DevicesModel;
  join: JoinModel;
} {
  const me = makePerson(0, o.now);
  const info: LinkInfo = {
    room: 'r1',
    title: 'Bồi dưỡng giáo viên cốt cán môn Ngữ văn – Buổi 3',
    host: 'Sở Giáo dục và Đào tạo Hà Nội',
    mode: 'training',
    role: o.role,
    ...(o.named ? { name: me.name, unit: me.unit ?? '' } : {}),
    startsAt: o.now + 900_000,
    state: 'open',
    ...(o.rules === true && {
      rules: {
        version: 1,
        text: '1. Vào lớp đúng giờ, dùng họ và tên thật.\n2. Bật camera khi người dạy yêu cầu; tắt mic khi không phát biểu.\n3. Không ghi âm, ghi hình, phát tán nội dung buổi học khi chưa được phép.\n4. Ứng xử lịch sự, tôn trọng người dạy và các học viên.',
      },
    }),
  };
  if (o.recording === true)
    info.recording = {
      words: 'w1',
      who: 'Ban tổ chức, Sở GDĐT Hà Nội',
      why: 'Lưu hồ sơ lớp tập huấn và cho người học xem lại.',
      keep: 'Bản ghi được mở cho người học của lớp tối thiểu 06 tháng sau khi lớp kết thúc.',
    };
  const states = ['open', 'early', 'ended', 'locked', 'full'];
  const join: JoinModel = {
    link: 'fixture',
    remembered: { micOn: true, cameraOn: true },
    accepted: () => false,
    load: async () =>
      states.includes(o.state)
        ? { ok: true, info: { ...info, state: o.state as LinkInfo['state'] } }
        : { ok: false, code: o.state as ErrorCode | 'network' },
    join: async () => ({ ok: false, code: 'network' }),
  };
  return { devices: new FixtureDevices(me, o.problem), join };
}
