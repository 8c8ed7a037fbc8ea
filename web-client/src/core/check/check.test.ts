import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MediaAnswer } from './api';
import { netVerdict, openings, relayAddress, reportOf, type WayName } from './judge';
import { tryMedia, trySocket, type WayResult } from './ways';

const way = (state: WayResult['state'], addresses: string[] = []): WayResult => ({ state, rttMs: 7, addresses });
const ways = (over: Partial<Record<WayName, WayResult>> = {}): Record<WayName, WayResult> => ({
  websocket: way('good'),
  udp: way('good', ['192.0.2.7:7882']),
  tcp: way('absent'),
  turn: way('absent'),
  ...over,
});
const PAGE = { host: 'lop.example.vn', secure: true };

afterEach(() => vi.useRealTimers());

describe('what the ways mean', () => {
  it('is told by the best one that leads there', () => {
    expect(netVerdict(ways())).toBe('good');
    expect(netVerdict(ways({ udp: way('failed'), tcp: way('good'), turn: way('good') }))).toBe('tcpOnly');
    expect(netVerdict(ways({ udp: way('failed'), turn: way('good') }))).toBe('turnOnly');
    expect(netVerdict(ways({ udp: way('failed') }))).toBe('none');
    expect(netVerdict(ways({ websocket: way('failed') }))).toBe('noSocket');
  });

  it('stays open while a way could not be tried', () => {
    expect(netVerdict(ways({ udp: way('untried') }))).toBe('untried');
    expect(netVerdict(ways({ udp: way('untried'), tcp: way('good') }))).toBe('tcpOnly');
  });

  it('is sent without addresses', () => {
    const report = reportOf({ browser: true, camera: 'good', microphone: 'silent', speaker: 'untried', ways: ways() });
    expect(report.udp).toEqual({ state: 'good', rttMs: 7 });
    expect(JSON.stringify(report)).not.toContain('192.0.2.7');
  });
});

describe('what the administrator is asked for', () => {
  it('names host and port of every way that is closed, and of no other', () => {
    expect(openings(ways(), PAGE)).toEqual([]);
    const udp = way('failed', ['192.0.2.7:7882', '[2001:db8::7]:7882', '192.0.2.8:7883']);
    expect(openings(ways({ udp, tcp: way('good') }), PAGE)).toEqual([
      { way: 'udp', transport: 'UDP', port: 7882, hosts: ['192.0.2.7', '2001:db8::7'] },
      { way: 'udp', transport: 'UDP', port: 7883, hosts: ['192.0.2.8'] },
    ]);
  });

  it('reads relays and the address of the page', () => {
    expect(relayAddress('turns:turn.vn:443?transport=tcp')).toEqual({ host: 'turn.vn', port: 443, transport: 'TCP' });
    expect(relayAddress('turn:turn.vn')).toEqual({ host: 'turn.vn', port: 3478, transport: 'UDP' });
    expect(relayAddress('stun:turn.vn')).toBeNull();
    const closed = ways({
      turn: way('failed', ['turns:turn.vn:443', 'nonsense']),
      websocket: way('failed', [PAGE.host]),
    });
    expect(openings(closed, PAGE)).toEqual([
      { way: 'turn', transport: 'TCP', port: 443, hosts: ['turn.vn'] },
      { way: 'websocket', transport: 'TCP', port: 443, hosts: ['lop.example.vn'] },
    ]);
  });
});

/** A peer connection whose end the test decides. */
class FakePeer {
  connectionState = 'new';
  onconnectionstatechange: (() => void) | null = null;
  localDescription = { sdp: 'offer' };
  closed = false;
  remote: RTCSessionDescriptionInit | null = null;
  constructor(readonly outcome: 'connected' | 'failed' | 'never') {}
  addTransceiver = vi.fn();
  createOffer = () => Promise.resolve({ type: 'offer', sdp: 'offer' });
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription(description: RTCSessionDescriptionInit) {
    this.remote = description;
    if (this.outcome !== 'never') {
      setTimeout(() => {
        this.connectionState = this.outcome;
        this.onconnectionstatechange?.();
      });
    }
    return Promise.resolve();
  }
  getStats = () =>
    Promise.resolve(
      new Map([
        ['a', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.0234 }],
        ['b', { type: 'candidate-pair', nominated: false, currentRoundTripTime: 0.001 }],
      ]),
    );
  close() {
    this.closed = true;
  }
}

