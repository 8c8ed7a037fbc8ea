// For end-to-end tests only, and only when the address asked for it with `?e2e=1`.
import type { Room } from './room.svelte';

const KEY = 'lophoc.e2e';

interface Hooks {
  room: Room;
  readonly pc: RTCPeerConnection;
  stats(): Promise<unknown[]>;
}

function wanted(): boolean {
  try {
    if (new URLSearchParams(location.search).get('e2e') === '1') sessionStorage.setItem(KEY, '1');
    return sessionStorage.getItem(KEY) === '1';
  } catch {
    return false;
  }
}

export function offerTestHooks(room: Room): void {
  if (!wanted()) return;
  const hooks: Hooks = {
    room,
    get pc() {
      return room.session.peer.pc;
    },
    async stats() {
      const out: unknown[] = [];
      (await room.session.peer.pc.getStats()).forEach((stat) => out.push(stat));
      return out;
    },
  };
  (window as unknown as { __lophoc: Hooks }).__lophoc = hooks;
}
