// Bounds of files as the server sets them; it checks them again.

/** Largest file that becomes slides, bytes. */
export const MAX_DECK_BYTES = 100_000_000;
/** Largest file handed out, bytes. */
export const MAX_OUT_BYTES = 100_000_000;
/** Largest file handed in, bytes. */
export const MAX_IN_BYTES = 20_000_000;
/** What can become slides. */
export const DECK_KINDS = [
  '.pdf',
  '.pptx',
  '.ppt',
  '.odp',
  '.docx',
  '.doc',
  '.odt',
  '.png',
  '.jpg',
  '.jpeg',
  '.webp',
  '.gif',
];
