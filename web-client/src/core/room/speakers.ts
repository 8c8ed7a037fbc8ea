// Who is speaking, from the levels the server sends. Time is an argument.
import type { PersonId } from '../proto';

/** Louder than this counts as speech, −dBov (0 = loudest). */
const SPEECH = 50;
/** Quietest level shown, −dBov. */
const QUIET = 75;
const LOUD = 20;
/** Somebody counts as speaking this long after the last loud moment, ms. */
export const HOLD = 1_500;
/** A voice the server told of goes on until it tells otherwise, for this long at most, ms. */
export const GOES_ON = 5_000;
/** Another voice must lead this long before the stage follows it, ms. */
const LEAD = 700;
/** Weight of the newest level in the running loudness. */
const SMOOTH = 0.4;

/** A level of the wire as 0 to 1. */
export function levelFromWire(dbov: number): number {
  return Math.min(1, Math.max(0, (QUIET - dbov) / (QUIET - LOUD)));
}

interface Voice {
  loudness: number;
  lastLoud: number;
  lastHeard: number;
  /** It was loud in the newest message: the server tells when that changes. */
  told: boolean;
}

export class SpeakerTracker {
  #voices = new Map<PersonId, Voice>();
  #active: PersonId | null = null;
  #challenger: { who: PersonId; since: number } | null = null;
  #toldAt = -Infinity;

  /** A `levels` message: those left out are silent. */
  hear(levels: readonly (readonly [PersonId, number])[], nowMs: number): void {
    for (const voice of this.#voices.values()) {
      voice.lastLoud = this.#lastLoud(voice, nowMs);
      voice.told = false;
    }
    this.#toldAt = nowMs;
    const present = new Set<PersonId>();
    for (const [who, dbov] of levels) {
      present.add(who);
      const voice = this.#voices.get(who) ?? { loudness: 0, lastLoud: -Infinity, lastHeard: nowMs, told: false };
      voice.loudness += SMOOTH * (levelFromWire(dbov) - voice.loudness);
      voice.told = dbov <= SPEECH;
      if (voice.told) voice.lastLoud = nowMs;
      voice.lastHeard = nowMs;
      this.#voices.set(who, voice);
    }
    for (const [who, voice] of this.#voices) {
      if (!present.has(who)) voice.loudness *= 1 - SMOOTH;
      if (nowMs - voice.lastHeard > 60_000) this.#voices.delete(who);
    }
  }

  /** The last loud moment, what goes on included. */
  #lastLoud(voice: Voice, nowMs: number): number {
    return voice.told ? Math.max(voice.lastLoud, Math.min(nowMs, this.#toldAt + GOES_ON - HOLD)) : voice.lastLoud;
  }

  forget(who: PersonId): void {
    this.#voices.delete(who);
    if (this.#active === who) this.#active = null;
  }

  clear(): void {
    this.#voices.clear();
    this.#active = null;
    this.#challenger = null;
  }

  /** Everybody whose voice was heard within the hold. */
  speaking(nowMs: number): Set<PersonId> {
    const out = new Set<PersonId>();
    for (const [who, voice] of this.#voices) if (this.#speaks(voice, nowMs)) out.add(who);
    return out;
  }

  #speaks(voice: Voice, nowMs: number): boolean {
    return nowMs - this.#lastLoud(voice, nowMs) < HOLD;
  }

  /** When somebody last spoke, by our clock; -Infinity when never. */
  lastSpoke(who: PersonId, nowMs: number): number {
    const voice = this.#voices.get(who);
    return voice === undefined ? -Infinity : this.#lastLoud(voice, nowMs);
  }

  /** The one voice that leads, other than `except`; it stays until another one clearly takes over. */
  active(nowMs: number, except: PersonId | null): PersonId | null {
    let loudest: PersonId | null = null;
    let best = 0;
    for (const [who, voice] of this.#voices) {
      if (who === except || !this.#speaks(voice, nowMs)) continue;
      if (voice.loudness > best) {
        best = voice.loudness;
        loudest = who;
      }
    }
    if (loudest === null || loudest === this.#active) {
      this.#challenger = null;
      return this.#active;
    }
    const current = this.#active === null ? undefined : this.#voices.get(this.#active);
    if (!current || !this.#speaks(current, nowMs)) {
      this.#active = loudest;
      this.#challenger = null;
    } else if (this.#challenger?.who !== loudest) {
      this.#challenger = { who: loudest, since: nowMs };
    } else if (nowMs - this.#challenger.since >= LEAD) {
      this.#active = loudest;
      this.#challenger = null;
    }
    return this.#active;
  }
}
