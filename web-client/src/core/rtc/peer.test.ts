// The m-lines a peer connection declares, on a fake RTCPeerConnection.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Peer } from './peer';

interface Line {
  kind: string;
  init: RTCRtpTransceiverInit;
}

class FakeConnection {
  lines: Line[] = [];
  connectionState = 'new';
  signalingState = 'stable';
  localDescription: { sdp: string } | null = null;
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  restarts = 0;
  offers = 0;
  closed = false;
  parameters: RTCRtpSendParameters[] = [];
  addTransceiver(kind: string, init: RTCRtpTransceiverInit) {
    const mid = String(this.lines.length);
    this.lines.push({ kind, init });
    const sender = {
      track: null as unknown,
      replaceTrack: async (track: unknown) => void (sender.track = track),
      getParameters: () => ({ encodings: (init.sendEncodings ?? []).map((e) => ({ ...e })) }),
      setParameters: async (p: RTCRtpSendParameters) => void this.parameters.push(p),
    };
    return { mid, sender, receiver: { track: { kind } } };
  }
  restartIce() {
    this.restarts += 1;
  }
  async createOffer() {
    this.offers += 1;
    return { type: 'offer', sdp: `sdp${this.offers}` };
  }
  async setLocalDescription(d: { sdp: string }) {
    this.localDescription = d;
    this.signalingState = 'have-local-offer';
  }
  async setRemoteDescription() {
    this.signalingState = 'stable';
  }
  close() {
    this.closed = true;
  }
}

const fake = (peer: Peer) => peer.pc as unknown as FakeConnection;
const shape = (peer: Peer) => fake(peer).lines.map((line) => `${line.kind} ${line.init.direction}`);

beforeEach(() => {
  vi.stubGlobal('navigator', {
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36',
  });
  vi.stubGlobal('RTCPeerConnection', FakeConnection);
  vi.stubGlobal(
    'MediaStream',
    class {
      constructor(readonly tracks: unknown[]) {}
    },
  );
});
afterEach(() => void vi.unstubAllGlobals());

describe('m-lines', () => {
  it('of a seat stand in the order of the protocol', () => {
    const peer = new Peer('seat', { a: 5, v: 9, s: 1 });
    expect(shape(peer)).toEqual([
      'audio sendonly',
      'video sendonly',
      'video sendonly',
      'audio sendonly',
      ...Array<string>(5).fill('audio recvonly'),
      ...Array<string>(9).fill('video recvonly'),
      'video recvonly',
    ]);
    expect(peer.audioSlots.map((s) => s.mid)).toEqual(['4', '5', '6', '7', '8']);
    expect(peer.videoSlots).toHaveLength(9);
    expect(peer.screenSlots.map((s) => s.mid)).toEqual(['18']);
  });

  it('of a viewer send microphone and camera only', () => {
    expect(shape(new Peer('viewer', { a: 3, v: 2, s: 1 })).filter((l) => l.endsWith('sendonly'))).toEqual([
      'audio sendonly',
      'video sendonly',
    ]);
  });

  it('send the camera in three layers from small to large, the screen in two', () => {
    const [, camera, screen] = fake(new Peer('seat', { a: 5, v: 9, s: 1 })).lines;
    expect(camera?.init.sendEncodings?.map((e) => [e.rid, e.scaleResolutionDownBy, e.maxBitrate])).toEqual([
      ['q', 4, 120_000],
      ['h', 2, 400_000],
      ['f', 1, 1_200_000],
    ]);
    expect(
      screen?.init.sendEncodings?.map((e) => [e.rid, e.scaleResolutionDownBy, e.maxBitrate, e.maxFramerate]),
    ).toEqual([
      ['q', 2, 250_000, 5],
      ['f', 1, 2_500_000, 15],
    ]);
  });
});

