import { describe, expect, it } from 'vitest';
import { blocks, plain, spans } from './markdown';

const words = (text: string) => spans(text).map((span) => (span.bold ? `[${span.text}]` : span.text));

describe('a little Markdown', () => {
  it('has headings, lists and text', () => {
    const found = blocks('# Một\n\nhai\nba\n\n- a\n* b\n1. c\n2) d\n#không\n### Sáu');
    expect(found.map((block) => block.kind)).toEqual(['heading', 'text', 'list', 'list', 'text', 'heading']);
    expect(found[2]).toMatchObject({ ordered: false, items: [[{ text: 'a' }], [{ text: 'b' }]] });
    expect(found[3]).toMatchObject({ ordered: true });
    expect(found[5]).toMatchObject({ level: 3 });
    expect(blocks('a\n\nb')).toHaveLength(2);
    expect(blocks(' \n\n')).toEqual([]);
  });

  it('has bold where two pairs of stars are', () => {
    expect(words('một **hai** ba')).toEqual(['một ', '[hai]', ' ba']);
    expect(words('2 ** 3 = 8')).toEqual(['2 ** 3 = 8']);
    expect(words('**a** và **b')).toEqual(['[a]', ' và **b']);
    expect(words('')).toEqual([]);
  });

  it('becomes plain text', () => {
    expect(plain('# Một **hai**\n- ba')).toBe('Một hai\r\n- ba');
  });
});
