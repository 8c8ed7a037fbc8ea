import { render, screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setLanguage } from '../../../i18n/index.svelte';
import { loadTalkWords } from '../../../i18n/talk.svelte';
import { fixtureRoom, type FixtureOptions } from '../../../state/fixture.svelte';
import ChatPanel from '../chat/ChatPanel.svelte';
import QuestionsPanel from '../questions/QuestionsPanel.svelte';
import { sections } from '../questions/order';
import Floating from '../reactions/Floating.svelte';
import { RoomView } from '../view.svelte';
import PollView from './PollView.svelte';
import PollsPanel from './PollsPanel.svelte';
import { draftOf, fault, newItem, newMaker, quickDraft } from './draft';

const NOW = Date.UTC(2026, 10, 22, 1, 5);

function room(over: Partial<FixtureOptions> = {}) {
  sessionStorage.clear();
  return fixtureRoom({
    people: 12,
    layout: 'gallery',
    role: 'learner',
    mode: 'training',
    screen: false,
    now: NOW,
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
    ...over,
  });
}
const press = async (testid: string) => {
  screen.getByTestId(testid).click();
  await tick();
};
const type = async (testid: string, text: string) => {
  const input = screen.getByTestId(testid) as HTMLInputElement;
  input.value = text;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  await tick();
};

beforeAll(async () => {
  await setLanguage('vi');
  await loadTalkWords('vi');
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
});

function view(name: string, over: Partial<FixtureOptions> = {}) {
  const r = room({ polls: [name], ...over });
  const poll = r.polls.list[0];
  if (!poll) throw new Error(`no poll ${name}`);
  const answer = vi.spyOn(r.polls, 'answer');
  render(PollView, { room: r, view: new RoomView(r), poll, now: NOW });
  return { r, poll, answer };
}

describe('a poll', () => {
  it('takes a yes with one press, and another press changes it', async () => {
    const { answer } = view('yesNo');
    await press('poll-option-0');
    await press('poll-option-1');
    expect(answer.mock.calls.map(([, a]) => a)).toEqual([[{ chosen: [0] }], [{ chosen: [1] }]]);
    expect(screen.getByTestId('poll-option-1').getAttribute('aria-pressed')).toBe('true');
    expect(screen.getByTestId('poll-done').textContent).toContain('Đã ghi nhận câu trả lời của bạn.');
  });

  it('of several options sends none until the button is pressed, and asks for what is missing', async () => {
    const { answer } = view('many');
    await press('poll-send');
    expect(answer).not.toHaveBeenCalled();
    expect(screen.getByRole('alert').textContent).toContain('Hãy trả lời đủ các câu');
    for (const n of [2, 0]) await press(`poll-option-${n}`);
    await press('poll-send');
    expect(answer).toHaveBeenCalledWith('v3', [{ chosen: [0, 2] }]);
    await press('poll-change');
    expect((screen.getByTestId('poll-option-2') as HTMLInputElement).checked).toBe(true);
  });

  it('of a quiz shows score, right answers and the own ones', () => {
    view('quiz');
    expect(screen.getByTestId('poll-score').textContent).toBe('Bạn trả lời đúng 1/2 câu');
    const six = screen.getByText('6 tháng').closest('li');
    expect(six?.textContent).toContain('67%');
    expect(six?.textContent).toContain('6 phiếu');
    expect(six?.textContent).toContain('Đáp án đúng');
    expect(six?.textContent).toContain('Bạn đã chọn');
    // Of several choices the share is of those who answered, not of the choices.
    expect(screen.getByText('Cố vấn học tập').closest('li')?.textContent).toContain('78%');
  });

  it('of a vote uses the words of the law and says whether enough voted', () => {
    view('vote');
    for (const word of ['Tán thành', 'Không tán thành', 'Ý kiến khác']) expect(screen.getByText(word)).toBeTruthy();
    expect(screen.getByTestId('vote-outcome').textContent).toContain('Tán thành 27/31 phiếu (87%)');
    expect(screen.getByTestId('vote-outcome').textContent).toContain('Đủ số phiếu tối thiểu: 31, cần 20');
  });

  it('by site asks only those who stand for a site', () => {
    const r = room({ polls: ['vote'] });
    const poll = { ...r.polls.list[0]!, st: 'open' as const };
    r.polls.mine = new Map();
    render(PollView, { room: r, view: new RoomView(r), poll, now: NOW });
    expect(screen.queryByTestId('poll-send')).toBeNull();
    expect(screen.getByText(/người đại diện điểm cầu bỏ phiếu/u)).toBeTruthy();
  });

  it('takes no more answers when its time is over, before the room says so', () => {
    const r = room({ polls: ['many'] });
    render(PollView, { room: r, view: new RoomView(r), poll: r.polls.list[0]!, now: NOW + 200_000 });
    expect(screen.queryByTestId('poll-send')).toBeNull();
  });
});

