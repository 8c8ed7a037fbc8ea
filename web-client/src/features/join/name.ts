/** Longest display name and unit, Unicode characters; the server's bounds. */
export const MAX_NAME = 80;
export const MAX_UNIT = 120;

/** The name as it is sent: composed letters, single spaces. */
export function checkName(raw: string): { name: string } | 'empty' | 'long' {
  const name = raw.normalize('NFC').replace(/\s+/gu, ' ').trim();
  if (name === '') return 'empty';
  return [...name].length > MAX_NAME ? 'long' : { name };
}
