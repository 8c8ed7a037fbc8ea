// A sheet's values in words, as the printed one has them.
import type {
  Adjustment,
  AttendancePage,
  ExportFormat,
  ExportKind,
  Interval,
  Outcome,
  Row,
  Status,
  Totals,
} from '../../core/records/gen';
import { r, type RecordsKey } from '../../i18n/records.svelte';
import type { Tone } from '../../i18n/records-terms';
import { isPresent, minutesOf, type RowFilter } from '../../state/records/attendance';
import { dateTime, time } from '../../ui/dates';
import { decimal, permille } from '../../ui/formats';

type Term = readonly [RecordsKey, Tone];

export const STATUS = {
  notTaken: ['status.notTaken', 'plain'],
  online: ['status.online', 'green'],
  atSite: ['status.atSite', 'green'],
  inPerson: ['status.inPerson', 'green'],
  excused: ['status.excused', 'grey'],
  absent: ['status.absent', 'red'],
} as const satisfies Record<Status, Term>;

export const FORM = {
  notTaken: null,
  online: 'form.isOnline',
  atSite: 'form.isAtSite',
  inPerson: 'form.isInPerson',
  excused: null,
  absent: null,
} as const satisfies Record<Status, RecordsKey | null>;

export const FILTER = {
  all: 'att.all',
  present: 'att.present',
  late: 'att.late',
  early: 'att.early',
  absent: 'att.absent',
  guests: 'att.guests',
  staff: 'att.staff',
} as const satisfies Record<RowFilter, RecordsKey>;

export const KIND = {
  session: 'exp.session',
  classSummary: 'exp.classSummary',
  unitSummary: 'exp.unitSummary',
  sites: 'exp.sites',
  delegates: 'exp.delegates',
  planActual: 'exp.planActual',
  trainerActivity: 'exp.trainerActivity',
  polls: 'exp.polls',
  incidents: 'incident.file',
  aggregate: 'exp.aggregate',
} as const satisfies Record<ExportKind, RecordsKey>;

export const FORMAT = {
  xlsx: 'exp.xlsx',
  csv: 'exp.csv',
  pdf: 'exp.pdf',
  html: 'exp.html',
  json: 'exp.json',
} as const satisfies Record<ExportFormat, RecordsKey>;

/** Result of the sheet. */
export function resultTerm({ status, late, early }: Pick<Outcome, 'status' | 'late' | 'early'>): Term {
  if (status === 'notTaken') return ['result.notTaken', 'plain'];
  if (status === 'excused') return ['result.excused', 'grey'];
  if (status === 'absent') return ['result.absent', 'red'];
  if (late && early) return ['result.lateEarly', 'amber'];
  if (late) return ['result.late', 'amber'];
  if (early) return ['result.early', 'amber'];
  return ['result.present', 'green'];
}

/** Where somebody was present; empty for those who were not. */
export function formWords(status: Status): string {
  const key = FORM[status];
  return key ? r(key) : '';
}

/** The heading says already that it is a site. */
export function siteWords(page: AttendancePage, row: Row): string {
  const site = row.site;
  if (site === undefined) return '';
  const name = page.sites.find((one) => one.site === site)?.name ?? '';
  return name.replace(/^Điểm cầu /u, '');
}

/** Ghi chú, as the printed sheet has it. */
export function noteParts(page: AttendancePage, row: Row): string[] {
  const notes: string[] = [];
  const substitute = page.people[row.person]?.substitute;
  if (substitute) notes.push(r('note.substitute', substitute));
  if (row.stands.status === 'excused' && row.excused) notes.push(row.excused);
  if (page.report.ended && isPresent(row.stands.status) && !row.stands.enough) notes.push(r('note.notEnough'));
  if (row.gaps > 0) notes.push(r('note.gaps', decimal(row.gaps)));
  if (row.checks[1] > 0) notes.push(r('note.checks', decimal(row.checks[0]), decimal(row.checks[1])));
  if (row.adjusted.length > 0) notes.push(r('note.adjusted', row.adjusted.map(String).join(', ')));
  return notes;
}

/** Counts below ten as papers write them: `08`. */
export const counted = (n: number): string => (n > 0 && n < 10 ? `0${n}` : decimal(n));

/** The sentence at the foot of the sheet. */
export function footWords(totals: Totals, ended: boolean): string {
  const how = [r('foot.online', counted(totals.online))];
  if (totals.atSite > 0) how.push(r('foot.atSite', counted(totals.atSite)));
  how.push(r('foot.inPerson', counted(totals.inPerson)));
  const parts = [
    r('foot.list', counted(totals.expected)),
    `${r('foot.present', counted(totals.present))} (${how.join(', ')}),`,
    `${r('foot.absent', counted(totals.excused + totals.absent))} (${r('foot.excused', counted(totals.excused))}, ${r('foot.unexcused', counted(totals.absent))})${totals.notTaken > 0 ? `, ${r('foot.notTaken', counted(totals.notTaken))}` : ''}.`,
    r('foot.mean', permille(totals.meanPermille)),
  ];
  if (totals.guests > 0) parts.push(r('foot.guests', counted(totals.guests)));
  if (!ended) parts.push(r('foot.going'));
  return parts.join(' ');
}

/** Why an interval ended. */
const END = {
  left: 'end.left',
  network: 'end.network',
  removed: 'end.removed',
  ended: 'end.ended',
  serverStopped: 'end.serverStopped',
  takenOver: 'end.takenOver',
  lapse: 'end.lapse',
} as const satisfies Record<string, RecordsKey>;

export function endWords(interval: Interval): string {
  if (interval.open) return r('end.open');
  const key = END[interval.end as keyof typeof END];
  return key ? r(key) : '';
}

/** `08:02–09:10`, or `từ 08:02` while it goes on. */
export const rangeWords = (one: Pick<Interval, 'fromMs' | 'toMs'> & { open?: boolean }): string =>
  one.open ? r('time.since', time(one.fromMs)) : `${time(one.fromMs)}–${time(one.toMs)}`;

/** All times of a person as one sentence, for screen readers and tips. */
export function timesWords(row: Pick<Row, 'intervals'>): string {
  if (row.intervals.length === 0) return r('time.none');
  return row.intervals
    .map((one) => `${r(one.kind === 'hall' ? 'line.hall' : 'line.online')} ${rangeWords(one)}`)
    .join('; ');
}

const FIELD = {
  status: 'change.status',
  present: 'change.present',
  late: 'change.late',
  early: 'change.early',
  clear: 'change.clear',
} as const satisfies Record<Adjustment['field'], RecordsKey>;

/** What a correction set: field and new value. */
export function changeWords(one: Adjustment): { field: string; to: string } {
  const field = r(FIELD[one.field]);
  switch (one.field) {
    case 'status':
      return { field, to: r(STATUS[one.to][0]) };
    case 'present':
      return { field, to: r('unit.minutes', decimal(minutesOf(one.toMs))) };
    case 'late':
    case 'early':
      return { field, to: r(one.to ? 'table.yes' : 'table.no') };
    case 'clear':
      return { field, to: r('change.auto') };
  }
}

/** A correction as one line: old → new, who, when, why. */
export function adjustmentLine(one: Adjustment): string {
  const { field, to } = changeWords(one);
  return r('change.line', String(one.no), field, one.was, to, one.byName, dateTime(one.madeMs), one.reason);
}
