// The store of shared notes, several of them on one made-up server: they end with the same text, and nothing is lost.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientFrame, ErrorCode, NoteEdit, ServerFrame } from '../core/proto';
import { after, apply, type Op } from '../core/notes/op';
import { Notes } from './notes.svelte';

type Edit = Extract<ClientFrame, { t: 'notesEdit' }>;

/** As the room: numbers edits, carries late ones, knows the last of each author. */
class Server {
  text = '';
  edits: NoteEdit[] = [];
  last = new Map<string, string>();
  clients: Client[] = [];
  clock = 0;

  take(who: string, { cid, rev, op }: Edit): ErrorCode | null {
    if (this.last.get(who) === cid) return null;
    const now = this.edits.slice(rev).reduce<Op>((mine, one) => after(mine, one.op), op);
    this.text = apply(now, this.text);
    this.last.set(who, cid);
    const edit: NoteEdit = { rev: this.edits.length + 1, who, name: who, cid, at: (this.clock += 1), op: [...now] };
    this.edits.push(edit);
    for (const client of this.clients) client.hear({ t: 'notes', edit, seq: edit.rev } as ServerFrame);
    return null;
  }
}

/** A screen with a way to the server that may be slow or cut. */
class Client {
  readonly notes: Notes;
  readonly inbox: ServerFrame[] = [];
  readonly outbox: { msg: Edit; answer(code: ErrorCode | null): void }[] = [];
  refused: ErrorCode[] = [];
  moves = 0;
  constructor(
    readonly server: Server,
    readonly who: string,
    readonly may = true,
  ) {
    this.notes = new Notes({
      request: (msg) => new Promise((answer) => this.outbox.push({ msg: msg as Edit, answer })),
      fetch: async (from) => {
        const rev = server.edits.length;
        const mine = server.last.get(who);
        const by = server.edits.slice(-1).map(({ who, name, at }) => ({ who, name, at }));
        const page = { rev, by, ...(mine !== undefined && { mine }) };
        return from === null || from > rev
          ? { ...page, text: server.text }
          : { ...page, ops: server.edits.slice(from) };
      },
      may: () => this.may,
      self: () => who,
      refused: (code) => this.refused.push(code),
    });
    this.notes.onmove(() => (this.moves += 1));
    server.clients.push(this);
  }
  hear(frame: ServerFrame): void {
    this.inbox.push(frame);
  }
  /** Lets through what came, and what is to go. */
  down(n = Infinity): void {
    for (const frame of this.inbox.splice(0, n)) this.notes.take(frame);
  }
  up(code?: ErrorCode, taken = true): void {
    for (const { msg, answer } of this.outbox.splice(0)) {
      const reply = taken ? this.server.take(this.who, msg) : null;
      answer(code ?? reply);
    }
  }
  state(): void {
    this.inbox.length = 0;
    this.notes.take({ t: 'state', notes: this.server.edits.length, seq: 1 } as unknown as ServerFrame);
  }
}

let server: Server;
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

async function open(...names: string[]): Promise<Client[]> {
  const clients = names.map((who) => new Client(server, who));
  for (const client of clients) client.notes.look();
  await settle();
  return clients;
}

async function exchange(clients: Client[], rounds = 6): Promise<void> {
  for (let n = 0; n < rounds; n += 1) {
    await settle(1_200);
    for (const client of clients) client.up();
    await settle();
    for (const client of clients) client.down();
    await settle(200);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
});
afterEach(() => {
  for (const client of server.clients) client.notes.stop();
  vi.useRealTimers();
});

