import type { Shape } from '../records-vi';
import type { planVi } from './plan-vi';

export const planEn: Shape<typeof planVi> = {
  'soon.title': 'Nothing here yet',
  'soon.text': 'This part of the program is not ready.',
};
