// Chat to some, questions, reactions and polls against a server played by the test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChatEntry, ClientFrame, ErrorCode, Poll, Question, ServerFrame } from '../core/proto';
import type { RoomSession } from '../core/session';
import { Chat } from './chat.svelte';
import { Polls } from './polls.svelte';
import { Talk } from './talk.svelte';

type Answer = { ok: true; frame?: object } | { ok: false; code: ErrorCode | 'network' };

class Server {
  readonly asked: ClientFrame[] = [];
  answers: Answer[] = [];
  readonly session = {
    request: (msg: ClientFrame) => {
      this.asked.push(msg);
      return Promise.resolve(this.answers.shift() ?? { ok: true });
    },
  } as unknown as Pick<RoomSession, 'request'>;
  of<T extends ClientFrame['t']>(t: T) {
    return this.asked.filter((m): m is Extract<ClientFrame, { t: T }> => m.t === t);
  }
}

const frame = (f: object) => f as ServerFrame;
const state = (more: object = {}) =>
  frame({ t: 'state', counts: {}, people: [], sampled: false, hands: [], chat: [], moreChat: false, ...more });
const settle = () => vi.advanceTimersByTimeAsync(0);

let server: Server;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  sessionStorage.clear();
  server = new Server();
});
afterEach(() => void vi.useRealTimers());

function poll(id: string, more: Partial<Poll> = {}, draft: Partial<Poll['draft']> = {}): Poll {
  return {
    poll: id,
    draft: {
      kind: 'yesNo',
      title: '',
      items: [{ text: '', choose: 'one', options: [] }],
      anonymous: false,
      live: false,
      bySite: false,
      ...draft,
    },
    at: Number(id.slice(1)),
    st: 'open',
    by: 'Cô Hằng',
    answered: 0,
    eligible: 3,
    ...more,
  };
}

describe('polls', () => {
  it('come with the state, change, go; the newest stands first', () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1'), poll('v2')] }));
    expect(polls.list.map((p) => p.poll)).toEqual(['v2', 'v1']);
    polls.take(frame({ t: 'poll', seq: 3, poll: poll('v3') }));
    polls.take(frame({ t: 'poll', seq: 4, poll: poll('v2', { st: 'shown', results: [{ counts: [1, 0] }] }) }));
    expect(polls.list.map((p) => [p.poll, p.st])).toEqual([
      ['v3', 'open'],
      ['v2', 'shown'],
      ['v1', 'open'],
    ]);
    polls.take(frame({ t: 'pollGone', seq: 5, poll: 'v2' }));
    expect(polls.list.map((p) => p.poll)).toEqual(['v3', 'v1']);
  });

  it('the own answer comes back after a reload, and with the results the score', () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1', {}, { kind: 'quiz' })] }));
    polls.take(frame({ t: 'pollMine', poll: 'v1', answer: [{ chosen: [1] }] }));
    expect(polls.mine.get('v1')).toEqual({ answer: [{ chosen: [1] }], waiting: false });
    polls.take(frame({ t: 'pollMine', poll: 'v1', answer: [{ chosen: [1] }], score: 1 }));
    expect(polls.mine.get('v1')?.score).toBe(1);
  });

  it('an answer given without a link goes out once after the return and is not overwritten by an older one', async () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1')] }));
    server.answers = [{ ok: false, code: 'network' }];
    expect(await polls.answer('v1', [{ chosen: [0] }])).toBeNull();
    expect(polls.mine.get('v1')).toEqual({ answer: [{ chosen: [0] }], waiting: true });
    polls.take(frame({ t: 'pollMine', poll: 'v1', answer: [{ chosen: [1] }] }));
    expect(polls.mine.get('v1')?.answer).toEqual([{ chosen: [0] }]);
    polls.resend();
    await settle();
    expect(server.of('pollAnswer').map((m) => m.answer)).toEqual([[{ chosen: [0] }], [{ chosen: [0] }]]);
    expect(polls.mine.get('v1')?.waiting).toBe(false);
    polls.resend();
    await settle();
    expect(server.of('pollAnswer')).toHaveLength(2);
  });

  it('a refused answer falls back to the one before', async () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1')] }));
    await polls.answer('v1', [{ chosen: [0] }]);
    server.answers = [{ ok: false, code: 'conflict' }];
    expect(await polls.answer('v1', [{ chosen: [1] }])).toBe('conflict');
    expect(polls.mine.get('v1')?.answer).toEqual([{ chosen: [0] }]);
  });

  it('a secret ballot counts as received before it is written, and is not cast again', async () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1', {}, { kind: 'vote', anonymous: true })] }));
    // The server says that it has the ballot; its receipt comes only with the ballots of others.
    server.session.request = ((msg: ClientFrame) => {
      server.asked.push(msg);
      polls.take(frame({ t: 'pollMine', poll: 'v1', answer: [] }));
      return Promise.resolve({ ok: false, code: 'network' });
    }) as unknown as typeof server.session.request;
    await polls.answer('v1', [{ chosen: [2] }]);
    expect(polls.mine.get('v1')).toEqual({ answer: [{ chosen: [2] }], waiting: false });
    polls.resend();
    await settle();
    expect(server.of('pollAnswer')).toHaveLength(1);
  });

  it('what a restarted server no longer knows is asked again', async () => {
    const polls = new Polls(server.session, () => false);
    polls.take(state({ polls: [poll('v1')] }));
    await polls.answer('v1', [{ chosen: [0] }]);
    polls.take(state({ polls: [poll('v1')] }));
    expect(polls.mine.has('v1')).toBe(false);
  });

  it('who holds polls keeps the sums told apart when all are told how many answered', () => {
    const secret = poll('v1', { answered: 1, results: [{ counts: [1, 0] }] });
    for (const [holds, results] of [
      [true, [{ counts: [1, 0] }]],
      [false, undefined],
    ] as const) {
      const polls = new Polls(server.session, () => holds);
      polls.take(frame({ t: 'poll', poll: secret }));
      polls.take(frame({ t: 'poll', seq: 9, poll: poll('v1', { answered: 2 }) }));
      expect(polls.list[0]?.answered).toBe(2);
      expect(polls.list[0]?.results).toEqual(results);
    }
  });

  it('opening outlives a broken link with the same id', async () => {
    const polls = new Polls(server.session, () => true);
    server.answers = [{ ok: false, code: 'network' }];
    const opened = polls.open(poll('v1').draft);
    await settle();
    polls.resend();
    expect(await opened).toBeNull();
    const [first, second] = server.of('pollOpen');
    expect(second?.cid).toBe(first?.cid);
  });
});

