// What this screen shows besides the room itself: panel, dialogs, own toasts.
import { stored } from '../../core/base/storage';
import { MAX_SPOTLIGHT, type Audience, type ErrorCode, type Person } from '../../core/proto';
import type { MediaProblem, RoomModel } from '../../state/contract';
import { t } from '../../i18n/index.svelte';
import { a } from '../../i18n/arrange.svelte';
import { ERROR } from '../../i18n/terms';
import { isAsked } from './polls/may';

export type Panel = 'people' | 'chat' | 'questions' | 'polls' | 'docs' | 'captions' | 'notes';
/** Parts of the panel of materials. */
export type DocsTab = 'slides' | 'files';
export type Open =
  | { dialog: 'stats' | 'keys' | 'end' | 'muteAll' | 'devices' | 'hall' | 'timer' | 'record' }
  | { dialog: 'permits' | 'mode' | 'groups' | 'pickGroup' }
  | { dialog: 'remove' | 'role' | 'substitute'; person: Person }
  | { dialog: 'problem'; what: 'mic' | 'camera' | 'screen'; problem: MediaProblem };

export interface Toast {
  id: number;
  text: string;
  tone: 'calm' | 'bad' | 'good';
}

/** The hand queue is told at most this long after a hand was acknowledged (1 s in the largest rooms). */
const HAND_SETTLES_MS = 1500;

export class RoomView {
  panel = $state<Panel | null>(null);
  open = $state.raw<Open | null>(null);
  toasts = $state.raw<Toast[]>([]);
  /** Closes the small window; null = there is none. */
  mini = $state.raw<(() => void) | null>(null);
  /** What is recorded so far is watched in place of the stage. */
  early = $state(false);
  /** The space bar is held to talk. */
  held = $state(false);
  /** The palette of reactions is open. */
  reacting = $state(false);
  /** To whom the next chat message goes. */
  chatTo = $state.raw<Audience>('all');
  /** Polls, with their state, the person has put away. */
  laidAside = $state.raw<readonly string[]>([]);
  #draft = $state('');
  #question = $state('');
  readonly #kept;
  /** Everybody is brought back from the groups then, by our clock. */
  backAt = $state<number | null>(null);
  #backTimer: ReturnType<typeof setTimeout> | undefined;
  docs = $state<DocsTab>('slides');
  /** A page is on the stage now: on a phone the panel makes room for it. */
  onpresent: () => void = () => undefined;
  #seenFiles = $state.raw<readonly string[]>([]);
  #next = 1;
  #handWish = $state<boolean | null>(null);
  #presses = 0;

  constructor(readonly room: RoomModel) {
    const keep = (what: string) =>
      stored(
        () => sessionStorage,
        `lophoc.${what}.${room.room.room}`,
        (value) => (typeof value === 'string' ? value : ''),
      );
    this.#kept = { draft: keep('draft'), question: keep('question') };
    this.#draft = this.#kept.draft.read();
    this.#question = this.#kept.question.read();
  }

  /** What is being written in the chat; it outlives a reload. */
  get draft(): string {
    return this.#draft;
  }
  set draft(text: string) {
    this.#draft = text;
    if (text === '') this.#kept.draft.clear();
    else this.#kept.draft.write(text);
  }
  /** The question being written. */
  get question(): string {
    return this.#question;
  }
  set question(text: string) {
    this.#question = text;
    if (text === '') this.#kept.question.clear();
    else this.#kept.question.write(text);
  }

