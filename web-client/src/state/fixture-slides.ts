// A made-up server of slides and files for the fixture room; the stores are the real ones.
import type {
  Action,
  ClientFrame,
  Deck,
  DeckFault,
  DeckId,
  ErrorCode,
  FileId,
  FileItem,
  FileWay,
  PersonId,
  ServerFrame,
  Stage,
} from '../core/proto';
import { MAX_DECK_BYTES, MAX_IN_BYTES, MAX_OUT_BYTES } from '../core/files/limits';
import { Files } from './files.svelte';
import { Slides } from './slides.svelte';
import { Uploads, type SendFile } from './uploads.svelte';

export interface FixtureSharing {
  /** A page on the stage: `deck:page`, for example `d1:3`. */
  stage: string | null;
  /** Page looked at alone. */
  alone: string | null;
  /** Uploads in all their states. */
  uploads: boolean;
  /** Decks that failed, with the reason. */
  fault: DeckFault | null;
  /** Somebody points at the page. */
  pointing: boolean;
  /** There are no decks and files yet. */
  bare: boolean;
}

export const NO_SHARING: FixtureSharing = {
  stage: null,
  alone: null,
  uploads: false,
  fault: null,
  pointing: false,
  bare: true,
};

interface Host {
  now: number;
  self(): PersonId;
  nameOf(who: PersonId): string;
  perms(): ReadonlySet<Action>;
}

/** Pages come from the development server (vite.config.ts). */
function makeDeck(n: number, name: string, pages: number, host: Host, more: Partial<Deck> = {}): Deck {
  const mine = n !== 2;
  return {
    deck: `d${n}` as DeckId,
    name,
    st: { is: 'ready' },
    pages,
    w: 960,
    h: n === 3 ? 720 : 540,
    url: `/s/fixture-${n}`,
    review: 'reviewed',
    by: mine ? host.self() : ('p2' as PersonId),
    byName: mine ? host.nameOf(host.self()) : 'Trần Đình Đức',
    at: host.now - 600_000 + n * 1000,
    ...more,
  };
}

function makeFile(n: number, way: FileWay, name: string, bytes: number, by: string, host: Host): FileItem {
  return {
    file: `f${n}` as FileId,
    way,
    name,
    bytes,
    by: by as PersonId,
    byName: host.nameOf(by as PersonId),
    at: host.now - n * 97_000,
    url: `/f/fixture-${n}`,
  };
}

