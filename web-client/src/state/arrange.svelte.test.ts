// Groups, arrangement and the way back, over a link whose server is played by the test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Capture } from '../core/media/capture';
import { FakeSocket, state, welcome, you } from '../core/net/fake-socket';
import { intervalTicker } from '../core/net/ticker';
import type { ClientFrame, GroupNo, Person } from '../core/proto';
import type { Peer } from '../core/rtc/peer';
import { RoomSession } from '../core/session';
import { Devices } from './devices.svelte';
import { ANSWER, camera, counts, FakePeer, FakeTrack, person } from './fake-room';
import { Room } from './room.svelte';

let peers: FakePeer[];
let devices: Devices;
let session: RoomSession;
let room: Room;
let seq: number;

const settle = () => vi.advanceTimersByTimeAsync(300);
const getUserMedia = vi.fn();
const listeners = new Map<string, () => void>();
const media = {
  getUserMedia,
  enumerateDevices: () => Promise.resolve([]),
  addEventListener: (event: string, listener: () => void) => listeners.set(event, listener),
  removeEventListener: () => undefined,
};
const STAFF = ['speak', 'showCamera', 'chat', 'raiseHand', 'groups', 'arrange', 'setRole'];

async function enter(people: Person[], o: { mode?: string; wall?: boolean; own?: object } = {}) {
  session = new RoomSession({
    token: 't',
    profile: 'seat',
    slots: { a: 5, v: 9, s: 1 },
    offerAfterWelcome: false,
    audio: devices.audio,
    hello: { client: { app: 'test', ver: '0', browser: 'x/1', class: 'desk', caps: [] }, lang: 'vi' },
    link: { connect: () => new FakeSocket(), ticker: intervalTicker, now: () => Date.now(), random: () => 0 },
    makePeer: () => {
      const peer = new FakePeer();
      peers.push(peer);
      return peer as unknown as Peer;
    },
  });
  vi.spyOn(devices.audio, 'bind').mockImplementation(() => undefined);
  const wall = o.wall ? { a: 5, v: 25, s: 1 } : null;
  session.on('welcome', ({ welcome: w }) => {
    room ??= new Room({ session, devices, listenOnly: false, welcome: w, classSession: 'b1', wall });
  });
  session.start();
  FakeSocket.last.open();
  await settle();
  const base = welcome();
  FakeSocket.last.give(
    welcome({
      you: you({ perms: STAFF, ...o.own }),
      room: { ...(base.room as object), mode: o.mode ?? 'discussion' },
      answer: ANSWER,
    }),
  );
  seq = 10;
  FakeSocket.last.give(state(seq, { people, counts: counts(people.length) }));
  peers.at(-1)?.go('connected');
  await settle();
}

