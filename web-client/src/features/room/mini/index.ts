// The room in a small window above all others.
import { mount, unmount } from 'svelte';
import { documentPip } from '../../../core/media/floating';
import type { RoomModel } from '../../../state/contract';
import type { RoomView } from '../view.svelte';
import MiniRoom from './MiniRoom.svelte';

const SIZE = { width: 380, height: 300 };

/** Styles, icons and the look of the page, for a window that begins empty. */
function dress(own: Window): void {
  const there = own.document;
  const { documentElement } = document;
  there.documentElement.lang = documentElement.lang;
  there.documentElement.dataset.theme = documentElement.dataset.theme ?? '';
  there.title = document.title;
  for (const sheet of document.querySelectorAll('style, link[rel="stylesheet"]')) {
    there.head.append(there.importNode(sheet, true));
  }
  for (const sprite of document.querySelectorAll('svg[id$="-icons"]')) {
    there.body.append(there.importNode(sprite, true));
  }
}

/** Opens the window; the promise resolves when it is open. `onclose` when it closes, by whomever. */
export async function openMini(room: RoomModel, view: RoomView, onclose: () => void): Promise<() => void> {
  const pip = documentPip();
  if (!pip) return openVideo(onclose);
  const own = await pip.requestWindow(SIZE);
  dress(own);
  const mini = mount(MiniRoom, { target: own.document.body, props: { room, view, close: () => own.close() } });
  own.addEventListener(
    'pagehide',
    () => {
      void unmount(mini);
      onclose();
    },
    { once: true },
  );
  return () => own.close();
}

/** The largest picture of the stage that plays. */
export function mainVideo(): HTMLVideoElement | null {
  let best: HTMLVideoElement | null = null;
  let most = 0;
  for (const video of document.querySelectorAll<HTMLVideoElement>('[data-testid="room"] main video')) {
    const { width, height } = video.getBoundingClientRect();
    if (video.srcObject && !video.classList.contains('hidden') && width * height > most) {
      most = width * height;
      best = video;
    }
  }
  return best;
}

/** Without a window of our own: the main picture alone. */
async function openVideo(onclose: () => void): Promise<() => void> {
  const video = mainVideo();
  if (!video) throw new Error('no picture to show');
  await video.requestPictureInPicture();
  video.addEventListener('leavepictureinpicture', () => onclose(), { once: true });
  return () => void document.exitPictureInPicture().catch(() => undefined);
}