  toggle(panel: Panel): void {
    this.panel = this.panel === panel ? null : panel;
    this.room.setChatOpen(this.panel === 'chat');
    this.room.talk.setQuestionsOpen(this.panel === 'questions');
  }
  /** Turns captions on this screen on or off, and says so. */
  captions(): void {
    const { captions } = this.room;
    captions.change({ on: !captions.on });
    const words = !captions.on
      ? t('captions.offNow')
      : captions.lines.length > 0
        ? t('captions.onNow')
        : t('captions.onEmpty');
    this.toast(words);
  }
  /** Opens the chat to write to somebody. */
  writeTo(to: Audience): void {
    this.chatTo = to;
    if (this.panel !== 'chat') this.toggle('chat');
  }
  layAside(key: string): void {
    this.laidAside = [...this.laidAside, key];
  }
  /** Polls that wait for the own answer. */
  get toAnswer(): number {
    const { list, mine } = this.room.polls;
    return list.filter((p) => p.st === 'open' && !mine.has(p.poll) && isAsked(this.room, p)).length;
  }
  /** Opens the panel of materials at a part of it. */
  showDocs(tab: DocsTab): void {
    this.docs = tab;
    if (this.panel !== 'docs') this.toggle('docs');
  }
  /** Files of others that were not seen in the panel yet. */
  get newFiles(): number {
    return this.#others().filter((id) => !this.#seenFiles.includes(id)).length;
  }
  sawFiles(): void {
    this.#seenFiles = this.#others();
  }
  #others(): string[] {
    const { files, me } = this.room;
    return [...files.handedOut, ...files.handedIn].filter((one) => one.by !== me.person).map((one) => one.file);
  }
  /** Opens a dialog from a menu: first the menu gives the focus back, so that the dialog can do so later. */
  show(open: Open): void {
    setTimeout(() => (this.open = open), 30);
  }
  close(): void {
    this.open = null;
  }
  toast(text: string, tone: Toast['tone'] = 'calm'): void {
    const id = this.#next++;
    this.toasts = [...this.toasts.slice(-2), { id, text, tone }];
    setTimeout(() => this.drop(id), 6000);
  }
  drop(id: number): void {
    this.toasts = this.toasts.filter((x) => x.id !== id);
  }
  /** Waits for an action and says why it was refused, if it was. */
  async act(done: Promise<ErrorCode | null>): Promise<boolean> {
    const code = await done.catch((): 'network' => 'network');
    if (code === null) return true;
    this.toast(t(ERROR[code]), 'bad');
    return false;
  }

  /** Tells the groups that they end soon, and ends them then. Only as long as this page is open. */
  async bringBack(seconds: number): Promise<void> {
    if (!(await this.act(this.room.groups.say(a('groups.backSaid', seconds))))) return;
    this.stopBack();
    this.backAt = Date.now() + seconds * 1000;
    this.#backTimer = setTimeout(() => {
      this.backAt = null;
      if (this.room.groups.now?.open) void this.act(this.room.groups.close());
    }, seconds * 1000);
  }
  stopBack(): void {
    clearTimeout(this.#backTimer);
    this.backAt = null;
  }
  /** Shows somebody to all, or no longer. */
  async spotlight(person: Person): Promise<void> {
    const on = !this.room.room.spotlight?.includes(person.id);
    const code = await this.room.arrange.spotlight(person.id, on).catch((): 'network' => 'network');
    if (code === 'full') this.toast(a('spot.full', MAX_SPOTLIGHT), 'bad');
    else if (code !== null) this.toast(t(ERROR[code]), 'bad');
  }

  clearSpotlight(): Promise<boolean> {
    return this.act(this.room.arrange.clearSpotlight());
  }

  /** Opens the room in a small window above all others, or closes it. */
  async toggleMini(): Promise<void> {
    if (this.mini) return this.mini();
    try {
      const { openMini } = await import('./mini');
      this.mini = await openMini(this.room, this, () => (this.mini = null));
    } catch {
      this.toast(a('mini.failed'), 'bad');
    }
  }

  async mic(): Promise<void> {
    const { room } = this;
    if (room.listenOnly) return this.toast(t('bar.listenOnly'));
    if (room.mic !== 'live' && !room.me.perms.has('speak') && !room.room.permits.mic)
      return this.toast(a('permits.held', a('permits.mic')));
    if (room.mic !== 'live' && !room.me.perms.has('speak')) return this.toast(t('bar.noSpeakLong'));
    const wanted = room.mic !== 'live';
    await room.toggleMic().catch(() => undefined);
    const problem = room.devices.micProblem;
    if (wanted && problem) this.open = { dialog: 'problem', what: 'mic', problem };
  }
  async camera(): Promise<void> {
    const { room } = this;
    if (room.listenOnly) return this.toast(t('bar.listenOnly'));
    if (room.camera !== 'live' && !room.me.perms.has('showCamera'))
      return this.toast(room.room.permits.camera ? t('bar.noCamera') : a('permits.held', a('permits.camera')));
    const wanted = room.camera !== 'live';
    await room.toggleCamera().catch(() => undefined);
    const problem = room.devices.cameraProblem;
    if (wanted && problem) this.open = { dialog: 'problem', what: 'camera', problem };
  }
  async share(): Promise<void> {
    const { room } = this;
    if (room.screen === 'live') return room.stopScreen();
    if (!room.devices.canShareScreen) return this.toast(t('bar.cannotShare'));
    if (!room.me.perms.has('shareScreen'))
      return this.toast(room.room.permits.screen ? t('bar.noShare') : a('permits.held', a('permits.screen')));
    const problem = await room.startScreen();
    // Closing the browser's own chooser counts as a refusal: nothing to explain at length.
    if (problem === 'denied') this.toast(t('problem.screenDenied'));
    else if (problem) this.open = { dialog: 'problem', what: 'screen', problem };
  }
  async hand(): Promise<void> {
    const up = !this.handUp;
    if (up && !this.room.me.perms.has('raiseHand')) return this.toast(a('permits.held', a('permits.hand')));
    const press = ++this.#presses;
    this.#handWish = up;
    const done = await this.act(this.room.raiseHand(up));
    // The queue of the room follows the answer a moment later; a newer press has its own wish.
    setTimeout(
      () => {
        if (press === this.#presses) this.#handWish = null;
      },
      done ? HAND_SETTLES_MS : 0,
    );
  }
  /** As last pressed until the room has answered, so that a second press means the opposite. */
  get handUp(): boolean {
    if (this.#handWish !== null) return this.#handWish;
    return this.room.hands.some((h) => h.who === this.room.me.person);
  }
  who(): string {
    const names = this.room.people.filter((p) => this.room.speaking.has(p.id)).map((p) => p.name);
    return names.length > 0 ? t('room.whoSpeaks', names.join(', ')) : t('room.nobodySpeaks');
  }
}
