import { describe, expect, it } from 'vitest';
import vectors from '../../../../src/room/tests/notes-vectors.json';
import { after, apply, before, compose, diff, length, limited, place, tidy, type Op } from './op';

/** Numbers that look random and are the same each time. */
function dice(seed: number): (n: number) => number {
  let state = seed >>> 0 || 1;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const LETTERS = ['a', 'b', 'ệ', '😀', '\n', 'e\u0301'];

function word(roll: (n: number) => number): string {
  return Array.from({ length: roll(4) }, () => LETTERS[roll(LETTERS.length)]).join('');
}

function anyOp(roll: (n: number) => number, text: string): Op {
  const op: (number | string)[] = [];
  let left = length(text);
  for (let n = roll(4); n > 0; n -= 1) {
    const keep = roll(left + 1);
    left -= keep;
    const drop = roll(Math.min(5, left) + 1);
    left -= drop;
    op.push(keep, word(roll), -drop);
  }
  return tidy(op);
}

function anyText(roll: (n: number) => number): string {
  return Array.from({ length: roll(12) }, () => word(roll)).join('');
}

describe('edits', () => {
  it('are carried as the server carries them', () => {
    for (const { text, first, then, both } of vectors)
      expect(apply(after(then, first), apply(first, text)), text).toBe(both);
  });

  it('converge, whoever came first', () => {
    for (let seed = 1; seed <= 2_000; seed += 1) {
      const roll = dice(seed);
      const text = anyText(roll);
      const [a, b] = [anyOp(roll, text), anyOp(roll, text)];
      expect(apply(after(b, a), apply(a, text)), `seed ${seed}`).toBe(apply(before(a, b), apply(b, text)));
    }
  });

  it('become one edit that does the same', () => {
    for (let seed = 1; seed <= 2_000; seed += 1) {
      const roll = dice(seed);
      const text = anyText(roll);
      const a = anyOp(roll, text);
      const b = anyOp(roll, apply(a, text));
      expect(apply(compose(a, b), text), `seed ${seed}`).toBe(apply(b, apply(a, text)));
    }
  });

  it('are found between two texts', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const roll = dice(seed);
      const [from, to] = [anyText(roll), anyText(roll)];
      expect(apply(diff(from, to), from), `seed ${seed}`).toBe(to);
    }
    expect(diff('abc', 'abc')).toEqual([]);
    expect(diff('Nguyễn An', 'Nguyễn Văn An')).toEqual([7, 'Văn ']);
    expect(diff('a😀b', 'a😁b')).toEqual([1, '😁', -1]);
  });

  it('are cut to what one may put in at once', () => {
    expect(limited([2, 'abcdef', -3, 1, 'xyz'], 7)).toEqual([2, 'abcdef', -3, 1, 'x']);
    expect(limited([2, 'abcdef', -3, 1, 'xyz'], 2)).toEqual([2, 'ab', -3]);
  });
});

describe('the place where one writes', () => {
  it('moves with what others put in and take away before it', () => {
    const text = 'một 😀 hai';
    expect(place([0, 'xx'], text, 4)).toBe(6);
    expect(place(['xx'], text, 0)).toBe(0);
    expect(place([4, 'xx'], text, 4)).toBe(4);
    expect(place([-3], text, 6)).toBe(3);
    expect(place([4, -1], text, 6)).toBe(4);
    expect(place([2, -6], text, 5)).toBe(2);
    expect(place([20, 'x'], text, text.length)).toBe(text.length);
  });
});
