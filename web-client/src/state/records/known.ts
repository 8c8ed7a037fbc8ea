// The secret of a sign-in is in a cookie that scripts cannot read; this note in the browser's
// storage only tells whether asking the server who is signed in is worth while.
import { stored } from '../../core/base/storage';

const note = stored(
  () => localStorage,
  'lophoc.signedIn',
  (value) => value === true,
);

/** Whether this browser signed in before and not out again. */
export const perhapsSignedIn = (): boolean => note.read();

export function noteSignedIn(on: boolean): void {
  if (on) note.write(true);
  else note.clear();
}
