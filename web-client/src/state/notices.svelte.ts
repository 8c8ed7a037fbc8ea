// Short messages to the person; the surface shows and announces them.
import type { RoomModel } from './contract';

export type Notice = RoomModel['notices'][number];

/** Notices kept; the oldest give way. */
const KEEP = 8;

export class Notices {
  list = $state.raw<Notice[]>([]);
  #next = 1;

  add(kind: Notice['kind'], more: Omit<Notice, 'id' | 'kind'> = {}): void {
    this.list = [...this.list.slice(1 - KEEP), { id: this.#next, kind, ...more }];
    this.#next += 1;
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}