describe('the panel of polls', () => {
  it('opens a quick poll with one press', async () => {
    const r = room({ role: 'trainer' });
    const open = vi.spyOn(r.polls, 'open');
    render(PollsPanel, { room: r, view: new RoomView(r), now: NOW });
    await press('quick-letters');
    expect(open).toHaveBeenCalledWith(quickDraft(4, false, true));
    await tick();
    expect(screen.getByTestId('poll-count').textContent).toContain('0/11 người đã trả lời');
    await press('poll-close');
    await press('poll-show');
    expect(r.polls.list[0]?.st).toBe('shown');
  });

  it('offers learners nothing to lead', () => {
    const r = room({ polls: ['many'] });
    render(PollsPanel, { room: r, view: new RoomView(r), now: NOW });
    for (const id of ['quick-yes-no', 'poll-close', 'poll-drop', 'poll-who'])
      expect(screen.queryByTestId(id)).toBeNull();
  });
});

describe('a draft', () => {
  it('drops empty options and keeps the right ones at theirs', () => {
    const maker = newMaker();
    maker.items = [
      { text: ' Vì sao? ', choose: 'many', options: ['a', ' ', 'c', 'd'], correct: [false, true, true, true] },
    ];
    expect(fault('quiz', maker)).toBeNull();
    expect(draftOf('quiz', maker).items).toEqual([
      { text: 'Vì sao?', choose: 'many', options: ['a', 'c', 'd'], correct: [1, 2] },
    ]);
  });

  it.each([
    ['poll', (m: ReturnType<typeof newMaker>) => m, { what: 'text', item: 0 }],
    [
      'quiz',
      (m: ReturnType<typeof newMaker>) => ({ ...m, items: [{ ...newItem(), text: 'x' }] }),
      { what: 'options', item: 0 },
    ],
    [
      'quiz',
      (m: ReturnType<typeof newMaker>) => ({ ...m, items: [{ ...newItem(), text: 'x', options: ['a', 'b'] }] }),
      { what: 'correct', item: 0 },
    ],
    ['vote', (m: ReturnType<typeof newMaker>) => m, { what: 'title' }],
    ['vote', (m: ReturnType<typeof newMaker>) => ({ ...m, title: 'x', quorum: '0' }), { what: 'quorum' }],
  ] as const)('of a %s says what is missing', (kind, edit, wrong) => {
    expect(fault(kind, edit(newMaker()))).toEqual(wrong);
  });

  it('of a vote has no options of its own and its quorum', () => {
    expect(draftOf('vote', { ...newMaker(), title: 'Thông qua', quorum: '20', bySite: true, anonymous: true })).toEqual(
      {
        kind: 'vote',
        title: 'Thông qua',
        items: [{ text: '', choose: 'one', options: [] }],
        anonymous: true,
        live: false,
        quorum: 20,
        bySite: true,
      },
    );
  });
});

