// The texts of notes on one made-up server: which is looked at, and that nothing is lost between them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientFrame, ErrorCode, NoteEdit, NotesId, PersonId, ServerFrame } from '../core/proto';
import { apply } from '../core/notes/op';
import { NotesShelf } from './notes-shelf.svelte';

const ONE = 'g1-1' as NotesId;
const TWO = 'g1-2' as NotesId;

type Edit = Extract<ClientFrame, { t: 'notesEdit' }>;

class Sheet {
  text = '';
  edits: NoteEdit[] = [];
}

/** As the room: a text each, and edits of groups told to who asked for that text last. */
class Server {
  readonly sheets = new Map<NotesId | undefined, Sheet>();
  asked: (NotesId | undefined)[] = [];
  /** What every request comes to, in place of being taken. */
  answer: ErrorCode | null = null;
  gone = false;
  /** The next question for this one comes to nothing. */
  slow: NotesId | undefined;
  reads: NotesId | undefined;
  shelf: NotesShelf | null = null;

  sheet(of: NotesId | undefined): Sheet {
    const sheet = this.sheets.get(of) ?? new Sheet();
    this.sheets.set(of, sheet);
    return sheet;
  }

  write(who: string, { of, cid, op }: Edit): void {
    const sheet = this.sheet(of);
    sheet.text = apply(op, sheet.text);
    const rev = sheet.edits.length + 1;
    const edit: NoteEdit = { rev, who, name: who, cid, at: rev, op };
    sheet.edits.push(edit);
    if (of !== undefined && of !== this.reads) return;
    this.shelf?.take({ t: 'notes', edit, ...(of !== undefined ? { of } : { seq: rev }) } as ServerFrame);
  }
}

let server: Server;
let refused: ErrorCode[];
let staff: boolean;
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

function shelf(own?: NotesId): NotesShelf {
  const made = new NotesShelf(
    {
      request: async (msg) => {
        if (server.answer === null) server.write('me', msg as Edit);
        return server.answer;
      },
      fetch: async ({ of, after }) => {
        server.asked.push(of);
        if (server.gone) return 'gone';
        if (of !== undefined && server.slow === of) {
          server.slow = undefined;
          return null;
        }
        if (of !== undefined && shelfReads(of)) server.reads = of;
        const { text, edits } = server.sheet(of);
        const by = edits.slice(-1).map(({ who, name, at }) => ({ who, name, at }));
        const mine = edits.filter((edit) => edit.who === 'me').at(-1)?.cid;
        const page = { rev: edits.length, by, ...(mine !== undefined && { mine }) };
        return after === undefined ? { ...page, text } : { ...page, ops: edits.slice(after) };
      },
      may: () => staff,
      staff: () => staff,
      role: () => (staff ? 'trainer' : 'learner'),
      self: () => 'me' as PersonId,
      group: () => 'Nhóm 1',
      refused: (code) => refused.push(code),
    },
    own,
  );
  server.shelf = made;
  return made;
}
/** Who left a group is no longer told of it. */
let own: NotesId | undefined;
const shelfReads = (of: NotesId) => staff || of === own;
function enter(of: NotesId | undefined): void {
  own = of;
  server.shelf?.setOwn(of);
}
const put = (of: NotesId | undefined, text: string): Edit => ({
  t: 'notesEdit',
  cid: `x${text}`,
  rev: 0,
  op: [text],
  ...(of !== undefined && { of }),
});

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  refused = [];
  staff = false;
  own = undefined;
});
afterEach(() => {
  server.shelf?.stop();
  vi.useRealTimers();
});

