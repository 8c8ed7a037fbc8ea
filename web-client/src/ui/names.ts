// Vietnamese names: the given name stands last; people are sorted and called by it.

const collator = new Intl.Collator('vi');

function words(name: string): string[] {
  return name.normalize('NFC').trim().split(/\s+/u).filter(Boolean);
}

/** The given name: the last word. */
export function givenName(name: string): string {
  return words(name).at(-1) ?? '';
}

/** First letter of the given name, for the round picture of somebody without a camera. */
export function initial(name: string): string {
  const letter = [...givenName(name)].find((c) => /\p{L}|\p{N}/u.test(c));
  return letter?.toLocaleUpperCase('vi') ?? '?';
}

/**
 * A name cut to about `room` letters for a small tile. The given name stands last and is
 * what people are called by, so words are left out at the front and never cut inside.
 */
export function shortName(name: string, room: number): string {
  const all = words(name);
  if (all.join(' ').length <= room) return all.join(' ');
  let kept = all.at(-1) ?? '';
  for (const word of all.slice(0, -1).reverse()) {
    if (kept.length + word.length + 3 > room) break;
    kept = `${word} ${kept}`;
  }
  return `… ${kept}`;
}

/** Order of lists: given name first, then surname and middle names. */
export function byGivenName(a: string, b: string): number {
  const wa = words(a);
  const wb = words(b);
  return (
    collator.compare(wa.at(-1) ?? '', wb.at(-1) ?? '') ||
    collator.compare(wa.slice(0, -1).join(' '), wb.slice(0, -1).join(' '))
  );
}

/** Text without marks and case, for search: "Đặng Thị Ái" becomes "dang thi ai". */
export function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/đ/g, 'd').replace(/Đ/g, 'D').toLowerCase().trim();
}

/** True when every word of the query occurs in the text, marks ignored. */
export function matches(text: string, query: string): boolean {
  const inside = plain(text);
  return plain(query)
    .split(/\s+/u)
    .every((word) => inside.includes(word));
}

/** One of `count` colours, always the same for the same id. */
export function hueOf(id: string, count = 6): number {
  let sum = 0;
  for (const c of id) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 65_521;
  return sum % count;
}

/** Words before the name of a hall that say nothing new where space is short. */
const SITE_WORDS = ['Điểm cầu ', 'Trường '];

/** The name of a site (điểm cầu) without its usual first words, as far as needed for `letters`. */
export function shortSite(name: string, letters: number): string {
  let short = name;
  for (const word of SITE_WORDS) {
    if (short.length <= letters) break;
    if (short.startsWith(word)) short = short.slice(word.length);
  }
  return short;
}
