// A check of network and devices as its page shows it.
import { checkApi, type CheckApi, type CheckOffer } from '../core/check/api';
import { netVerdict, openings, reportOf, type Findings, type WayName } from '../core/check/judge';
import { tryMedia, trySocket, type WayResult } from '../core/check/ways';
import type { CheckReport, DeviceCheck } from '../core/records/gen';
import type { ApiError } from '../core/records/http';
import type { DevicesModel, MediaProblem } from './contract';

export type WayState = WayResult | { state: 'waiting' | 'running'; rttMs: null; addresses: string[] };

export const WAYS: readonly WayName[] = ['websocket', 'udp', 'tcp', 'turn'];
/** Without sound for so long the microphone counts as silent, ms. */
export const SILENT_AFTER = 5_000;
/** Louder than this is somebody's voice, 0–1. */
const VOICE = 0.04;

const waiting = (): WayState => ({ state: 'waiting', rttMs: null, addresses: [] });
const fresh = (): Record<WayName, WayState> => ({
  websocket: waiting(),
  udp: waiting(),
  tcp: waiting(),
  turn: waiting(),
});

export interface CheckTools {
  api?: CheckApi;
  media?: typeof tryMedia;
  socket?: typeof trySocket;
}

/** What a device's problem means in the report. */
export function deviceCheck(on: boolean, problem: MediaProblem | null): DeviceCheck {
  if (on) return 'good';
  if (problem === null) return 'untried';
  if (problem === 'notFound') return 'missing';
  return problem === 'denied' || problem === 'insecure' ? 'blocked' : 'failed';
}

export class Check {
  readonly key: string;
  readonly #devices: DevicesModel;
  readonly #tools: Required<CheckTools>;
  ways = $state.raw<Record<WayName, WayState>>(fresh());
  offer = $state.raw<CheckOffer | null>(null);
  /** Why the link leads to no check, or why a way could not be tried. */
  problem = $state.raw<ApiError | null>(null);
  running = $state(false);
  /** The browser can take part. */
  readonly browser: boolean;
  /** It cannot even try the ways for sound and picture. */
  readonly canConnect: boolean;
  heard = $state(false);
  silent = $state(false);
  speaker = $state<'untried' | 'good' | 'silent'>('untried');
  #turn = 0;

  constructor(
    key: string,
    devices: DevicesModel,
    browser: { fits: boolean; canConnect: boolean },
    tools: CheckTools = {},
  ) {
    this.key = key;
    this.#devices = devices;
    this.browser = browser.fits;
    this.canConnect = browser.canConnect;
    this.#tools = { api: tools.api ?? checkApi(), media: tools.media ?? tryMedia, socket: tools.socket ?? trySocket };
  }

  /** Listens to the microphone until the returned function is called. */
  listen(): () => void {
    let since: number | null = null;
    return this.#devices.onLevel((level) => {
      const now = Date.now();
      if (!this.#devices.micOn) {
        since = null;
        this.silent = false;
        return;
      }
      since ??= now;
      if (level > VOICE) {
        this.heard = true;
        this.silent = false;
        since = now;
      } else if (!this.heard && now - since >= SILENT_AFTER) this.silent = true;
    });
  }

  /** Tries the ways; begun again it forgets what was found. */
  async run(): Promise<void> {
    const mine = ++this.#turn;
    this.running = true;
    this.problem = null;
    this.ways = fresh();
    const set = (name: WayName, to: WayState) => {
      if (mine === this.#turn) this.ways = { ...this.ways, [name]: to };
    };
    const begun = await this.#tools.api.begin(this.key);
    if (mine !== this.#turn) return;
    if (!begun.ok) {
      this.problem = begun.error;
      for (const name of WAYS) set(name, { state: 'untried', rttMs: null, addresses: [] });
      this.running = false;
      return;
    }
    this.offer = begun.value;
    const { ice } = begun.value;
    const one = async (name: WayName, work: () => Promise<WayResult>) => {
      set(name, { state: 'running', rttMs: null, addresses: [] });
      const result = await work();
      set(name, result);
      if (result.error && mine === this.#turn) this.problem = result.error;
    };
    const media = (via: 'udp' | 'tcp' | 'turn') => async (): Promise<WayResult> =>
      this.canConnect
        ? this.#tools.media({ via, ice, ask: (sdp) => this.#tools.api.media(this.key, via, sdp) })
        : { state: 'untried', rttMs: null, addresses: [] };
    await Promise.all([
      one('websocket', () => this.#tools.socket()),
      one('udp', media('udp')),
      one('tcp', media('tcp')),
      one('turn', media('turn')),
    ]);
    if (mine === this.#turn) this.running = false;
  }

  /** All ways have been tried, as far as they could be. */
  get done(): boolean {
    return !this.running && WAYS.every((name) => this.ways[name].state !== 'waiting');
  }

  get camera(): DeviceCheck {
    return deviceCheck(this.#devices.cameraOn, this.#devices.cameraProblem);
  }

  get microphone(): DeviceCheck {
    const found = deviceCheck(this.#devices.micOn || this.heard, this.#devices.micProblem);
    if (found !== 'good' || this.heard) return found;
    return this.silent ? 'silent' : 'untried';
  }

  get findings(): Findings {
    const ways = Object.fromEntries(
      WAYS.map((name) => {
        const way = this.ways[name];
        const settled = way.state === 'waiting' || way.state === 'running';
        return [name, settled ? { ...way, state: 'untried' } : way];
      }),
    ) as Record<WayName, WayResult>;
    return {
      browser: this.browser,
      camera: this.camera,
      microphone: this.microphone,
      speaker: this.speaker,
      ways,
    };
  }

  get report(): CheckReport {
    return reportOf(this.findings);
  }

  get net() {
    return netVerdict(this.findings.ways);
  }

  get openings() {
    return openings(this.findings.ways, { host: location.host, secure: location.protocol === 'https:' });
  }

  send(contact: string, note: string) {
    return this.#tools.api.send({ key: this.key, report: this.report, contact, note });
  }
}
