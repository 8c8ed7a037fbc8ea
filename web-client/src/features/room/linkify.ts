// Chat is text. Web addresses in it become links, nothing else does.

export type Piece = { text: string; href?: string };

/** Cuts a message into text and links. Only http and https count. */
export function linkify(message: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of message.matchAll(/https?:\/\/[^\s<>"'`]+/giu)) {
    // A sentence's own punctuation is not part of the address.
    const text = found[0].replace(/[.,;:!?…»”’)\]}]+$/u, '');
    let href: string;
    try {
      const url = new URL(text);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') continue;
      href = url.href;
    } catch {
      continue;
    }
    if (found.index > at) pieces.push({ text: message.slice(at, found.index) });
    pieces.push({ text, href });
    at = found.index + text.length;
  }
  if (at < message.length) pieces.push({ text: message.slice(at) });
  return pieces;
}
