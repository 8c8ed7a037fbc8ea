// Questions, reactions and polls of the made-up room.
import type { ChatEntry, Person, PersonId, Poll, PollDraft, PollRow, Question, Reaction } from '../core/proto';
import type { OwnAnswer, PollsModel, QuestionItem, ShownReaction, TalkModel } from './talk-contract';

const QUESTIONS: readonly (Partial<Question> & { text: string })[] = [
  { text: 'Bài kiểm tra thường xuyên có bắt buộc dùng thang điểm 10 không ạ?', up: 14, st: 'live' },
  {
    text: 'Trường vùng cao thiếu máy tính thì tổ chức tiết thực hành Tin học thế nào cho đúng yêu cầu cần đạt?',
    up: 9,
    st: 'open',
  },
  { text: 'Sau buổi này học liệu có được tải về không?', up: 6, st: 'answered', answer: 'Có, đến hết ngày 31/12.' },
  { text: 'Xin hỏi lịch nộp kế hoạch bài dạy của cụm?', up: 3, st: 'open', name: undefined, from: undefined },
  { text: 'Em muốn hỏi về phụ cấp.', up: 0, st: 'held' },
  { text: 'Bao giờ nghỉ giải lao ạ?', up: 1, st: 'dismissed' },
];

export function fixtureQuestions(people: readonly Person[], now: number, staff: boolean, me: PersonId): QuestionItem[] {
  return QUESTIONS.flatMap((q, n): QuestionItem[] => {
    const from = people[(n * 3 + 2) % people.length] as Person;
    const st = q.st ?? 'open';
    if (!staff && (st === 'held' || st === 'dismissed') && n !== 4) return [];
    const mine = !staff && n === 4;
    return [
      {
        q: `q${n + 1}`,
        ...('name' in q ? {} : { from: mine ? me : from.id, name: from.name }),
        text: q.text,
        at: now - (n + 1) * 83_000,
        up: q.up ?? 0,
        st,
        ...(q.answer !== undefined && { answer: q.answer, by: 'Nguyễn Thị Minh Hằng' }),
        mine,
        voted: n === 1,
      },
    ];
  });
}

export class FixtureTalk implements TalkModel {
  questions = $state.raw<QuestionItem[]>([]);
  newQuestions = $state(0);
  reactions = $state.raw<ShownReaction[]>([]);
  pace = $state.raw({ faster: 0, slower: 0 });
  onslow: (secs: number) => void = () => undefined;
  ontimer: (secs: number, label: string) => void = () => undefined;
  #next = 1;

  constructor(
    private readonly me: { person: PersonId; name: string },
    private readonly now: number,
  ) {}

