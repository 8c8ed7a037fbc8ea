// Requests that outlive a broken link: sent again with the same `cid` after the return.
import type { ErrorCode } from '../core/proto';
import type { RoomSession } from '../core/session';

/** Times a request is sent over broken links before the person is told. */
const TRIES = 5;
/** The longest wait for the link to return, ms. */
const WAIT_AT_MOST = 60_000;

export class Persist {
  readonly #session: Pick<RoomSession, 'request'>;
  #waiting = new Set<() => void>();

  constructor(session: Pick<RoomSession, 'request'>) {
    this.#session = session;
  }

  /** The link is back. */
  returned(): void {
    for (const go of this.#waiting) go();
  }

  #return(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, WAIT_AT_MOST);
      this.#waiting.add(go);
    });
  }

  /** `msg` must be one whose repeats are harmless. */
  async send(msg: Parameters<RoomSession['request']>[0]): Promise<ErrorCode | null> {
    for (let n = 1; ; n += 1) {
      const reply = await this.#session.request(msg);
      if (reply.ok) return null;
      if (reply.code !== 'network') return reply.code;
      if (n === TRIES) return 'busy';
      await this.#return();
    }
  }

  /** One try: for what is only worth doing now. */
  async once(msg: Parameters<RoomSession['request']>[0]): Promise<ErrorCode | null> {
    const reply = await this.#session.request(msg);
    if (reply.ok) return null;
    return reply.code === 'network' ? 'busy' : reply.code;
  }
}
