import { describe, expect, it } from 'vitest';
import type { Person, Role } from '../proto';
import { rankPeople, stableOrder } from './gallery';
import { besideWall, effectiveLayout, onStage, pageOf, sharedScreens, wallOrder, type LayoutFacts } from './layout';
import { mayActOn } from './rank';
import { Roster } from './roster';
import { GOES_ON, HOLD, levelFromWire, SpeakerTracker } from './speakers';

function person(id: string, more: Partial<Person> = {}): Person {
  return { id, name: id, role: 'learner', link: 'ok', tracks: [], ...more };
}
const withCamera = (id: string, role: Role = 'learner') =>
  person(id, { role, tracks: [{ k: `k${id}c`, kind: 'camera', st: 'live' }] });

describe('rank', () => {
  it('lets only organisers and chairs act upon organisers and chairs', () => {
    expect(mayActOn('adviser', 'chair')).toBe(false);
    expect(mayActOn('trainer', 'organiser')).toBe(false);
    expect(mayActOn('chair', 'organiser')).toBe(true);
    expect(mayActOn('adviser', 'trainer')).toBe(true);
    expect(mayActOn('technician', 'learner')).toBe(true);
  });
});

describe('the roster', () => {
  it('lists staff first, then by given name as Vietnamese sorts it', () => {
    const roster = new Roster();
    const names = ['Lò Văn Đặng', 'Trần Thị An', 'Vũ Ân', 'Lê Ăn', 'Phạm Dương', 'Nguyễn An'];
    roster.replace(names.map((name, i) => person(`p${i}`, { name })));
    roster.change([person('t', { name: 'Zờ', role: 'trainer' }), person('c', { name: 'Y', role: 'chair' })], [], []);
    expect(roster.list.map((p) => p.name)).toEqual([
      'Y',
      'Zờ',
      'Nguyễn An',
      'Trần Thị An',
      'Lê Ăn',
      'Vũ Ân',
      'Phạm Dương',
      'Lò Văn Đặng',
    ]);
  });

  it('follows changes and keeps the order of arrival', () => {
    const roster = new Roster();
    roster.replace([person('a'), person('b')]);
    roster.change([person('c')], [person('a', { floor: true })], ['b', 'never']);
    expect(roster.list.map((p) => p.id)).toEqual(['a', 'c']);
    expect(roster.get('a')?.floor).toBe(true);
    expect(roster.arrived('a')).toBeLessThan(roster.arrived('c'));
    roster.replace([person('c'), person('a')]);
    expect(roster.arrived('a')).toBeLessThan(roster.arrived('c'));
  });
});

describe('speakers', () => {
  it('count as speaking for the hold after the last loud moment', () => {
    const tracker = new SpeakerTracker();
    tracker.hear([['a', 30]], 0);
    tracker.hear([['a', 90]], 500);
    expect([...tracker.speaking(500 + HOLD - 1)]).toEqual(['a']);
    expect([...tracker.speaking(500 + HOLD + 1)]).toEqual([]);
  });

  it('go on as long as the server tells nothing else, and not for ever', () => {
    const tracker = new SpeakerTracker();
    tracker.hear([['a', 30]], 0);
    expect([...tracker.speaking(GOES_ON - 1)]).toEqual(['a']);
    expect(tracker.lastSpoke('a', 3_000)).toBe(3_000);
    expect([...tracker.speaking(GOES_ON + 1)]).toEqual([]);
    tracker.hear([['a', 30]], 10_000);
    tracker.hear([], 13_000);
    expect([...tracker.speaking(13_000 + HOLD - 1)]).toEqual(['a']);
    expect([...tracker.speaking(13_000 + HOLD + 1)]).toEqual([]);
  });

  it('do not flicker: a short interjection does not take the stage', () => {
    const tracker = new SpeakerTracker();
    for (let t = 0; t < 3_000; t += 100) tracker.hear([['a', 30]], t);
    expect(tracker.active(3_000, null)).toBe('a');
    tracker.hear(
      [
        ['a', 30],
        ['b', 20],
      ],
      3_100,
    );
    expect(tracker.active(3_100, null)).toBe('a');
    for (let t = 3_200; t < 5_200; t += 100) {
      tracker.hear([['b', 25]], t);
      tracker.active(t, null);
    }
    expect(tracker.active(5_200, null)).toBe('b');
  });

  it('keep the last speaker on the stage through silence, and never oneself', () => {
    const tracker = new SpeakerTracker();
    tracker.hear(
      [
        ['me', 10],
        ['a', 40],
      ],
      0,
    );
    expect(tracker.active(0, 'me')).toBe('a');
    tracker.hear([], 30_000);
    expect(tracker.active(30_000, 'me')).toBe('a');
    tracker.forget('a');
    expect(tracker.active(30_000, 'me')).toBeNull();
  });

  it('levels of the wire become 0 to 1', () => {
    expect([levelFromWire(127), levelFromWire(75), levelFromWire(0)]).toEqual([0, 0, 1]);
    expect(levelFromWire(45)).toBeGreaterThan(levelFromWire(60));
  });
});