  setQuestionsOpen(open: boolean) {
    if (open) this.newQuestions = 0;
  }
  async ask(text: string, anonymous: boolean) {
    const q: QuestionItem = {
      q: `qx${this.#next++}`,
      ...(!anonymous && { from: this.me.person, name: this.me.name }),
      text,
      at: this.now,
      up: 0,
      st: 'open',
      mine: true,
      voted: false,
    };
    this.questions = [...this.questions, q];
    return null;
  }
  async want(q: string, on: boolean) {
    this.questions = this.questions.map((x) => (x.q === q ? { ...x, voted: on, up: x.up + (on ? 1 : -1) } : x));
    return null;
  }
  async setQuestion(q: string, st: Question['st'], answer?: string) {
    this.questions = this.questions.map((x) =>
      x.q === q ? { ...x, st, ...(answer !== undefined && { answer, by: this.me.name }) } : x,
    );
    return null;
  }
  async react(e: Reaction) {
    if (e === 'faster' || e === 'slower') this.pace = { ...this.pace, [e]: this.pace[e] + 1 };
    else this.reactions = [...this.reactions.slice(-11), { id: this.#next++, e, n: 1 }];
    return null;
  }
  async setSlow(secs: number) {
    this.onslow(secs);
    return null;
  }
  async setTimer(secs: number, label: string) {
    this.ontimer(secs, label);
    return null;
  }
}

const plain = { anonymous: false, live: false, bySite: false };

/** Made-up polls by name, as the address of the development page asks for them. */
export const FIXTURE_POLLS: Record<string, (now: number) => Poll> = {
  yesNo: (now) => ({
    poll: 'v1',
    draft: { kind: 'yesNo', title: '', items: [{ text: '', choose: 'one', options: [] }], ...plain, live: true },
    at: now - 20_000,
    st: 'open',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 7,
    eligible: 11,
    results: [{ counts: [5, 2] }],
  }),
  letters: (now) => ({
    poll: 'v2',
    draft: {
      kind: 'letters',
      title: '',
      items: [{ text: '', choose: 'one', options: ['', '', '', ''] }],
      ...plain,
      anonymous: true,
    },
    at: now - 60_000,
    st: 'shown',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 11,
    eligible: 11,
    results: [{ counts: [1, 7, 2, 1] }],
  }),
  many: (now) => ({
    poll: 'v3',
    draft: {
      kind: 'poll',
      title: 'Nội dung bồi dưỡng học kỳ II',
      items: [
        {
          text: 'Thầy cô muốn tập huấn thêm những nội dung nào?',
          choose: 'many',
          options: [
            'Kiểm tra, đánh giá theo Thông tư 22',
            'Xây dựng kế hoạch bài dạy có ứng dụng công nghệ thông tin và học liệu số dùng chung',
            'Giáo dục STEM',
            'Quản lý lớp học trực tuyến',
          ],
        },
      ],
      ...plain,
      secs: 120,
    },
    at: now - 15_000,
    until: now + 105_000,
    st: 'open',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 4,
    eligible: 11,
  }),
  text: (now) => ({
    poll: 'v4',
    draft: {
      kind: 'poll',
      title: '',
      items: [{ text: 'Điều thầy cô còn băn khoăn nhất sau buổi hôm nay?', choose: 'text', options: [] }],
      ...plain,
      anonymous: true,
    },
    at: now - 300_000,
    st: 'shown',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 3,
    eligible: 11,
    results: [
      {
        texts: [
          'Chưa rõ cách quy đổi điểm.',
          'Mong có thêm ví dụ cho trường vùng cao, nơi đường truyền yếu và thiết bị còn thiếu.',
          'Không có.',
        ],
      },
    ],
  }),
  quiz: (now) => ({
    poll: 'v5',
    draft: {
      kind: 'quiz',
      title: 'Kiểm tra nhanh cuối bài',
      items: [
        {
          text: 'Học liệu được mở ít nhất bao lâu sau khi lớp kết thúc?',
          choose: 'one',
          options: ['3 tháng', '6 tháng', '12 tháng'],
          correct: [1],
        },
        {
          text: 'Những vai trò nào do đơn vị chủ trì phân công?',
          choose: 'many',
          options: ['Người dạy', 'Cố vấn học tập', 'Người học'],
          correct: [0, 1],
        },
      ],
      ...plain,
    },
    at: now - 200_000,
    st: 'shown',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 9,
    eligible: 11,
    results: [{ counts: [2, 6, 1] }, { counts: [8, 7, 3] }],
  }),
  vote: (now) => ({
    poll: 'v6',
    draft: {
      kind: 'vote',
      title: 'Thông qua Quy chế tổ chức bồi dưỡng trực tuyến năm 2027',
      items: [{ text: '', choose: 'one', options: [] }],
      ...plain,
      quorum: 20,
      bySite: true,
    },
    at: now - 400_000,
    st: 'shown',
    by: 'Nguyễn Thị Minh Hằng',
    answered: 31,
    eligible: 34,
    results: [{ counts: [27, 1, 3] }],
  }),
};

/** The answers of one who took part in the made-up polls that are over. */
export const FIXTURE_MINE: Record<string, OwnAnswer> = {
  v2: { answer: [{ chosen: [1] }], waiting: false },
  v4: { answer: [{ text: 'Chưa rõ cách quy đổi điểm.' }], waiting: false },
  v5: { answer: [{ chosen: [1] }, { chosen: [0] }], score: 1, waiting: false },
  v6: { answer: [{ chosen: [0] }], waiting: false },
};

export class FixturePolls implements PollsModel {
  list = $state.raw<Poll[]>([]);
  mine = $state.raw<ReadonlyMap<string, OwnAnswer>>(new Map());
  #next = 100;

  constructor(
    private readonly people: readonly Person[],
    private readonly now: number,
  ) {}

  fill(names: readonly string[], staff: boolean) {
    const polls = names.flatMap((name) => FIXTURE_POLLS[name]?.(this.now) ?? []);
    this.list = polls.sort((a, b) => b.at - a.at);
    if (!staff)
      this.mine = new Map(polls.flatMap(({ poll }) => (FIXTURE_MINE[poll] ? [[poll, FIXTURE_MINE[poll]]] : [])));
  }
  #change(poll: string, edit: (p: Poll) => Poll) {
    this.list = this.list.map((p) => (p.poll === poll ? edit(p) : p));
    return Promise.resolve(null);
  }
  async open(draft: PollDraft) {
    const counts = (n: number) => Array.from({ length: n }, () => 0);
    const sizes: Partial<Record<PollDraft['kind'], number>> = { yesNo: 2, vote: 3 };
    const made: Poll = {
      poll: `v${this.#next++}`,
      draft,
      at: this.now,
      ...(draft.secs !== undefined && { until: this.now + draft.secs * 1000 }),
      st: 'open',
      by: 'Nguyễn Thị Minh Hằng',
      answered: 0,
      eligible: this.people.length - 1,
      results: draft.items.map((item) =>
        item.choose === 'text' ? { texts: [] } : { counts: counts(sizes[draft.kind] ?? item.options.length) },
      ),
    };
    this.list = [made, ...this.list];
    return null;
  }
  async answer(poll: string, answer: OwnAnswer['answer']) {
    const first = !this.mine.has(poll);
    this.mine = new Map(this.mine).set(poll, { answer, waiting: false });
    return this.#change(poll, (p) => ({ ...p, answered: p.answered + (first ? 1 : 0) }));
  }
  close(poll: string) {
    return this.#change(poll, (p) => ({ ...p, st: 'closed' }));
  }
  show(poll: string, on: boolean) {
    return this.#change(poll, (p) => ({ ...p, st: on ? 'shown' : 'closed' }));
  }
  async drop(poll: string) {
    this.list = this.list.filter((p) => p.poll !== poll);
    return null;
  }
  async rows(poll: string, from: number) {
    const found = this.list.find((p) => p.poll === poll);
    if (!found || found.draft.anonymous) return null;
    const all = this.people.slice(1, found.answered + 1).map((p, n): PollRow => ({
      who: p.id,
      name: p.name,
      ...(p.unit !== undefined && { unit: p.unit }),
      answer: found.draft.items.map((item) => (item.choose === 'text' ? { text: 'Không có.' } : { chosen: [n % 2] })),
      ...(found.draft.kind === 'quiz' && { score: n % 3 }),
      at: this.now - n * 1000,
    }));
    return { total: all.length, list: all.slice(from, from + 100) };
  }
}

/** Messages to fewer than all. */
export function fixtureDirect(people: readonly Person[], me: Person, now: number): ChatEntry[] {
  const trainer = people.find((p) => p.role === 'trainer' && p.id !== me.id) ?? people[1];
  if (!trainer) return [];
  const entry = (n: number, from: Person, text: string, more: Partial<ChatEntry>): ChatEntry => ({
    id: `c${90 + n}`,
    from: from.id,
    name: from.name,
    role: from.role,
    text,
    at: now - (4 - n) * 61_000,
    cid: `d${n}`,
    ...more,
  });
  return [
    entry(1, me, 'Cô ơi, em vào muộn 5 phút, có cần báo lại điểm danh không ạ?', {
      to: { person: trainer.id },
      toName: trainer.name,
    }),
    entry(2, trainer, 'Không cần, giờ vào đã được ghi rồi nhé.', { to: { person: me.id }, toName: me.name }),
    entry(3, me, 'Em không nghe thấy tiếng của máy chiếu.', { to: 'support' }),
  ];
}
