// src/state/contract.ts
import type {
  Action,
  Audience,
  ChatEntry,
  ChatId,
  Counts,
  Deck,
  DeckFault,
  DeckId,
  FileId,
  FileItem,
  FileWay,
  MediaKind,
  OnRung,
  Person,
  RaisedHand,
  RecordAlarm,
  RecordConsent,
  RecordedBy,
  RecordPlan,
  RecordTrouble,
  RecordWhom,
  Role,
  RoomInfo,
  RoomMode,
  ErrorCode,
  PersonId,
  Review,
  Stage as ShownPage,
  TrackId,
  Waiter,
} from '../core/proto';
import type { Boards } from './boards.svelte';
import type { Captions } from './captions.svelte';
import type { NotesShelf } from './notes-shelf.svelte';
import type { ArrangeModel } from './arrange-model';
import type { GroupsModel } from './groups-model';
import type { Playback, WatchedForm } from '../core/playback/shapes';
import type { HallPerson } from '../core/records/gen';
import type { PendingChat, PollsModel, TalkModel } from './talk-contract';
export type DeviceKind = 'mic' | 'camera' | 'speaker';
export type MediaProblem = 'denied' | 'notFound' | 'busy' | 'overconstrained' | 'insecure' | 'unsupported';
export interface DeviceInfo {
  id: string;
  label: string;
}
export interface DevicesModel {
  // used on join page and in room
  readonly mics: DeviceInfo[];
  readonly cameras: DeviceInfo[];
  readonly speakers: DeviceInfo[];
  readonly micId: string | null;
  readonly cameraId: string | null;
  readonly speakerId: string | null;
  readonly micOn: boolean;
  readonly cameraOn: boolean;
  readonly micProblem: MediaProblem | null;
  readonly cameraProblem: MediaProblem | null;
  readonly preview: MediaStream | null; // own camera
  /** Went away by itself (a call, another program) and could not be had again yet. */
  readonly micLost: boolean;
  readonly cameraLost: boolean;
  regain(): Promise<void>; // asks for it again, by hand
  readonly effects: EffectsModel;
  readonly canPickSpeaker: boolean;
  readonly canShareScreen: boolean;
  start(opts: { mic: boolean; camera: boolean }): Promise<void>; // asks permission, only after a tap
  setMic(on: boolean): Promise<void>;
  setCamera(on: boolean): Promise<void>;
  pick(kind: DeviceKind, id: string): Promise<void>;
  onLevel(cb: (level01: number) => void): () => void; // own mic meter, <= 10 Hz
  testSpeaker(): Promise<void>;
  /** The audible sign that a recording begins or goes on, or that it pauses or has ended. */
  recordCue(on: boolean): Promise<void>;
  stop(): void;
}
/** What is done to the own sound and picture before they are sent. Remembered on the device. */
export interface EffectsModel {
  readonly canFilter: boolean;
  readonly canBlur: boolean;
  /** Strong noise suppression. */
  readonly filter: boolean;
  /** Sound as it is, for music. */
  readonly music: boolean;
  /** The background is blurred. */
  readonly blur: boolean;
  /** An effect ended by itself; sound or picture go out as they are. */
  readonly fault: { effect: 'filter' | 'blur'; why: 'slow' | 'broken' } | null;
  setFilter(on: boolean): Promise<void>;
  setMusic(on: boolean): Promise<void>;
  setBlur(on: boolean): void;
  dismissFault(): void;
}
export interface LinkInfo {
  room: string;
  title: string;
  host: string;
  mode: RoomMode;
  role: Role;
  name?: string;
  unit?: string;
  startsAt?: number;
  endsAt?: number;
  state: 'open' | 'early' | 'ended' | 'locked' | 'full';
  /** House rules to be accepted before joining. */
  rules?: { version: string | number; text: string };
  /** The session is recorded: to be accepted before joining. */
  recording?: {
    words: string;
    who: string;
    why: string;
    keep: string;
    by?: RecordedBy;
    whom?: RecordWhom;
    ask?: RecordConsent;
  };
}
export type LinkResult = { ok: true; info: LinkInfo } | { ok: false; code: ErrorCode | 'network' };
export interface JoinModel {
  readonly link: string;
  load(): Promise<LinkResult>;
  join(o: {
    name: string;
    unit?: string;
    listenOnly: boolean;
    /** Version of the house rules that were accepted. */
    rules?: string | number;
    /** Words of the recording notice that was accepted, or answered where it asks. */
    recording?: string;
    /** Attends unrecorded, where the recording asks. */
    unrecorded?: boolean;
    /** Take the place of another device; after `elsewhere`. */
    takeOver?: boolean;
    /** In the waiting room; told again after each return of the link. */
    onwaiting?: (wait: { since: number; giveUp(): Promise<void> }) => void;
  }): Promise<{ ok: true; room: RoomModel } | { ok: false; code: ErrorCode | 'network' | 'left' }>;
  /** The house rules of this version, or these words of a recording notice, were accepted on this device before. */
  accepted(rules: string | number): boolean;
  readonly remembered: { name?: string; unit?: string; micOn: boolean; cameraOn: boolean };
}
export type NetLevel = 4 | 3 | 2 | 1 | 0; // excellent … lost
export type Conn = 'connecting' | 'ok' | 'reconnecting' | 'ended';
export interface NetModel {
  readonly conn: Conn;
  readonly level: NetLevel;
  readonly since: number | null;
  readonly retryInMs: number | null;
  retryNow(): void;
  readonly stats: {
    rttMs: number | null;
    lossDown: number | null;
    lossUp: number | null;
    kbpsDown: number | null;
    kbpsUp: number | null;
    codec?: string;
    height?: number;
  };
  /** The rung of the ladder for weak links one is on; null = everything is sent. */
  readonly rung: OnRung | null;
}
export interface Tile {
  // one picture on the stage or grid
  key: string;
  person: Person;
  self: boolean;
  kind: 'camera' | 'screen';
  track: TrackId | null;
  state: 'live' | 'wait' | 'paused' | 'off';
  why?: 'bw' | 'muted' | 'limit';
}
export type Layout = 'auto' | 'gallery' | 'speaker' | 'screen' | 'wall';
export interface HallModel {
  people(q: string, from: number): Promise<{ items: HallPerson[]; total: number } | null>;
  tick(people: string[], on: boolean): Promise<boolean>;
  /** The code of the moment for the hall screen. */
  code(): Promise<{ url: string; svg: string; expiresMs: number } | null>;
}
/** What is recorded of the class so far, for somebody in the room. */
export interface FromStartModel {
  /** With fresh addresses; null: not (any more) to be had. */
  playback(): Promise<Playback | null>;
  watched(form: WatchedForm, leaving: boolean): Promise<boolean>;
}
/** A file on its way to the server. */
export interface Upload {
  id: number;
  way: 'deck' | FileWay;
  name: string;
  bytes: number;
  sent: number;
  st: 'waiting' | 'sending' | 'failed';
  code: ErrorCode | 'network' | null;
  /** More of why the contents were refused. */
  why: DeckFault | null;
  /** Largest file of this way, bytes. */
  most: number;
}
/** A pointer on the page everybody sees; 0 to 10,000 from the left and from the top. */
export interface Pointer {
  who: PersonId;
  name: string;
  page: number;
  x: number;
  y: number;
}
interface Uploading {
  readonly uploads: readonly Upload[];
  /** Calls an upload off, or puts a failed one away. */
  cancelUpload(id: number): void;
  retryUpload(id: number): void;
  canRetry(id: number): boolean;
}
export interface SlidesModel extends Uploading {
  /** Largest file, bytes. */
  readonly maxBytes: number;
  readonly decks: readonly Deck[];
  /** The page everybody sees. */
  readonly stage: ShownPage | null;
  /** The page this screen shows. */
  readonly shown: { deck: Deck; page: number } | null;
  /** This person leafs alone. */
  readonly alone: boolean;
  readonly canPresent: boolean;
  readonly canBrowse: boolean;
  readonly pointers: readonly Pointer[];
  mayChange(deck: Deck): boolean;
  /** Setting the review state takes a right of its own. */
  readonly mayReview: boolean;
  /** To a page: for all when one presents, else for oneself. */
  go(page: number): void;
  step(by: number): void;
  present(deck: DeckId, page?: number): Promise<ErrorCode | null>;
  hide(): Promise<ErrorCode | null>;
  /** Looks at a page alone. */
  open(deck: DeckId, page?: number): void;
  /** Back to the page everybody sees. */
  follow(): void;
  /** Points on the page everybody sees; null takes the pointer away. */
  point(at: { x: number; y: number } | null): void;
  change(deck: DeckId, change: { review?: Review; licence?: string; owner?: string }): Promise<ErrorCode | null>;
  drop(deck: DeckId): Promise<ErrorCode | null>;
  upload(files: readonly File[]): void;
}
export interface FilesModel extends Uploading {
  /** Largest file of each way, bytes. */
  readonly maxBytes: Readonly<Record<FileWay, number>>;
  readonly handedOut: readonly FileItem[];
  /** For staff everybody's, otherwise one's own. */
  readonly handedIn: readonly FileItem[];
  readonly canHandOut: boolean;
  readonly canHandIn: boolean;
  mayDrop(item: FileItem): boolean;
  upload(files: readonly File[], way: FileWay): void;
  drop(file: FileId): Promise<ErrorCode | null>;
}
/** A recording to begin. */
export interface RecordForm {
  who: string;
  why: string;
  keep: string;
  by: RecordedBy;
  whom: RecordWhom;
  ask: RecordConsent;
}
/** What is known of recordings beside what everybody is told in `room.recording`. */
export interface RecordingModel {
  /** Whether the server can record, the setting, and what went wrong; to those who look after it. */
  readonly desk: {
    unable?: RecordTrouble;
    plan?: RecordPlan;
    /** Least that a recording of the server asks for. */
    ask: RecordConsent;
    alarms: readonly RecordAlarm[];
  } | null;
  /** One's own answer to the recording that goes on: accepted, refused; null = not given. */
  readonly mine: boolean | null;
  /** The recording that goes on asks, and one has not answered. */
  readonly asks: boolean;
  /** Who refused, to staff. */
  readonly unrecorded: ReadonlySet<PersonId>;
  /** One may watch what is recorded so far, now. */
  readonly fromStart: boolean;
  /** Finds out whether one may. */
  askFromStart(): void;
  reply(accept: boolean): Promise<ErrorCode | null>;
}
export interface RoomModel {
  readonly room: RoomInfo;
  readonly me: { person: PersonId; name: string; role: Role; perms: ReadonlySet<Action>; floor: boolean };
  readonly people: Person[]; // sorted: staff, then given name
  readonly counts: Counts;
  readonly hands: RaisedHand[];
  /** Who waits to be let in; the first of them, and the exact number. Empty without the right to see it. */
  readonly lobby: { total: number; list: readonly Waiter[] };
  readonly recording: RecordingModel;
  /** A presence check to be answered; `until` on the server's clock. */
  readonly check: { check: string; until: number } | null;
  replyCheck(): Promise<ErrorCode | null>;
  /** How the last presence check went, to those who may hold one. */
  readonly checkResult: { check: string; asked: number; answered: number } | null;
  /** The hall of this connection, or of the trainer, for ticking people in. */
  hall(): Promise<HallModel>;
  /** The recording that goes on, from its start. */
  fromStart(): Promise<FromStartModel>;
  /** What is said in the room is not heard while one listens to what was said. */
  hush(on: boolean): void;
  /** Server clock, ms, for a moment of this browser's clock. */
  serverNow(local: number): number;
  readonly sampled: boolean;
  readonly groups: GroupsModel;
  readonly arrange: ArrangeModel;
  readonly chat: ChatEntry[];
  readonly moreChat: boolean;
  readonly unread: number;
  /** Of the unread ones, those to fewer than all. */
  readonly unreadDirect: number;
  readonly pendingChat: PendingChat[];
  /** When one wrote to all last, server clock, ms; null = never. */
  readonly wroteAt: number | null;
  /** Questions, reactions, slow mode, timer. */
  readonly talk: TalkModel;
  readonly polls: PollsModel;
  readonly net: NetModel;
  readonly devices: DevicesModel;
  readonly listenOnly: boolean;
  readonly audioBlocked: boolean;
  unblockAudio(): Promise<void>;
  readonly speaking: ReadonlySet<PersonId>; // held >= 1.5 s
  readonly activeSpeaker: PersonId | null;
  onLevels(cb: (levels: Map<PersonId, number>) => void): () => void; // 0..1, outside reactivity
  // layout
  layout: Layout;
  readonly effectiveLayout: 'gallery' | 'speaker' | 'screen' | 'wall';
  page: number;
  readonly pages: number;
  setPageSize(tiles: number): void; // UI tells how many tiles fit
  readonly stage: Tile | null;
  /** Everything that stands large, `stage` first: several where people are shown to all, and beside a wall. */
  readonly large: Tile[];
  /** What is shown large in the layout `screen`. */
  readonly content: 'slides' | 'screen' | null;
  /** Slides and a screen are there at once: the viewer may choose. */
  readonly twoContents: boolean;
  preferContent(content: 'slides' | 'screen'): void;
  readonly slides: SlidesModel;
  readonly boards: Boards;
  readonly captions: Captions;
  readonly notes: NotesShelf;
  readonly files: FilesModel;
  readonly grid: Tile[]; // grid = tiles of the present page (gallery) or of the strip (speaker, screen)
  readonly pinned: TrackId | null;
  pin(track: TrackId | null): void;
  attach(el: HTMLVideoElement, tile: Tile): () => void; // shows the tile's picture in el (own preview or slot); UI reports size by ResizeObserver through setTileSize
  setTileSize(key: string, cssWidth: number, cssHeight: number): void; // 0,0 = not visible
  dataSaver: boolean;
  // own media
  readonly mic: 'off' | 'muted' | 'live';
  readonly camera: 'off' | 'live';
  readonly screen: 'off' | 'live';
  toggleMic(): Promise<void>;
  toggleCamera(): Promise<void>;
  startScreen(): Promise<MediaProblem | null>;
  stopScreen(): Promise<void>;
  readonly talkingWhileMuted: boolean;
  // asked, muted-by notices
  readonly asked: { kind: MediaKind; by: string } | null;
  replyAsk(accept: boolean): Promise<void>;
  readonly notices: {
    id: number;
    kind:
      | 'mutedBy'
      | 'floorGiven'
      | 'floorTaken'
      | 'recovered'
      | 'joined'
      | 'left'
      | 'waits'
      | 'locked'
      | 'unlocked'
      | 'grouped' // text: name of the group
      | 'groupEntered'
      | 'ungrouped'
      | 'groupsOver'
      | 'spotlit'
      | 'captionerOn'
      | 'captionerOff'
      | 'roleChanged'
      | 'modeChanged'
      | 'askAccepted'
      | 'askDeclined'
      | 'error';
    text?: string;
    code?: ErrorCode;
    role?: Role; // of roleChanged
    mode?: RoomMode; // of modeChanged
    media?: MediaKind; // of mutedBy, askAccepted, askDeclined
  }[];
  dismissNotice(id: number): void;
  // actions; each resolves to null or an error code
  raiseHand(up: boolean): Promise<ErrorCode | null>;
  sendChat(text: string, to?: Audience): void;
  /** Gives up a refused message; its text. */
  discardChat(cid: string): string;
  deleteChat(chat: ChatId): Promise<ErrorCode | null>;
  retryChat(cid: string): void;
  olderChat(): Promise<void>;
  setChatOpen(open: boolean): void;
  findPeople(q: string, from: number): Promise<{ total: number; list: Person[] }>;
  mod: {
    mute(who: PersonId, kind: MediaKind): Promise<ErrorCode | null>;
    muteAll(mayUnmute: boolean, except?: readonly PersonId[]): Promise<ErrorCode | null>;
    ask(who: PersonId, kind: MediaKind): Promise<ErrorCode | null>;
    floor(who: PersonId, give: boolean): Promise<ErrorCode | null>;
    lowerHand(who?: PersonId): Promise<ErrorCode | null>;
    remove(who: PersonId, bar: boolean): Promise<ErrorCode | null>;
    lock(locked: boolean): Promise<ErrorCode | null>;
    setMode(mode: RoomMode): Promise<ErrorCode | null>;
    end(): Promise<ErrorCode | null>;
    start(): Promise<ErrorCode | null>;
    takeBreak(on: boolean, minutes?: number): Promise<ErrorCode | null>;
    setWaiting(on: boolean): Promise<ErrorCode | null>;
    admit(who?: PersonId): Promise<ErrorCode | null>;
    deny(who: PersonId): Promise<ErrorCode | null>;
    /** Begins a recording, or announces one from outside, or changes it; without a form, ends it. */
    record(form: RecordForm | null): Promise<ErrorCode | null>;
    pauseRecording(on: boolean): Promise<ErrorCode | null>;
    holdCheck(windowSec: number): Promise<ErrorCode | null>;
    downloadStays(): Promise<ErrorCode | null>;
  };
  leave(): Promise<void>;
  readonly over: {
    reason: 'left' | 'ended' | 'removed' | 'takenOver' | 'expired' | 'full' | 'serverFull' | 'error';
    code?: ErrorCode;
  } | null;
}
