// Dates as people here write them. The browser's short Vietnamese format puts the time
// first and cuts the year to two digits, so we assemble the parts ourselves.

/** The zone classes are planned in. */
export const ZONE = 'Asia/Ho_Chi_Minh';

function parts(ms: number, zone: string): Record<string, string> {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return Object.fromEntries(format.formatToParts(ms).map((p) => [p.type, p.value]));
}

/** `22/11/2026` */
export function date(ms: number, zone = ZONE): string {
  const p = parts(ms, zone);
  return `${p.day}/${p.month}/${p.year}`;
}

/** `08:05` */
export function time(ms: number, zone = ZONE): string {
  const p = parts(ms, zone);
  return `${p.hour}:${p.minute}`;
}

/** `08:05:09` */
export function exactTime(ms: number, zone = ZONE): string {
  return `${time(ms, zone)}:${parts(ms, zone).second}`;
}

/** `22/11/2026 08:05` */
export function dateTime(ms: number, zone = ZONE): string {
  return `${date(ms, zone)} ${time(ms, zone)}`;
}

/** A running clock: `4:07`, or `1:02:33` from an hour on. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
