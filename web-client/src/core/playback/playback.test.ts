import { describe, expect, it } from 'vitest';
import { BoardTape, layerOf } from './boards';
import { chapterAt, chaptersOf } from './chapters';
import { clockText, cutProblem, ownCuts, placeOf, readClock, trimsOf, withCut, withoutCut } from './cutting';
import { correct, type Drift } from './drift';
import { picturesOf, renewed } from './formats';
import { comingAt, runningAt, sceneAt } from './scene';
import { SearchIndex } from './search';
import type { Playback, Slide, Track } from './shapes';
import { lastAt, tidy, Timeline } from './timeline';
import { cueAt, readVtt } from './vtt';
import { MOST_SPANS, resumeAt, Watched } from './watched';

const s = (n: number) => n * 1000;
const span = (from: number, to: number) => ({ fromMs: s(from), toMs: s(to) });

/** 180 s; trimmed to 4 s, paused 40–50, cut 100–115, end trimmed from 172. */
const line = new Timeline(s(180), [span(100, 115), span(0, 4), span(40, 50), span(172, 190)]);

const track = (
  id: string,
  kind: Track['kind'],
  person: string,
  from: number,
  to: number,
  presenter = false,
): Track => ({
  ...span(from, to),
  id,
  kind,
  person,
  name: person,
  url: `/${id}?v=1`,
  mime: 'video/webm; codecs="vp8"',
  width: 640,
  height: 360,
  presenter,
});
const slide = (at: number, page: number, more: Partial<Slide> = {}): Slide => ({
  atMs: s(at),
  deck: 'd',
  page,
  url: page > 0 ? `/s/d/${page}/l.webp` : '',
  smallUrl: `/s/d/${page}/s.webp`,
  ...more,
});

describe('recording time and net time', () => {
  it('are turned into each other without the cuts', () => {
    expect(line.netMs).toBe(s(180 - 4 - 10 - 15 - 8));
    for (const [t, net] of [
      [0, 0],
      [4, 0],
      [39, 35],
      [45, 36],
      [50, 36],
      [100, 86],
      [115, 86],
      [172, 143],
      [180, 143],
    ] as const) {
      expect(line.toNet(s(t)), `${t} s`).toBe(s(net));
    }
    expect(line.toRecording(0)).toBe(s(4));
    expect(line.toRecording(s(36))).toBe(s(50));
    expect(line.toRecording(s(35.5))).toBe(s(39.5));
    expect(line.toRecording(s(86))).toBe(s(115));
  });

  it('agree wherever something is shown', () => {
    for (let t = 0; t < s(180); t += 333) {
      if (line.cutAt(t)) continue;
      expect(line.toRecording(line.toNet(t))).toBe(t);
    }
  });

  it('skip a cut to its end, and know the next one and the end', () => {
    expect(line.shownFrom(s(41))).toBe(s(50));
    expect(line.shownFrom(s(50))).toBe(s(50));
    expect(line.shownFrom(s(175))).toBe(s(180));
    expect(line.isOver(s(172))).toBe(true);
    expect(line.isOver(s(171))).toBe(false);
    expect(line.nextStop(s(60))).toBe(s(100));
    expect(line.nextStop(s(173))).toBe(s(180));
    expect(line.shownOf(span(90, 120))).toEqual([{ fromMs: s(76), toMs: s(91) }]);
    expect(line.shownOf(span(101, 110))).toEqual([]);
  });

  it('stand nonsense', () => {
    expect(tidy([span(5, 3), { fromMs: NaN, toMs: 4 }, span(1, 2), span(2, 3)], s(10))).toEqual([span(1, 3)]);
    const none = new Timeline(-5, [span(0, 5)]);
    expect([none.netMs, none.toNet(7), none.toRecording(NaN)]).toEqual([0, 0, 0]);
    expect(lastAt([], 5)).toBe(-1);
    expect(lastAt([{ atMs: 1 }, { atMs: 4 }], 3)).toBe(0);
  });
});

