// From a token to a room: the link, the peer connection, the first welcome. Loaded only
// when somebody is about to enter, so that the join page stays small.
import { socketUrl } from '../core/net/api';
import { canGzip } from '../core/net/gzip';
import type { TokenResult } from '../core/net/link';
import { workerTicker } from '../core/net/ticker';
import type { ErrorCode, IceServer } from '../core/proto';
import { SUBPROTOCOL } from '../core/proto';
import { browserName, deviceClass, isFirefox, seatSlots, wallSlots } from '../core/rtc/compat';
import { RoomSession } from '../core/session';
import type { RoomModel } from './contract';
import type { Devices } from './devices.svelte';
import { Room } from './room.svelte';
import { offerTestHooks } from './test-hooks';

const APP = 'lophoc-web';
const VERSION = '0.1.0';
/** The first welcome must come within this, ms. */
const WELCOME_TIMEOUT = 20_000;

export interface Entry {
  token: string;
  /** Relays for the first peer connection. */
  ice?: readonly IceServer[];
  devices: Devices;
  listenOnly: boolean;
  /** Id of the class session, for its attendance file. */
  classSession: string | null;
  refreshToken(): Promise<TokenResult>;
  /** Take the place of another device. */
  takeOver?: boolean;
  /** In the waiting room; the promise of `enterRoom` resolves when the wait is over. */
  onwaiting?(waiting: Wait): void;
}

/** A wait in the waiting room. */
export interface Wait {
  /** Since when, server clock, ms. */
  since: number;
  /** Goes away for good; `enterRoom` then resolves to `left`. */
  giveUp(): Promise<void>;
}

export type Entered = { ok: true; room: RoomModel } | { ok: false; code: ErrorCode | 'network' | 'left' };

function openSession({ token, ice, devices, refreshToken, takeOver }: Entry): RoomSession {
  return new RoomSession({
    token,
    ...(ice && { ice }),
    profile: 'seat',
    slots: seatSlots(deviceClass()),
    offerAfterWelcome: isFirefox(),
    audio: devices.audio,
    hello: {
      client: {
        app: APP,
        ver: VERSION,
        browser: browserName(),
        class: deviceClass(),
        caps: canGzip() ? ['gz'] : [],
      },
      lang: document.documentElement.lang || 'vi',
    },
    link: {
      connect: () => new WebSocket(socketUrl(location), SUBPROTOCOL),
      ticker: workerTicker,
      now: () => Date.now(),
      random: Math.random,
      refreshToken,
      ...(takeOver === true && { takeOver }),
    },
  });
}

/** Connects and waits for the first welcome. The room is made inside it, so that no frame after it is missed. */
export function enterRoom(entry: Entry): Promise<Entered> {
  const session = openSession(entry);
  const { devices, listenOnly, classSession } = entry;
  return new Promise((resolve) => {
    const done = (result: Entered) => {
      clearTimeout(timer);
      for (const undo of undos) undo();
      resolve(result);
    };
    const fail = (code: ErrorCode | 'network') => {
      done({ ok: false, code });
      session.stop();
    };
    const timer = setTimeout(() => {
      void session.leave();
      fail('network');
    }, WELCOME_TIMEOUT);
    const undos = [
      session.on('waiting', ({ since }) => {
        clearTimeout(timer);
        const giveUp = async () => {
          await session.leave();
          done({ ok: false, code: 'left' });
        };
        entry.onwaiting?.({ since, giveUp });
      }),
      session.on('welcome', ({ welcome }) => {
        const wall = wallSlots(deviceClass());
        const room = new Room({ session, devices, listenOnly, welcome, classSession, wall });
        offerTestHooks(room);
        done({ ok: true, room });
      }),
      session.on('over', ({ code }) => fail(code ?? 'internal')),
    ];
    session.start();
  });
}
