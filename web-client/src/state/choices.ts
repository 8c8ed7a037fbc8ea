// What a person chose last time on this browser.
import { randomKey, stored } from '../core/base/storage';
import type { Layout } from '../core/room/layout';

export interface Choices {
  name?: string;
  unit?: string;
  micOn: boolean;
  cameraOn: boolean;
  micId: string | null;
  cameraId: string | null;
  speakerId: string | null;
  dataSaver: boolean;
  /** Strong noise suppression, unprocessed sound, background blur. */
  filter: boolean;
  music: boolean;
  blur: boolean;
  layout: Layout;
}

const LAYOUTS: readonly Layout[] = ['gallery', 'speaker', 'screen', 'wall'];

function parse(value: unknown): Choices {
  const v = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof v[key] === 'string' ? (v[key] as string) : null);
  const name = text('name');
  const unit = text('unit');
  const layout = text('layout');
  return {
    ...(name !== null && { name }),
    ...(unit !== null && { unit }),
    micOn: v.micOn !== false,
    cameraOn: v.cameraOn !== false,
    micId: text('micId'),
    cameraId: text('cameraId'),
    speakerId: text('speakerId'),
    dataSaver: v.dataSaver === true,
    filter: v.filter === true,
    music: v.music === true,
    blur: v.blur === true,
    layout: LAYOUTS.find((known) => known === layout) ?? 'auto',
  };
}

const store = stored(() => localStorage, 'lophoc.choices', parse);

export function readChoices(): Choices {
  return store.read();
}

export function keepChoices(change: Partial<Choices>): void {
  store.write({ ...store.read(), ...change });
}

const deviceStore = stored(
  () => localStorage,
  'lophoc.device',
  (value): string | null => (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) ? value : null),
);
let pageKey: string | null = null;

/** Random key of this browser: with an open link it makes the same person on the next visit. */
export function deviceKey(): string {
  pageKey ??= deviceStore.read();
  if (pageKey === null) {
    pageKey = randomKey();
    deviceStore.write(pageKey);
  }
  return pageKey;
}

/** Rooms whose rules are remembered, at most; the oldest are forgotten and asked again. */
const RULES_KEPT = 50;
const rulesStore = stored(
  () => localStorage,
  'lophoc.rules',
  (value): string[] => (Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : []),
);

/** House rules were accepted on this device; `scope` names room and person. */
export function acceptedRules(scope: string, version: string | number): boolean {
  return rulesStore.read().includes(`${scope} ${version}`);
}

export function keepRules(scope: string, version: string | number): void {
  const key = `${scope} ${version}`;
  rulesStore.write([...rulesStore.read().filter((known) => known !== key), key].slice(-RULES_KEPT));
}