describe('what is on screen', () => {
  const tracks = [
    track('cam', 'camera', 'co', 2, 95, true),
    track('cam2', 'camera', 'co', 95, 180, true),
    track('other', 'camera', 'an', 60, 80),
    track('screen', 'screen', 'co', 62, 92),
  ];
  const playback = {
    tracks,
    slides: [slide(10, 1), slide(30, 2), slide(130, 0)],
  };
  const boards = new BoardTape([
    { atMs: s(50), board: 'w1', shown: true },
    { atMs: s(58), board: '', shown: true },
  ]);
  const large = (t: number, wish?: 'presenter') => {
    const scene = sceneAt(playback, boards, s(t), wish);
    return [scene.large.kind, scene.beside.map((one) => one.id).join(' ')];
  };

  it('is the screen, else board or slide, else the presenter', () => {
    expect(large(1)).toEqual(['none', '']);
    expect(large(5)).toEqual(['camera', '']);
    expect(large(12)).toEqual(['slide', 'cam']);
    expect(large(51)).toEqual(['board', 'cam']);
    expect(large(59)).toEqual(['slide', 'cam']);
    expect(large(70)).toEqual(['screen', 'cam other']);
    expect(large(96)).toEqual(['slide', 'cam2']);
    expect(large(140)).toEqual(['camera', '']);
  });

  it('has the presenter large when the viewer wants it', () => {
    expect(large(70, 'presenter')).toEqual(['camera', 'other']);
    expect(sceneAt(playback, boards, s(70), 'presenter').content.kind).toBe('screen');
  });

  it('has no picture of people or screens with sound only', () => {
    const scene = sceneAt(playback, boards, s(70), 'content', false);
    expect([scene.large.kind, scene.beside]).toEqual(['slide', []]);
  });

  it('shows one person once where segments overlap, and fetches what comes soon', () => {
    const both = [track('a', 'camera', 'co', 0, 10), track('b', 'camera', 'co', 9, 20)];
    expect(runningAt(both, s(9.5)).map((one) => one.id)).toEqual(['b']);
    expect(comingAt(tracks, s(90), 8000).map((one) => one.id)).toEqual(['cam2']);
    expect(comingAt(tracks, s(80), 8000)).toEqual([]);
  });
});

describe('boards', () => {
  const shape = (n: number) => ({ n, by: 'p1', cid: `c${n}`, fig: { kind: 'pen', ink: 'red', w: 1, p: [1, 2, 3, 4] } });
  const tape = new BoardTape([
    { atMs: s(10), board: 'w1', shown: true },
    { atMs: s(12), board: 'w1', shape: shape(1) },
    { atMs: s(13), board: 'w1', shape: shape(2) },
    { atMs: s(14), board: 'w1', hide: [1] },
    { atMs: s(16), board: 'w1', show: [1] },
    { atMs: s(11), board: layerOf('d', 2), shape: shape(7) },
    { atMs: s(17), board: 'w1', shape: { n: 9, fig: { kind: 'hologram' } } },
  ]);
  const on = (board: string, t: number) => tape.shapesAt(board, s(t)).map((one) => one.n);

  it('stand as they stood at the moment, each by itself', () => {
    expect(tape.shownAt(s(9)).board).toBe('');
    expect(tape.shownAt(s(20)).board).toBe('w1');
    expect([11, 12, 13.5, 15, 18].map((t) => on('w1', t))).toEqual([[], [1], [1, 2], [2], [1, 2]]);
    expect(on('d-2', 12)).toEqual([7]);
    expect(tape.shapesAt('w1', s(18))).toBe(tape.shapesAt('w1', s(19)));
  });
});

describe('a picture beside the sound', () => {
  const base: Drift = {
    wantMs: 10_000,
    haveMs: 10_000,
    rate: 1,
    playing: true,
    seeking: false,
    sinceMs: 9000,
    tookMs: 200,
  };

  it('is left alone when close, and nudged within 8 % when not', () => {
    expect(correct({ ...base, haveMs: 10_025 }, 1)).toEqual({ do: 'keep' });
    const late = correct({ ...base, haveMs: 9930 }, 1);
    expect(late.do === 'rate' && late.rate > 1 && late.rate <= 1.08).toBe(true);
    const early = correct({ ...base, haveMs: 10_140, rate: 2 }, 2);
    expect(early.do === 'rate' && early.rate < 2 && early.rate >= 1.84).toBe(true);
    expect(correct({ ...base, haveMs: 9995 }, 1.05)).toEqual({ do: 'rate', rate: 1 });
  });

  it('is moved when far off, ahead by what moving takes, and not twice in a row', () => {
    expect(correct({ ...base, haveMs: 9000 }, 1)).toEqual({ do: 'seek', toMs: 10_200 });
    expect(correct({ ...base, haveMs: 9000, sinceMs: 300 }, 1).do).toBe('rate');
    expect(correct({ ...base, haveMs: 9000, seeking: true }, 1)).toEqual({ do: 'keep' });
  });

  it('stands exactly where it was asked to when nothing plays', () => {
    expect(correct({ ...base, playing: false, haveMs: 10_100 }, 1)).toEqual({ do: 'seek', toMs: 10_000 });
    expect(correct({ ...base, playing: false, haveMs: 10_020 }, 1)).toEqual({ do: 'keep' });
  });

  it('comes together from any small difference', () => {
    for (const start of [-140, -60, 60, 140]) {
      let have = 10_000 + start;
      let rate = 1;
      for (let now = 0; now < 4000; now += 100) {
        const act = correct({ ...base, wantMs: 10_000 + now, haveMs: have, sinceMs: 100 }, rate);
        if (act.do === 'rate') rate = act.rate;
        have += 100 * rate;
      }
      expect(Math.abs(have - 14_000), `${start} ms`).toBeLessThan(30);
    }
  });
});

