import { describe, expect, it } from 'vitest';
import { srtToVtt } from './srt';
import { readVtt } from './vtt';

describe('SubRip', () => {
  it('becomes WebVTT with the same times and words', () => {
    const srt =
      '\uFEFF1\r\n00:00:01,000 --> 00:00:02,500\r\nChào cả lớp.\r\nDòng hai.\r\n\r\n2\r\n0:01:05,5 --> 1:02:03,004 X1:0\r\n<i>Bài</i> một\r\n';
    const vtt = srtToVtt(srt);
    expect(vtt.startsWith('WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n')).toBe(true);
    expect(vtt).toContain('<i>Bài</i> một');
    expect(readVtt(vtt)).toEqual([
      { fromMs: 1_000, toMs: 2_500, text: 'Chào cả lớp.\nDòng hai.' },
      { fromMs: 65_500, toMs: 3_723_004, text: 'Bài một' },
    ]);
  });

  it('loses fonts and places, and words that look like marks stay words', () => {
    const vtt = srtToVtt('1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color="red">Đỏ</font> & a < b --> c > d\n');
    expect(readVtt(vtt)).toEqual([{ fromMs: 1_000, toMs: 2_000, text: 'Đỏ & a < b → c > d' }]);
  });

  it('is read where empty lines are missing, and what has no times is no cue', () => {
    const vtt = srtToVtt('1\n00:00:01,000 --> 00:00:02,000\nMột\n2\n00:00:03,000 --> 00:00:04,000\n1945\n\nlạc\n');
    expect(readVtt(vtt).map((one) => one.text)).toEqual(['Một', '1945']);
    expect(readVtt(srtToVtt('không phải phụ đề'))).toEqual([]);
    expect(srtToVtt('00:99:01,000 --> 00:00:02,000\nx')).toBe('WEBVTT\n');
  });
});
