// The stores over a link whose server is played by the test; the peer connection is a fake.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Capture } from '../core/media/capture';
import { chat, FakeSocket, state, welcome, you } from '../core/net/fake-socket';
import { intervalTicker } from '../core/net/ticker';
import type { ClientFrame, Person } from '../core/proto';
import type { Peer } from '../core/rtc/peer';
import { RoomSession } from '../core/session';
import { ANSWER, camera, counts, FakePeer, FakeTrack, person } from './fake-room';
import { keepChoices, readChoices } from './choices';
import { Devices } from './devices.svelte';
import { Room } from './room.svelte';

let peers: FakePeer[];
let devices: Devices;
let session: RoomSession;
let room: Room;

const settle = () => vi.advanceTimersByTimeAsync(300);

const media = {
  getUserMedia: vi.fn(),
  enumerateDevices: () => Promise.resolve([]),
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
};

async function enter(o: { perms?: string[]; mode?: string; people?: Person[]; late?: boolean } = {}) {
  session = new RoomSession({
    token: 't',
    profile: 'seat',
    slots: { a: 5, v: 9, s: 1 },
    offerAfterWelcome: o.late === true,
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
  session.on('welcome', ({ welcome: w }) => {
    room ??= new Room({ session, devices, listenOnly: false, welcome: w, classSession: 'b1' });
  });
  session.start();
  FakeSocket.last.open();
  await settle();
  const base = welcome();
  FakeSocket.last.give(
    welcome({
      you: you({ perms: o.perms ?? ['speak', 'showCamera', 'shareScreen', 'chat', 'raiseHand'] }),
      room: { ...(base.room as object), mode: o.mode ?? 'discussion' },
      ...(!o.late && { answer: ANSWER }),
    }),
  );
  const people = o.people ?? [person('p1')];
  FakeSocket.last.give(state(10, { people, counts: counts(people.length) }));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  FakeSocket.all = [];
  peers = [];
  localStorage.clear();
  sessionStorage.clear();
  room = undefined as unknown as Room;
  media.getUserMedia.mockReset();
  media.getUserMedia.mockImplementation((want: { audio: unknown; video: unknown }) =>
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

const sent = <T extends ClientFrame['t']>(t: T) => FakeSocket.last.of(t);
const ok = (frame: { id?: number } | undefined) => FakeSocket.last.give({ t: 'ok', id: frame?.id });

describe('entering', () => {
  it('sends the offer in hello and needs no other', async () => {
    await enter();
    expect(FakeSocket.last.of('hello')[0]?.offer).toBe('sdp1');
    expect(sent('offer')).toHaveLength(0);
    expect(peers[0]?.pc.remoteDescription).not.toBeNull();
    expect(room.net.conn).toBe('ok');
  });

  it('sends the offer after the welcome where the browser needs that', async () => {
    await enter({ late: true });
    expect(FakeSocket.last.of('hello')[0]).not.toHaveProperty('offer');
    expect(sent('offer')[0]).toMatchObject({
      sdp: 'sdp1',
      restart: false,
      profile: 'seat',
      slots: { a: 5, v: 9, s: 1 },
    });
    FakeSocket.last.give({ t: 'answer', id: sent('offer')[0]?.id, ...ANSWER });
    await settle();
    expect(peers).toHaveLength(1);
    expect(peers[0]?.pc.remoteDescription).not.toBeNull();
  });

  it('publishes what was switched on at the join page', async () => {
    await devices.start({ mic: true, camera: true });
    await enter();
    expect(sent('pub').map((p) => [p.kind, p.st])).toEqual([
      ['mic', 'live'],
      ['camera', 'live'],
    ]);
    expect([room.mic, room.camera]).toEqual(['live', 'live']);
  });

  it('mutes a microphone that the mode does not allow, without a word', async () => {
    await devices.start({ mic: true, camera: false });
    await enter({ perms: ['chat'], mode: 'training' });
    expect(room.mic).toBe('muted');
    expect(devices.micOn).toBe(false);
    expect(room.notices).toEqual([]);
  });
});

describe('own microphone and camera', () => {
  it('answer at once and tell the server', async () => {
    await devices.start({ mic: true, camera: false });
    await enter();
    void room.toggleMic();
    expect(devices.capture.track('mic')?.enabled).toBe(false);
    expect(room.mic).toBe('muted');
    await settle();
    expect(sent('pub').at(-1)).toMatchObject({ kind: 'mic', st: 'muted' });
    void room.toggleMic();
    expect(room.mic).toBe('live');
  });

  it('fall back when the server refuses', async () => {
    await devices.start({ mic: true, camera: false });
    await enter();
    void room.toggleMic();
    await settle();
    void room.toggleMic();
    await settle();
    FakeSocket.last.give({ t: 'err', id: sent('pub').at(-1)?.id, code: 'forbidden' });
    await settle();
    expect(room.mic).toBe('muted');
    expect(devices.capture.track('mic')?.enabled).toBe(false);
    expect(room.notices.at(-1)).toMatchObject({ kind: 'error', code: 'forbidden' });
  });

  it('camera off gives the device back and empties the sender', async () => {
    await devices.start({ mic: false, camera: true });
    await enter();
    const track = devices.capture.track('camera') as unknown as FakeTrack;
    void room.toggleCamera();
    await settle();
    expect(track.readyState).toBe('ended');
    expect(peers[0]?.sends.at(-1)).toEqual(['camera', null]);
    expect(room.camera).toBe('off');
    expect(sent('pub').at(-1)).toMatchObject({ kind: 'camera', st: 'off' });
  });

  it('a remote mute silences at once and names who did it', async () => {
    await devices.start({ mic: true, camera: false });
    await enter();
    FakeSocket.last.give({ t: 'muted', kind: 'mic', by: 'Cô Hà' });
    await settle();
    expect(room.mic).toBe('muted');
    expect(devices.capture.track('mic')?.enabled).toBe(false);
    expect(room.notices.at(-1)).toMatchObject({ kind: 'mutedBy', text: 'Cô Hà' });
  });

  it('a screen chosen after the end is not captured, and one press opens one chooser', async () => {
    const chosen: FakeTrack[] = [];
    let choose = () => undefined as void;
    const getDisplayMedia = vi.fn(
      () =>
        new Promise((resolve) => {
          choose = () => {
            const video = new FakeTrack('video');
            chosen.push(video);
            resolve({ getVideoTracks: () => [video], getAudioTracks: () => [] });
          };
        }),
    );
    vi.stubGlobal('navigator', { mediaDevices: { ...media, getDisplayMedia } });
    await enter();
    void room.startScreen();
    void room.startScreen();
    expect(getDisplayMedia).toHaveBeenCalledTimes(1);
    FakeSocket.last.give({ t: 'bye', action: 'stop', code: 'ended' });
    await settle();
    choose();
    await settle();
    expect(chosen[0]?.readyState).toBe('ended');
    expect(room.screen).toBe('off');
  });

  it('being asked never opens the microphone without consent', async () => {
    await devices.start({ mic: true, camera: false });
    await enter({ perms: ['chat'], mode: 'training' });
    FakeSocket.last.give({ t: 'asked', kind: 'mic', by: 'Thầy Nam' });
    await settle();
    expect(room.asked).toEqual({ kind: 'mic', by: 'Thầy Nam' });
    expect(room.mic).toBe('muted');
    const reply = room.replyAsk(true);
    ok(sent('askReply').at(-1));
    await settle();
    expect(room.mic).toBe('live');
    ok(sent('pub').at(-1));
    await reply;
    expect(room.asked).toBeNull();
  });

  it('losing the right to speak mutes', async () => {
    await devices.start({ mic: true, camera: false });
    await enter();
    FakeSocket.last.give({ t: 'you', ...you({ perms: ['chat'] }) });
    await settle();
    expect(room.mic).toBe('muted');
  });
});

describe('people', () => {
  it('follow the deltas, and newcomers are told', async () => {
    await enter();
    FakeSocket.last.give({ t: 'people', seq: 11, counts: counts(2), add: [person('p2', { name: 'Vàng A Sử' })] });
    await settle();
    expect(room.people.map((p) => p.id).sort()).toEqual(['p1', 'p2']);
    expect(room.counts.total).toBe(2);
    expect(room.notices.at(-1)).toMatchObject({ kind: 'joined', text: 'Vàng A Sử' });
  });

  it('a storm of joins changes the list a few times, not two hundred', async () => {
    await enter();
    let renders = 0;
    let last = room.people;
    const stop = $effect.root(() => {
      $effect(() => {
        if (room.people !== last) renders += 1;
        last = room.people;
      });
    });
    for (let i = 0; i < 200; i += 1) {
      FakeSocket.last.give({ t: 'people', seq: 11 + i, counts: counts(i + 2), add: [person(`q${i}`)] });
    }
    await settle();
    stop();
    expect(room.people).toHaveLength(201);
    expect(renders).toBeLessThanOrEqual(3);
  });
});

describe('the stage', () => {
  const bind = (v: object[]) => FakeSocket.last.give({ t: 'bind', rev: 1, v });

  it('asks for what is on the screen in its size and shows what was bound', async () => {
    await enter({ people: [person('p1'), camera('a'), camera('b')] });
    expect(room.effectiveLayout).toBe('gallery');
    const tile = room.grid.find((t) => t.person.id === 'a')!;
    expect(tile.state).toBe('wait');
    room.setTileSize(tile.key, 320, 180);
    await settle();
    expect(sent('view').at(-1)?.slots).toEqual([{ mid: '9', src: { k: 'kac' }, h: 180, prio: 100 }]);
    bind([{ mid: '9', k: 'kac', st: 'live', rtpTs: 7 }]);
    await vi.advanceTimersByTimeAsync(600);
    expect(room.grid.find((t) => t.person.id === 'a')?.state).toBe('live');
    bind([{ mid: '9', k: 'kac', st: 'paused', why: 'bw', rtpTs: 7 }]);
    await settle();
    expect(room.grid.find((t) => t.person.id === 'a')).toMatchObject({ state: 'paused', why: 'bw' });
  });

  it('keeps tiles that did not change the same objects', async () => {
    await enter({ people: [person('p1'), camera('a'), camera('b')] });
    const before = room.grid;
    FakeSocket.last.give({ t: 'people', seq: 11, counts: counts(3), chg: [camera('b')] });
    await settle();
    expect(room.grid[0]).toBe(before[0]);
    expect(room.grid.find((t) => t.person.id === 'a')).toBe(before.find((t) => t.person.id === 'a'));
  });

  it('goes to the screen when somebody shares, and back', async () => {
    await enter({ mode: 'training', people: [person('p1'), camera('t', 'trainer')] });
    expect([room.effectiveLayout, room.stage?.person.id]).toEqual(['speaker', 't']);
    const sharing = person('t', {
      role: 'trainer',
      tracks: [
        { k: 'ktc', kind: 'camera', st: 'live' },
        { k: 'kts', kind: 'screen', st: 'live' },
      ],
    });
    FakeSocket.last.give({ t: 'people', seq: 11, counts: counts(2), chg: [sharing] });
    await settle();
    expect([room.effectiveLayout, room.stage?.kind, room.stage?.track]).toEqual(['screen', 'screen', 'kts']);
    FakeSocket.last.give({ t: 'people', seq: 12, counts: counts(2), chg: [camera('t', 'trainer')] });
    await settle();
    expect(room.effectiveLayout).toBe('speaker');
  });

  it('pages through many, no page larger than the slots', async () => {
    await enter({ people: Array.from({ length: 30 }, (_, i) => camera(`p${i + 1}`)) });
    room.setPageSize(25);
    expect(room.grid).toHaveLength(9);
    expect(room.pages).toBe(4);
    const first = room.grid.map((t) => t.key);
    room.page = 3;
    expect(room.grid).toHaveLength(3);
    room.page = 0;
    expect(room.grid.map((t) => t.key)).toEqual(first);
  });

  it('a pinned person stays on the stage until he is gone', async () => {
    await enter({ people: [person('p1'), camera('a'), camera('b'), camera('c')] });
    room.pin('kbc');
    expect([room.effectiveLayout, room.stage?.person.id]).toEqual(['speaker', 'b']);
    FakeSocket.last.give({ t: 'people', seq: 11, counts: counts(3), del: ['b'] });
    await settle();
    expect(room.pinned).toBeNull();
    expect(room.effectiveLayout).toBe('gallery');
  });
});

describe('chat', () => {
  it('shows a message as on its way until it comes back', async () => {
    await enter();
    room.sendChat('  Chào cả lớp  ');
    const [frame] = sent('chat');
    expect(frame?.text).toBe('Chào cả lớp');
    expect(room.pendingChat).toHaveLength(1);
    ok(frame);
    FakeSocket.last.give(chat(11, 'c1', { from: 'p1', cid: frame?.cid }));
    await settle();
    expect(room.pendingChat).toEqual([]);
    expect(room.chat).toHaveLength(1);
    expect(room.unread).toBe(0);
  });

  it('sends decomposed text composed', async () => {
    await enter();
    room.sendChat('Nguye\u0302\u0303n');
    expect(sent('chat')[0]?.text).toBe('Nguyễn');
  });

  it('keeps what was written while the link was down and sends it once after the return', async () => {
    await enter();
    FakeSocket.last.break();
    room.sendChat('viết lúc mất mạng');
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'resumed', key: 'k2', from: 11, you: you() });
    const [frame] = sent('chat');
    expect(frame?.text).toBe('viết lúc mất mạng');
    FakeSocket.last.give(chat(11, 'c1', { from: 'p1', cid: frame?.cid }));
    ok(frame);
    await settle();
    expect(room.pendingChat).toEqual([]);
  });

  it('marks a refused message, which can be sent again', async () => {
    await enter();
    room.sendChat('nhanh quá');
    const [frame] = sent('chat');
    FakeSocket.last.give({ t: 'err', id: frame?.id, code: 'rate_limited' });
    await settle();
    expect(room.pendingChat[0]?.failed).toBe(true);
    room.retryChat(room.pendingChat[0]!.cid);
    expect(sent('chat')).toHaveLength(2);
    expect(sent('chat')[1]?.cid).toBe(frame?.cid);
  });

  it('counts what others wrote while it was closed', async () => {
    await enter();
    FakeSocket.last.give(chat(11, 'c1'));
    FakeSocket.last.give(chat(12, 'c2'));
    await settle();
    expect(room.unread).toBe(2);
    room.setChatOpen(true);
    FakeSocket.last.give(chat(13, 'c3'));
    await settle();
    expect(room.unread).toBe(0);
  });
});

describe('a broken connection', () => {
  it('keeps the room and says so when it is back', async () => {
    await enter({ people: [person('p1'), camera('a')] });
    FakeSocket.last.break();
    await settle();
    expect(room.net.conn).toBe('reconnecting');
    expect(room.people).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2_000);
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give({ t: 'resumed', key: 'k2', from: 11, you: you() });
    await settle();
    expect(room.net.conn).toBe('ok');
    expect(room.notices.at(-1)?.kind).toBe('recovered');
    expect(peers).toHaveLength(1);
  });

  it('makes a new peer connection for a server that forgot us, and publishes again', async () => {
    await devices.start({ mic: true, camera: false });
    await enter();
    FakeSocket.last.break();
    await settle();
    FakeSocket.last.open();
    await settle();
    FakeSocket.last.give(welcome({ session: 's2' }));
    FakeSocket.last.give(state(1));
    await settle();
    expect(peers).toHaveLength(2);
    expect(peers[0]?.closed).toBe(true);
    expect(peers[1]?.sends.map(([kind]) => kind)).toContain('mic');
    expect(sent('pub').map((p) => p.st)).toEqual(['live']);
    expect(sent('offer')[0]).toMatchObject({ sdp: 'sdp1', restart: false, profile: 'seat' });
  });

  it('restarts ICE after three seconds without media, and starts over after fifteen', async () => {
    await enter();
    peers[0]!.go('connected');
    peers[0]!.go('disconnected');
    await vi.advanceTimersByTimeAsync(2_900);
    expect(sent('offer')).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(sent('offer')[0]).toMatchObject({ restart: true });
    FakeSocket.last.give({ t: 'answer', id: sent('offer')[0]?.id, sdp: 'v=0', mids: ANSWER.mids });
    await vi.advanceTimersByTimeAsync(12_500);
    expect(peers).toHaveLength(2);
    expect(sent('offer').at(-1)).toMatchObject({ restart: false });
  });

  it('does nothing when media comes back by itself', async () => {
    await enter();
    peers[0]!.go('connected');
    peers[0]!.go('disconnected');
    await vi.advanceTimersByTimeAsync(1_000);
    peers[0]!.go('connected');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sent('offer')).toHaveLength(0);
    expect(peers).toHaveLength(1);
  });
});

