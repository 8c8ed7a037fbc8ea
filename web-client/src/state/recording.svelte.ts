// What the room says of recordings, beside what everybody sees.

import type { ClientFrame, ErrorCode, PersonId, RoomInfo, ServerFrame } from '../core/proto';
import type { RecordingModel } from './contract';

type Desk = Extract<ServerFrame, { t: 'recordDesk' }>;

export class RecordingState implements RecordingModel {
  desk = $state.raw<RecordingModel['desk']>(null);
  unrecorded = $state.raw<ReadonlySet<PersonId>>(new Set());
  #answer = $state.raw<{ notice: number; accept: boolean } | null>(null);
  readonly #room: () => RoomInfo;
  readonly #act: (message: ClientFrame) => Promise<ErrorCode | null>;

  constructor(room: () => RoomInfo, act: (message: ClientFrame) => Promise<ErrorCode | null>) {
    this.#room = room;
    this.#act = act;
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
