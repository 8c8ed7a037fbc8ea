// Which slot shows what: a pure function from the wanted pictures to slot wishes.
import type { SlotWish, TrackId } from '../proto';

/** Heights worth telling apart; a wish is rounded up to one, so that resizing by a pixel changes nothing. */
const STEPS = [90, 180, 270, 360, 540, 720, 1080, 1440] as const;

/** Shown height in device pixels, rounded up to a step; the pixel ratio counts up to 2. */
export function wishedHeight(cssHeight: number, pixelRatio: number): number {
  if (cssHeight <= 0) return 0;
  const device = cssHeight * Math.min(Math.max(pixelRatio, 1), 2);
  return STEPS.find((step) => step >= device - 1) ?? 2160;
}

export interface Wanted {
  track: TrackId;
  kind: 'camera' | 'screen';
  /** Device pixels. */
  height: number;
  /** 0 to 255; the larger is served first. */
  prio: number;
}

/** What each slot held after the last plan; kept between plans for stickiness. */
export interface Held {
  mid: string;
  track: TrackId | null;
  /** Number of the last plan in which it was shown. */
  shown: number;
}

export interface Plan {
  round: number;
  video: Held[];
  screen: Held[];
}

export function emptyPlan(video: readonly string[], screen: readonly string[]): Plan {
  const held = (mid: string): Held => ({ mid, track: null, shown: 0 });
  return { round: 0, video: video.map(held), screen: screen.map(held) };
}

function assign(
  slots: readonly Held[],
  wanted: readonly Wanted[],
  round: number,
): { held: Held[]; wishes: SlotWish[] } {
  const order = [...wanted].sort((a, b) => b.prio - a.prio);
  const fitting = order.slice(0, slots.length);
  const held = slots.map((slot) => ({ ...slot }));
  const byTrack = new Map(fitting.map((w) => [w.track, w]));
  const taken = new Map<string, Wanted>();
  // A picture stays where it is: no new keyframe, no black tile.
  for (const slot of held) {
    const wish = slot.track === null ? undefined : byTrack.get(slot.track);
    if (wish) {
      taken.set(slot.mid, wish);
      byTrack.delete(wish.track);
    }
  }
  // Then empty slots, then the one not shown for longest.
  const free = held
    .filter((slot) => !taken.has(slot.mid))
    .sort((a, b) => Number(a.track !== null) - Number(b.track !== null) || a.shown - b.shown);
  for (const wish of byTrack.values()) {
    const slot = free.shift();
    if (!slot) break;
    taken.set(slot.mid, wish);
  }
  const wishes: SlotWish[] = [];
  for (const slot of held) {
    const wish = taken.get(slot.mid);
    if (!wish) continue;
    slot.track = wish.track;
    slot.shown = round;
    wishes.push({ mid: slot.mid, src: { k: wish.track }, h: wish.height, prio: wish.prio });
  }
  return { held, wishes };
}

/** The next plan and the wishes it means. A slot that is not wished for is empty on the wire but remembers its picture. */
export function planView(previous: Plan, wanted: readonly Wanted[]): { plan: Plan; wishes: SlotWish[] } {
  const round = previous.round + 1;
  const unique = [...new Map(wanted.filter((w) => w.height > 0).map((w) => [w.track, w])).values()];
  const video = assign(
    previous.video,
    unique.filter((w) => w.kind === 'camera'),
    round,
  );
  const screen = assign(
    previous.screen,
    unique.filter((w) => w.kind === 'screen'),
    round,
  );
  return {
    plan: { round, video: video.held, screen: screen.held },
    wishes: [...video.wishes, ...screen.wishes],
  };
}