describe('writing', () => {
  it('is gathered for a second and kept when the room has it', async () => {
    const [an] = (await open('an')) as [Client];
    an.notes.write('M');
    an.notes.write('Mộ');
    an.notes.write('Một');
    expect([an.outbox.length, an.notes.saved]).toEqual([0, false]);
    await settle(1_000);
    expect(an.outbox[0]?.msg).toMatchObject({ rev: 0, op: ['Một'] });
    an.up();
    await settle();
    expect(an.notes.saved).toBe(false);
    an.down();
    expect([an.notes.saved, server.text, an.notes.authors[0]?.who]).toEqual([true, 'Một', 'an']);
    // Whoever turns to something else need not wait.
    an.notes.write('Một hai');
    an.notes.pause();
    expect(an.outbox[0]?.msg).toMatchObject({ rev: 1, op: [3, ' hai'] });
  });

  it('of two at once ends as one text, and the place of writing follows', async () => {
    const both = (await open('an', 'ba')) as [Client, Client];
    both[0].notes.write('Đầu ');
    both[1].notes.write('cuối');
    await exchange(both);
    expect(both.map((one) => one.notes.text)).toEqual([server.text, server.text]);
    expect(server.text).toBe('Đầu cuối');
    expect(both[1].moves).toBe(1);
  });

  it('outlives an answer that was lost, without being written twice', async () => {
    const [an] = (await open('an')) as [Client];
    an.notes.write('một');
    await settle(1_000);
    an.up('busy');
    await settle(1_000);
    an.up();
    await exchange([an]);
    expect([server.text, an.notes.text, an.notes.saved]).toEqual(['một', 'một', true]);
    an.notes.write('một hai');
    await settle(1_000);
    an.up('busy', false);
    await exchange([an]);
    expect(server.text).toBe('một hai');
  });

  it('comes over the whole state after a long cut', async () => {
    const both = (await open('an', 'ba')) as [Client, Client];
    both[0].notes.write('một ba');
    await exchange(both);
    // An edit arrives, but neither its answer nor the broadcast; then more is written.
    both[0].notes.write('một hai ba');
    await settle(1_000);
    both[0].up('busy');
    both[0].notes.write('một hai ba bốn');
    both[1].down();
    await settle(200);
    both[1].notes.write(`# ${both[1].notes.text}`);
    await settle(1_000);
    both[1].up();
    both[0].state();
    await exchange(both);
    expect(both.map((one) => one.notes.text)).toEqual([server.text, server.text]);
    expect(server.text).toBe('# một hai ba bốn');
  });

  it('that was told but not kept when the server died is written again', async () => {
    const [an] = (await open('an')) as [Client];
    an.notes.write('một');
    await exchange([an]);
    an.notes.write('một hai');
    await settle(1_000);
    const { answer } = an.outbox[0] ?? { answer: () => undefined };
    server.take('an', an.outbox[0]?.msg as Edit);
    an.down();
    an.outbox.length = 0;
    // The server comes back without the last edit.
    server.edits.pop();
    server.text = 'một';
    server.last.set('an', server.edits[0]?.cid ?? '');
    an.state();
    await settle(200);
    answer('busy');
    await exchange([an]);
    expect([server.text, an.notes.text]).toEqual(['một hai', 'một hai']);
  });

  it('of others that was told but not kept is gone, and nobody takes another edit for it', async () => {
    const all = (await open('an', 'ba', 'ca')) as [Client, Client, Client];
    all[0].notes.write('một');
    await exchange(all);
    // All hear of an edit that the server loses.
    all[0].notes.write('một hai');
    await settle(1_000);
    const lost = all[0].outbox.splice(0)[0];
    server.take('an', lost?.msg as Edit);
    for (const client of all) client.down();
    await settle(200);
    expect(all[2].notes.text).toBe('một hai');
    server.edits.pop();
    server.text = 'một';
    server.last.set('an', server.edits[0]?.cid ?? '');
    // Somebody is back before the others and writes: the number is given once more.
    all[1].state();
    await settle(200);
    expect(all[1].notes.text).toBe('một');
    all[1].notes.write('# một');
    await exchange([all[1]]);
    expect(server.edits.length).toBe(2);
    all[2].state();
    all[0].state();
    lost?.answer('busy');
    await exchange(all);
    expect(server.text).toBe('# một hai');
    expect(all.map((one) => one.notes.text)).toEqual([server.text, server.text, server.text]);
  });

  it('goes back to what the room has when it is refused', async () => {
    const [an] = (await open('an')) as [Client];
    an.notes.write('một');
    await settle(1_000);
    an.up('forbidden', false);
    await settle();
    expect([an.notes.text, an.refused, an.notes.saved]).toEqual(['', ['forbidden'], true]);
  });

  it('is cut into edits that the room takes, and holds nothing unseen', async () => {
    const [an] = (await open('an')) as [Client];
    const turned = String.fromCodePoint(0x202e);
    expect(an.notes.write(`a\r\nb${turned}c\u0007`)).toBe('a\nbc');
    // Half of a character is no text, and no message could hold it.
    expect(an.notes.write('a\ud83d b😀\ude00')).toBe('a b😀');
    const long = 'ệ'.repeat(11_000);
    an.notes.write(long);
    await exchange([an], 8);
    expect([server.text === long, server.edits.length, an.notes.saved]).toEqual([true, 3, true]);
  });
});

