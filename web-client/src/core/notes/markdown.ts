// A little of Markdown: headings, lists, bold. Everything else is the text it is.

export interface Span {
  text: string;
  bold: boolean;
}
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; spans: Span[] }
  | { kind: 'list'; ordered: boolean; items: Span[][] }
  | { kind: 'text'; lines: Span[][] };

const HEADING = /^(#{1,3})\s+(\S.*)$/u;
const BULLET = /^\s{0,3}[-*•]\s+(\S.*)$/u;
const NUMBER = /^\s{0,3}\d{1,3}[.)]\s+(\S.*)$/u;

export function spans(line: string): Span[] {
  // Every second part is between two pairs of stars; a pair without another is text.
  const parts = line.split('**');
  if (parts.length % 2 === 0) parts.push(`${parts.length > 1 ? '**' : ''}${parts.pop() ?? ''}`);
  if (parts.length % 2 === 0) parts.splice(-2, 2, parts.slice(-2).join(''));
  return parts.map((text, n) => ({ text, bold: n % 2 === 1 })).filter((span) => span.text !== '');
}

export function blocks(text: string): Block[] {
  const out: Block[] = [];
  for (const line of text.split('\n')) {
    const heading = HEADING.exec(line);
    const bullet = BULLET.exec(line);
    const number = NUMBER.exec(line);
    const last = out.at(-1);
    if (heading) {
      const level = Math.min(3, heading[1]?.length ?? 1) as 1 | 2 | 3;
      out.push({ kind: 'heading', level, spans: spans(heading[2] ?? '') });
    } else if (bullet || number) {
      const ordered = number !== null;
      const item = spans((number ?? bullet)?.[1] ?? '');
      if (last?.kind === 'list' && last.ordered === ordered) last.items.push(item);
      else out.push({ kind: 'list', ordered, items: [item] });
    } else if (line.trim() === '') {
      if (last?.kind === 'text' && last.lines.length > 0) out.push({ kind: 'text', lines: [] });
    } else if (last?.kind === 'text') last.lines.push(spans(line));
    else out.push({ kind: 'text', lines: [spans(line)] });
  }
  return out.filter((block) => block.kind !== 'text' || block.lines.length > 0);
}

/** The notes without marks, as plain text with the line ends every editor knows. */
export function plain(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      spans(HEADING.exec(line)?.[2] ?? line)
        .map((span) => span.text)
        .join(''),
    )
    .join('\r\n');
}
