// Text as search sees it: without marks and case, "Đặng Thị Ái" is "dang thi ai". The place
// of every letter is kept, so that what was found can be marked in the text itself.

export interface Folded {
  text: string;
  /** Index in the original of each folded letter; one more entry for its end. */
  at: number[];
}

export function fold(original: string): Folded {
  let text = '';
  const at: number[] = [];
  let place = 0;
  for (const letter of original) {
    const plain = letter.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/gu, 'd').replace(/Đ/gu, 'D').toLowerCase();
    for (let n = 0; n < plain.length; n++) at.push(place);
    text += plain;
    place += letter.length;
  }
  at.push(place);
  return { text, at };
}

/** Words of a query. */
export function wordsOf(query: string): string[] {
  return [...new Set(fold(query).text.split(/\s+/u).filter(Boolean))];
}

/** Places of the words in the original, sorted, joined where they touch; `null` when one is missing. */
export function findAll(folded: Folded, words: readonly string[]): [number, number][] | null {
  const found: [number, number][] = [];
  for (const word of words) {
    let from = folded.text.indexOf(word);
    if (from < 0) return null;
    while (from >= 0) {
      found.push([folded.at[from] ?? 0, folded.at[from + word.length] ?? folded.at.at(-1) ?? 0]);
      from = folded.text.indexOf(word, from + word.length);
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of found) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

export interface Piece {
  text: string;
  hit: boolean;
}

/** The text in pieces, those that were found marked; long text is cut around the first. */
export function pieces(text: string, marks: readonly (readonly [number, number])[], most = 160): Piece[] {
  const first = marks[0]?.[0] ?? 0;
  let from = 0;
  if (text.length > most && first > most / 3) {
    from = Math.max(0, first - Math.floor(most / 3));
    const space = text.indexOf(' ', from);
    if (space >= 0 && space < first) from = space + 1;
  }
  const to = Math.min(text.length, from + most);
  const out: Piece[] = [];
  const put = (piece: string, hit: boolean) => piece !== '' && out.push({ text: piece, hit });
  let place = from;
  if (from > 0) put('… ', false);
  for (const [start, end] of marks) {
    if (start >= to || end <= from) continue;
    put(text.slice(place, Math.max(place, start)), false);
    put(text.slice(Math.max(place, start), Math.min(end, to)), true);
    place = Math.max(place, Math.min(end, to));
  }
  put(text.slice(place, to), false);
  if (to < text.length) put(' …', false);
  return out;
}