describe('chapters', () => {
  const page = (n: number, deck: string) => (deck === '' ? `Trang ${n}` : `${deck} – trang ${n}`);

  it('come from pages, without those only passed and those in a cut', () => {
    const slides = [slide(1, 1), slide(20, 2), slide(21, 3), slide(101, 4), slide(110, 5), slide(175, 6)];
    const list = chaptersOf({ chapters: [], slides }, line, page);
    expect(list.map((one) => [one.title, one.netMs / 1000])).toEqual([
      ['Trang 1', 0],
      ['Trang 3', 17],
      ['Trang 5', 86],
    ]);
    expect(list.reduce((sum, one) => sum + one.lengthMs, 0)).toBe(line.netMs);
    expect(chapterAt(list, s(30))).toBe(1);
  });

  it('name the deck where there are several, and leave out what was put away', () => {
    const slides = [slide(1, 1, { title: 'A' }), slide(20, 0, { deck: '' }), slide(30, 1, { title: 'B', deck: 'e' })];
    const list = chaptersOf({ chapters: [], slides }, line, page);
    expect(list.map((one) => one.title)).toEqual(['A – trang 1', 'B – trang 1']);
  });

  it('are the ones of the server when it names some', () => {
    const list = chaptersOf({ chapters: [{ atMs: s(10), title: 'Một' }], slides: [slide(5, 1)] }, line, page);
    expect(list).toEqual([
      { atMs: s(10), title: 'Một', netMs: s(6), lengthMs: line.netMs - s(6), smallUrl: '/s/d/1/s.webp' },
    ]);
  });
});

describe('search', () => {
  const cues = readVtt(
    '\uFEFFWEBVTT\r\n\r\nNOTE lời\r\n\r\n1\r\n00:30.000 --> 00:33.000 line:80%\r\n<v Hạnh>Đánh giá &amp; nhận xét</v>\r\n\r\n00:31.000 --> nonsense\r\nhỏng',
  );
  const index = new SearchIndex(
    {
      slides: [slide(101, 4, { text: 'Nghỉ giải lao' }), slide(60, 2, { text: 'Kiểm tra,   đánh giá thường xuyên' })],
      chat: [
        { atMs: s(70), id: '1', name: 'Đặng Thị Ái', text: 'Em có câu hỏi về đánh giá ạ' },
        { atMs: s(105), id: '2', name: 'Nam', text: 'đánh giá trong đoạn bị cắt' },
      ],
      polls: [
        { atMs: s(80), kind: 'poll', question: 'Thầy cô đã đánh giá chưa?', options: [{ text: 'Rồi', votes: 3 }] },
      ],
    },
    chaptersOf({ chapters: [{ atMs: s(20), title: 'Đánh giá' }], slides: [] }, line, String),
    cues,
    line,
  );

  it('finds without marks, in the order of time, and nothing inside a cut', () => {
    expect(index.find('DANH gia').map((one) => [one.kind, one.atMs / 1000])).toEqual([
      ['chapter', 20],
      ['caption', 30],
      ['slide', 60],
      ['chat', 70],
      ['poll', 80],
    ]);
    expect(index.find('dang ai').map((one) => one.who)).toEqual(['Đặng Thị Ái']);
    // Slides put up inside a cut are seen after it.
    expect(index.find('giai lao')[0]?.atMs).toBe(s(115));
    expect(index.find('  ')).toEqual([]);
    expect(index.find('không có chữ này')).toEqual([]);
  });

  it('marks what was found in the text as it stands', () => {
    const hits = index.find('cau hoi')[0]?.pieces ?? [];
    expect(hits.map((one) => one.text).join('')).toBe('Em có câu hỏi về đánh giá ạ');
    expect(hits.filter((one) => one.hit).map((one) => one.text)).toEqual(['câu', 'hỏi']);
  });

  it('reads captions and shows them at their time', () => {
    expect(cues).toEqual([{ fromMs: 30_000, toMs: 33_000, text: 'Đánh giá & nhận xét' }]);
    expect(cueAt(cues, 31_000)).toBe('Đánh giá & nhận xét');
    expect(cueAt(cues, 33_000)).toBe('');
  });
});

