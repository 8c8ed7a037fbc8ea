// Small windows that stay above the others: a window of our own where the browser has such
// (Document Picture-in-Picture), else the picture of one video.

/** `window.documentPictureInPicture`, which TypeScript does not know yet. */
export interface DocumentPip extends EventTarget {
  readonly window: Window | null;
  requestWindow(options?: { width?: number; height?: number }): Promise<Window>;
}

export function documentPip(): DocumentPip | null {
  return (globalThis as { documentPictureInPicture?: DocumentPip }).documentPictureInPicture ?? null;
}

/** Part of this page is seen in a small window, even while the page itself is hidden. */
export function isFloating(): boolean {
  const own = documentPip()?.window;
  return (own !== null && own !== undefined && !own.closed) || Boolean(document.pictureInPictureElement);
}

/** Whether a small window can be opened here in one of the two ways. */
export function canFloat(): boolean {
  return documentPip() !== null || document.pictureInPictureEnabled === true;
}
