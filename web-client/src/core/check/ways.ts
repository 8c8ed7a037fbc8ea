// One way through the network at a time: a connection that does nothing but show whether
// it comes up, and how long a packet takes there and back.
import type { IceServer } from '../proto';
import type { ApiError, Result } from '../records/http';
import { SUBPROTOCOL } from '../proto';
import { socketUrl } from '../net/api';
import type { MediaAnswer, Via } from './api';

export interface WayResult {
  state: 'good' | 'failed' | 'absent' | 'untried';
  rttMs: number | null;
  /** Addresses of the server that were tried. */
  addresses: string[];
  /** Why it could not be tried. */
  error?: ApiError;
}

/** Longest wait for a connection, ms: the server ends it a little later. */
const UP_WITHIN = 12_000;
/** The round trip is measured so long once it is up, ms. */
const MEASURE = 1_800;
const LOOK_EVERY = 300;

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

export interface MediaOptions {
  via: Via;
  ice: readonly IceServer[];
  ask: (sdp: string) => Promise<Result<MediaAnswer>>;
  make?: (config: RTCConfiguration) => RTCPeerConnection;
  upWithinMs?: number;
  measureMs?: number;
}

/** Resolves when the connection is up or will not be. */
function isUp(pc: RTCPeerConnection, withinMs: number): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => end(false), withinMs);
    function end(up: boolean) {
      clearTimeout(timer);
      pc.onconnectionstatechange = null;
      done(up);
    }
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === 'connected') end(true);
      else if (pc.connectionState === 'failed' || pc.connectionState === 'closed') end(false);
    };
  });
}

/** The shortest round trip of the chosen pair, ms. */
async function roundTrip(pc: RTCPeerConnection, forMs: number): Promise<number | null> {
  let best: number | null = null;
  for (let waited = 0; waited < forMs; waited += LOOK_EVERY) {
    await pause(Math.min(LOOK_EVERY, forMs));
    const stats = await pc.getStats().catch(() => null);
    stats?.forEach((entry: { type: string; nominated?: boolean; currentRoundTripTime?: number }) => {
      if (entry.type !== 'candidate-pair' || entry.nominated !== true) return;
      const seconds = entry.currentRoundTripTime;
      if (typeof seconds === 'number') best = Math.min(best ?? Infinity, seconds * 1000);
    });
  }
  return best === null ? null : Math.round(best);
}

/** Tries one way for sound and picture. */
export async function tryMedia(o: MediaOptions): Promise<WayResult> {
  const none: WayResult = { state: 'absent', rttMs: null, addresses: [] };
  if (o.via === 'turn' && o.ice.length === 0) return none;
  const make = o.make ?? ((config: RTCConfiguration) => new RTCPeerConnection(config));
  // Only a relay is asked for a relay: on the other ways it would hide what is closed.
  const pc = make(
    o.via === 'turn' ? { iceServers: [...o.ice], iceTransportPolicy: 'relay' } : { iceTransportPolicy: 'all' },
  );
  try {
    pc.addTransceiver('audio', { direction: 'recvonly' });
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const answer = await o.ask(pc.localDescription?.sdp ?? offer.sdp ?? '');
    if (!answer.ok) return { state: 'untried', rttMs: null, addresses: [], error: answer.error };
    const { sdp, addresses } = answer.value;
    if (sdp === undefined) return none;
    const up = isUp(pc, o.upWithinMs ?? UP_WITHIN);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    if (!(await up)) return { state: 'failed', rttMs: null, addresses };
    return { state: 'good', rttMs: await roundTrip(pc, o.measureMs ?? MEASURE), addresses };
  } catch {
    return { state: 'failed', rttMs: null, addresses: [] };
  } finally {
    pc.close();
  }
}

/** Tries the websocket of the room: it opens, and answers what is no greeting. */
export function trySocket(
  open: (url: string) => WebSocket = (url) => new WebSocket(url, SUBPROTOCOL),
  withinMs = UP_WITHIN,
): Promise<WayResult> {
  const result = (state: WayResult['state'], rttMs: number | null): WayResult => ({
    state,
    rttMs,
    addresses: [location.host],
  });
  return new Promise((done) => {
    let sent: number | null = null;
    let socket: WebSocket;
    try {
      socket = open(socketUrl(location));
    } catch {
      done(result('failed', null));
      return;
    }
    const end = (answer: WayResult) => {
      clearTimeout(timer);
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      socket.close();
      done(answer);
    };
    // Open is enough; the answer is for the clock.
    const timer = setTimeout(() => end(result(sent === null ? 'failed' : 'good', null)), withinMs);
    socket.onopen = () => {
      sent = performance.now();
      socket.send('{"t":"ping"}');
    };
    socket.onmessage = () => end(result('good', sent === null ? null : Math.round(performance.now() - sent)));
    socket.onerror = () => undefined;
    socket.onclose = () => end(result(sent === null ? 'failed' : 'good', null));
  });
}
