// A played peer connection, played devices and made-up people, for the tests of the stores.
import type { MediaKind, Person } from '../core/proto';

export class FakePeer {
  state = 'new';
  sends: [MediaKind, unknown][] = [];
  pc: { remoteDescription: object | null; getStats: () => Promise<Map<string, object>> } = {
    remoteDescription: null,
    getStats: () => Promise.resolve(new Map()),
  };
  closed = false;
  thrift: object = {};
  offers: boolean[] = [];
  listeners: Record<string, (value: unknown) => void> = {};
  #slots = (from: number, n: number) => Array.from({ length: n }, (_, i) => ({ mid: String(from + i), stream: {} }));
  audioSlots = this.#slots(4, 5);
  videoSlots = this.#slots(9, 9);
  screenSlots = this.#slots(18, 1);
  on(event: string, listener: (value: unknown) => void) {
    this.listeners[event] = listener;
    return () => undefined;
  }
  slot(mid: string) {
    return [...this.videoSlots, ...this.screenSlots].find((s) => s.mid === mid);
  }
  offer(restart = false) {
    this.offers.push(restart);
    return Promise.resolve(`sdp${this.offers.length}`);
  }
  accept() {
    this.pc.remoteDescription = {};
    return Promise.resolve();
  }
  watched: object = {};
  setWatched(watched: object) {
    this.watched = watched;
  }
  setThrift(thrift: object) {
    this.thrift = thrift;
  }
  send(kind: MediaKind, track: unknown) {
    this.sends.push([kind, track]);
    return Promise.resolve();
  }
  close() {
    this.closed = true;
  }
  go(to: string) {
    this.state = to;
    this.listeners.state?.(to);
  }
}

export class FakeTrack {
  enabled = true;
  readyState = 'live';
  contentHint = '';
  constructor(readonly kind: string) {}
  getSettings() {
    return {};
  }
  clone() {
    return new FakeTrack(this.kind);
  }
  stop() {
    this.readyState = 'ended';
  }
}

export const ANSWER = {
  sdp: 'v=0',
  mids: { mic: '0', camera: '1', screen: '2', screenAudio: '3', a: ['4'], v: ['9'], s: ['18'] },
};

export function person(id: string, more: Partial<Person> = {}): Person {
  return { id, name: `Người ${id}`, role: 'learner', link: 'ok', tracks: [], ...more };
}
export const camera = (id: string, role: Person['role'] = 'learner') =>
  person(id, { role, tracks: [{ k: `k${id}c`, kind: 'camera', st: 'live' }] });
export const counts = (total: number) => ({ total, people: total, staff: 0, learners: total, guests: 0, hands: 0 });