describe('questions', () => {
  it('are sorted by votes or by time', () => {
    const { questions } = room({ role: 'trainer' }).talk;
    expect(sections(questions, 'votes').open.map((q) => q.up)).toEqual([9, 3]);
    const at = sections(questions, 'newest').open.map((q) => q.at);
    expect(at).toEqual([...at].sort((a, b) => b - a));
  });

  it('are approved, answered in writing and voted for', async () => {
    const r = room({ role: 'trainer' });
    render(QuestionsPanel, { room: r, view: new RoomView(r) });
    const rows = () => screen.getAllByTestId('question');
    const row = (text: string) => within(rows().find((li) => li.textContent?.includes(text)) as HTMLElement);
    row('phụ cấp').getByTestId('question-approve').click();
    await tick();
    row('phụ cấp').getByTestId('question-write').click();
    await tick();
    await type('question-answer', 'Có hướng dẫn riêng.');
    row('phụ cấp').getByTestId('question-answer-send').click();
    await tick();
    await tick();
    expect(r.talk.questions.find((q) => q.q === 'q5')).toMatchObject({ st: 'answered', answer: 'Có hướng dẫn riêng.' });
    row('kế hoạch bài dạy').getByTestId('question-vote').click();
    await tick();
    expect(r.talk.questions.find((q) => q.q === 'q4')).toMatchObject({ voted: true, up: 4 });
  });

  it('of oneself cannot be voted for, only withdrawn', () => {
    const r = room();
    render(QuestionsPanel, { room: r, view: new RoomView(r) });
    const own = within(
      screen.getAllByTestId('question').find((li) => li.textContent?.includes('phụ cấp')) as HTMLElement,
    );
    expect(own.queryByTestId('question-vote')).toBeNull();
    expect(own.getByTestId('question-withdraw')).toBeTruthy();
    expect(screen.queryByTestId('question-live')).toBeNull();
  });
});

describe('reactions', () => {
  it('are one mark a sort with how many; the pace is for those who lead', async () => {
    for (const [role, pace] of [
      ['trainer', 'Chậm lại: 3'],
      ['learner', null],
    ] as const) {
      const r = room({ role });
      r.talk.reactions = [
        { id: 1, e: 'clap', n: 3 },
        { id: 2, e: 'clap', n: 4 },
      ];
      r.talk.pace = { faster: 0, slower: 3 };
      const { unmount } = render(Floating, { room: r });
      expect(screen.getByTestId('reactions-shown').textContent?.trim()).toBe('7');
      expect(screen.queryByTestId('pace')?.textContent?.trim() ?? null).toBe(pace);
      unmount();
    }
  });
});

describe('chat to some', () => {
  function open(over: Partial<FixtureOptions> = {}) {
    const r = room({ direct: true, ...over });
    const v = new RoomView(r);
    render(ChatPanel, { room: r, view: v, now: NOW });
    return { r, v };
  }
  const shown = () => screen.getAllByTestId('message').map((m) => m.getAttribute('data-private'));

  it('is marked, and filtered', async () => {
    open();
    expect(shown().filter((p) => p === 'true')).toHaveLength(3);
    expect(screen.getByText('Riêng cho bạn')).toBeTruthy();
    await press('chat-direct');
    expect(shown()).toEqual(['true', 'true', 'true']);
    await press('chat-open');
    expect(shown()).not.toContain('true');
  });

  it('goes to the person it was turned to, and back to all', async () => {
    const { r, v } = open();
    const send = vi.spyOn(r, 'sendChat');
    v.writeTo({ person: 'p1' });
    await tick();
    await type('chat-input', 'Cô ơi');
    screen.getByLabelText('Gửi tin nhắn').click();
    expect(send).toHaveBeenLastCalledWith('Cô ơi', { person: 'p1' });
    await press('to-back');
    expect(v.chatTo).toBe('all');
  });

  it('waits in slow mode with the text in the field', async () => {
    const learner = open();
    learner.r.room = { ...learner.r.room, slowSec: 30 };
    learner.r.sendChat('tin vừa gửi');
    await tick();
    await type('chat-input', 'tin nữa');
    const button = screen.getByLabelText('Gửi tin nhắn') as HTMLButtonElement;
    expect(button.disabled).toBe(true);
    expect(screen.getByTestId('slow-mode').textContent).toContain('gửi được sau 30 giây');
    button.click();
    expect(learner.v.draft).toBe('tin nữa');
  });

  it('what is being written outlives a reload', async () => {
    const { r } = open();
    await type('chat-input', 'viết dở');
    expect(new RoomView(r).draft).toBe('viết dở');
  });
});
