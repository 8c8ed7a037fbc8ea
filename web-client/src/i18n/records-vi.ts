// Words of the organisers' pages in Vietnamese: the source, English follows its shape.
import { attendanceVi } from './records/attendance-vi';
import { noticesVi } from './records/notices-vi';
import { consoleVi } from './records/console-vi';
import { planVi } from './records/plan-vi';
import { listsVi } from './records/lists-vi';
import { reportsVi } from './records/reports-vi';
import { termsVi } from './records/terms-vi';

export const recordsVi = {
  ...termsVi,
  ...planVi,
  ...listsVi,
  ...attendanceVi,
  ...reportsVi,
  ...noticesVi,
  ...consoleVi,
};

export type RecordsKey = keyof typeof recordsVi;

/** A message of English has the parameters of the Vietnamese one. */
export type Shape<C> = { [K in keyof C]: C[K] extends (...args: infer A) => string ? (...args: A) => string : string };

export type RecordsCatalogue = Shape<typeof recordsVi>;
