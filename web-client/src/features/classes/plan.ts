// The plan of a class as a form holds it.
import type { Class, Plan } from '../../core/records/gen';
import { tidyNames, tidyOwn } from '../../ui/own';

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
    peopleOnSheets: [],
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
    custom: tidyOwn(plan.custom),
    peopleOnSheets: tidyNames(plan.peopleOnSheets),
  };
}

/** What is wrong before the server is asked: field → code. */
export function planProblems(plan: Plan): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (plan.title.trim() === '') wrong.title = 'required';
  if (plan.host === null) wrong.host = 'required';
  if (plan.from !== null && plan.to !== null && plan.to < plan.from) wrong.to = 'order';
  return wrong;
}
