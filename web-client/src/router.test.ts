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
