// A page that is reloaded in class comes back into the room without questions. What that
// needs is kept for this tab only and forgotten when the person leaves.

export interface Seat {
  link: string;
  name: string;
  unit?: string;
  listenOnly: boolean;
  mic: boolean;
  camera: boolean;
}

const KEY = 'lophoc.seat';

export function keepSeat(seat: Seat): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(seat));
  } catch {
    // Without storage a reload shows the join page again.
  }
}

export function forgetSeat(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept either.
  }
}

/** The seat kept for this link, if any. */
export function keptSeat(link: string): Seat | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (typeof found !== 'object' || found === null) return null;
    const s = found as Partial<Record<keyof Seat, unknown>>;
    if (s.link !== link || typeof s.name !== 'string') return null;
    return {
      link,
      name: s.name,
      ...(typeof s.unit === 'string' ? { unit: s.unit } : {}),
      listenOnly: s.listenOnly === true,
      mic: s.mic === true,
      camera: s.camera === true,
    };
  } catch {
    return null;
  }
}

/** Keeps in step with what is switched on in the room. */
export function updateSeat(link: string, change: Pick<Seat, 'mic' | 'camera'>): void {
  const seat = keptSeat(link);
  if (seat) keepSeat({ ...seat, ...change });
}
