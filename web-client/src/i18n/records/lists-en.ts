import type { Shape } from '../records-vi';
import type { listsVi } from './lists-vi';

export const listsEn: Shape<typeof listsVi> = {};
