// From a link to a room: what the link means, the token, the first welcome.
import { joinLink, readLink, socketUrl, type LinkInfo } from '../core/net/api';
import { workerTicker } from '../core/net/ticker';
import { canGzip } from '../core/net/gzip';
import type { TokenResult } from '../core/net/link';
import type { ErrorCode, Welcome } from '../core/proto';
import { SUBPROTOCOL } from '../core/proto';
import { browserName, canConnect, deviceClass, isFirefox, seatSlots } from '../core/rtc/compat';
import { RoomSession } from '../core/session';
import { deviceKey, keepChoices, readChoices } from './choices';
import type { JoinModel, LinkResult, RoomModel } from './contract';
import type { Devices } from './devices.svelte';
import { Room } from './room.svelte';
import { offerTestHooks } from './test-hooks';

const VERSION = '0.1.0';
/** The first welcome must come within this, ms. */
const WELCOME_TIMEOUT = 20_000;

type JoinResult = Awaited<ReturnType<JoinModel['join']>>;

export class Join implements JoinModel {
  readonly link: string;
  readonly #devices: Devices;
  #info: LinkInfo | null = null;
  #session: string | null = null;

  constructor(link: string, devices: Devices) {
    this.link = link;
    this.#devices = devices;
  }

  get remembered(): JoinModel['remembered'] {
    const { name, unit, micOn, cameraOn } = readChoices();
    return { ...(name !== undefined && { name }), ...(unit !== undefined && { unit }), micOn, cameraOn };
  }

  async load(): Promise<LinkResult> {
    const result = await readLink(this.link);
    if (!result.ok) return result;
    this.#info = result.value;
    this.#session = result.value.session ?? null;
    return { ok: true, info: result.value };
  }

  async join(o: { name: string; unit?: string; listenOnly: boolean }): Promise<JoinResult> {
    if (!canConnect()) return { ok: false, code: 'internal' };
    const slots = seatSlots(deviceClass());
    // Still inside the tap: this is what lets sound play.
    this.#devices.audio.unlock(slots.a);
    if (!this.#info) await this.load();
    const name = o.name.normalize('NFC').trim();
    const unit = o.unit?.normalize('NFC').trim();
    const ask = { link: this.link, name, device: deviceKey(), ...(unit && { unit }) };
    const grant = await joinLink(ask);
    if (!grant.ok) return grant;
    keepChoices({ name: grant.value.name, ...(unit && { unit }) });

    const session = new RoomSession({
      token: grant.value.token,
      profile: 'seat',
      slots,
      offerAfterWelcome: isFirefox(),
      audio: this.#devices.audio,
      hello: {
        client: {
          app: 'lophoc-web',
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
        refreshToken: async (): Promise<TokenResult> => {
          const again = await joinLink(ask);
          return again.ok ? { token: again.value.token } : { code: again.code };
        },
      },
    });
    return this.#enter(session, slots.v, o.listenOnly);
  }

  /** Waits for the first welcome. The room is made inside it, so that no frame after it is missed. */
  #enter(session: RoomSession, slots: number, listenOnly: boolean): Promise<JoinResult> {
    return new Promise((resolve) => {
      const done = (result: JoinResult) => {
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
        session.on('welcome', ({ welcome }: { welcome: Welcome }) => {
          const room: RoomModel = new Room({
            session,
            devices: this.#devices,
            listenOnly,
            welcome,
            classSession: this.#session,
            slots,
          });
          offerTestHooks(room as Room);
          done({ ok: true, room });
        }),
        session.on('over', ({ code }) => fail(code ?? 'internal')),
      ];
      session.start();
    });
  }
}
