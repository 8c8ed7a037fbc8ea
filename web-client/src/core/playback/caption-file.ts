// A file of captions somebody chose: WebVTT as it is, SubRip as WebVTT, or why it is neither.
import { srtToVtt } from './srt';
import { readVtt } from './vtt';

/** Most bytes of a file of captions, as the server takes them. */
export const MAX_CAPTIONS = 2 * 1024 * 1024;
export const CAPTION_KINDS = ['.vtt', '.srt'] as const;

/** Language tags (BCP 47) as far as the server takes them in an address. */
const TAG = /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/iu;

export type BadCaptions = 'text' | 'empty' | 'large';
export type CaptionFile = { vtt: string; cues: number; endMs: number } | { bad: BadCaptions };

export const isTag = (tag: string): boolean => tag.length <= 20 && TAG.test(tag);

/** `bytes` of a file with this name. */
export function captionFile(name: string, bytes: Uint8Array): CaptionFile {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { bad: 'text' };
  }
  const isVtt = /^WEBVTT(?:[ \t\n\r]|$)/u.test(text);
  // Some programs give their WebVTT the other ending.
  const vtt = isVtt ? text : name.toLowerCase().endsWith('.srt') ? srtToVtt(text) : null;
  const cues = vtt === null ? [] : readVtt(vtt);
  if (vtt === null || vtt.includes('\0') || cues.length === 0) return { bad: 'empty' };
  if (new TextEncoder().encode(vtt).length > MAX_CAPTIONS) return { bad: 'large' };
  return { vtt, cues: cues.length, endMs: Math.max(...cues.slice(-200).map((one) => one.toMs)) };
}
