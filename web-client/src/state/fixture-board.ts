// Boards of a made-up room: what is drawn stays on this page.
import type { Action, ClientFrame, ErrorCode, PersonId, ServerFrame, Shape } from '../core/proto';
import { Boards } from './boards.svelte';

interface Host {
  self(): PersonId;
  perms(): ReadonlySet<Action>;
}

export function fixtureBoards(host: Host): Boards {
  let white = 0;
  let n = 0;
  let shapes: (Shape & { board: string })[] = [];
  const give = (frame: object) => boards.take(frame as ServerFrame);
  const drop = (board: string, which: (shape: Shape) => boolean) => {
    const del = shapes.filter((one) => one.board === board && which(one)).map((one) => one.n);
    shapes = shapes.filter((one) => !del.includes(one.n));
    give({ t: 'board', board, del });
  };
  const answer = (msg: ClientFrame): ErrorCode | null => {
    switch (msg.t) {
      case 'boardShow':
        white = Math.max(white, Number(msg.board.slice(1)));
        give({ t: 'boards', boards: { white, shown: msg.board } });
        break;
      case 'boardHide':
        give({ t: 'boards', boards: { white } });
        break;
      case 'boardDraw': {
        n += 1;
        const shape = { n, by: host.self(), cid: msg.cid, fig: msg.fig };
        shapes = [...shapes, { ...shape, board: msg.board }];
        give({ t: 'board', board: msg.board, set: [shape] });
        break;
      }
      case 'boardErase':
        drop(msg.board, (shape) => msg.n.includes(shape.n));
        break;
      case 'boardClear':
        drop(msg.board, () => true);
        break;
      case 'boardUndo': {
        const last = shapes.filter((one) => one.board === msg.board).at(-1)?.n;
        if (last === undefined) return 'conflict';
        drop(msg.board, (shape) => shape.n === last);
        break;
      }
      default:
        return 'conflict';
    }
    return null;
  };
  const boards = new Boards({
    ...host,
    request: async (msg) => answer(msg),
    fetch: async (board) => ({ list: shapes.filter((one) => one.board === board), more: false }),
    send: () => true,
    nameOf: () => '',
    refused: () => undefined,
    changed: () => undefined,
  });
  return boards;
}