describe('what others write', () => {
  it('waits while a letter is being composed, and for a moment after each key', async () => {
    const both = (await open('an', 'ba')) as [Client, Client];
    both[0].notes.write('xin');
    await settle(1_000);
    both[0].up();
    both[1].notes.compose(true);
    both[1].notes.write('ti');
    both[1].down();
    await settle(5_000);
    expect([both[1].notes.text, both[1].outbox.length]).toEqual(['ti', 0]);
    both[1].notes.write('tiế');
    both[1].notes.compose(false);
    expect(both[1].notes.text).toBe('tiế');
    await settle(150);
    expect(both[1].notes.text).toBe('xintiế');
    await exchange(both);
    expect(both.map((one) => one.notes.text)).toEqual(['xintiế', 'xintiế']);
  });

  it('is followed only once the notes were looked at', async () => {
    const [an] = (await open('an')) as [Client];
    const ba = new Client(server, 'ba');
    an.notes.write('một');
    await exchange([an, ba]);
    expect([ba.notes.loaded, ba.notes.latest, ba.notes.text]).toEqual([false, 1, '']);
    ba.notes.look();
    await settle();
    expect(ba.notes.text).toBe('một');
  });

  it('ends the same everywhere, whatever is slow or cut', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      let state = seed;
      const roll = (n: number) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * n);
      };
      server = new Server();
      const clients = await open('an', 'ba', 'ca');
      const written: string[] = [];
      for (let n = 0; n < 30; n += 1) {
        const client = clients[roll(3)] as Client;
        const { text } = client.notes;
        switch (roll(7)) {
          case 0:
          case 1: {
            const at = roll(text.length + 1);
            const word = `<${n}>`;
            written.push(word);
            client.notes.write(text.slice(0, at) + word + text.slice(at));
            break;
          }
          case 2: {
            // Takes away a line end or space only, so that each word must be found at the end.
            const at = roll(text.length + 1);
            client.notes.write(`${text.slice(0, at)} ${text.slice(at)}`.replace(/ {2}/u, ''));
            break;
          }
          case 3:
            client.up();
            break;
          case 4:
            client.up('busy', roll(2) === 0);
            break;
          case 5:
            client.down(1 + roll(3));
            break;
          default:
            if (roll(3) === 0) client.state();
        }
        await settle(roll(1_500));
      }
      for (const client of clients) client.state();
      await exchange(clients, 8);
      const texts = clients.map((one) => one.notes.text);
      expect(texts, `seed ${seed}`).toEqual([server.text, server.text, server.text]);
      expect(clients.every((one) => one.notes.saved)).toBe(true);
      // Each letter that was written is there as often as it was written.
      const count = (text: string, c: string) => text.split(c).length - 1;
      for (const c of '<>0123456789')
        expect(count(server.text, c), `seed ${seed} ${c}`).toBe(count(written.join(''), c));
      for (const client of clients) client.notes.stop();
    }
  });
});
