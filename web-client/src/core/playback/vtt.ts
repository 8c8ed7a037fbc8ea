// WebVTT, as far as captions of a lesson need it: times and text. Notes, styles, regions and
// positions are passed over; tags are taken out and entities read.

export interface Cue {
  fromMs: number;
  toMs: number;
  text: string;
}

const TIME = /^(?:(\d{1,4}):)?([0-5]\d):([0-5]\d)[.,](\d{3})$/u;
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', nbsp: ' ', quot: '"', lrm: '', rlm: '' };
/** More cues are not read: a file of hours of speech has a few thousand. */
const MOST = 50_000;

function timeOf(text: string): number | null {
  const found = TIME.exec(text);
  if (!found) return null;
  const [, h = '0', m = '0', s = '0', ms = '0'] = found;
  return ((Number(h) * 60 + Number(m)) * 60 + Number(s)) * 1000 + Number(ms);
}

/** Plain words of a cue: no tags, no entities. */
export function plainCue(text: string): string {
  return text
    .replace(/<[^>]*>/gu, '')
    .replace(/&(\w{2,4});/gu, (whole, name: string) => ENTITIES[name] ?? whole)
    .trim();
}

/** Cues sorted by their beginning; what cannot be read is left out. */
export function readVtt(file: string): Cue[] {
  const cues: Cue[] = [];
  const blocks = file
    .replace(/^\uFEFF/u, '')
    .replace(/\r\n?/gu, '\n')
    .split(/\n{2,}/u);
  for (const block of blocks) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => line.includes('-->'));
    if (at < 0 || at > 1) continue;
    const [from = '', rest = ''] = (lines[at] ?? '').split('-->');
    const fromMs = timeOf(from.trim());
    const toMs = timeOf(rest.trim().split(/\s+/u)[0] ?? '');
    const text = plainCue(lines.slice(at + 1).join('\n'));
    if (fromMs === null || toMs === null || toMs <= fromMs || text === '') continue;
    cues.push({ fromMs, toMs, text });
    if (cues.length === MOST) break;
  }
  return cues.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
}

/** Words to show at a moment. */
export function cueAt(cues: readonly Cue[], t: number): string {
  return cues
    .filter((one) => t >= one.fromMs && t < one.toMs)
    .map((one) => one.text)
    .join('\n');
}
