import { describe, expect, it } from 'vitest';
import { arrangeEn } from './arrange/arrange-en';
import { arrangeVi } from './arrange/arrange-vi';
import { checkEn } from './check/check-en';
import { checkVi } from './check/check-vi';
import { en } from './en';
import { liveEn } from './live/live-en';
import { liveVi } from './live/live-vi';
import { playbackEn } from './playback/playback-en';
import { playbackVi } from './playback/playback-vi';
import { recordsEn } from './records-en';
import { recordsVi } from './records-vi';
import { talkEn } from './talk-en';
import { talkVi } from './talk-vi';
import { sharingEn } from './sharing/sharing-en';
import { sharingVi } from './sharing/sharing-vi';
import { vi as vietnamese } from './vi';

type Message = string | ((...args: never[]) => string);

/** Each part of the catalogue: the way into a class, the pages of records. */
const BOOKS: [string, Record<string, Message>, Record<string, Message>][] = [
  ['room', vietnamese as Record<string, Message>, en as Record<string, Message>],
  ['talk', talkVi as Record<string, Message>, talkEn as Record<string, Message>],
  ['arrangement', arrangeVi as Record<string, Message>, arrangeEn as Record<string, Message>],
  ['check', checkVi as Record<string, Message>, checkEn as Record<string, Message>],
  ['sharing', sharingVi as Record<string, Message>, sharingEn as Record<string, Message>],
  ['live', liveVi as Record<string, Message>, liveEn as Record<string, Message>],
  ['playback', playbackVi as Record<string, Message>, playbackEn as Record<string, Message>],
  ['records', recordsVi as Record<string, Message>, recordsEn as Record<string, Message>],
];

/** Marks by which a parameter is found again in the text. */
const SAMPLE = [7001, 7002, 7003];

function text(message: Message): string {
  return typeof message === 'string' ? message : (message as (...args: number[]) => string)(...SAMPLE);
}

const sources = import.meta.glob(
  [
    '../**/*.svelte',
    '../**/*.ts',
    '!./vi.ts',
    '!./en.ts',
    '!./*/*-vi.ts',
    '!./*/*-en.ts',
    '!./talk-vi.ts',
    '!./talk-en.ts',
    '!../**/*.test.ts',
  ],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  },
) as Record<string, string>;

describe.each(BOOKS)('the catalogues of %s', (_, vi, english) => {
  it('have the same keys in the same order', () => {
    expect(Object.keys(english)).toEqual(Object.keys(vi));
  });

  it('have no empty message', () => {
    for (const [key, message] of [...Object.entries(vi), ...Object.entries(english)]) {
      expect(text(message).trim(), key).not.toBe('');
    }
  });

  it('use every parameter in both languages', () => {
    for (const [key, message] of Object.entries(vi)) {
      const other = english[key];
      expect(typeof other, key).toBe(typeof message);
      if (typeof message !== 'function' || typeof other !== 'function') continue;
      expect(other.length, key).toBe(message.length);
      for (const mark of SAMPLE.slice(0, message.length)) {
        expect(text(message), key).toContain(String(mark));
        expect(text(other), key).toContain(String(mark));
      }
    }
  });

  it('leave nothing in English in the Vietnamese one', () => {
    // Names, units and one language's own name are the same everywhere.
    const same = new Set([
      'app.name',
      'lang.vi',
      'lang.en',
      'page.of',
      'device.camera',
      'stats.ms',
      'stats.percent',
      'stats.kbps',
      'error.code',
      'cal.range',
      'units.validRange',
      'poll.lettersTo',
      'size.kb',
      'size.mb',
    ]);
    const words =
      /\b(the|and|your|you|please|with|from|click|open|close|join|leave|mute|share|screen|network|again|room|error)\b/iu;
    for (const [key, message] of Object.entries(vi)) {
      if (same.has(key)) continue;
      expect(text(message), key).not.toBe(text(english[key] ?? ''));
      expect(text(message), key).not.toMatch(words);
    }
  });

  it('are composed (NFC), and never shout', () => {
    for (const [key, message] of Object.entries(vi)) {
      // Abbreviations of authorities are written as in document numbers.
      const words = text(message).replaceAll(/S?B?GDĐT/gu, '');
      expect(words, key).toBe(words.normalize('NFC'));
      expect(words, key).not.toMatch(/\p{Lu}{5,}/u);
    }
  });

  it('contain no key nobody uses', () => {
    const all = Object.values(sources).join('\n');
    const unused = Object.keys(vi).filter((key) => !all.includes(`'${key}'`));
    expect(unused).toEqual([]);
  });
});
