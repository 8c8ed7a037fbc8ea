// From a link to a room: what the link means, the token, then the room itself.
import { joinLink, readLink, type LinkInfo } from '../core/net/api';
import { canConnect, deviceClass, seatSlots } from '../core/rtc/compat';
import { acceptedRules, deviceKey, keepChoices, keepRules, readChoices } from './choices';
import type { JoinModel, LinkResult } from './contract';
import type { Devices } from './devices.svelte';

type JoinResult = Awaited<ReturnType<JoinModel['join']>>;

const loadEnter = () => import('./enter');

export class Join implements JoinModel {
  readonly link: string;
  readonly #devices: Devices;
  #info: LinkInfo | null = null;

  constructor(link: string, devices: Devices) {
    this.link = link;
    this.#devices = devices;
  }

  get remembered(): JoinModel['remembered'] {
    const { name, unit, micOn, cameraOn } = readChoices();
    return { ...(name !== undefined && { name }), ...(unit !== undefined && { unit }), micOn, cameraOn };
  }

  /** A personal link is one person's: somebody else at this computer accepts for himself. */
  get #scope(): string {
    return `${this.#info?.room ?? ''} ${this.#info?.name ?? ''}`;
  }

  accepted(rules: string | number): boolean {
    return acceptedRules(this.#scope, rules);
  }

  async load(): Promise<LinkResult> {
    const result = await readLink(this.link);
    if (!result.ok) return result;
    this.#info = result.value;
    // While the name is typed, what the room needs comes in.
    if (result.value.state === 'open') void loadEnter().catch(() => undefined);
    return { ok: true, info: result.value };
  }

  async join(o: Parameters<JoinModel['join']>[0]): Promise<JoinResult> {
    if (!canConnect()) return { ok: false, code: 'internal' };
    // Still inside the tap: this is what lets sound play.
    this.#devices.audio.unlock(seatSlots(deviceClass()).a);
    if (!this.#info) await this.load();
    const unit = o.unit?.normalize('NFC').trim();
    const ask = {
      link: this.link,
      name: o.name.normalize('NFC').trim(),
      device: deviceKey(),
      ...(unit && { unit }),
      ...(o.rules !== undefined && { rules: o.rules }),
      ...(o.recording !== undefined && { recording: o.recording }),
      ...(o.unrecorded === true && { unrecorded: true }),
    };
    const grant = await joinLink(ask);
    if (!grant.ok) return grant;
    keepChoices({ name: grant.value.name, ...(unit && { unit }) });
    if (o.rules !== undefined) keepRules(this.#scope, o.rules);
    // Who attends unrecorded is asked again on the next visit.
    if (o.recording !== undefined && o.unrecorded !== true) keepRules(this.#scope, o.recording);
    const enter = await loadEnter().catch(() => null);
    if (!enter) return { ok: false, code: 'network' };
    return enter.enterRoom({
      token: grant.value.token,
      ...(grant.value.ice && { ice: grant.value.ice }),
      devices: this.#devices,
      listenOnly: o.listenOnly,
      ...(o.takeOver === true && { takeOver: true }),
      ...(o.onwaiting && { onwaiting: o.onwaiting }),
      classSession: this.#info?.session ?? null,
      refreshToken: async () => {
        const again = await joinLink(ask);
        return again.ok ? { token: again.value.token } : { code: again.code };
      },
    });
  }
}
