// Chat is text. Web addresses in it become links, nothing else does.

export type Piece = { text: string; href?: string };

const PAIRS: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

/** The address without the punctuation of the sentence after it; a closing bracket stays when the address opened it. */
function trimmed(address: string): string {
  let text = address;
  for (;;) {
    const last = text.at(-1) ?? '';
    const opening = PAIRS[last];
    const cut =
      opening === undefined ? /[.,;:!?…»”’]/u.test(last) : text.split(last).length > text.split(opening).length;
    if (!cut) return text;
    text = text.slice(0, -1);
  }
}

/** Cuts a message into text and links. Only http and https count. */
export function linkify(message: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of message.matchAll(/https?:\/\/[^\s<>"'`]+/giu)) {
    // A sentence's own punctuation is not part of the address.
    const text = trimmed(found[0]);
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
