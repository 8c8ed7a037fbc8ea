import { describe, expect, it } from 'vitest';
import { captionFile, isTag } from './caption-file';

const bytes = (text: string) => new TextEncoder().encode(text);
const CUE = '00:00:01.000 --> 00:00:02.000\nChào';

describe('a file of captions', () => {
  it('is WebVTT as it is, or SubRip made into it', () => {
    const vtt = `WEBVTT\n\n${CUE}\n`;
    expect(captionFile('a.vtt', bytes(vtt))).toEqual({ vtt, cues: 1, endMs: 2_000 });
    // A mark of byte order is none of the text.
    expect(captionFile('a.vtt', bytes(`\uFEFF${vtt}`))).toMatchObject({ cues: 1 });
    expect(captionFile('A.SRT', bytes(`1\n${CUE.replaceAll('.', ',')}\n`))).toMatchObject({ cues: 1 });
    expect(captionFile('a.srt', bytes(vtt))).toMatchObject({ vtt });
  });

  it('says why it is none', () => {
    expect(captionFile('a.vtt', new Uint8Array([0x57, 0xff, 0xfe]))).toEqual({ bad: 'text' });
    for (const text of ['', 'WEBVTT', `WEBVTTX\n\n${CUE}`, CUE, `WEBVTT\n\n${CUE}\0`])
      expect(captionFile('a.vtt', bytes(text)), text).toEqual({ bad: 'empty' });
    expect(captionFile('a.vtt', bytes(`WEBVTT\n\nNOTE ${'x'.repeat(3_000_000)}\n\n${CUE}`))).toEqual({ bad: 'large' });
  });

  it('has a language by its tag', () => {
    for (const tag of ['vi', 'en', 'en-GB', 'hmn', 'zh-Hant-TW']) expect(isTag(tag), tag).toBe(true);
    for (const tag of ['', 'v', 'tiếng Việt', 'vi_VN', 'vi-', 'x-1', 'abcd', 'en-' + 'a'.repeat(9)])
      expect(isTag(tag), tag).toBe(false);
  });
});
