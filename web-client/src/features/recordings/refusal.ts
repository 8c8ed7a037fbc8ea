// Why the server does not do what was asked of a recording, in words.
import type { ApiError } from '../../core/records/http';
import { p } from '../../i18n/playback.svelte';
import { dayText } from '../../ui/formats';

/** Words for refusals of recordings; nothing for what every page has words for. */
export function refusal(error: ApiError): string | null {
  switch (error.code) {
    case 'protected':
      return error.until === undefined ? p('refuse.protected') : p('refuse.protectedUntil', dayText(error.until));
    case 'badRequest':
      return error.fields?.note === undefined && error.fields?.reason === undefined ? null : p('refuse.reason');
    case 'refused':
    case 'conflict':
      return p('refuse.order');
    default:
      return null;
  }
}
