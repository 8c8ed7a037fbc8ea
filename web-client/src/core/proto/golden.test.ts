// The golden messages of the protocol, as the server writes them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { checkFrame, guards } from './guards';
import type { ClientFrame, ServerFrame } from './index';

const GOLDEN = join(import.meta.dirname, '../../../../src/protocol/golden');

function files(folder: string): [string, unknown][] {
  return readdirSync(join(GOLDEN, folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name, JSON.parse(readFileSync(join(GOLDEN, folder, name), 'utf8')) as unknown]);
}

describe('messages of the server', () => {
  it.each(files('server'))('%s passes its guard and keeps its content', (_name, value) => {
    const checked = checkFrame(value);
    expect(checked.ok).toBe(true);
    if (checked.ok) expect(checked.frame).toEqual(value);
  });

  it('has a golden message for each guard', () => {
    const seen = new Set(files('server').map(([, value]) => (value as { t: string }).t));
    for (const t of Object.keys(guards)) expect(seen).toContain(t);
  });

  it.each(files('future'))('%s, of a version to come, is let through', (_name, value) => {
    expect(checkFrame(value).ok).toBe(true);
  });
});

describe('damaged messages', () => {
  it.each(files('server').filter(([, v]) => (v as { t: string }).t in guards))(
    '%s without one of its fields is never taken for whole',
    (_name, value) => {
      const whole = value as Record<string, unknown>;
      const optional = new Set([
        'seq',
        'id',
        't',
        'answer',
        'ice',
        'token',
        'code',
        'after',
        'add',
        'chg',
        'del',
        'v',
        'a',
        'recording',
        'lessonAt',
        'breakUntil',
        'startsAt',
        'endsAt',
        'x',
        'y',
        'stage',
        'group',
        'groups',
        'speechKbps',
        'overload',
        'spotlight',
        'unable',
        'plan',
        'alarms',
        'timer',
        'camera',
        'screen',
      ]);
      // Either the text or the edits that lead to it.
      if (whole.t === 'notesPage') for (const field of ['text', 'ops', 'by', 'mine']) optional.add(field);
      if (whole.t === 'notes' || whole.t === 'notesPage') optional.add('of');
      if (whole.t === 'you') optional.add('notes');
      for (const field of Object.keys(whole)) {
        if (optional.has(field)) continue;
        const { [field]: _gone, ...rest } = whole;
        expect(checkFrame(rest).ok, `without ${field}`).toBe(false);
      }
    },
  );

  it('keeps the sequence number of a broadcast whose content is damaged', () => {
    expect(checkFrame({ t: 'chat', seq: 9, m: { id: 4 } })).toEqual({ ok: false, seq: 9 });
  });

  it.each([null, 7, 'text', [], {}, { t: 3 }, { t: 'ok', seq: -1 }, { t: 'ok', seq: 'x' }, { t: '__proto__' }])(
    'does not fall over %j',
    (value) => {
      expect(() => checkFrame(value)).not.toThrow();
    },
  );
});

describe('messages of the client', () => {
  it('are the shapes the types describe', () => {
    const frames = files('client').map(([, value]) => value as ClientFrame);
    for (const frame of frames) expect(typeof frame.t).toBe('string');
    const pub: ClientFrame = { t: 'pub', kind: 'mic', st: 'muted' };
    const offer: ClientFrame = { id: 3, t: 'offer', sdp: 'v=0', restart: true };
    const view: ClientFrame = {
      t: 'view',
      rev: 1,
      slots: [{ mid: '9', src: { k: 'k1c' }, h: 360, prio: 10 }],
      audio: { pin: [] },
      mode: 'normal',
    };
    expect([pub.t, offer.t, view.t]).toEqual(['pub', 'offer', 'view']);
    expectTypeOf<Extract<ServerFrame, { t: 'bind' }>['rev']>().toEqualTypeOf<number>();
    expectTypeOf<Extract<ServerFrame, { t: 'state' }>['moreChat']>().toEqualTypeOf<boolean>();
    expectTypeOf<Extract<ServerFrame, { t: 'levels' }>['l']>().toEqualTypeOf<[string, number][]>();
    expectTypeOf<Extract<ServerFrame, { t: 'welcome' }>['ping']>().toEqualTypeOf<{ every: number; timeout: number }>();
  });
});
