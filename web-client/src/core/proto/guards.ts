// Shape checks of the messages on which everything else hangs. A frame that fails
// is treated as an unknown message: its `seq` still counts, its content is ignored.
// Unknown fields pass; the closed sets of codes and kinds are not checked here, so
// that a newer server's additions do not cut an older client off.
import * as v from 'valibot';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const optional = <T extends v.GenericSchema>(schema: T) => v.optional(schema);

const track = v.looseObject({ k: text, kind: text, st: text });

export const personGuard = v.looseObject({
  id: text,
  name: text,
  unit: optional(text),
  role: text,
  link: text,
  floor: optional(v.boolean()),
  hand: optional(v.number()),
  tracks: v.array(track),
  site: optional(text),
  hall: optional(count),
  group: optional(count),
  standsFor: optional(text),
  captions: optional(v.boolean()),
});

const youGuard = v.looseObject({
  person: text,
  name: text,
  role: text,
  perms: v.array(text),
  floor: v.boolean(),
  group: optional(count),
  notes: optional(text),
  token: optional(text),
});

const roomGuard = v.looseObject({
  room: text,
  title: text,
  host: text,
  mode: text,
  locked: v.boolean(),
  recording: optional(
    v.looseObject({
      by: text,
      who: text,
      why: text,
      keep: text,
      since: v.number(),
      recording: optional(text),
      state: optional(text),
      whom: optional(text),
      ask: optional(text),
      notice: optional(count),
      fromStart: optional(v.boolean()),
    }),
  ),
  startedAt: v.number(),
  phase: text,
  lessonAt: optional(v.number()),
  breakUntil: optional(v.number()),
  startsAt: optional(v.number()),
  endsAt: optional(v.number()),
  waiting: v.boolean(),
  permits: v.record(v.string(), v.boolean()),
  slowSec: v.number(),
  spotlight: optional(v.array(text)),
  speechKbps: optional(v.number()),
  overload: optional(text),
});

const groupsGuard = v.looseObject({
  open: v.boolean(),
  by: text,
  until: optional(v.number()),
  list: v.array(v.looseObject({ n: count, name: text, people: count })),
});

const countsGuard = v.looseObject({
  total: count,
  people: count,
  staff: count,
  learners: count,
  guests: count,
  hands: count,
});

const midsGuard = v.looseObject({
  mic: optional(text),
  camera: optional(text),
  screen: optional(text),
  screenAudio: optional(text),
  a: v.array(text),
  v: v.array(text),
  s: v.array(text),
});

const answerGuard = v.looseObject({ sdp: text, mids: midsGuard });

const chatGuard = v.looseObject({
  id: text,
  from: text,
  name: text,
  role: text,
  text,
  at: v.number(),
  cid: text,
});

const waiterGuard = v.looseObject({
  who: text,
  name: text,
  unit: optional(text),
  role: text,
  since: v.number(),
  link: text,
  site: optional(text),
});

const handGuard = v.looseObject({ who: text, name: text, at: v.number() });

const deckGuard = v.looseObject({
  deck: text,
  name: text,
  st: v.looseObject({ is: text, done: optional(count), total: optional(count), why: optional(text) }),
  pages: count,
  w: count,
  h: count,
  // A path of this server, never another's.
  url: v.pipe(text, v.regex(/^\/(?!\/)/u)),
  review: text,
  licence: optional(text),
  owner: optional(text),
  by: text,
  byName: text,
  at: v.number(),
});

const stageGuard = v.looseObject({ deck: text, page: count });

const fileGuard = v.looseObject({
  file: text,
  way: text,
  name: text,
  bytes: count,
  by: text,
  byName: text,
  at: v.number(),
  url: v.pipe(text, v.regex(/^\/(?!\/)/u)),
});

const captionGuard = v.looseObject({
  n: count,
  lang: text,
  who: text,
  name: text,
  text,
  from: v.number(),
  to: v.number(),
  cid: text,
});

const noteEditGuard = v.looseObject({
  rev: count,
  who: text,
  name: text,
  cid: text,
  at: v.number(),
  op: v.array(v.union([v.number(), text])),
});

