// What the room says of recordings, beside what everybody sees.

import type { ClientFrame, ErrorCode, PersonId, RoomInfo, ServerFrame } from '../core/proto';
import type { RecordingModel } from './contract';

/** Without an answer it is asked again after so long, ms. */
const ASK_AGAIN = 10_000;

type Desk = Extract<ServerFrame, { t: 'recordDesk' }>;

export class RecordingState implements RecordingModel {
  desk = $state.raw<RecordingModel['desk']>(null);
  unrecorded = $state.raw<ReadonlySet<PersonId>>(new Set());
  #may = $state<string | null>(null);
  /** What was asked last; another question makes its answer worthless. */
  #asked = '';
  #answer = $state.raw<{ notice: number; accept: boolean } | null>(null);
  readonly #room: () => RoomInfo;
  readonly #act: (message: ClientFrame) => Promise<ErrorCode | null>;
  readonly #ask: (recording: string) => Promise<boolean | null>;

  constructor(
    room: () => RoomInfo,
    act: (message: ClientFrame) => Promise<ErrorCode | null>,
    ask: (recording: string) => Promise<boolean | null> = async () => false,
  ) {
    this.#room = room;
    this.#act = act;
    this.#ask = ask;
  }

  /** The recording of the server that goes on, and its setting. */
  #now(): string | null {
    const now = this.#room().recording;
    return now?.recording === undefined || now.state === 'starting'
      ? null
      : `${now.recording} ${now.fromStart ?? false}`;
  }

  get fromStart(): boolean {
    return this.#may !== null && this.#may === this.#now();
  }

  askFromStart(): void {
    const now = this.#now();
    const recording = this.#room().recording?.recording;
    if (now === null || recording === undefined || this.#asked === now) return;
    this.#asked = now;
    void this.#ask(recording).then((may) => {
      if (this.#asked !== now) return;
      if (may === true) this.#may = now;
      // Without an answer it is asked again.
      else if (may === null)
        setTimeout(() => this.#asked === now && ((this.#asked = ''), this.askFromStart()), ASK_AGAIN);
    });
  }

  /** The number of the words that are to be answered. */
  #notice(): number | null {
    const now = this.#room().recording;
    return now?.ask === 'consent' && now.notice !== undefined ? now.notice : null;
  }

  get mine(): boolean | null {
    const answer = this.#answer;
    return answer !== null && answer.notice === this.#notice() ? answer.accept : null;
  }

  get asks(): boolean {
    return this.#notice() !== null && this.mine === null;
  }

  onDesk({ unable, plan, ask, alarms }: Desk): void {
    this.desk = {
      ask,
      alarms: alarms ?? [],
      ...(unable !== undefined && { unable }),
      ...(plan !== undefined && { plan }),
    };
  }

  onMine(answer: { notice: number; accept: boolean }): void {
    this.#answer = { notice: answer.notice, accept: answer.accept };
  }

  onUnrecorded(list: readonly PersonId[]): void {
    this.unrecorded = new Set(list);
  }

  async reply(accept: boolean): Promise<ErrorCode | null> {
    const notice = this.#notice();
    return notice === null ? 'conflict' : await this.#act({ t: 'recordReply', notice, accept });
  }
}
