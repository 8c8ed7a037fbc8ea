import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Capture } from '../core/media/capture';
import type { EffectFault, Maker } from '../core/media/effect-line';
import { readChoices } from './choices';

vi.mock('../core/media/effects-can', () => ({
  canBlurHere: () => can.blur,
  canFilterNoise: () => true,
  platformBlurs: (track: { platform?: boolean }) => track.platform === true,
}));
const can = { blur: true };
const { Effects } = await import('./effects.svelte');

let asked: string[];
let lost: Record<string, (why: EffectFault | 'lapsed') => void>;
const maker =
  (kind: string): Maker =>
  (_raw, gone) => {
    asked.push(kind);
    lost[kind] = gone;
    return Promise.resolve({ track: { enabled: true, kind: `effect ${kind}` } as never, stop: () => undefined });
  };
const makers = { mic: maker('mic'), camera: maker('camera') };
const capture = { setMusic: vi.fn(), reopen: vi.fn(() => Promise.resolve()) };
const effects = () => new Effects(capture as unknown as Capture, makers);
const raw = (more = {}) => ({ enabled: true, ...more }) as unknown as MediaStreamTrack;
const settled = () => new Promise((next) => setTimeout(next));

beforeEach(() => {
  localStorage.clear();
  asked = [];
  lost = {};
  can.blur = true;
  capture.setMusic.mockClear();
  capture.reopen.mockClear();
});

describe('effects', () => {
  it('are off at first and remembered on the device', async () => {
    const first = effects();
    first.setRaw('mic', raw());
    first.setRaw('camera', raw());
    expect([first.filter, first.music, first.blur, asked]).toEqual([false, false, false, []]);
    await first.setFilter(true);
    first.setBlur(true);
    const second = effects();
    expect([second.filter, second.blur]).toEqual([true, true]);
    second.setRaw('camera', raw());
    await settled();
    expect((second.out('camera') as unknown as { kind: string }).kind).toBe('effect camera');
  });

  it('are told when they end by themselves: what broke is tried the next time, what is slow is not', async () => {
    const e = effects();
    e.setRaw('mic', raw());
    e.setRaw('camera', raw());
    await e.setFilter(true);
    e.setBlur(true);
    await settled();
    lost.mic!('broken');
    expect([e.filter, e.fault, readChoices().filter]).toEqual([false, { effect: 'filter', why: 'broken' }, true]);
    lost.camera!('slow');
    expect([e.blur, e.fault, readChoices().blur]).toEqual([false, { effect: 'blur', why: 'slow' }, false]);
    e.setBlur(true);
    expect(e.fault).toBeNull();
  });

  it('leave music as it is: either filter or music, and the microphone is opened anew', async () => {
    const e = effects();
    await e.setFilter(true);
    await e.setMusic(true);
    expect([e.filter, e.music, readChoices().music]).toEqual([false, true, true]);
    expect(capture.setMusic).toHaveBeenLastCalledWith(true);
    expect(capture.reopen).toHaveBeenCalledWith('mic');
    await e.setFilter(true);
    expect([e.filter, e.music]).toEqual([true, false]);
    expect(capture.setMusic).toHaveBeenLastCalledWith(false);
  });

  it('are offered on a weak machine only where the platform blurs', () => {
    can.blur = false;
    const e = effects();
    expect(e.canBlur).toBe(false);
    e.setRaw('camera', raw());
    expect(e.canBlur).toBe(false);
    e.setRaw('camera', raw({ platform: true }));
    expect(e.canBlur).toBe(true);
  });
});
