/** Samples kept; the one with the shortest round trip is believed. */
const KEEP = 8;

/** Offset between the server's clock and ours, from ping round trips. */
export class ServerClock {
  #samples: { rtt: number; offset: number }[] = [];
  #rtt: number | null = null;

  /** `sent` and `received` by our clock, `server` by the server's, all in ms. */
  sample(sent: number, received: number, server: number): void {
    const rtt = Math.max(0, received - sent);
    this.#rtt = rtt;
    this.#samples.push({ rtt, offset: server - (sent + received) / 2 });
    if (this.#samples.length > KEEP) this.#samples.shift();
  }

  /** A first guess from `welcome.now`, replaced by any real sample. */
  guess(received: number, server: number): void {
    this.#samples.push({ rtt: Number.MAX_SAFE_INTEGER, offset: server - received });
    if (this.#samples.length > KEEP) this.#samples.shift();
  }

  get offset(): number {
    let best = this.#samples[0];
    for (const s of this.#samples) if (best && s.rtt < best.rtt) best = s;
    return best?.offset ?? 0;
  }

  /** Last round trip of the control link, ms. */
  get rtt(): number | null {
    return this.#rtt;
  }

  /** The server's time for one of ours. */
  toServer(local: number): number {
    return local + this.offset;
  }
}
