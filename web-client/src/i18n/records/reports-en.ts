// The report of a unit on its training, in English.
import type { Shape } from '../records-vi';
import type { reportsVi } from './reports-vi';

export const reportsEn: Shape<typeof reportsVi> = {
  'report.title': 'Report on online training',
  'report.unit': 'Reporting unit',
  'report.period': 'Period',
  'report.yearBegin': 'Start of the school year, to 30/9',
  'report.midYear': 'Mid-year, to 30/01',
  'report.yearEnd': 'End of the school year, to 15/6',
  'report.free': 'Other days',
  'report.year': 'School year',
  'report.from': 'From',
  'report.to': 'To',
  'report.wrongOrder': 'The last day cannot be before the first.',
  'report.show': 'Show numbers',
  'report.files': 'Download the report',
  'report.byHost': 'By host unit',
  'report.byHome': 'Learners by unit',
  'report.byLevel': 'Learners by school level',
  'report.host': 'Host unit',
  'report.home': 'Unit',
  'report.level': 'School level',
  'report.classes': 'Classes',
  'report.sessions': 'Sessions',
  'report.hours': 'Hours',
  'report.invited': 'Invited',
  'report.attended': 'Attended',
  'report.completed': 'Completed',
  'report.sum': 'Total',
  'report.none': 'No session was held in this period',
  'report.noneText': 'The report counts sessions that have ended, of the unit and the units below it.',
  'report.nobody': 'There is no unit you report for',
  'report.nobodyText': 'Reports are for organisers and inspectors of a unit.',
  'report.rules':
    'Counts sessions that ended and began in the period, by their latest frozen version. A learner counts once per class. Completed counts only classes that are over and whose last session is in the period.',
};
