// Strong noise suppression, unprocessed sound, background blur: what the person chose, and
// what becomes of it. Everything heavy is fetched when it is switched on.
import { Emitter } from '../core/base/emitter';
import type { Capture, InputKind } from '../core/media/capture';
import { EffectLine, type EffectFault, type Maker } from '../core/media/effect-line';
import { canBlurHere, canFilterNoise, platformBlurs } from '../core/media/effects-can';
import { keepChoices, readChoices } from './choices';
import type { EffectsModel } from './contract';

export const MAKERS: Record<InputKind, Maker> = {
  mic: async (raw, lost) => (await import('../core/media/noise')).filterNoise(raw, lost),
  camera: async (raw, lost) => (await import('../core/media/blur')).blurBackground(raw, lost),
};

export interface EffectsEvents {
  /** The track to be sent of a kind is another one, or was looked at anew. */
  out: InputKind;
}

export class Effects extends Emitter<EffectsEvents> implements EffectsModel {
  filter = $state(false);
  music = $state(false);
  blur = $state(false);
  canBlur = $state(canBlurHere());
  fault = $state.raw<EffectsModel['fault']>(null);
  readonly canFilter = canFilterNoise();
  /** No machine counts as too slow: for tests on machines that carry several browsers at once. */
  patient = false;
  readonly #capture: Capture;
  readonly #lines: Record<InputKind, EffectLine>;
  readonly #onVisible = () => {
    if (document.visibilityState === 'visible') this.#lines.mic.retry();
  };

  constructor(capture: Capture, makers = MAKERS) {
    super();
    this.#capture = capture;
    const line = (kind: InputKind, hold: boolean) => {
      const made = new EffectLine({
        hold,
        make: (raw, lost) =>
          makers[kind](raw, (why) => {
            if (why !== 'slow' || !this.patient) lost(why);
          }),
      });
      made.on('out', () => this.emit('out', kind));
      made.on('fault', (why) => this.#failed(kind, why));
      return made;
    };
    // Who blurs the own room does not want it to be seen while the effect is made ready.
    this.#lines = { mic: line('mic', false), camera: line('camera', true) };
    const { filter, music, blur } = readChoices();
    this.music = music;
    this.filter = filter && !music && this.canFilter;
    this.blur = blur && this.canBlur;
    capture.setMusic(this.music);
    this.#lines.mic.setWanted(this.filter);
    this.#lines.camera.setWanted(this.blur);
    document.addEventListener('visibilitychange', this.#onVisible);
  }

  /** What is to be sent of a kind. */
  out(kind: InputKind): MediaStreamTrack | null {
    return this.#lines[kind].out;
  }

  /** The captured track of a kind is another one. */
  setRaw(kind: InputKind, raw: MediaStreamTrack | null): void {
    if (kind === 'camera' && raw && !this.canBlur && platformBlurs(raw)) {
      this.canBlur = true;
      this.blur = readChoices().blur;
      this.#lines.camera.setWanted(this.blur);
    }
    this.#lines[kind].setRaw(raw);
  }

  setEnabled(kind: InputKind, on: boolean): void {
    this.#lines[kind].setEnabled(on);
  }

  async setFilter(on: boolean): Promise<void> {
    if (on && this.music) await this.setMusic(false);
    this.filter = on;
    keepChoices({ filter: on });
    this.#forgive('filter');
    this.#lines.mic.setWanted(on);
  }

  async setMusic(on: boolean): Promise<void> {
    if (on && this.filter) await this.setFilter(false);
    if (on === this.music) return;
    this.music = on;
    keepChoices({ music: on });
    this.#capture.setMusic(on);
    // What a browser does to the sound is settled when the microphone is opened.
    await this.#capture.reopen('mic');
  }

  setBlur(on: boolean): void {
    this.blur = on;
    keepChoices({ blur: on });
    this.#forgive('blur');
    this.#lines.camera.setWanted(on);
  }

  dismissFault(): void {
    this.fault = null;
  }

  #forgive(effect: 'filter' | 'blur'): void {
    if (this.fault?.effect === effect) this.fault = null;
  }

  #failed(kind: InputKind, why: EffectFault): void {
    const effect = kind === 'mic' ? 'filter' : 'blur';
    this[effect] = false;
    this.fault = { effect, why };
    // A machine that is too slow stays so; what broke is worth another try the next time.
    if (why === 'slow') keepChoices({ [effect]: false });
  }
}