describe('which text is looked at', () => {
  it('goes on being told when another, left before it was there, comes in late', async () => {
    staff = true;
    const notes = shelf();
    notes.take({ t: 'notesList', list: [ONE, TWO].map((of) => ({ of, name: of, at: 1 })) } as unknown as ServerFrame);
    server.slow = ONE;
    notes.choose(ONE);
    notes.look();
    notes.choose(TWO);
    notes.look();
    // The first is asked for once more, though nobody looks at it.
    await settle(3_000);
    expect(server.reads).toBe(TWO);
    server.write('an', put(TWO, 'chào'));
    expect(notes.open.text).toBe('chào');
  });

  it('asks when the room took an edit and does not tell it', async () => {
    const notes = shelf();
    enter(ONE);
    notes.look();
    await settle();
    server.reads = undefined;
    notes.open.write('một');
    await settle(1_500);
    expect(notes.open.saved).toBe(false);
    await settle(3_000);
    expect([notes.open.saved, notes.open.text]).toEqual([true, 'một']);
  });

  it('is that of where one is; each keeps what was written in it', async () => {
    const notes = shelf();
    expect([notes.of, notes.open.may, notes.choices.length]).toEqual([null, false, 1]);
    enter(ONE);
    notes.look();
    await settle();
    expect([notes.of, notes.open.may]).toEqual([ONE, true]);
    expect(notes.choices.map((one) => one.name)).toEqual(['', 'Nhóm 1']);
    notes.open.write('ý một');
    await settle(1_200);
    server.write('ba', put(ONE, 'hai, '));
    await settle(200);
    expect([notes.open.text, notes.open.saved]).toEqual(['hai, ý một', true]);
    expect(server.sheet(undefined).text).toBe('');
    // What a group does not read is not taken for its own.
    notes.take({
      t: 'notes',
      of: TWO,
      edit: { rev: 1, who: 'x', name: 'x', cid: 'x', at: 0, op: ['?'] },
    } as ServerFrame);
    expect([notes.open.text, notes.whole.text]).toEqual(['hai, ý một', '']);
    notes.choose(null);
    expect(notes.open).toBe(notes.whole);
    enter(TWO);
    expect([notes.of, notes.choices.map((one) => one.of)]).toEqual([TWO, [null, TWO]]);
  });

  it('can be any for staff, who are told of the one they asked for last', async () => {
    staff = true;
    const notes = shelf();
    const list = [ONE, TWO].map((of) => ({ of, name: of, at: 5 }));
    notes.take({ t: 'notesList', list } as ServerFrame);
    notes.choose(ONE);
    notes.look();
    notes.choose(TWO);
    notes.look();
    await settle();
    server.write('an', put(ONE, 'một'));
    server.write('an', put(TWO, 'hai'));
    await settle(200);
    expect(notes.open.text).toBe('hai');
    notes.choose(ONE);
    notes.look();
    await settle(200);
    expect([notes.open.text, notes.open.may]).toEqual(['một', true]);
    // They are staff no more.
    staff = false;
    notes.take({ t: 'notesList', list: [] } as unknown as ServerFrame);
    expect([notes.of, notes.choices.length]).toEqual([null, 1]);
  });

  it('is asked for anew after a cut, when nobody told what was written', async () => {
    const notes = shelf();
    enter(ONE);
    notes.look();
    await settle();
    server.reads = undefined;
    server.write('ba', put(ONE, 'lỡ'));
    expect(notes.open.text).toBe('');
    notes.again();
    await settle(200);
    expect(notes.open.text).toBe('lỡ');
    server.reads = undefined;
    server.write('ba', put(ONE, 'nữa '));
    notes.take({ t: 'state', seq: 1 } as unknown as ServerFrame);
    await settle(200);
    expect(notes.open.text).toBe('nữa lỡ');
  });
});

describe('who leaves a group', () => {
  async function writing(): Promise<NotesShelf> {
    const notes = shelf();
    enter(ONE);
    notes.look();
    await settle();
    notes.open.write('chưa gửi');
    return notes;
  }

  it('hands in at once what he had written', async () => {
    const notes = await writing();
    server.reads = undefined;
    enter(undefined);
    expect([notes.of, notes.open]).toEqual([null, notes.whole]);
    await settle(10);
    expect([server.sheet(ONE).text, refused]).toEqual(['chưa gửi', []]);
    // And all of it, though it takes several edits.
    enter(ONE);
    notes.look();
    await settle(200);
    notes.open.write(`${'ệ'.repeat(11_000)}chưa gửi`);
    server.reads = undefined;
    enter(undefined);
    await settle(8_000);
    expect([server.sheet(ONE).text.length, refused]).toEqual([11_008, []]);
    const asked = server.asked.length;
    await settle(20_000);
    expect(server.asked.length, 'nothing goes on').toBe(asked);
  });

  it('does so when the link is back, and is told when it is too late', async () => {
    const notes = await writing();
    server.answer = 'busy';
    enter(undefined);
    await settle(5_000);
    server.answer = null;
    await settle(1_500);
    expect([server.sheet(ONE).text, refused]).toEqual(['chưa gửi', []]);
    enter(TWO);
    notes.look();
    await settle();
    notes.open.write('quá muộn');
    server.answer = 'forbidden';
    enter(undefined);
    await settle(2_000);
    expect([server.sheet(TWO).text, refused]).toEqual(['', ['forbidden']]);
  });

  it('asks no further for what is gone', async () => {
    const notes = await writing();
    server.answer = 'conflict';
    server.gone = true;
    enter(undefined);
    await settle(5_000);
    expect(refused).toEqual(['forbidden']);
    const asked = server.asked.length;
    await settle(20_000);
    expect([server.asked.length, notes.open.text]).toEqual([asked, '']);
  });
});
