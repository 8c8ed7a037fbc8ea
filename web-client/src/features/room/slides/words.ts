// Values of slides and files in words.
import type { DeckFault, Review } from '../../../core/proto';
import type { SharingCatalogue } from '../../../i18n/sharing/sharing-vi';
import { s } from '../../../i18n/sharing.svelte';
import type { Upload } from '../../../state/contract';
import { decimal } from '../../../ui/formats';

type Plain = { [K in keyof SharingCatalogue]: SharingCatalogue[K] extends string ? K : never }[keyof SharingCatalogue];

export const FAULT = {
  unsupported: 'fault.unsupported',
  tooLarge: 'fault.tooLarge',
  tooManyPages: 'fault.tooManyPages',
  broken: 'fault.broken',
  encrypted: 'fault.encrypted',
  tooHard: 'fault.tooHard',
  noConverter: 'fault.noConverter',
  full: 'fault.full',
  internal: 'fault.internal',
} as const satisfies Record<DeckFault, Plain>;

export const REVIEW = {
  draft: 'docs.draft',
  pending: 'docs.pending',
  reviewed: 'docs.reviewed',
} as const satisfies Record<Review, Plain>;

const MB = 1_000_000;

/** A size as people say it. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return s('size.bytes', decimal(bytes));
  if (bytes < MB) return s('size.kb', decimal(bytes / 1000));
  return s('size.mb', decimal(bytes / MB, bytes < 10 * MB ? 1 : 0));
}

/** A limit in whole MB. */
export function mbText(bytes: number): string {
  return decimal(bytes / MB);
}

/** Why an upload failed and what to do. */
export function whyFailed({ code, why, most }: Upload): string {
  if (why !== null) return s(FAULT[why]);
  switch (code) {
    case 'too_large':
      return s('send.tooLarge', mbText(most));
    case 'bad_request':
      return s('send.empty');
    case 'forbidden':
    case 'locked':
      return s('send.forbidden');
    case 'full':
      return s('send.full');
    case 'busy':
    case 'rate_limited':
      return s('send.busy');
    case 'network':
    case 'conflict':
      return s('send.network');
    default:
      return s('send.other');
  }
}