function question(q: string, more: Partial<Question> = {}): Question {
  return { q, from: 'p2', name: 'An', text: `Hỏi ${q}`, at: 1, up: 0, st: 'open', ...more };
}

describe('questions', () => {
  const make = () => new Talk(server.session, () => 'p1');

  it('are known as one’s own, without the name too', () => {
    const talk = make();
    talk.take(state({ questions: [question('q1', { from: undefined, name: undefined }), question('q2')] }));
    talk.take(frame({ t: 'questionsMine', asked: ['q1'], up: ['q2'] }));
    expect(talk.questions.map((x) => [x.q, x.mine, x.voted])).toEqual([
      ['q1', true, false],
      ['q2', false, true],
    ]);
  });

  it('keep their place when they change and go when they are told gone', () => {
    const talk = make();
    talk.take(state({ questions: [question('q1'), question('q2'), question('q3')] }));
    talk.take(frame({ t: 'questions', seq: 2, set: [question('q2', { up: 4 }), question('q4')], del: ['q1'] }));
    expect(talk.questions.map((x) => [x.q, x.up])).toEqual([
      ['q2', 4],
      ['q3', 0],
      ['q4', 0],
    ]);
  });

  it('a vote counts at once, is counted once, and is taken back when refused', async () => {
    const talk = make();
    talk.take(state({ questions: [question('q1', { up: 3 })] }));
    const done = talk.want('q1', true);
    expect(talk.questions[0]).toMatchObject({ up: 4, voted: true });
    await done;
    talk.take(frame({ t: 'questions', seq: 2, set: [question('q1', { up: 4 })] }));
    expect(talk.questions[0]).toMatchObject({ up: 4, voted: true });
    server.answers = [{ ok: false, code: 'forbidden' }];
    expect(await talk.want('q1', false)).toBe('forbidden');
    expect(talk.questions[0]).toMatchObject({ up: 4, voted: true });
  });

  it('count as new when others ask while the panel is closed', () => {
    const talk = make();
    talk.take(state({ questions: [question('q1')] }));
    expect(talk.newQuestions).toBe(0);
    talk.take(frame({ t: 'questions', seq: 2, set: [question('q2'), question('q3', { from: 'p1' })] }));
    talk.take(frame({ t: 'questions', seq: 3, set: [question('q2', { up: 1 })] }));
    expect(talk.newQuestions).toBe(1);
    talk.setQuestionsOpen(true);
    talk.take(frame({ t: 'questions', seq: 4, set: [question('q4')] }));
    expect(talk.newQuestions).toBe(0);
  });

  it('are asked composed, and again with the same id after a cut', async () => {
    const talk = make();
    server.answers = [{ ok: false, code: 'network' }];
    const asked = talk.ask('  Vi\u0300 sao? ', true);
    await settle();
    talk.resend();
    expect(await asked).toBeNull();
    const [first, second] = server.of('question');
    expect(first).toMatchObject({ text: 'Vì sao?', anonymous: true });
    expect(second?.cid).toBe(first?.cid);
  });
});