describe('a way for sound and picture', () => {
  const answer = (value: Partial<MediaAnswer>) => () =>
    Promise.resolve({ ok: true as const, value: { addresses: ['192.0.2.7:7882'], endsMs: 15_000, ...value } });
  const run = (peer: FakePeer, more: object = {}) =>
    tryMedia({
      via: 'udp',
      ice: [],
      ask: answer({ sdp: 'answer' }),
      make: () => peer as unknown as RTCPeerConnection,
      measureMs: 1,
      upWithinMs: 50,
      ...more,
    });

  it('is good when the connection comes up, with its round trip, and is closed', async () => {
    const peer = new FakePeer('connected');
    expect(await run(peer)).toEqual({ state: 'good', rttMs: 23, addresses: ['192.0.2.7:7882'] });
    expect(peer.closed).toBe(true);
  });

  it('is closed when it fails or never comes up', async () => {
    for (const outcome of ['failed', 'never'] as const) {
      const peer = new FakePeer(outcome);
      expect((await run(peer)).state).toBe('failed');
      expect(peer.closed).toBe(true);
    }
  });

  it('is absent where the server has none, and is not blamed on the network', async () => {
    const peer = new FakePeer('connected');
    expect((await run(peer, { ask: answer({}) })).state).toBe('absent');
    expect(peer.closed).toBe(true);
    expect((await run(new FakePeer('connected'), { via: 'turn' })).state).toBe('absent');
  });

  it('was not tried when the server refuses', async () => {
    const error = { code: 'busy', status: 503 };
    const found = await run(new FakePeer('connected'), { ask: () => Promise.resolve({ ok: false, error }) });
    expect(found).toMatchObject({ state: 'untried', error });
  });

  it('asks for a relay alone where a relay is tried', async () => {
    const configs: RTCConfiguration[] = [];
    const ice = [{ urls: ['turns:turn.vn:443'], username: 'u', credential: 'c' }];
    for (const via of ['udp', 'turn'] as const) {
      await run(new FakePeer('connected'), {
        via,
        ice,
        make: (config: RTCConfiguration) => {
          configs.push(config);
          return new FakePeer('connected');
        },
      });
    }
    expect(configs[0]?.iceServers).toBeUndefined();
    expect(configs[1]).toEqual({ iceServers: ice, iceTransportPolicy: 'relay' });
  });
});

describe('the websocket', () => {
  class FakeSocket {
    onopen: (() => void) | null = null;
    onmessage: (() => void) | null = null;
    onclose: (() => void) | null = null;
    onerror: (() => void) | null = null;
    send = vi.fn();
    close = vi.fn();
  }
  const tried = (play: (socket: FakeSocket) => void) => {
    const socket = new FakeSocket();
    setTimeout(() => play(socket));
    return trySocket(() => socket as unknown as WebSocket, 100);
  };

  it('is good once it opened, with the time of an answer where there is one', async () => {
    const answered = await tried((socket) => {
      socket.onopen?.();
      socket.onmessage?.();
    });
    expect(answered.state).toBe('good');
    expect(answered.rttMs).not.toBeNull();
    const silent = await tried((socket) => socket.onopen?.());
    expect(silent).toMatchObject({ state: 'good', rttMs: null });
  });

  it('is closed when it does not open', async () => {
    expect((await tried((socket) => socket.onclose?.())).state).toBe('failed');
    expect((await tried(() => undefined)).state).toBe('failed');
  });
});
