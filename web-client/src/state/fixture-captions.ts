// Captions of a made-up room: what is typed stays on this page.
import type { Action, Caption, PersonId, ServerFrame } from '../core/proto';
import { Captions } from './captions.svelte';

interface Host {
  self(): PersonId;
  perms(): ReadonlySet<Action>;
  now: number;
  /** Hands the task over. */
  hand(who: PersonId, on: boolean): void;
}

const SAID = [
  'Chào các thầy cô, hôm nay chúng ta tiếp tục chuyên đề kiểm tra, đánh giá.',
  'Phần thứ nhất nói về câu hỏi mở trong đề Ngữ văn.',
  'Thầy cô xem ví dụ ở trang mười hai.',
];

export function fixtureCaptions(host: Host): Captions {
  const line = (n: number, text: string, cid: string, who: PersonId, to: number): Caption => ({
    n,
    lang: 'vi',
    who,
    name: 'Lê Thị Thư',
    text,
    from: to - 4_000,
    to,
    cid,
  });
  let n = 0;
  const captions = new Captions({
    ...host,
    now: () => performance.now(),
    request: async (msg) => {
      if (msg.t === 'modCaptioner') host.hand(msg.who, msg.on);
      else if (msg.t === 'captionLine') {
        n += 1;
        const c = { ...line(n, msg.text, msg.cid, host.self(), host.now), lang: msg.lang };
        captions.take({ t: 'caption', c, seq: n } as ServerFrame);
      }
      return null;
    },
    fetch: async () => ({ list: [], more: false }),
    send: () => true,
    refused: () => undefined,
    save: async () => null,
  });
  for (const text of SAID) {
    n += 1;
    captions.take({
      t: 'caption',
      c: line(n, text, `c${n}`, 'p9', host.now - (4 - n) * 9_000),
      seq: n,
    } as ServerFrame);
  }
  return captions;
}
