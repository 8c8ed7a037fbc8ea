// Files on their way to the server: one after the other, with progress, each can be called off.
import type { Sending, Sent } from '../core/files/upload';
import type { ErrorCode } from '../core/proto';
import type { Upload } from './contract';

/** What is sent where. */
export interface UploadKind {
  way: Upload['way'];
  url(file: File): string;
  /** Largest file, bytes. */
  most: number;
}

export type SendFile = <T>(o: Sending) => Promise<Sent<T>>;

export interface UploadDeps {
  token(): string;
  send: SendFile;
  /** What came back for a file that arrived. */
  arrived(way: Upload['way'], value: unknown): void;
  /** Resolves when it is worth trying again after the network failed. */
  online(): Promise<void>;
}

/** Files waiting at once, at most; more are not taken. */
export const MOST_WAITING = 20;
/** A file whose way was cut is sent again so many times. */
const RETRIES = 3;

interface Job {
  id: number;
  kind: UploadKind;
  file: File;
  abort: AbortController;
  tries: number;
}

export class Uploads {
  list = $state.raw<readonly Upload[]>([]);
  readonly #deps: UploadDeps;
  #next = 1;
  #jobs: Job[] = [];
  #running = false;

  constructor(deps: UploadDeps) {
    this.#deps = deps;
  }

  add(kind: UploadKind, files: readonly File[]): void {
    for (const file of files) {
      const id = this.#next++;
      const item: Upload = {
        id,
        way: kind.way,
        name: file.name.normalize('NFC'),
        bytes: file.size,
        sent: 0,
        st: 'waiting',
        code: null,
        why: null,
        most: kind.most,
      };
      const waiting = this.#jobs.length;
      const code: Upload['code'] =
        file.size > kind.most ? 'too_large' : file.size === 0 ? 'bad_request' : waiting >= MOST_WAITING ? 'busy' : null;
      this.list = [...this.list, code === null ? item : { ...item, st: 'failed', code }];
      if (code === null || code === 'busy') {
        const job: Job = { id, kind, file, abort: new AbortController(), tries: 0 };
        if (code === null) this.#jobs.push(job);
        else this.#failed.set(id, job);
      }
    }
    void this.#run();
  }

  /** Calls an upload off, or puts a failed one away. */
  cancel(id: number): void {
    const job = this.#jobs.find((one) => one.id === id);
    this.#jobs = this.#jobs.filter((one) => one.id !== id);
    this.#failed.delete(id);
    this.list = this.list.filter((one) => one.id !== id);
    job?.abort.abort();
  }

  /** Sends a failed file again. */
  retry(id: number): void {
    const job = this.#failed.get(id);
    if (!job) return;
    this.#failed.delete(id);
    job.tries = 0;
    this.#change(id, { st: 'waiting', sent: 0, code: null });
    this.#jobs.push(job);
    void this.#run();
  }

  /** Whether a failed file can be sent again as it is. */
  canRetry(id: number): boolean {
    return this.#failed.has(id);
  }

  readonly #failed = new Map<number, Job>();

  #change(id: number, change: Partial<Upload>): void {
    this.list = this.list.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (;;) {
      const job = this.#jobs[0];
      if (!job) break;
      await this.#one(job);
      this.#jobs = this.#jobs.filter((one) => one !== job);
    }
    this.#running = false;
  }

  async #one(job: Job): Promise<void> {
    const { id, kind, file, abort } = job;
    for (;;) {
      this.#change(id, { st: 'sending', sent: 0 });
      const result = await this.#deps.send<unknown>({
        url: kind.url(file),
        file,
        token: this.#deps.token(),
        signal: abort.signal,
        onsent: (sent) => this.#change(id, { sent: Math.min(sent, file.size) }),
      });
      if (abort.signal.aborted) return;
      if (result.ok) {
        this.list = this.list.filter((one) => one.id !== id);
        this.#deps.arrived(kind.way, result.value);
        return;
      }
      // A body that was cut is a matter of the network too.
      if ((result.code === 'network' || result.code === 'conflict') && job.tries < RETRIES) {
        job.tries += 1;
        this.#change(id, { st: 'waiting' });
        await this.#deps.online();
        if (abort.signal.aborted) return;
        continue;
      }
      const code: ErrorCode | 'network' = result.code === 'aborted' ? 'network' : result.code;
      // What the server refused for its contents is refused again.
      if (!['too_large', 'bad_request', 'forbidden'].includes(code)) this.#failed.set(id, job);
      this.#change(id, { st: 'failed', code, why: result.why ?? null });
      return;
    }
  }

  stop(): void {
    for (const job of this.#jobs) job.abort.abort();
    this.#jobs = [];
    this.list = [];
  }
}
