// Thirty numbers of getStats() boiled down to the few a person can act on.

export type NetLevel = 4 | 3 | 2 | 1 | 0;

export interface NetSample {
  rttMs: number | null;
  /** Shares of packets lost since the last sample, 0 to 1. */
  lossDown: number | null;
  lossUp: number | null;
  kbpsDown: number | null;
  kbpsUp: number | null;
  /** Codec and height of the largest picture received, or sent where none is. */
  codec?: string;
  height?: number;
}

export const NO_SAMPLE: NetSample = { rttMs: null, lossDown: null, lossUp: null, kbpsDown: null, kbpsUp: null };

type Stat = Record<string, unknown> & { type: string; id: string };
export interface ReportLike {
  forEach(callback: (stat: Stat) => void): void;
}

const num = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

interface Totals {
  at: number;
  received: number;
  lost: number;
  bytesDown: number;
  bytesUp: number;
}

/** Packets received so far by m-line. */
export function packetsByMid(report: ReportLike): Map<string, number> {
  const out = new Map<string, number>();
  report.forEach((raw) => {
    if (raw.type === 'inbound-rtp' && typeof raw.mid === 'string') out.set(raw.mid, num(raw.packetsReceived));
  });
  return out;
}

/** Keeps the totals of the last report, so that each sample tells about the time in between. */
export class StatsSampler {
  #last: Totals | null = null;

  reset(): void {
    this.#last = null;
  }

  sample(report: ReportLike, nowMs: number): NetSample {
    const codecs = new Map<string, string>();
    let rtt: number | null = null;
    let received = 0;
    let lost = 0;
    let bytesDown = 0;
    let bytesUp = 0;
    let lossUpSum = 0;
    let lossUpCount = 0;
    let best: { height: number; codec: unknown } | null = null;
    let sent: { height: number; codec: unknown } | null = null;
    report.forEach((raw) => {
      switch (raw.type) {
        case 'codec':
          codecs.set(raw.id, String(raw.mimeType ?? '').replace(/^\w+\//, ''));
          break;
        case 'candidate-pair':
          if (raw.nominated === true && raw.state === 'succeeded') {
            if (typeof raw.currentRoundTripTime === 'number') rtt = raw.currentRoundTripTime * 1_000;
            bytesDown += num(raw.bytesReceived);
            bytesUp += num(raw.bytesSent);
          }
          break;
        case 'inbound-rtp': {
          received += num(raw.packetsReceived);
          lost += Math.max(0, num(raw.packetsLost));
          const height = num(raw.frameHeight);
          if (height > (best?.height ?? 0)) best = { height, codec: raw.codecId };
          break;
        }
        case 'outbound-rtp': {
          const height = num(raw.frameHeight);
          if (height > (sent?.height ?? 0)) sent = { height, codec: raw.codecId };
          break;
        }
        case 'remote-inbound-rtp':
          if (typeof raw.fractionLost === 'number') {
            lossUpSum += Math.max(0, raw.fractionLost);
            lossUpCount += 1;
          }
          break;
      }
    });
    const totals: Totals = { at: nowMs, received, lost, bytesDown, bytesUp };
    const last = this.#last;
    this.#last = totals;
    const span = last ? (nowMs - last.at) / 1_000 : 0;
    const rate = (now: number, before: number) => (span > 0 ? Math.max(0, ((now - before) * 8) / 1_000 / span) : null);
    const gone = last ? Math.max(0, lost - last.lost) : 0;
    const came = last ? Math.max(0, received - last.received) : 0;
    const shown = (best ?? sent) as { height: number; codec: unknown } | null;
    const codec = shown ? codecs.get(String(shown.codec)) : undefined;
    return {
      rttMs: rtt,
      lossDown: last && gone + came > 0 ? gone / (gone + came) : null,
      lossUp: lossUpCount > 0 ? lossUpSum / lossUpCount : null,
      kbpsDown: last ? rate(bytesDown, last.bytesDown) : null,
      kbpsUp: last ? rate(bytesUp, last.bytesUp) : null,
      ...(codec !== undefined && { codec }),
      ...(shown && { height: shown.height }),
    };
  }
}

/** Four steps a person can read: 4 excellent, 3 good, 2 weak, 1 poor, 0 lost. */
export function netLevel(sample: NetSample, connected: boolean, linkSilentMs = 0): NetLevel {
  if (!connected || linkSilentMs > 8_000) return 0;
  const loss = Math.max(sample.lossDown ?? 0, sample.lossUp ?? 0);
  const rtt = sample.rttMs ?? 0;
  if (loss > 0.1 || rtt > 1_000 || linkSilentMs > 5_000) return 1;
  if (loss > 0.05 || rtt > 500) return 2;
  if (loss > 0.02 || rtt > 250) return 3;
  return 4;
}

/** Strikes before a silent slot is called wedged, and recoveries before we stop trying. */
const STRIKES = 3;
const MAX_RECOVERIES = 2;

/**
 * Watches audio slots: bound to somebody who speaks, yet not one packet. Chromium
 * since 148 can wedge remote audio this way.
 */
export class AudioWatchdog {
  #packets = new Map<string, number>();
  #strikes = new Map<string, number>();
  #recoveries = 0;

  /** One check a second. Returns whether something should be done now. */
  check(speaking: readonly string[], packets: ReadonlyMap<string, number>): boolean {
    let wedged = false;
    for (const [mid, count] of packets) {
      const before = this.#packets.get(mid);
      this.#packets.set(mid, count);
      const silent = speaking.includes(mid) && before !== undefined && count === before;
      const strikes = silent ? (this.#strikes.get(mid) ?? 0) + 1 : 0;
      this.#strikes.set(mid, strikes);
      if (strikes >= STRIKES) wedged = true;
    }
    if (!wedged || this.#recoveries >= MAX_RECOVERIES) return false;
    this.#recoveries += 1;
    this.#strikes.clear();
    return true;
  }
}