describe('order of tiles', () => {
  const facts = (spoke: Record<string, number> = {}) => ({
    self: 'me',
    nowMs: 100_000,
    lastSpoke: (id: string) => spoke[id] ?? -Infinity,
    arrived: (id: string) => id.charCodeAt(0),
  });

  it('puts oneself first, then staff, recent speakers, cameras', () => {
    const people = [
      person('a'),
      withCamera('b'),
      person('c'),
      person('t', { role: 'trainer' }),
      person('me'),
      withCamera('d'),
    ];
    expect(rankPeople(people, facts({ c: 90_000 }))).toEqual(['me', 't', 'c', 'b', 'd', 'a']);
  });

  it('leaves everybody on the page where he is when somebody is promoted onto it', () => {
    const before = ['me', 't', 'a', 'b', 'c', 'd'];
    const after = stableOrder(before, ['me', 't', 'c', 'a', 'b', 'd'], 4);
    expect(after.slice(0, 4)).toEqual(['me', 't', 'a', 'c']);
    expect(new Set(after)).toEqual(new Set(before));
  });

  it('does not move anybody when only the ranking inside a page changed', () => {
    const before = ['me', 'a', 'b', 'c'];
    expect(stableOrder(before, ['me', 'c', 'b', 'a'], 4)).toEqual(before);
  });

  it('is always a permutation of the ranking', () => {
    const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);
    let order: string[] = [];
    let seed = 7;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 200; round += 1) {
      const present = ids.filter(() => random() > 0.3).sort(() => random() - 0.5);
      order = stableOrder(order, present, 1 + Math.floor(random() * 12));
      expect([...order].sort()).toEqual([...present].sort());
    }
  });
});

describe('layouts', () => {
  const facts: LayoutFacts = {
    wished: 'auto',
    mode: 'training',
    people: 12,
    shared: false,
    pinned: null,
    spotlit: false,
    sites: 0,
  };

  it('follow what happens when automatic', () => {
    expect(effectiveLayout(facts)).toBe('speaker');
    expect(effectiveLayout({ ...facts, mode: 'discussion' })).toBe('gallery');
    expect(effectiveLayout({ ...facts, mode: 'discussion', people: 2 })).toBe('speaker');
    expect(effectiveLayout({ ...facts, mode: 'discussion', shared: true })).toBe('screen');
  });

  it('keep to a choice, but not to a screen that nobody shares', () => {
    expect(effectiveLayout({ ...facts, wished: 'gallery', shared: true })).toBe('gallery');
    expect(effectiveLayout({ ...facts, wished: 'screen' })).toBe('speaker');
    expect(effectiveLayout({ ...facts, wished: 'gallery', pinned: 'camera' })).toBe('speaker');
  });

  it('show a conference of sites as a wall, and somebody shown to all large', () => {
    expect(effectiveLayout({ ...facts, mode: 'conference', sites: 2 })).toBe('wall');
    expect(effectiveLayout({ ...facts, mode: 'conference', sites: 1 })).toBe('speaker');
    expect(effectiveLayout({ ...facts, mode: 'training', sites: 9 })).toBe('speaker');
    expect(effectiveLayout({ ...facts, mode: 'conference', sites: 9, shared: true })).toBe('screen');
    expect(effectiveLayout({ ...facts, wished: 'wall', shared: true })).toBe('wall');
    expect(effectiveLayout({ ...facts, mode: 'discussion', spotlit: true })).toBe('speaker');
    expect(effectiveLayout({ ...facts, wished: 'gallery', spotlit: true })).toBe('speaker');
  });

  it('put the chair beside the wall, then who has the floor, then who is shown to all', () => {
    const chair = person('c', { role: 'chair' });
    const site = (id: string, more = {}) => person(id, { site: `Điểm cầu ${id}`, ...more });
    const people = [person('t', { role: 'trainer' }), chair, site('a'), site('b', { floor: true }), site('d')];
    const ids = (list: { id: string }[]) => list.map((p) => p.id);
    expect(ids(besideWall(people, 'a', null, ['d', 'b', 'gone']))).toEqual(['c', 'b', 'd']);
    // The chair does not look at himself, but at who has the floor, else at who speaks.
    expect(ids(besideWall(people, 'c', 'a', []))).toEqual(['b']);
    expect(ids(besideWall([chair, site('a')], 'c', 'a', []))).toEqual(['a']);
    expect(ids(besideWall([chair], 'c', null, []))).toEqual(['c']);
    expect(wallOrder([site('10'), site('9'), chair], ['c', '9', '10'])).toEqual(['9', '10', 'c']);
  });

  it('put the speaker on the stage, else the floor, else a trainer with a camera', () => {
    const people = [person('me'), person('a'), withCamera('b'), withCamera('t', 'trainer')];
    expect(onStage(people, 'me', 'a')?.id).toBe('a');
    expect(onStage(people, 'me', 'me')?.id).toBe('t');
    expect(onStage([...people, person('f', { floor: true })], 'me', null)?.id).toBe('f');
    expect(onStage([person('me')], 'me', null)?.id).toBe('me');
    const lost = { ...withCamera('o', 'organiser'), link: 'lost' as const };
    expect(onStage([...people, lost], 'me', null)?.id).toBe('t');
  });

  it("show others' screens before one's own", () => {
    const screen = (id: string) => person(id, { tracks: [{ k: `k${id}s`, kind: 'screen', st: 'live' }] });
    expect(sharedScreens([screen('me'), screen('a'), person('b')], 'me').map((s) => s.person.id)).toEqual(['a', 'me']);
  });

  it('put a page that no longer exists back in range', () => {
    expect(pageOf([1, 2, 3, 4, 5], 9, 2)).toEqual({ page: 2, pages: 3, items: [5] });
    expect(pageOf([], 3, 4)).toEqual({ page: 0, pages: 1, items: [] });
  });
});