export const guards: Record<string, v.GenericSchema> = {
  welcome: v.looseObject({
    proto: count,
    session: text,
    key: text,
    you: youGuard,
    room: roomGuard,
    limits: v.looseObject({ frame: count, chat: count, resumeMs: count }),
    ping: v.looseObject({ every: count, timeout: count }),
    now: v.number(),
    answer: optional(answerGuard),
  }),
  waiting: v.looseObject({
    proto: count,
    you: youGuard,
    room: roomGuard,
    since: v.number(),
    ping: v.looseObject({ every: count, timeout: count }),
    now: v.number(),
  }),
  state: v.looseObject({
    seq: count,
    counts: countsGuard,
    people: v.array(personGuard),
    sampled: v.boolean(),
    hands: v.array(handGuard),
    chat: v.array(chatGuard),
    moreChat: v.boolean(),
    groups: optional(groupsGuard),
    decks: optional(v.array(deckGuard)),
    stage: optional(stageGuard),
    files: optional(v.array(fileGuard)),
    captions: optional(v.array(captionGuard)),
    notes: optional(count),
  }),
  notes: v.looseObject({ of: optional(text), edit: noteEditGuard }),
  notesList: v.looseObject({ list: v.array(v.looseObject({ of: text, name: text, at: v.number() })) }),
  notesPage: v.looseObject({
    of: optional(text),
    rev: count,
    text: optional(text),
    ops: optional(v.array(noteEditGuard)),
    by: optional(v.array(v.looseObject({ who: text, name: text, at: v.number() }))),
    mine: optional(text),
  }),
  caption: v.looseObject({ c: captionGuard }),
  captionLive: v.looseObject({ who: text, lang: text, text }),
  captionPage: v.looseObject({ list: v.array(captionGuard), more: v.boolean() }),
  groups: v.looseObject({ groups: optional(groupsGuard) }),
  groupsSaid: v.looseObject({ text, by: text }),
  resumed: v.looseObject({ key: text, from: count, you: youGuard }),
  answer: answerGuard,
  bind: v.looseObject({
    rev: count,
    v: optional(
      v.array(
        v.looseObject({
          mid: text,
          k: optional(text),
          st: text,
          why: optional(text),
          lay: optional(count),
          rtpTs: optional(count),
        }),
      ),
    ),
    a: optional(v.array(v.looseObject({ mid: text, k: optional(text) }))),
  }),
  layers: v.looseObject({ camera: optional(v.array(text)), screen: optional(v.array(text)) }),
  levels: v.looseObject({ l: v.array(v.tuple([text, v.number()])) }),
  people: v.looseObject({
    counts: countsGuard,
    add: optional(v.array(personGuard)),
    chg: optional(v.array(personGuard)),
    del: optional(v.array(text)),
  }),
  hands: v.looseObject({ list: v.array(handGuard) }),
  chat: v.looseObject({ m: chatGuard }),
  you: youGuard,
  room: roomGuard,
  lobby: v.looseObject({ total: count, list: v.array(waiterGuard) }),
  lobbyPage: v.looseObject({ total: count, list: v.array(waiterGuard) }),
  check: v.looseObject({ check: text, until: v.number() }),
  checkResult: v.looseObject({
    check: text,
    at: v.number(),
    until: v.number(),
    asked: count,
    answered: count,
    over: v.boolean(),
  }),
  deck: v.looseObject({ deck: deckGuard }),
  deckGone: v.looseObject({ deck: text }),
  stage: v.looseObject({ stage: optional(stageGuard) }),
  slidePoint: v.looseObject({ who: text, page: count, x: optional(count), y: optional(count) }),
  file: v.looseObject({ file: fileGuard }),
  filesMine: v.looseObject({ list: v.array(fileGuard) }),
  fileGone: v.looseObject({ file: text }),
  recordDesk: v.looseObject({
    unable: optional(text),
    plan: optional(v.looseObject({ by: text, who: text, why: text, keep: text, auto: v.boolean() })),
    ask: text,
    alarms: optional(
      v.array(
        v.looseObject({
          at: v.number(),
          what: text,
          from: optional(v.number()),
          to: optional(v.number()),
          left: optional(v.number()),
        }),
      ),
    ),
  }),
  recordMine: v.looseObject({ notice: count, accept: v.boolean() }),
  unrecorded: v.looseObject({ list: v.array(text) }),
  bye: v.looseObject({
    action: v.picklist(['resume', 'rejoin', 'stop']),
    code: optional(text),
    after: optional(count),
  }),
};

const envelope = v.looseObject({ t: text, seq: optional(count), id: optional(count) });

/** What a frame turned out to be. */
export type Checked =
  | { ok: true; frame: Record<string, unknown> & { t: string; seq?: number; id?: number } }
  | { ok: false; seq?: number; id?: number };

/** Checks a decoded frame against the guard of its message. */
export function checkFrame(value: unknown): Checked {
  const outer = v.safeParse(envelope, value);
  if (!outer.success) return { ok: false };
  const { t, seq, id } = outer.output;
  const numbers = { ...(seq !== undefined && { seq }), ...(id !== undefined && { id }) };
  const guard = Object.hasOwn(guards, t) ? guards[t] : undefined;
  if (guard && !v.is(guard, value)) return { ok: false, ...numbers };
  return { ok: true, frame: { ...(value as object), t, ...numbers } };
}