describe('reactions', () => {
  it('stay four seconds; the pace is summed over a minute and not shown as a feeling', () => {
    const talk = new Talk(server.session, () => 'p1');
    talk.take(
      frame({
        t: 'reactions',
        list: [],
        counts: [
          ['clap', 12],
          ['slower', 2],
        ],
      }),
    );
    expect(talk.reactions.map((x) => [x.e, x.n])).toEqual([['clap', 12]]);
    expect(talk.pace).toEqual({ faster: 0, slower: 2 });
    vi.advanceTimersByTime(4_100);
    expect(talk.reactions).toEqual([]);
    talk.take(frame({ t: 'reactions', list: [], counts: [['slower', 1]] }));
    expect(talk.pace.slower).toBe(3);
    vi.advanceTimersByTime(56_500);
    expect(talk.pace.slower).toBe(1);
    vi.advanceTimersByTime(5_000);
    expect(talk.pace).toEqual({ faster: 0, slower: 0 });
  });

  it('of one storm are few on the screen', () => {
    const talk = new Talk(server.session, () => 'p1');
    for (let n = 0; n < 200; n += 1) talk.take(frame({ t: 'reactions', list: [], counts: [['heart', 1]] }));
    expect(talk.reactions.length).toBeLessThanOrEqual(12);
  });
});

function entry(id: string, more: Partial<ChatEntry> = {}): ChatEntry {
  return { id, from: 'p2', name: 'An', role: 'learner', text: id, at: Number(id.slice(1)), cid: `x${id}`, ...more };
}

describe('chat to some', () => {
  const make = () => new Chat(server.session, () => 'p1', 'r1');
  const texts = (chat: Chat) => chat.list.map((m) => m.id);

  it('stands among the rest by its time, and is counted apart', () => {
    const chat = make();
    chat.replace([entry('c1'), entry('c5')], false, false);
    chat.mine([entry('c3', { to: { person: 'p1' } })]);
    expect(texts(chat)).toEqual(['c1', 'c3', 'c5']);
    expect([chat.unread, chat.unreadDirect]).toEqual([0, 0]);
    chat.add([entry('c7', { to: 'group' }), entry('c8')]);
    expect([chat.unread, chat.unreadDirect]).toEqual([2, 1]);
    chat.setOpen(true);
    expect([chat.unread, chat.unreadDirect]).toEqual([0, 0]);
  });

  it('is said to whom it goes, and comes back as one’s own', async () => {
    const chat = make();
    chat.replace([], false, false);
    chat.send('Em chào cô', { person: 'p9' });
    const [sent] = server.of('chat');
    expect(sent?.to).toEqual({ person: 'p9' });
    chat.add([entry('c2', { from: 'p1', cid: sent?.cid ?? '', to: { person: 'p9' } })]);
    expect(chat.pending).toEqual([]);
    chat.send('Chào cả lớp');
    expect(server.of('chat')[1]).not.toHaveProperty('to');
  });

  it('after a return: what is missing in both lists was deleted, what is new is unread', () => {
    const chat = make();
    chat.replace([entry('c1'), entry('c2'), entry('c4')], false, false);
    chat.mine([entry('c3', { to: 'support' })]);
    chat.replace([entry('c1'), entry('c4'), entry('c6')], false, true);
    chat.mine([entry('c3', { to: 'support' }), entry('c5', { to: { person: 'p1' } })]);
    expect(texts(chat)).toEqual(['c1', 'c3', 'c4', 'c5', 'c6']);
    expect([chat.unread, chat.unreadDirect]).toEqual([2, 1]);
  });

  it('a deleted message leaves, whoever may read it', () => {
    const chat = make();
    chat.replace([entry('c1')], false, false);
    chat.mine([entry('c2', { to: 'support' })]);
    chat.gone('c2');
    chat.gone('c1');
    chat.gone('c9');
    expect(chat.list).toEqual([]);
  });

  it('a message deleted since still counts for slow mode, a private one never', () => {
    const chat = make();
    chat.replace([entry('c5', { from: 'p1' }), entry('c6')], false, false);
    chat.mine([entry('c9', { from: 'p1', to: 'support' })]);
    chat.gone('c5');
    expect(chat.wroteAt).toBe(5);
  });

  it('what was not sent is sent after a reload, to the same people, with the same id', async () => {
    const before = make();
    before.replace([], false, false);
    server.answers = [{ ok: false, code: 'network' }];
    before.send('trước khi tải lại', 'organisers');
    await settle();
    const after = make();
    expect(after.pending.map((p) => p.text)).toEqual(['trước khi tải lại']);
    after.replace([], false, false);
    await settle();
    const [first, second] = server.of('chat');
    expect(second).toEqual(first);
    expect(second?.to).toBe('organisers');
  });

  it('a repeat that is acknowledged and not told again does not stay on its way', async () => {
    const chat = make();
    chat.replace([], false, false);
    chat.send('đã đến từ trước');
    await settle();
    expect(chat.pending).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(chat.pending).toEqual([]);
  });

  it('a message refused in slow mode keeps its reason and its text', async () => {
    const chat = make();
    chat.replace([], false, false);
    server.answers = [{ ok: false, code: 'slow_mode' }];
    chat.send('nhanh quá');
    await settle();
    expect(chat.pending[0]).toMatchObject({ failed: true, code: 'slow_mode' });
    expect(chat.discard(chat.pending[0]?.cid ?? '')).toBe('nhanh quá');
    expect(chat.pending).toEqual([]);
    expect(sessionStorage.length).toBe(0);
  });
});
