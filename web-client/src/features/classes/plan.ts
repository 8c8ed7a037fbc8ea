// The plan of a class as a form holds it.
import type { Class, Plan } from '../../core/records/gen';

export function emptyPlan(host: string | null): Plan {
  return {
    title: '',
    code: '',
    course: null,
    kind: 'training',
    host,
    decisionNo: '',
    decisionDay: null,
    decisionBy: '',
    planNo: '',
    planDay: null,
    form: 'online',
    from: null,
    to: null,
    periods: 0,
    systems: '',
    guide: '',
    exam: '',
    completion: '',
    rules: {
      graceMs: 60_000,
      lateMs: 600_000,
      earlyMs: 600_000,
      sessionPermille: 800,
      classPermille: 800,
      classBy: 'minutes',
      countOutages: false,
    },
    guests: 'wait',
    custom: [],
    onSheets: [],
  };
}

/** The plan's own fields of a class. */
export function planOf(cls: Class): Plan {
  const { id: _id, hostName: _host, state: _state, openUntil: _until, createdMs: _made, rev: _rev, ...plan } = cls;
  return structuredClone(plan);
}

/** The form as it is sent: text composed and without space at the ends, empty own fields left out. */
export function tidyPlan(plan: Plan): Plan {
  const tidy = (text: string) => text.normalize('NFC').trim();
  const texts = Object.fromEntries(
    Object.entries(plan)
      .filter(([, value]) => typeof value === 'string')
      .map(([key, value]) => [
        key,
        ['from', 'to', 'decisionDay', 'planDay'].includes(key) ? value : tidy(value as string),
      ]),
  ) as Partial<Plan>;
  return {
    ...plan,
    ...texts,
    custom: plan.custom
      .map(([name, value]): [string, string] => [tidy(name), tidy(value)])
      .filter(([name, value]) => name !== '' || value !== ''),
  };
}

/** Most own fields on the sheets of a class. */
export const MAX_SHEET_FIELDS = 8;

/** Which own fields stand on the sheets, one by one. */
export const sheetMarks = (plan: Plan): boolean[] => plan.custom.map(([name]) => plan.onSheets.includes(name));

/** The names of the marked own fields. */
export const onSheets = (plan: Plan, marks: readonly boolean[]): string[] =>
  plan.custom
    .filter((_, n) => marks[n] === true)
    .map(([name]) => name.normalize('NFC').trim())
    .filter((name) => name !== '');

/** What is wrong before the server is asked: field → code. */
export function planProblems(plan: Plan): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (plan.title.trim() === '') wrong.title = 'required';
  if (plan.host === null) wrong.host = 'required';
  if (plan.from !== null && plan.to !== null && plan.to < plan.from) wrong.to = 'order';
  return wrong;
}
