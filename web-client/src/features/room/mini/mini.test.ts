// The small window: what it shows, what its buttons do, and the way without it.
import { tick } from 'svelte';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { isFloating, type DocumentPip } from '../../../core/media/floating';
import { loadArrangeWords } from '../../../i18n/arrange.svelte';
import { setLanguage } from '../../../i18n/index.svelte';
import { fixtureRoom } from '../../../state/fixture.svelte';
import { RoomView } from '../view.svelte';
import { mainVideo, openMini } from './index';

const slot = globalThis as { documentPictureInPicture?: DocumentPip };

function room() {
  return fixtureRoom({
    people: 6,
    layout: 'gallery',
    role: 'learner',
    mode: 'discussion',
    screen: false,
    now: Date.UTC(2026, 10, 22, 1, 5),
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
  });
}

/** A browser with small windows: an empty document stands for one. */
function browser(): { own: Window } {
  const pip = Object.assign(new EventTarget(), {
    window: null as Window | null,
    requestWindow: () => {
      pip.window = own;
      return Promise.resolve(own);
    },
  });
  const own = Object.assign(new EventTarget(), {
    document: document.implementation.createHTMLDocument(),
    closed: false,
    close: () => {
      pip.window = null;
      own.dispatchEvent(new Event('pagehide'));
    },
  }) as unknown as Window;
  slot.documentPictureInPicture = pip;
  return { own };
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadArrangeWords('vi');
});
afterEach(() => {
  delete slot.documentPictureInPicture;
  document.body.innerHTML = '';
});

const at = (own: Window, id: string) => own.document.querySelector<HTMLElement>(`[data-testid="${id}"]`);

describe('the small window', () => {
  it('shows somebody, has the buttons one needs, and closes once', async () => {
    const { own } = browser();
    const style = document.createElement('style');
    style.textContent = '.mini{color:red}';
    document.head.append(style);
    const r = room();
    const view = new RoomView(r);
    const closed = vi.fn();
    expect(isFloating()).toBe(false);
    const close = await openMini(r, view, closed);
    expect(isFloating()).toBe(true);
    expect([...own.document.head.querySelectorAll('style')].some((s) => s.textContent.includes('.mini'))).toBe(true);
    expect(at(own, 'mini')?.textContent).toContain('Đang ghi hình');

    const mic = vi.spyOn(view, 'mic').mockResolvedValue();
    const hand = vi.spyOn(view, 'hand').mockResolvedValue();
    at(own, 'mini-mic')?.click();
    at(own, 'mini-hand')?.click();
    expect([mic.mock.calls.length, hand.mock.calls.length]).toEqual([1, 1]);

    // Leaving asks first.
    const leave = vi.spyOn(r, 'leave').mockResolvedValue();
    at(own, 'mini-leave')?.click();
    await tick();
    expect(leave).not.toHaveBeenCalled();
    at(own, 'mini-leave-yes')?.click();
    expect(leave).toHaveBeenCalledOnce();

    close();
    expect(closed).toHaveBeenCalledOnce();
    expect(isFloating()).toBe(false);
    await tick();
    expect(at(own, 'mini')).toBeNull();
  });

  it('is one at a time: the same entry opens and closes it', async () => {
    browser();
    const view = new RoomView(room());
    await view.toggleMini();
    expect(view.mini).not.toBeNull();
    await view.toggleMini();
    expect(view.mini).toBeNull();
  });
});

describe('without such windows', () => {
  it('the largest picture that plays floats by itself', async () => {
    document.body.innerHTML = '<div data-testid="room"><main><video></video><video></video></main></div>';
    const [small, large] = [...document.querySelectorAll('video')] as [HTMLVideoElement, HTMLVideoElement];
    for (const [video, width] of [
      [small, 100],
      [large, 640],
    ] as const) {
      Object.defineProperty(video, 'srcObject', { value: {} });
      video.getBoundingClientRect = () => new DOMRect(0, 0, width, width);
      video.requestPictureInPicture = vi.fn(() => Promise.resolve({} as PictureInPictureWindow));
    }
    expect(mainVideo()).toBe(large);
    const r = room();
    const closed = vi.fn();
    await openMini(r, new RoomView(r), closed);
    expect(large.requestPictureInPicture).toHaveBeenCalledOnce();
    expect(small.requestPictureInPicture).not.toHaveBeenCalled();
    large.dispatchEvent(new Event('leavepictureinpicture'));
    expect(closed).toHaveBeenCalledOnce();
  });

  it('says so when there is no picture', async () => {
    const view = new RoomView(room());
    await view.toggleMini();
    expect(view.mini).toBeNull();
    expect(view.toasts.at(-1)?.text).toBe('Không mở được cửa sổ nhỏ.');
  });
});
