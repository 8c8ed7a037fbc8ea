import { describe, expect, it } from 'vitest';
import { NOW } from '../../state/records/fixture';
import { plan, sessionsOf } from '../../state/records/fixture/data';
import { DAYS, mondayOf, weekOf } from '../calendar/week';
import { outcome, unanswered } from '../import/preview';
import { tidyPerson, emptyPerson } from '../people/form';
import { passwordRules } from '../sign-in/password';
import { linkTable } from './invite';
import { around, asksFor, leadsTo, sortSteps, WAY } from './life';
import { onSheets, ownProblem, sheetMarks, tidyNames, type Own } from '../../ui/own';
import { emptyPlan, planProblems, tidyPlan } from './plan';
import type { ImportPreview, ImportRow } from '../../core/records/gen';

describe('the plan of a class', () => {
  it('needs a title and a host, and ends after it begins', () => {
    expect(planProblems(emptyPlan(null))).toEqual({ title: 'required', host: 'required' });
    expect(planProblems(plan({ from: '2026-11-20', to: '2026-11-19' }))).toEqual({ to: 'order' });
    expect(planProblems(plan())).toEqual({});
  });

  it('is sent composed, without space at the ends and without empty own fields', () => {
    const sent = tidyPlan(
      plan({
        title: '  Lớp tậ́p huấn ',
        custom: [
          ['', ' '],
          [' Kinh phí', 'có '],
        ],
        from: '2026-11-16',
      }),
    );
    expect(sent.title).toBe('Lớp tậ́p huấn'.normalize('NFC'));
    expect(sent.custom).toEqual([['Kinh phí', 'có']]);
    expect(sent.from).toBe('2026-11-16');
    expect(sent.rules).toEqual(plan().rules);
  });

  it('marks the own fields that stand on the sheets by their names', () => {
    const own = plan({
      custom: [
        ['Kinh phí', 'có'],
        [' Chương trình ', 'BDTX'],
        ['', ''],
      ],
      onSheets: ['Kinh phí'],
    });
    expect(sheetMarks(own.custom, own.onSheets)).toEqual([true, false, false]);
    expect(onSheets(own.custom, [false, true, true])).toEqual(['Chương trình']);
  });
});

describe('own fields', () => {
  it('name each column of the sheets once', () => {
    expect(tidyNames([' Hạng ', '', 'Cỡ áo', 'Hạng'])).toEqual(['Hạng', 'Cỡ áo']);
    expect(tidyPlan(plan({ peopleOnSheets: ['', ' Hạng'] })).peopleOnSheets).toEqual(['Hạng']);
  });

  it('have the fault the server found, though empty ones were not sent', () => {
    const own: Own[] = [
      ['', ''],
      ['Kinh phí', 'có'],
      ['', 'không tên'],
    ];
    const problems = { 'custom[1][0]': 'required' };
    expect([0, 1, 2].map((n) => ownProblem(problems, own, n, 0))).toEqual([undefined, undefined, 'required']);
    expect(ownProblem(problems, own, 2, 1)).toBeUndefined();
  });
});

describe('the life of a class', () => {
  it('shows what was, what is and what comes', () => {
    expect(around('running').map((one) => [one.state, one.when])).toEqual([
      ['announced', 'past'],
      ['running', 'now'],
      ['finished', 'later'],
      ['grading', 'later'],
    ]);
    expect(around('draft')[0]).toEqual({ state: 'draft', when: 'now' });
    expect(around('archived').at(-1)).toEqual({ state: 'archived', when: 'now' });
    expect(around('cancelled')).toEqual([{ state: 'cancelled', when: 'now' }]);
    for (const state of WAY) expect(around(state)).toHaveLength(4);
  });

  it('sets steps that turn aside apart from the one that goes on', () => {
    expect(sortSteps(['submit', 'cancel'])).toEqual({ next: ['submit'], aside: ['cancel'] });
    expect(leadsTo('submit')).toBe('submitted');
    expect(leadsTo('resume')).toBeNull();
    expect(asksFor('destroy').needDocument).toBe(true);
    expect(asksFor('postpone').reason).toBe(true);
    expect(asksFor('open')).toEqual({ document: false, needDocument: false, reason: false });
  });
});

describe('a week', () => {
  it('begins on Monday and has each session on its day, soonest first', () => {
    expect(mondayOf('2026-11-22')).toBe('2026-11-16');
    expect(mondayOf('2026-11-16')).toBe('2026-11-16');
    const entries = (sessionsOf.c1 ?? []).map((session) => ({ class: { id: 'c1', title: 'x' }, session }));
    const week = weekOf('2026-11-16', [...entries].reverse());
    expect(week).toHaveLength(DAYS.length);
    expect(week.map((one) => one.entries.length)).toEqual([1, 0, 1, 0, 1, 0, 1]);
    expect(week[6]?.day).toBe('2026-11-22');
    expect(NOW).toBeGreaterThan(week[6]?.entries[0]?.session.startsMs ?? Infinity);
  });
});

describe('an import', () => {
  const row = (line: number, action: ImportRow['action']) => ({ line, action }) as ImportRow;
  const preview = {
    rows: [row(2, 'ask'), row(3, 'ask'), row(4, 'new')],
    counts: { new: 1, added: 2, changed: 3, same: 4, ask: 2, bad: 0 },
  } as ImportPreview;

  it('counts the questions that are open, and what it will do', () => {
    expect(unanswered(preview.rows, {})).toBe(2);
    expect(unanswered(preview.rows, { 2: false })).toBe(1);
    expect(outcome(preview, { 2: false })).toEqual({ added: 4, changed: 3 });
  });
});

describe('links of people', () => {
  it('are a table that a spreadsheet takes, without the guest link', () => {
    expect(
      linkTable([
        { person: null, name: '', unit: '', role: 'guest', url: 'g' },
        { person: 'p1', name: 'Nguyễn\tAn', unit: 'Trường A', role: 'learner', url: 'u' },
      ]),
    ).toBe('Nguyễn An\tTrường A\tu');
  });
});

describe('a person', () => {
  it('is sent with single spaces, and a guardian only when a pupil', () => {
    const sent = tidyPerson({
      ...emptyPerson(),
      name: '  Công  Tằng Tôn Nữ ',
      guardian: 'Bà Lan',
      sort: ' ',
      identifiers: [
        { kind: 'sector', issuer: '', value: ' 0012 ' },
        { kind: 'local', issuer: '', value: '' },
      ],
      custom: [
        [' Hạng ', 'II '],
        ['', ' '],
      ],
    });
    expect(sent.custom).toEqual([['Hạng', 'II']]);
    expect(sent).toMatchObject({ name: 'Công Tằng Tôn Nữ', guardian: '', sort: null });
    expect(sent.identifiers).toEqual([{ kind: 'sector', issuer: '', value: '0012' }]);
  });
});

describe('a new password', () => {
  it('is long enough, differs, and is typed twice the same', () => {
    const base = { old: 'cu-cu-cu-cu', login: 'hangntm' };
    expect(passwordRules({ ...base, fresh: 'mưa rào tháng tám', again: 'mưa rào tháng tám' })).toEqual({
      length: true,
      other: true,
      same: true,
    });
    expect(passwordRules({ ...base, fresh: 'ngắn', again: '' })).toEqual({ length: false, other: true, same: false });
    expect(passwordRules({ ...base, fresh: base.old, again: base.old }).other).toBe(false);
    expect(passwordRules({ ...base, fresh: 'HANGNTM', again: '' }).other).toBe(false);
  });
});
