// Boards as files: one as SVG, several as the pages of a PDF. Both are made here, nothing is asked of the server but what is shown anyway.
import {
  INKS,
  LEADING,
  lineWidth,
  linesOf,
  n1,
  opacityOf,
  pathOf,
  pointsOf,
  textSize,
  WIDE,
} from '../../../core/board/draw';
import { pdfOf } from '../../../core/board/pdf';
import type { BoardId, Deck, Shape } from '../../../core/proto';
import { loadImage, pageUrl } from '../../../core/slides/pages';
import { s } from '../../../i18n/sharing.svelte';
import type { RoomModel } from '../../../state/contract';

/** Width of a page of the PDF, pixels. */
const PDF_WIDE = 2000;

/** A page of slides that lies below a board. */
function pageOf(room: RoomModel, board: BoardId): { deck: Deck; page: number } | null {
  const cut = board.lastIndexOf('-');
  const deck = room.slides.decks.find((one) => one.deck === board.slice(0, cut));
  return deck ? { deck, page: Number(board.slice(cut + 1)) } : null;
}

const escaped = (text: string) =>
  text
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');

/** The board as an SVG file; `below` is the address of a picture, or data. */
export function svgOf(shapes: readonly Shape[], high: number, below: string | null): string {
  const parts = shapes.map(({ fig }) => {
    const at = pointsOf(fig, high)[0];
    if (fig.kind !== 'text')
      return `<path d="${pathOf(fig, high)}" fill="none" stroke="${INKS[fig.ink]}" stroke-width="${lineWidth(fig)}" stroke-linecap="round" stroke-linejoin="round" opacity="${opacityOf(fig)}"/>`;
    const size = textSize(fig);
    const lines = linesOf(fig).map(
      (line, n) =>
        `<tspan x="${n1(at?.x ?? 0)}" y="${n1((at?.y ?? 0) + size + n * size * LEADING)}">${escaped(line)}</tspan>`,
    );
    return `<text fill="${INKS[fig.ink]}" font-size="${size}" font-weight="600" font-family="sans-serif" xml:space="preserve">${lines.join('')}</text>`;
  });
  const picture = below === null ? '' : `<image href="${escaped(below)}" width="${WIDE}" height="${high}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDE} ${high}" width="${WIDE}" height="${high}"><rect width="${WIDE}" height="${high}" fill="#fff"/>${picture}${parts.join('')}</svg>\n`;
}

async function dataOf(url: string): Promise<string> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`page: ${answer.status}`);
  const blob = await answer.blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('unreadable'));
    reader.readAsDataURL(blob);
  });
}

function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function nameOf(room: RoomModel, board: BoardId): string {
  const below = pageOf(room, board);
  return below ? `${below.deck.name} – ${s('slides.thumb', below.page)}` : s('board.number', Number(board.slice(1)));
}
/** Nothing a file system would not take. */
const fileName = (name: string) => name.replace(/[\\/:*?"<>|]/g, ' ').slice(0, 120);

export async function saveSvg(room: RoomModel, board: BoardId, ratio: number): Promise<boolean> {
  const below = pageOf(room, board);
  const shapes = await room.boards.whole(board);
  const data = below && (await dataOf(pageUrl(below.deck, below.page, 'l')));
  const text = svgOf(shapes, Math.round(WIDE * ratio), data);
  download(fileName(`${nameOf(room, board)}.svg`), new Blob([text], { type: 'image/svg+xml' }));
  return true;
}

/** One page of the PDF as a picture. */
async function paint(room: RoomModel, board: BoardId): Promise<{ jpeg: Uint8Array; width: number; height: number }> {
  const below = pageOf(room, board);
  const [shapes, image] = await Promise.all([
    room.boards.whole(board),
    below ? loadImage(pageUrl(below.deck, below.page, 'l')) : null,
  ]);
  const ratio = image && image.naturalWidth > 0 ? image.naturalHeight / image.naturalWidth : 9 / 16;
  const canvas = document.createElement('canvas');
  canvas.width = PDF_WIDE;
  canvas.height = Math.round(PDF_WIDE * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  if (image) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  const high = Math.round(WIDE * ratio);
  pen.scale(canvas.width / WIDE, canvas.height / high);
  pen.lineCap = pen.lineJoin = 'round';
  const family = getComputedStyle(document.body).fontFamily;
  for (const { fig } of shapes) {
    pen.globalAlpha = opacityOf(fig);
    pen.strokeStyle = pen.fillStyle = INKS[fig.ink];
    pen.lineWidth = lineWidth(fig);
    const at = pointsOf(fig, high)[0];
    if (fig.kind !== 'text') pen.stroke(new Path2D(pathOf(fig, high)));
    else if (at) {
      const size = textSize(fig);
      pen.font = `600 ${size}px ${family}`;
      linesOf(fig).forEach((line, n) => pen.fillText(line, at.x, at.y + size + n * size * LEADING));
    }
  }
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.9));
  if (!blob) throw new Error('no picture');
  return { jpeg: new Uint8Array(await blob.arrayBuffer()), width: canvas.width, height: canvas.height };
}

/** All blank boards, or all pages of the deck that were drawn on. */
export async function savePdf(room: RoomModel, board: BoardId): Promise<boolean> {
  const deck = pageOf(room, board)?.deck;
  const { known } = room.boards;
  const all = deck
    ? [...new Set([...(known.pages ?? []), board])].filter((one) => one.startsWith(`${deck.deck}-`))
    : Array.from({ length: known.white }, (_, n) => `w${n + 1}`);
  const number = (one: BoardId) => Number(one.slice(one.lastIndexOf(deck ? '-' : 'w') + 1));
  const pages: { jpeg: Uint8Array; width: number; height: number }[] = [];
  for (const one of all.sort((a, b) => number(a) - number(b))) pages.push(await paint(room, one));
  const name = deck ? deck.name : s('board.title');
  download(fileName(`${name}.pdf`), new Blob([pdfOf(pages)], { type: 'application/pdf' }));
  return true;
}