describe('the end', () => {
  it.each([
    ['ended', 'ended'],
    ['banned', 'removed'],
    ['taken_over', 'takenOver'],
  ])('bye %s shows as %s and gives the devices back', async (code, reason) => {
    await devices.start({ mic: true, camera: true });
    await enter();
    const track = devices.capture.track('camera') as unknown as FakeTrack;
    FakeSocket.last.give({ t: 'bye', action: 'stop', code });
    await settle();
    expect(room.over).toEqual({ reason, code });
    expect(track.readyState).toBe('ended');
    expect(peers[0]?.closed).toBe(true);
  });

  it('leaving tells the server', async () => {
    await enter();
    const socket = FakeSocket.last;
    await room.leave();
    expect(socket.of('leave')).toHaveLength(1);
    expect(room.over).toEqual({ reason: 'left' });
  });
});

describe('a weak link', () => {
  it('is told in a rung, and what is sent follows it', async () => {
    await enter();
    expect(room.net.rung).toBe(null);
    expect(peers[0]?.thrift).toEqual({ smallCamera: false });
    FakeSocket.last.give({ t: 'rung', on: { at: 'sound', why: 'link' } });
    await settle();
    expect(room.net.rung).toEqual({ at: 'sound', why: 'link' });
    expect(peers[0]?.thrift).toEqual({ smallCamera: true, speechKbps: 16 });
    FakeSocket.last.give({ t: 'rung' });
    await settle();
    expect(peers[0]?.thrift).toEqual({ smallCamera: false });
  });

  it('of somebody else makes speech small and leaves the camera', async () => {
    await enter();
    FakeSocket.last.give({ seq: 11, t: 'room', ...room.room, speechKbps: 16 });
    await settle();
    expect(peers[0]?.thrift).toEqual({ smallCamera: false, speechKbps: 16 });
  });

  it('layers nobody watches reach the peer connection', async () => {
    await enter();
    FakeSocket.last.give({ t: 'layers', camera: ['q'] });
    await settle();
    expect(peers[0]?.watched).toEqual({ camera: ['q'] });
    FakeSocket.last.give({ t: 'layers' });
    await settle();
    expect(peers[0]?.watched).toEqual({});
  });

  it('saving data is one wish, kept on this device', async () => {
    await enter();
    room.dataSaver = true;
    await settle();
    expect(sent('view').at(-1)).toMatchObject({ mode: 'save' });
    expect(readChoices().dataSaver).toBe(true);
    expect(peers[0]?.thrift).toEqual({ smallCamera: true, speechKbps: 16 });
    room.dataSaver = false;
    await settle();
    expect(sent('view').at(-1)).toMatchObject({ mode: 'normal' });
  });
});

describe('choices', () => {
  it('are kept, and what others wrote there does no harm', () => {
    keepChoices({ name: 'Mai', micOn: false });
    expect(readChoices()).toMatchObject({ name: 'Mai', micOn: false, cameraOn: true, layout: 'auto' });
    localStorage.setItem('lophoc.choices', '{"name":7,"layout":"sideways","micId":{}}');
    expect(readChoices()).toEqual({
      micOn: true,
      cameraOn: true,
      micId: null,
      cameraId: null,
      speakerId: null,
      dataSaver: false,
      filter: false,
      music: false,
      blur: false,
      layout: 'auto',
    });
    localStorage.setItem('lophoc.choices', 'not json');
    expect(readChoices().layout).toBe('auto');
  });
});