async function give(frame: object) {
  seq += 1;
  FakeSocket.last.give({ ...frame, seq });
  await settle();
}
const sent = <T extends ClientFrame['t']>(t: T) => FakeSocket.last.of(t);
const kinds = () => room.notices.map((n) => n.kind);
const shown = () => room.grid.map((tile) => tile.person.id).sort();
const inGroup = (id: string, n: number | undefined, more: Partial<Person> = {}) => ({
  ...camera(id),
  ...(n !== undefined && { group: n as GroupNo }),
  ...more,
});
const roomFrame = (more: object) => ({ t: 'room', ...(welcome().room as object), ...more });
const GROUPS = {
  open: true,
  by: 'random',
  until: 1_600_000,
  list: [
    { n: 1, name: 'Nhóm 1', people: 2 },
    { n: 2, name: 'Nhóm 2', people: 2 },
  ],
};

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.all = [];
  peers = [];
  localStorage.clear();
  listeners.clear();
  room = undefined as unknown as Room;
  getUserMedia.mockReset();
  getUserMedia.mockImplementation((want: { audio: unknown; video: unknown }) =>
    Promise.resolve({
      getAudioTracks: () => (want.audio ? [new FakeTrack('audio')] : []),
      getVideoTracks: () => (want.video ? [new FakeTrack('video')] : []),
    }),
  );
  vi.stubGlobal(
    'MediaStream',
    class {
      constructor(readonly tracks: unknown[] = []) {}
      getVideoTracks() {
        return this.tracks;
      }
      getTracks() {
        return this.tracks;
      }
    },
  );
  devices = new Devices(new Capture({ width: 1280, media: media as unknown as MediaDevices }));
});
afterEach(async () => {
  await room?.leave();
  session?.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('breakout groups', () => {
  const everybody = [person('p1'), camera('p2'), camera('p3'), camera('p4')];

  it('show only the people of the own group, and everybody again afterwards', async () => {
    await enter(everybody);
    room.layout = 'gallery';
    room.setPageSize(9);
    expect(shown()).toEqual(['p1', 'p2', 'p3', 'p4']);
    await give({ t: 'groups', groups: GROUPS });
    await give({
      t: 'people',
      counts: counts(4),
      chg: [inGroup('p1', 2, { tracks: [] }), inGroup('p2', 2), inGroup('p3', 1), inGroup('p4', 1)],
    });
    FakeSocket.last.give({ t: 'you', ...you({ perms: STAFF, group: 2 }) });
    await settle();
    expect(room.groups.mine?.name).toBe('Nhóm 2');
    expect(shown()).toEqual(['p1', 'p2']);
    expect(room.people).toHaveLength(4);
    expect(room.notices.find((n) => n.kind === 'grouped')?.text).toBe('Nhóm 2');
    // Somebody of another group is not on the stage, however loud the level that still comes.
    FakeSocket.last.give({ t: 'levels', l: [['p3', 20]] });
    await settle();
    expect(room.activeSpeaker).toBeNull();
    expect(room.speaking.has('p3')).toBe(false);

    await give({ t: 'groups' });
    FakeSocket.last.give({ t: 'you', ...you({ perms: STAFF }) });
    await give({ t: 'people', counts: counts(4), chg: everybody });
    expect(shown()).toEqual(['p1', 'p2', 'p3', 'p4']);
    expect(kinds()).toContain('groupsOver');
    expect(room.groups.mine).toBeNull();
  });

  it('neither ask for a device nor make a connection anew on the way in and out', async () => {
    await devices.start({ mic: true, camera: true });
    await enter(everybody);
    const asked = getUserMedia.mock.calls.length;
    const pubs = sent('pub').length;
    await give({ t: 'groups', groups: GROUPS });
    for (const group of [2, 1, undefined]) {
      FakeSocket.last.give({ t: 'you', ...you({ perms: STAFF, ...(group !== undefined && { group }) }) });
      await settle();
    }
    await give({ t: 'groups' });
    expect(getUserMedia.mock.calls.length).toBe(asked);
    expect(peers).toHaveLength(1);
    expect(sent('pub')).toHaveLength(pubs);
    expect(sent('offer')).toHaveLength(0);
    expect([room.mic, room.camera]).toEqual(['live', 'live']);
  });

  it('keep somebody pinned who is in another group for the return', async () => {
    await enter(everybody);
    room.pin('kp3c');
    expect(room.stage?.person.id).toBe('p3');
    await give({ t: 'groups', groups: GROUPS });
    await give({ t: 'people', counts: counts(4), chg: [inGroup('p3', 1)] });
    expect(room.stage?.person.id).not.toBe('p3');
    await give({ t: 'groups' });
    await give({ t: 'people', counts: counts(4), chg: [camera('p3')] });
    expect(room.stage?.person.id).toBe('p3');
  });

  it('show what is said to all until it is put away, and send what staff do', async () => {
    await enter(everybody);
    await give({ t: 'groups', groups: GROUPS });
    await give({ t: 'groupsSaid', text: 'Còn 2 phút', by: 'Cô Hằng' });
    expect(room.groups.said).toEqual({ text: 'Còn 2 phút', by: 'Cô Hằng' });
    room.groups.hush();
    expect(room.groups.said).toBeNull();
    void room.groups.make(['A', 'B'], 'unit');
    void room.groups.move([
      ['p2', 1 as GroupNo],
      ['p3', null],
    ]);
    void room.groups.open(null);
    void room.groups.open(15);
    void room.groups.say('xin chào');
    void room.groups.pick(2 as GroupNo);
    void room.groups.pick(null);
    void room.groups.close();
    expect(sent('groupsMake')[0]).toMatchObject({ names: ['A', 'B'], by: 'unit' });
    expect(sent('groupsMove')[0]?.moves).toEqual([
      ['p2', 1],
      ['p3', null],
    ]);
    expect(sent('groupsOpen').map((f) => f.minutes)).toEqual([undefined, 15]);
    expect(sent('groupsSay')[0]?.text).toBe('xin chào');
    expect(sent('groupPick').map((f) => f.group)).toEqual([2, undefined]);
    expect(sent('groupsClose')).toHaveLength(1);
  });
});

describe('the arrangement', () => {
  it('shows who is in the spotlight large, but the own pin comes first', async () => {
    await enter([person('p1'), camera('p2'), camera('p3'), camera('p4')]);
    await give(roomFrame({ spotlight: ['p3', 'p2'] }));
    expect(room.effectiveLayout).toBe('speaker');
    expect(room.large.map((tile) => tile.person.id)).toEqual(['p3', 'p2']);
    expect(shown()).toEqual(['p1', 'p4']);
    room.pin('kp4c');
    expect(room.large.map((tile) => tile.person.id)).toEqual(['p4']);
    room.pin(null);
    await give(roomFrame({ spotlight: [] }));
    expect(room.large).toHaveLength(0);
    expect(room.effectiveLayout).toBe('gallery');
  });

  it('tells somebody that everybody sees him large', async () => {
    await enter([person('p1'), camera('p2')]);
    await give(roomFrame({ spotlight: ['p1'] }));
    expect(kinds()).toContain('spotlit');
  });

  it('keeps the places of the spotlight, gives up those who left, and refuses a fifth', async () => {
    await enter([person('p1'), ...['p2', 'p3', 'p4', 'p5', 'p6'].map((id) => camera(id))]);
    await give(roomFrame({ spotlight: ['p2', 'gone', 'p3'] }));
    void room.arrange.spotlight('p4', true);
    expect(sent('modSpot')[0]?.who).toEqual(['p2', 'p3', 'p4']);
    await give(roomFrame({ spotlight: ['p2', 'p3', 'p4', 'p5'] }));
    expect(await room.arrange.spotlight('p6', true)).toBe('full');
    void room.arrange.spotlight('p3', false);
    expect(sent('modSpot').at(-1)?.who).toEqual(['p2', 'p4', 'p5']);
  });

  it('mutes all but the people named', async () => {
    await enter([person('p1'), camera('p2')]);
    void room.mod.muteAll(true, ['p2']);
    void room.mod.muteAll(false);
    expect(sent('modMuteAll').map(({ mayUnmute, except }) => [mayUnmute, except])).toEqual([
      [true, ['p2']],
      [false, undefined],
    ]);
  });

  it('tells of a new role', async () => {
    await enter([person('p1')]);
    FakeSocket.last.give({ t: 'you', ...you({ role: 'chair', perms: STAFF }) });
    await settle();
    expect(room.notices.find((n) => n.kind === 'roleChanged')?.role).toBe('chair');
  });
});

describe('the wall of sites', () => {
  const chair = camera('c', 'chair');
  const sites = Array.from({ length: 34 }, (_, n) => ({
    ...camera(`s${n}`),
    site: `Điểm cầu ${34 - n}`,
    hall: 10,
  }));

  it('is what a conference looks like: the chair on every page, the sites in order', async () => {
    await enter([person('p1'), chair, ...sites], { mode: 'conference' });
    room.setPageSize(8);
    expect(room.effectiveLayout).toBe('wall');
    expect(room.pages).toBe(5);
    const seen: string[] = [];
    for (let page = 0; page < room.pages; page += 1) {
      room.page = page;
      expect(room.large.map((tile) => tile.person.id)).toEqual(['c']);
      seen.push(...room.grid.map((tile) => tile.person.site ?? ''));
    }
    expect(seen.filter(Boolean).slice(0, 3)).toEqual(['Điểm cầu 1', 'Điểm cầu 2', 'Điểm cầu 3']);
    expect(seen.filter(Boolean)).toHaveLength(34);
  });

  it('shows who has the floor beside the chair', async () => {
    const speaking = { ...(sites[3] as Person), floor: true };
    await enter([person('p1'), chair, ...sites.filter((s) => s.id !== speaking.id), speaking], { mode: 'conference' });
    expect(room.large.map((tile) => tile.person.id)).toEqual(['c', 's3']);
  });

  it('asks for more slots once, on a desk of staff, and shows more sites a page then', async () => {
    await devices.start({ mic: true, camera: false });
    await enter([person('p1', { role: 'organiser' }), chair, ...sites], {
      mode: 'conference',
      wall: true,
      own: { role: 'organiser' },
    });
    await settle();
    expect(peers).toHaveLength(2);
    expect(peers[0]?.closed).toBe(true);
    expect(sent('offer')).toMatchObject([{ profile: 'wall', slots: { v: 25 }, restart: false }]);
    room.setPageSize(24);
    expect(room.grid).toHaveLength(24);
    // The microphone goes on over the new connection, and is not asked for again.
    expect(peers[1]?.sends.map(([kind]) => kind)).toContain('mic');
    expect(getUserMedia).toHaveBeenCalledTimes(1);
    await give(roomFrame({ mode: 'conference', locked: true }));
    expect(peers).toHaveLength(2);
  });

  it('stays with the slots of a seat for a learner', async () => {
    await enter([person('p1'), chair, ...sites], { mode: 'conference', wall: true, own: { role: 'learner' } });
    await settle();
    expect(peers).toHaveLength(1);
  });
});

describe('coming back', () => {
  const show = (visible: boolean) => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(visible ? 'visible' : 'hidden');
    document.dispatchEvent(new Event('visibilitychange'));
  };
  const restarts = () => peers.at(-1)?.offers.filter(Boolean).length;

  it('finds a new way for the media as soon as the network is another one', async () => {
    await enter([person('p1'), camera('p2')]);
    window.dispatchEvent(new Event('online'));
    await settle();
    await vi.advanceTimersByTimeAsync(400);
    expect(restarts()).toBe(1);
    expect(sent('offer')).toMatchObject([{ restart: true }]);
    expect(peers).toHaveLength(1);
  });

  it('does so after the resume when the link went with the network', async () => {
    await enter([person('p1'), camera('p2')]);
    window.dispatchEvent(new Event('offline'));
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'resumed', key: 'key2', from: seq + 1, you: you({ perms: STAFF }) });
    await settle();
    expect(sent('hello')[0]?.resume).toMatchObject({ session: 's1' });
    expect(restarts()).toBe(1);
    expect(peers).toHaveLength(1);
  });

  it('leaves a sound connection alone when the page is only shown again', async () => {
    await enter([person('p1'), camera('p2')]);
    const play = vi.spyOn(devices.audio, 'play').mockResolvedValue(true);
    show(false);
    await vi.advanceTimersByTimeAsync(6_000);
    play.mockClear();
    show(true);
    await settle();
    expect(play).toHaveBeenCalled();
    expect(restarts()).toBe(0);
    expect(sent('ping').length).toBeGreaterThan(1);
  });

  it('asks the link for a sign of life when the page comes out of the freezer or the cache', async () => {
    await enter([person('p1'), camera('p2')]);
    peers[0]?.go('disconnected');
    const before = sent('ping').length;
    document.dispatchEvent(new Event('resume'));
    window.dispatchEvent(new Event('pageshow'));
    await vi.advanceTimersByTimeAsync(10);
    expect(sent('ping').length).toBeGreaterThan(before);
    expect(restarts()).toBe(1);
  });

  it('asks again for a microphone that a call took, and it comes back muted as it was', async () => {
    await devices.start({ mic: true, camera: false });
    await enter([person('p1'), camera('p2')]);
    void room.toggleMic();
    await settle();
    expect(room.mic).toBe('muted');
    getUserMedia.mockRejectedValue(new DOMException('', 'NotReadableError'));
    const track = devices.capture.track('mic') as unknown as FakeTrack & { onended: () => void };
    track.readyState = 'ended';
    track.onended();
    await vi.advanceTimersByTimeAsync(100);
    expect(devices.micLost).toBe(true);
    expect(room.mic).toBe('off');
    const pubs = () => sent('pub').map((p) => p.st);
    expect(pubs().at(-1)).toBe('off');
    getUserMedia.mockResolvedValue({ getAudioTracks: () => [new FakeTrack('audio')], getVideoTracks: () => [] });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(devices.micLost).toBe(false);
    expect(room.mic).toBe('muted');
    expect(pubs().slice(pubs().lastIndexOf('off'))).toEqual(['off', 'muted']);
    expect(peers).toHaveLength(1);
  });

  it('does not go on asking once the person refused or switched off', async () => {
    await devices.start({ mic: true, camera: false });
    await enter([person('p1'), camera('p2')]);
    getUserMedia.mockRejectedValue(new DOMException('', 'NotAllowedError'));
    (devices.capture.track('mic') as unknown as { onended: () => void }).onended();
    await vi.advanceTimersByTimeAsync(100);
    const asked = getUserMedia.mock.calls.length;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(getUserMedia.mock.calls.length).toBe(asked);
    expect(devices.micLost).toBe(true);
    await devices.setMic(false);
    expect(devices.micLost).toBe(false);
  });

  it('asks at once when devices change', async () => {
    await devices.start({ mic: true, camera: false });
    await enter([person('p1'), camera('p2')]);
    getUserMedia.mockRejectedValue(new DOMException('', 'NotFoundError'));
    (devices.capture.track('mic') as unknown as { onended: () => void }).onended();
    await vi.advanceTimersByTimeAsync(100);
    expect(devices.micLost).toBe(true);
    getUserMedia.mockResolvedValue({ getAudioTracks: () => [new FakeTrack('audio')], getVideoTracks: () => [] });
    listeners.get('devicechange')?.();
    await vi.advanceTimersByTimeAsync(100);
    expect(devices.micLost).toBe(false);
    expect(room.mic).toBe('live');
  });
});
