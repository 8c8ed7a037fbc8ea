// What can go wrong at a hall's screen, in words that say what to do.
import type { ApiError } from '../../core/records/http';
import { problemWords } from '../../i18n/records-terms';
import { r } from '../../i18n/records.svelte';
import type { IconName } from '../../ui/icons';

export interface Problem {
  icon: IconName;
  title: string;
  text: string;
}

/**
 * Problems of the code itself, after which nothing can be typed; `null`: of another sort.
 * `typed`: somebody already said who he is, then "not found" is about him.
 */
export function offerProblem(error: ApiError, typed = false): Problem | null {
  if (error.status === 410) return { icon: 'clock', title: r('checkIn.old'), text: r('checkIn.oldText') };
  if (error.status === 409 && error.code === 'refused') {
    return { icon: 'lock', title: r('checkIn.over'), text: r('checkIn.overText') };
  }
  if (error.code === 'notFound' && !typed) {
    return { icon: 'unlink', title: r('checkIn.noCode'), text: r('checkIn.oldText') };
  }
  return null;
}

/** Problems with who was typed in. */
export function tickProblem(error: ApiError): Problem {
  if (error.code === 'notFound') {
    return { icon: 'alert', title: r('checkIn.unlisted'), text: r('checkIn.unlistedText') };
  }
  if (error.code === 'conflict') {
    return { icon: 'userMinus', title: r('checkIn.otherPerson'), text: r('checkIn.otherPersonText') };
  }
  if (error.code === 'badRequest') return { icon: 'alert', title: r('checkIn.bad'), text: r('checkIn.badText') };
  return { icon: error.code === 'network' ? 'wifiOff' : 'alert', ...problemWords(error) };
}
