// SubRip (.srt) as WebVTT: what most programs that write captions give. Read by its times;
// numbers, fonts and places are left out, italics, bold and underline stay.

const TIME = /^(\d{1,3}):([0-5]?\d):([0-5]?\d)[,.](\d{1,3})$/u;
/** Tags that mean the same in WebVTT. */
const SAME = /^<\/?[biu]>$/iu;

function timeOf(text: string): string | null {
  const found = TIME.exec(text);
  if (!found) return null;
  const [, h = '', m = '', s = '', ms = ''] = found;
  return `${h.padStart(2, '0')}:${m.padStart(2, '0')}:${s.padStart(2, '0')}.${ms.padEnd(3, '0')}`;
}

/** Words of a cue: what would be read as a tag or an entity is none. */
function words(line: string): string {
  return line
    .replace(/\{\\[^}]*\}/gu, '')
    .split(/(<\/?[a-z][^<>]*>)/iu)
    .map((part) => {
      if (SAME.test(part)) return part.toLowerCase();
      if (/^<\/?[a-z]/iu.test(part)) return '';
      return part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('-->', '→').replaceAll('>', '&gt;');
    })
    .join('');
}

/** As WebVTT; what has no times is left out. */
export function srtToVtt(file: string): string {
  const lines = file
    .replace(/^\uFEFF/u, '')
    .replace(/\r\n?/gu, '\n')
    .split('\n');
  const cues: string[][] = [];
  let cue: string[] | null = null;
  for (const [n, line] of lines.entries()) {
    const [from = '', rest = ''] = line.split('-->');
    const begin = line.includes('-->') ? timeOf(from.trim()) : null;
    const end = begin === null ? null : timeOf(rest.trim().split(/\s+/u)[0] ?? '');
    if (begin !== null && end !== null) {
      cue = [`${begin} --> ${end}`];
      cues.push(cue);
    } else if (line.trim() === '') cue = null;
    // A number before times belongs to them, also where the empty line before it is missing.
    else if (cue && !(/^\d+$/u.test(line.trim()) && (lines[n + 1] ?? '').includes('-->'))) cue.push(words(line));
  }
  return ['WEBVTT', ...cues.map((one) => one.join('\n'))].join('\n\n') + '\n';
}
