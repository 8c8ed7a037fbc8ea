// Own fields of classes, sessions and people: name and value, in order.

export type Own = [name: string, value: string];

/** Most own fields of a class, session or person. */
export const MAX_OWN = 30;
/** Most own fields on the sheets of a class or session. */
export const MAX_SHEET_FIELDS = 8;
/** Most own fields of people that are columns of the sheets. */
export const MAX_PERSON_COLUMNS = 3;

const tidy = (text: string) => text.normalize('NFC').trim();
const filled = ([name, value]: Own) => tidy(name) !== '' || tidy(value) !== '';

/** As they are sent: composed, without space at the ends, empty ones left out. */
export const tidyOwn = (own: readonly Own[]): Own[] =>
  own.filter(filled).map(([name, value]) => [tidy(name), tidy(value)]);

/** Which stand on the sheets, one by one. */
export const sheetMarks = (own: readonly Own[], names: readonly string[]): boolean[] =>
  own.map(([name]) => names.includes(name));

/** The names of the marked ones. */
export const onSheets = (own: readonly Own[], marks: readonly boolean[]): string[] =>
  own
    .filter((_, n) => marks[n] === true)
    .map(([name]) => tidy(name))
    .filter((name) => name !== '');

/** Names of columns as they are sent: each once, empty ones left out. */
export const tidyNames = (names: readonly string[]): string[] => [...new Set(names.map(tidy))].filter((n) => n !== '');

/**
 * What the server says of one of them: it counts those that were sent, the form
 * those that are shown. `part` 0: the name, 1: the value.
 */
export function ownProblem(
  problems: Readonly<Record<string, string>>,
  own: readonly Own[],
  n: number,
  part: 0 | 1,
): string | undefined {
  const pair = own[n];
  if (!pair || !filled(pair)) return undefined;
  return problems[`custom[${own.slice(0, n).filter(filled).length}][${part}]`];
}
