import { describe, expect, it } from 'vitest';
import { readPrefs } from './prefs.svelte';

describe('kept choices', () => {
  it('default to Vietnamese and a dark room', () => {
    expect(readPrefs(null)).toMatchObject({ lang: 'vi', theme: 'dark', letters: true });
  });

  it('survive what somebody else wrote', () => {
    for (const text of ['', 'null', '[]', '7', '{"lang":3,"theme":"blue","letters":"no"}', '{']) {
      expect(readPrefs(text)).toEqual(readPrefs(null));
    }
  });

  it('are read back', () => {
    expect(readPrefs('{"lang":"en","theme":"light","letters":false}')).toMatchObject({
      lang: 'en',
      theme: 'light',
      letters: false,
    });
  });
});
