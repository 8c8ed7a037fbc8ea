import { describe, expect, it } from 'vitest';
import { byGivenName, givenName, initial, matches, plain, shortName, shortSite } from './names';

describe('Vietnamese names', () => {
  it('are sorted by given name, then by surname and middle names', () => {
    const sorted =
      'Đặng Thị Ái, Nguyễn Văn An, Dương Văn Anh, Phạm Đức Anh, Bùi Thị Ngọc Ánh, Nguyễn Thị Ánh, Trần Thị Ánh, Đỗ Văn Ân, Lê Thị Ân, Nguyễn Thị Dung, Nguyễn Văn Dũng, Nguyễn Đức Đạt, Trần Đình Đức, Hoàng Hà, Vũ Thị Hà, Hồ Thị Hả, Lý Hạ, Đinh Thị Hải, Ngô Thị Hằng, Ngô Thị Hân, Nguyễn Thị Ý, Nguyễn Thị Yến'.split(
        ', ',
      );
    expect([...sorted].reverse().sort(byGivenName)).toEqual(sorted);
  });

  it('give the last word as given name and its first letter as initial', () => {
    expect(givenName('Công Tằng Tôn Nữ Huyền Trang')).toBe('Trang');
    expect(initial('Bùi Thị Ngọc Ánh')).toBe('Á');
    expect(initial('Tra\u0302\u0300n đức')).toBe('Đ');
    expect(initial("H'Hen Niê")).toBe('N');
    expect(initial('  ')).toBe('?');
  });

  it('are found without marks, in any order of words', () => {
    expect(plain('Đặng Thị Ái')).toBe('dang thi ai');
    expect(matches('Nguyễn Thị Hằng', 'nguyen thi hang')).toBe(true);
    expect(matches('Nguyễn Thị Hằng', 'hang nguyen')).toBe(true);
    expect(matches('Nguyễn Thị Hằng', 'hung')).toBe(false);
  });

  it('are shortened at the front, never inside a word and never at the given name', () => {
    expect(shortName('Công Tằng Tôn Nữ Huyền Trang', 40)).toBe('Công Tằng Tôn Nữ Huyền Trang');
    expect(shortName('Công Tằng Tôn Nữ Huyền Trang', 15)).toBe('… Huyền Trang');
    expect(shortName('Công Tằng Tôn Nữ Huyền Trang', 3)).toBe('… Trang');
  });
});

describe('names of sites', () => {
  it('lose their usual first words only where they do not fit', () => {
    expect(shortSite('Điểm cầu Trường THCS Nguyễn Du', 40)).toBe('Điểm cầu Trường THCS Nguyễn Du');
    expect(shortSite('Điểm cầu Trường THCS Nguyễn Du', 22)).toBe('Trường THCS Nguyễn Du');
    expect(shortSite('Điểm cầu Trường THCS Nguyễn Du', 10)).toBe('THCS Nguyễn Du');
  });
});
