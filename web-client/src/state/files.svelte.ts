// Files handed out to everybody and handed in to staff.
import type { Action, ClientFrame, ErrorCode, FileId, FileItem, FileWay, PersonId, ServerFrame } from '../core/proto';
import type { FilesModel, Upload } from './contract';
import type { UploadKind, Uploads } from './uploads.svelte';

export interface FilesDeps {
  request(msg: ClientFrame): Promise<ErrorCode | null>;
  perms(): ReadonlySet<Action>;
  self(): PersonId;
  uploads: Uploads;
  /** Largest file of each way, bytes. */
  most: Readonly<Record<FileWay, number>>;
}

const newestFirst = (a: FileItem, b: FileItem) => b.at - a.at;

export class Files implements FilesModel {
  #all = $state.raw<readonly FileItem[]>([]);
  readonly #deps: FilesDeps;

  constructor(deps: FilesDeps) {
    this.#deps = deps;
  }

  get handedOut(): readonly FileItem[] {
    return this.#all.filter((one) => one.way === 'out').sort(newestFirst);
  }
  /** For staff everybody's, otherwise one's own. */
  get handedIn(): readonly FileItem[] {
    return this.#all.filter((one) => one.way === 'in').sort(newestFirst);
  }
  get uploads(): readonly Upload[] {
    return this.#deps.uploads.list.filter((one) => one.way !== 'deck');
  }
  get canHandOut(): boolean {
    return this.#deps.perms().has('handOut');
  }
  get canHandIn(): boolean {
    return this.#deps.perms().has('handIn');
  }
  get maxBytes(): Readonly<Record<FileWay, number>> {
    return this.#deps.most;
  }

  /** One's own file, or one that staff may take back. */
  mayDrop(item: FileItem): boolean {
    return item.by === this.#deps.self() || this.canHandOut;
  }

  take(frame: ServerFrame): boolean {
    switch (frame.t) {
      case 'state':
        // What was handed in comes in a message of its own, which follows.
        this.#all = [...this.#all.filter((one) => one.way === 'in'), ...(frame.files ?? [])];
        return true;
      case 'filesMine': {
        // Long lists come in several frames.
        const more = frame.add === true;
        const told = new Set(frame.list.map((one) => one.file));
        const kept = this.#all.filter((one) => (more || one.way === 'out') && !told.has(one.file));
        this.#all = [...kept, ...frame.list];
        return true;
      }
      case 'file':
        this.#put(frame.file);
        return true;
      case 'fileGone':
        this.#all = this.#all.filter((one) => one.file !== frame.file);
        return true;
      default:
        return false;
    }
  }

  #put(item: FileItem): void {
    this.#all = [...this.#all.filter((one) => one.file !== item.file), item];
  }

  arrived(value: unknown): void {
    const item = (value as { file?: FileItem } | null)?.file;
    if (typeof item?.file === 'string' && typeof item.url === 'string') this.#put(item);
  }

  upload(files: readonly File[], way: FileWay): void {
    if (way === 'out' ? !this.canHandOut : !this.canHandIn) return;
    const kind: UploadKind = {
      way,
      url: (file) => `/api/files?way=${way}&name=${encodeURIComponent(file.name.normalize('NFC'))}`,
      most: this.#deps.most[way],
    };
    this.#deps.uploads.add(kind, files);
  }
  cancelUpload(id: number): void {
    this.#deps.uploads.cancel(id);
  }
  retryUpload(id: number): void {
    this.#deps.uploads.retry(id);
  }
  canRetry(id: number): boolean {
    return this.#deps.uploads.canRetry(id);
  }

  drop(file: FileId): Promise<ErrorCode | null> {
    return this.#deps.request({ t: 'fileDrop', file });
  }
}
