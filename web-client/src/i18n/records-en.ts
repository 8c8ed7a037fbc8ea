import { attendanceEn } from './records/attendance-en';
import { noticesEn } from './records/notices-en';
import { consoleEn } from './records/console-en';
import { planEn } from './records/plan-en';
import { listsEn } from './records/lists-en';
import { reportsEn } from './records/reports-en';
import { termsEn } from './records/terms-en';
import type { RecordsCatalogue } from './records-vi';

export const recordsEn: RecordsCatalogue = {
  ...termsEn,
  ...planEn,
  ...listsEn,
  ...attendanceEn,
  ...reportsEn,
  ...noticesEn,
  ...consoleEn,
};
