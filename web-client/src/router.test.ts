import { describe, expect, it } from 'vitest';
import { pastedLink, route } from './router';

describe('addresses', () => {
  const at = (path: string) => route(new URL(path, 'https://lop.example.vn'));

  it('lead to the front page, to a class, or nowhere', () => {
    expect(at('/')).toEqual({ page: 'home' });
    expect(at('/j/abc_-9.Zz?e2e=1')).toEqual({ page: 'join', link: 'abc_-9.Zz' });
    expect(at('/j/')).toEqual({ page: 'notFound' });
    expect(at('/j/a/b')).toEqual({ page: 'notFound' });
    expect(at('/khac')).toEqual({ page: 'notFound' });
  });
});

describe('addresses of records', () => {
  const at = (path: string) => route(new URL(path, 'https://lop.example.vn'));

  it('lead to each page', () => {
    expect(at('/sign-in?back=/my')).toEqual({ page: 'signIn' });
    expect(at('/account')).toEqual({ page: 'account' });
    expect(at('/classes/')).toEqual({ page: 'classes' });
    expect(at('/classes/new')).toEqual({ page: 'classNew' });
    expect(at('/classes/c1')).toEqual({ page: 'class', id: 'c1', tab: 'plan' });
    expect(at('/classes/c1/roster')).toEqual({ page: 'class', id: 'c1', tab: 'roster' });
    expect(at('/classes/c1/edit')).toEqual({ page: 'classEdit', id: 'c1' });
    expect(at('/classes/c1/import')).toEqual({ page: 'import', id: 'c1' });
    expect(at('/calendar')).toEqual({ page: 'calendar' });
    expect(at('/sessions/s1/console')).toEqual({ page: 'console', session: 's1' });
    expect(at('/sessions/s1/desk')).toEqual({ page: 'desk', session: 's1' });
    expect(at('/sessions/s1/attendance')).toEqual({ page: 'attendance', session: 's1' });
    expect(at('/my')).toEqual({ page: 'my' });
    expect(at('/recordings')).toEqual({ page: 'recordings' });
    expect(at('/recordings/r1')).toEqual({ page: 'recording', id: 'r1', manage: false });
    expect(at('/recordings/r1/manage')).toEqual({ page: 'recording', id: 'r1', manage: true });
    expect(at('/recordings/r1/x')).toEqual({ page: 'notFound' });
    expect(at('/r/AbC.9')).toEqual({ page: 'recordingLink', token: 'AbC.9' });
    expect(at('/people/p1')).toEqual({ page: 'people', id: 'p1' });
    expect(at('/units')).toEqual({ page: 'units', id: null });
    expect(at('/reports/u-hn')).toEqual({ page: 'reports', id: 'u-hn' });
    expect(at('/accounts')).toEqual({ page: 'accounts' });
    expect(at('/verify')).toEqual({ page: 'verify', id: null });
    expect(at('/verify/x-1')).toEqual({ page: 'verify', id: 'x-1' });
    expect(at('/check/AbC.9')).toEqual({ page: 'check', code: 'AbC.9' });
  });

  it('that are not complete or go on too long lead nowhere', () => {
    for (const path of [
      '/classes/c1/khac',
      '/classes/c1/plan/x',
      '/classes/new/x',
      '/sessions',
      '/sessions/s1',
      '/check',
      '/account/x',
      '/people/a/b',
      '/people/%3Cscript%3E',
    ]) {
      expect(at(path), path).toEqual({ page: 'notFound' });
    }
  });
});

describe('a pasted link', () => {
  const origin = 'https://lop.example.vn';

  it('is found in a whole invitation, without the full stop after it', () => {
    expect(pastedLink('Mời thầy cô vào lớp: https://lop.example.vn/j/abc.def.', origin)).toEqual({
      kind: 'ok',
      path: '/j/abc.def',
    });
    expect(pastedLink('/j/abc.def', origin)).toEqual({ kind: 'ok', path: '/j/abc.def' });
  });

  it('of another server is not opened here', () => {
    expect(pastedLink('https://khac.example.vn/j/abc', origin)).toEqual({ kind: 'foreign' });
  });

  it('that is none is told so', () => {
    expect(pastedLink('xin chào', origin)).toEqual({ kind: 'bad' });
    expect(pastedLink('https://lop.example.vn/', origin)).toEqual({ kind: 'bad' });
  });
});
