// The only place remote sound comes out: a fixed pool of audio elements, one per
// audio slot, made once and kept. No remote audio goes through a Web Audio graph,
// because echo cancellation does not cover that everywhere.
import { Emitter } from '../base/emitter';
import { isWebKit } from './compat';
import type { Slot } from './peer';

export interface AudioOutEvents {
  /** The browser wants a tap before it plays sound. */
  blocked: boolean;
}

/** A pause that was not ours is undone after this long: at once it would be refused, ms. */
const RESUME_AFTER = 400;

type WithSink = HTMLAudioElement & { setSinkId?(id: string): Promise<void> };

export class AudioOut extends Emitter<AudioOutEvents> {
  #elements: HTMLAudioElement[] = [];
  #box: HTMLElement | null = null;
  #blocked = false;
  #sink: string | null = null;
  #context: AudioContext | null = null;
  #resumeTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #hushed = false;

  static get canPickSpeaker(): boolean {
    return typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  #element(index: number): HTMLAudioElement {
    const known = this.#elements[index];
    if (known) return known;
    if (!this.#box) {
      this.#box = document.createElement('div');
      this.#box.hidden = true;
      document.body.append(this.#box);
    }
    const element = document.createElement('audio');
    // Low power mode of iOS shows a play button for `autoplay`; there play() is called.
    element.autoplay = !isWebKit();
    element.setAttribute('playsinline', '');
    element.muted = this.#hushed;
    element.addEventListener('pause', () => this.#onPause(element));
    this.#box.append(element);
    this.#elements[index] = element;
    if (this.#sink) void this.#applySink(element, this.#sink);
    return element;
  }

  /** To be called inside the tap that joins, before anything asynchronous. */
  unlock(count: number): void {
    this.#stopped = false;
    if (isWebKit() && typeof AudioContext === 'function') {
      // WebKit unlocks element by element, and only one that has something to play.
      this.#context ??= new AudioContext();
      const silence = this.#context.createMediaStreamDestination().stream;
      for (let i = 0; i < count; i += 1) {
        const element = this.#element(i);
        element.srcObject ??= silence;
        void element.play().catch(() => undefined);
      }
      return;
    }
    for (let i = 0; i < count; i += 1) this.#element(i);
    if (this.#blocked) void this.play();
  }

  /** Plays the slots of a (new) peer connection. */
  bind(slots: readonly Slot[]): void {
    slots.forEach((slot, index) => {
      this.#element(index).srcObject = slot.stream;
    });
    void this.play();
  }

  /** Silent while something else is listened to; it plays on unheard. */
  hush(on: boolean): void {
    this.#hushed = on;
    for (const element of this.#elements) element.muted = on;
  }

  /** Starts every element; true when the browser allowed it. */
  async play(): Promise<boolean> {
    const tries = this.#elements
      .filter((element) => element.srcObject)
      .map((element) =>
        element.play().then(
          () => true,
          // Anything else than a refusal (for example a new source meanwhile) is not for the person.
          (error: unknown) => !(error instanceof DOMException && error.name === 'NotAllowedError'),
        ),
      );
    // A track that has no packets yet keeps play() pending in some engines: do not wait for it.
    const settled = await Promise.race([
      Promise.all(tries),
      new Promise<boolean[]>((resolve) => setTimeout(() => resolve([]), 1_500)),
    ]);
    const allowed = settled.every(Boolean);
    this.#setBlocked(!allowed);
    return allowed;
  }

  /** The system paused us: a call came in, headphones went, the screen was locked. */
  #onPause(element: HTMLAudioElement): void {
    if (this.#stopped || !element.srcObject) return;
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => void this.resume(), RESUME_AFTER);
  }

  /** Plays again what should be playing; a page nobody sees waits until it is shown. */
  async resume(): Promise<void> {
    if (this.#stopped) return;
    const context = this.#context;
    // WebKit calls it `interrupted` after a phone call.
    if (context && context.state !== 'running' && context.state !== 'closed')
      await context.resume().catch(() => undefined);
    if (this.#elements.some((element) => element.srcObject && element.paused)) await this.play();
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.emit('blocked', blocked);
  }

  async #applySink(element: WithSink, id: string): Promise<void> {
    try {
      await element.setSinkId?.(id);
    } catch {
      // The speaker is gone; the default one goes on playing.
    }
  }

  async setSpeaker(id: string | null): Promise<void> {
    this.#sink = id;
    if (!AudioOut.canPickSpeaker) return;
    await Promise.all(this.#elements.map((element) => this.#applySink(element, id ?? '')));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#resumeTimer);
    for (const element of this.#elements) {
      element.srcObject = null;
      element.load();
    }
    this.#elements = [];
    this.#box?.remove();
    this.#box = null;
    void this.#context?.close().catch(() => undefined);
    this.#context = null;
    this.clear();
  }
}
