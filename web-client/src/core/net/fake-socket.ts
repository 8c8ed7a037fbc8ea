// A websocket for tests: the test plays the server.
import type { ClientFrame } from '../proto';
import type { SocketLike } from './link';

type Fields = Record<string, unknown>;

export class FakeSocket implements SocketLike {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  binaryType = '';
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: ClientFrame[] = [];
  closed = false;

  constructor() {
    FakeSocket.all.push(this);
  }

  send(data: string | Uint8Array): void {
    if (typeof data === 'string') this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(): void {
    this.closed = true;
    this.readyState = 3;
  }

  // ---- what the server does

  open(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }

  give(frame: Fields): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as never);
  }

  giveRaw(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  break(): void {
    this.readyState = 3;
    this.onclose?.({} as never);
  }

  of<T extends ClientFrame['t']>(t: T): Extract<ClientFrame, { t: T }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { t: T }> => frame.t === t);
  }
}

export function you(more: Fields = {}): Fields {
  return { person: 'p1', name: 'Lò Thị Mai', role: 'learner', perms: ['speak', 'chat'], floor: false, ...more };
}

export function welcome(more: Fields = {}): Fields {
  return {
    t: 'welcome',
    proto: 1,
    session: 's1',
    key: 'key1',
    you: you(),
    room: {
      room: 'r1',
      title: 'Buổi 1',
      host: 'Sở',
      mode: 'discussion',
      locked: false,
      startedAt: 1,
      phase: 'live',
      waiting: false,
      permits: {},
      slowSec: 0,
    },
    limits: { frame: 262144, chat: 5000, resumeMs: 90000 },
    ping: { every: 4000, timeout: 25000 },
    now: 1_000,
    ...more,
  };
}

export function state(seq: number, more: Fields = {}): Fields {
  return {
    t: 'state',
    seq,
    counts: { total: 1, people: 1, staff: 0, learners: 1, guests: 0, hands: 0 },
    people: [],
    sampled: false,
    hands: [],
    chat: [],
    moreChat: false,
    ...more,
  };
}

export function chat(seq: number, id: string, more: Fields = {}): Fields {
  return {
    t: 'chat',
    seq,
    m: { id, from: 'p2', name: 'An', role: 'trainer', text: 'chào', at: 1, cid: `cid-${id}`, ...more },
  };
}