describe('offers', () => {
  it('one is repeated until it is answered, a restart makes a new one', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    expect(await peer.offer()).toBe('sdp1');
    expect(await peer.offer()).toBe('sdp1');
    await peer.accept('answer');
    expect(await peer.offer(true)).toBe('sdp2');
    expect(fake(peer).restarts).toBe(1);
  });

  it('an answer that comes twice is ignored', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    await peer.offer();
    await peer.accept('answer');
    await expect(peer.accept('answer')).resolves.toBeUndefined();
  });

  it('only candidates that can help the server are told', () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    const told: (string | null)[] = [];
    peer.on('candidate', (c) => told.push(c));
    const give = (candidate: string) => fake(peer).onicecandidate?.({ candidate: { candidate } });
    give('candidate:1 1 udp 2122194687 192.0.2.2 59444 typ host');
    give('candidate:1 1 udp 2122194687 0f1e.local 59444 typ host');
    give('candidate:1 1 tcp 1518280447 192.0.2.2 9 typ host tcptype active');
    fake(peer).onicecandidate?.({ candidate: null });
    expect(told).toEqual(['candidate:1 1 udp 2122194687 192.0.2.2 59444 typ host', null]);
  });
});

describe('tracks', () => {
  const track = (width: number, height: number) =>
    ({ getSettings: () => ({ width, height }) }) as unknown as MediaStreamTrack;

  it('a small camera is sent whole, in two layers', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    await peer.send('camera', track(640, 480));
    await vi.waitFor(() => expect(fake(peer).parameters).toHaveLength(1));
    expect(fake(peer).parameters[0]?.encodings.map((e) => [e.rid, e.active, e.scaleResolutionDownBy])).toEqual([
      ['q', true, 2],
      ['h', true, 1],
      ['f', false, 1],
    ]);
  });

  it('who sends thriftily sends speech small and of the camera the smallest layer, until it is over', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    await peer.send('camera', track(1280, 720));
    peer.setThrift({ smallCamera: true, speechKbps: 16 });
    peer.setThrift({ smallCamera: true, speechKbps: 16 });
    peer.setThrift({ smallCamera: false });
    await vi.waitFor(() => expect(fake(peer).parameters).toHaveLength(5));
    const set = fake(peer).parameters.map(({ encodings }) =>
      encodings.length === 1 ? encodings[0]?.maxBitrate : encodings.map((e) => e.active),
    );
    expect(set).toEqual([[true, true, true], [true, false, false], 16_000, [true, true, true], 32_000]);
  });

  it('what nobody watches rests, together with what is not to be sent anyway', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    await peer.send('camera', track(1280, 720));
    peer.setWatched({ camera: ['q', 'h'] });
    peer.setWatched({ camera: ['q', 'h'] });
    peer.setThrift({ smallCamera: true });
    peer.setWatched({});
    peer.setThrift({ smallCamera: false });
    await vi.waitFor(() => expect(fake(peer).parameters).toHaveLength(5));
    expect(fake(peer).parameters.map(({ encodings }) => encodings.map((e) => e.active))).toEqual([
      [true, true, true],
      [true, true, false],
      [true, false, false],
      [true, false, false],
      [true, true, true],
    ]);
    // Another camera in its place is watched as the one before.
    peer.setWatched({ camera: [] });
    await peer.send('camera', track(1280, 720));
    await vi.waitFor(() => expect(fake(peer).parameters).toHaveLength(7));
    expect(fake(peer).parameters[6]?.encodings.map((e) => e.active)).toEqual([true, false, false]);
    expect(fake(peer).parameters.every(({ encodings }) => encodings.length === 3)).toBe(true);
  });

  it('the text of a screen stays sharp', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    await peer.send('screen', track(1920, 1080));
    await vi.waitFor(() =>
      expect(fake(peer).parameters[0]).toHaveProperty('degradationPreference', 'maintain-resolution'),
    );
  });

  it('nothing is sent after closing', async () => {
    const peer = new Peer('seat', { a: 5, v: 4, s: 1 });
    peer.close();
    await peer.send('mic', track(0, 0));
    expect(fake(peer).closed).toBe(true);
    expect(peer.state).toBe('closed');
  });
});