export function fixtureSharing(o: FixtureSharing, host: Host): { slides: Slides; files: Files; start(): void } {
  let stage: Stage | undefined;
  let next = 100;
  const give = (frame: object) => {
    slides.take(frame as ServerFrame);
    files.take(frame as ServerFrame);
  };
  const answer = (msg: ClientFrame): ErrorCode | null => {
    switch (msg.t) {
      case 'slideShow':
        stage = { deck: msg.deck, page: msg.page };
        give({ t: 'stage', stage });
        return null;
      case 'slideHide':
        stage = undefined;
        give({ t: 'stage' });
        return null;
      case 'deckSet': {
        const deck = slides.deck(msg.deck);
        if (!deck) return 'not_found';
        const { review = deck.review, licence = deck.licence, owner = deck.owner } = msg;
        give({
          t: 'deck',
          deck: { ...deck, review, ...(licence !== undefined && { licence }), ...(owner !== undefined && { owner }) },
        });
        return null;
      }
      case 'deckDrop':
        give({ t: 'deckGone', deck: msg.deck });
        return null;
      case 'fileDrop':
        give({ t: 'fileGone', file: msg.file });
        return null;
      default:
        return null;
    }
  };
  // Uploads of the looks stand still; those made by hand arrive.
  const send: SendFile = ({ url, file, onsent, signal }) =>
    new Promise((resolve) => {
      let sent = 0;
      const timer = setInterval(() => {
        const still = o.uploads && sent >= file.size * 0.6;
        sent = Math.min(file.size, sent + file.size / 10);
        if (still) return;
        onsent(sent);
        if (sent < file.size) return;
        clearInterval(timer);
        const name = decodeURIComponent(/name=([^&]*)/u.exec(url)?.[1] ?? '');
        const n = next++;
        const value = url.includes('/files')
          ? { file: makeFile(n, url.includes('way=out') ? 'out' : 'in', name, file.size, host.self(), host) }
          : { deck: makeDeck(n, name, 12, host, { review: 'draft', url: '/s/fixture-1' }) };
        resolve({ ok: true, value: value as never });
      }, 80);
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        resolve({ ok: false, code: 'aborted' });
      });
    });
  const uploads = new Uploads({
    token: () => '',
    send,
    arrived: (way, value) => (way === 'deck' ? slides : files).arrived(value),
    online: () => Promise.resolve(),
  });
  const sharing = { request: async (msg: ClientFrame) => answer(msg), perms: host.perms, self: host.self, uploads };
  const slides = new Slides({
    ...sharing,
    send: () => true,
    nameOf: host.nameOf,
    most: MAX_DECK_BYTES,
    refused: () => undefined,
    changed: () => undefined,
  });
  const files = new Files({ ...sharing, most: { out: MAX_OUT_BYTES, in: MAX_IN_BYTES } });

  const start = () => {
    if (o.bare) return;
    const at = (text: string): Stage => {
      const [deck, page] = text.split(':');
      return { deck: deck as DeckId, page: Number(page ?? 1) };
    };
    const decks = [
      makeDeck(1, 'Chương trình giáo dục phổ thông – Bài 3.pptx', 24, host, {
        licence: 'CC BY-SA 4.0',
        owner: 'Sở GDĐT Hà Nội',
      }),
      makeDeck(2, 'Phụ lục: Ma trận đề kiểm tra định kỳ môn Ngữ văn lớp 6, 7, 8, 9 năm học 2026–2027.pdf', 500, host, {
        review: 'pending',
      }),
      makeDeck(3, 'Sơ đồ lớp học.png', 1, host, { review: 'draft' }),
    ];
    if (o.uploads) {
      decks.push(
        makeDeck(4, 'Kế hoạch bài dạy.docx', 0, host, { st: { is: 'queued' }, review: 'draft' }),
        makeDeck(5, 'Bài giảng điện tử.pptx', 0, host, {
          st: { is: 'converting', done: 7, total: 42 },
          review: 'draft',
        }),
      );
    }
    if (o.fault)
      decks.push(makeDeck(6, 'Đề cương.pdf', 0, host, { st: { is: 'failed', why: o.fault }, review: 'draft' }));
    stage = o.stage === null ? undefined : at(o.stage);
    const staff = host.perms().has('handOut');
    const me = host.self();
    give({
      t: 'state',
      decks,
      ...(stage && { stage }),
      files: [
        makeFile(1, 'out', 'Phiếu học tập số 1.docx', 48_213, 'p1', host),
        makeFile(2, 'out', 'Hướng dẫn chấm và ma trận đặc tả đề kiểm tra cuối học kỳ I.pdf', 3_482_113, 'p2', host),
      ],
    });
    give({
      t: 'filesMine',
      list: staff
        ? [
            makeFile(3, 'in', 'Bài thu hoạch – Huyền Trang.docx', 91_204, 'p5', host),
            makeFile(4, 'in', 'bai nop.pdf', 1_204_881, 'p3', host),
            makeFile(5, 'in', 'Kế hoạch bài dạy nhóm 2.zip', 20_480_000, 'p6', host),
          ]
        : [makeFile(3, 'in', 'Bài thu hoạch.docx', 91_204, me, host)],
    });
    if (o.alone !== null) {
      const own = at(o.alone);
      slides.open(own.deck, own.page);
    }
    if (o.uploads) {
      const file = (name: string, bytes: number) => new File([new Uint8Array(bytes)], name);
      slides.upload([file('Chuyên đề đổi mới phương pháp.pptx', 4_200_000), file('Tranh minh họa.png', 900_000)]);
      files.upload([file('Danh sách nhóm.xlsx', 300_000)], staff ? 'out' : 'in');
    }
    if (o.pointing && stage) {
      const { page } = stage;
      const point = () => give({ t: 'slidePoint', who: 'p1', page, x: 3400, y: 4700 });
      point();
      setInterval(point, 1000);
    }
  };
  return { slides, files, start };
}
