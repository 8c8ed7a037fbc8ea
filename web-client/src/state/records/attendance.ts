// Rows of an attendance sheet: who is counted as what, filters, order, numbers of the sheet.
import type { Interval, Outcome, PersonNote, Row, Status } from '../../core/records/gen';
import { matches } from '../../ui/names';

const STAFF = new Set([
  'organiser',
  'chair',
  'trainer',
  'adviser',
  'technician',
  'contentAuthor',
  'secretary',
  'inspector',
  'observer',
]);

export const isPresent = (status: Status): boolean =>
  status === 'online' || status === 'atSite' || status === 'inPerson';

/** Runs the session: in no sum. */
export const isStaff = (row: Row): boolean => !row.isSite && STAFF.has(row.role);

/** Counts as expected. */
export const isLearner = (row: Row): boolean => row.expected && !row.isSite && !STAFF.has(row.role);

/** Came without being on the roster. */
export const isGuest = (row: Row): boolean =>
  !row.expected && !row.isSite && !STAFF.has(row.role) && (row.intervals.length > 0 || isPresent(row.stands.status));

export const ROW_FILTERS = ['all', 'present', 'late', 'early', 'absent', 'guests', 'staff'] as const;
export type RowFilter = (typeof ROW_FILTERS)[number];

export function inFilter(row: Row, filter: RowFilter): boolean {
  switch (filter) {
    case 'all':
      return isLearner(row) || isGuest(row);
    case 'present':
      return isLearner(row) && isPresent(row.stands.status);
    case 'late':
      return isLearner(row) && row.stands.late;
    case 'early':
      return isLearner(row) && row.stands.early;
    case 'absent':
      return isLearner(row) && !isPresent(row.stands.status);
    case 'guests':
      return isGuest(row);
    case 'staff':
      return isStaff(row);
  }
}

/** How many rows each filter shows. */
export function filterCounts(rows: readonly Row[]): Record<RowFilter, number> {
  const counts = { all: 0, present: 0, late: 0, early: 0, absent: 0, guests: 0, staff: 0 };
  for (const row of rows) for (const filter of ROW_FILTERS) if (inFilter(row, filter)) counts[filter]++;
  return counts;
}

type Notes = Readonly<Record<string, PersonNote | undefined>>;

export type RowOrder = 'name' | 'unit';
const collator = new Intl.Collator('vi');

export interface Choice {
  filter: RowFilter;
  q: string;
  order: RowOrder;
  /** Only this unit; `null`: all. */
  unit: string | null;
}

/**
 * The rows a page shows. The server sends them by given name; by unit they keep that order
 * inside each unit.
 */
export function chosenRows(rows: readonly Row[], notes: Notes, choice: Choice): Row[] {
  const found = rows.filter(
    (row) =>
      inFilter(row, choice.filter) &&
      (choice.unit === null || (row.unit ?? '') === choice.unit) &&
      (choice.q === '' || matches(`${row.name} ${row.unit ?? ''} ${notes[row.person]?.identifier ?? ''}`, choice.q)),
  );
  return choice.order === 'name' ? found : found.sort((a, b) => collator.compare(a.unit ?? '', b.unit ?? ''));
}

/** Numbers of the rows of the sheet: learners, then guests, each from 1. */
export function rowNumbers(rows: readonly Row[]): Map<string, number> {
  const numbers = new Map<string, number>();
  let learners = 0;
  let others = 0;
  for (const row of rows) {
    if (isLearner(row)) numbers.set(row.person, ++learners);
    else if (!row.isSite) numbers.set(row.person, ++others);
  }
  return numbers;
}

/** Whole minutes, half a minute and more counts up, as the sheet has them. */
export const minutesOf = (ms: number): number => Math.floor(ms / 60_000) + (ms % 60_000 >= 30_000 ? 1 : 0);

/** Present, or was in at some time: minutes and share mean something. */
export const isMeasured = (row: Row): boolean => row.intervals.length > 0 || isPresent(row.stands.status);

/** The mark of a result on sheets: x, P, K, M, S, MS. */
export function markOf({ status, late, early }: Pick<Outcome, 'status' | 'late' | 'early'>): string {
  if (status === 'notTaken') return '';
  if (status === 'excused') return 'P';
  if (status === 'absent') return 'K';
  return `${late ? 'M' : ''}${early ? 'S' : ''}` || 'x';
}

/** Time both ways, as people say it: intervals that touch are one. */
export function joined(intervals: readonly Pick<Interval, 'fromMs' | 'toMs'>[]): { fromMs: number; toMs: number }[] {
  const all = [...intervals].sort((a, b) => a.fromMs - b.fromMs);
  const out: { fromMs: number; toMs: number }[] = [];
  for (const one of all) {
    const last = out.at(-1);
    if (last && one.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, one.toMs);
    else out.push({ fromMs: one.fromMs, toMs: one.toMs });
  }
  return out;
}