describe('what was watched', () => {
  it('is joined over repeats, not over jumps, and reported once', () => {
    const watched = new Watched();
    for (let t = 4000; t <= 20_000; t += 250) watched.at(t);
    watched.rest();
    for (let t = 10_000; t <= 25_000; t += 250) watched.at(t);
    watched.at(90_000);
    watched.at(90_500);
    expect(watched.spans).toEqual([
      { fromMs: 4000, toMs: 25_000 },
      { fromMs: 90_000, toMs: 90_500 },
    ]);
    expect(watched.percent(line)).toBe(15);
    const sent = watched.take();
    expect(sent).toEqual([
      [4000, 25_000],
      [90_000, 90_500],
    ]);
    expect(watched.take()).toEqual([]);
    watched.failed(sent);
    watched.at(91_000);
    expect(watched.take()).toEqual([
      [4000, 25_000],
      [90_000, 91_000],
    ]);
  });

  it('is reported in bounded pieces', () => {
    const watched = new Watched();
    for (let n = 0; n < MOST_SPANS + 5; n++) {
      watched.rest();
      watched.at(n * 10_000);
      watched.at(n * 10_000 + 1000);
    }
    expect(watched.take()).toHaveLength(MOST_SPANS);
    expect(watched.take()).toHaveLength(5);
  });

  it('goes on where one stopped, but not at the very beginning or end', () => {
    expect(resumeAt(line, s(60))).toBe(s(60));
    expect(resumeAt(line, s(45))).toBe(s(50));
    expect(resumeAt(line, s(9))).toBe(s(4));
    expect(resumeAt(line, s(170))).toBe(s(4));
  });
});

describe('files and browsers', () => {
  const tracks = [track('a', 'camera', 'co', 0, 10)];
  const playback: Playback = {
    id: 'r',
    title: '',
    classTitle: '',
    startedMs: 0,
    durationMs: s(180),
    cuts: [],
    sound: '/sound?v=1',
    live: true,
    tracks,
    slides: [],
    boards: [],
    chat: [],
    polls: [],
    chapters: [],
    captions: [],
    downloads: {},
    resumeMs: 0,
    urlsExpireMs: 1,
    mine: { watchedPercent: 0, canWithdraw: false },
  };

  it('choose the parts, the whole, or wait for it', () => {
    expect(picturesOf(playback, () => true)).toBe('parts');
    expect(picturesOf({ tracks, film: '/v.mp4' }, () => false)).toBe('whole');
    expect(picturesOf({ tracks }, () => false)).toBe('waiting');
    expect(picturesOf({ tracks: [] }, () => true)).toBe('none');
  });

  it('keep the addresses in use while the recording grows', () => {
    const fresh = {
      ...playback,
      durationMs: s(200),
      sound: '/sound?v=2',
      urlsExpireMs: 2,
      tracks: [{ ...tracks[0]!, url: '/a?v=2', toMs: s(20) }, track('b', 'screen', 'co', 5, 9)],
    };
    const kept = renewed(playback, fresh, true);
    expect([kept.sound, kept.tracks.map((one) => one.url), kept.durationMs, kept.urlsExpireMs]).toEqual([
      '/sound?v=1',
      ['/a?v=1', '/b?v=1'],
      s(200),
      1,
    ]);
    expect(renewed(playback, fresh, false)).toBe(fresh);
  });
});

describe('cutting', () => {
  it('joins what touches, says what it is, and can be taken back', () => {
    const cuts = withCut(withCut([], span(0, 4), s(180)), span(100, 115), s(180));
    expect(withCut(cuts, span(110, 120), s(180))).toEqual([span(0, 4), span(100, 120)]);
    expect(cuts.map((one) => placeOf(one, s(180)))).toEqual(['start', 'middle']);
    expect(trimsOf([...cuts, span(170, 180)], s(180))).toEqual(span(4, 170));
    expect(trimsOf([], s(180))).toEqual(span(0, 180));
    expect(withoutCut(cuts, 0)).toEqual([span(100, 115)]);
    expect(
      ownCuts(
        [
          { ...span(40, 50), why: 'pause' },
          { ...span(0, 4), why: 'trim' },
        ],
        s(180),
      ),
    ).toEqual([span(0, 4)]);
  });

  it('refuses what makes no sense', () => {
    const ask = (from: number, to: number, cuts = [span(0, 4)]) =>
      cutProblem(cuts, [span(40, 50)], span(from, to), s(180));
    expect(ask(20, 30)).toBeNull();
    expect(ask(30, 20)).toBe('order');
    expect(ask(20, 20.2)).toBe('short');
    expect(ask(170, 190)).toBe('outside');
    expect(ask(4, 180)).toBe('nothingLeft');
  });

  it('reads and writes times as people do', () => {
    expect([readClock('1:02:03,5'), readClock('2:03'), readClock('75'), readClock('1:75'), readClock('x')]).toEqual([
      3_723_500,
      123_000,
      75_000,
      null,
      null,
    ]);
    expect([clockText(3_723_500), clockText(123_000), clockText(59_960)]).toEqual(['1:02:03,5', '2:03', '1:00']);
  });
});
