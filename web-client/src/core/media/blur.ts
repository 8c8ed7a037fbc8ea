// Background blur: by the platform where it offers that, else a canvas between camera and
// sender. Fetched when it is switched on. Until the model is there, everything is blurred.
import { workerTicker } from '../net/ticker';
import type { EffectFault, Processor } from './effect-line';
import { canBlurHere, platformBlurs } from './effects-can';
import { FrameBudget } from './frame-budget';
import { forgetSegmenter, MASK, segmenter, type Segmenter } from './segmenter';

/** Frames a second. */
const RATE = 20;
/** Wider pictures are made smaller: nobody reads text in a camera's picture, pixels. */
const MAX_WIDTH = 960;
/** The background goes through a picture this wide, which takes its detail away, pixels. */
const COARSE = 48;
/** The edge of a person is softened by so many pixels of the mask. */
const SOFT = 2;
/** The model must be there after this, ms; and answer within this, for the picture stands still meanwhile. */
const LOADS_IN = 30_000;
const ANSWERS_IN = 5_000;

type Blurring = MediaTrackConstraints & { backgroundBlur?: boolean };

async function byPlatform(raw: MediaStreamTrack): Promise<Processor | null> {
  if (!platformBlurs(raw)) return null;
  const set = (on: boolean) => raw.applyConstraints({ ...raw.getConstraints(), backgroundBlur: on } as Blurring);
  try {
    await set(true);
  } catch {
    return null;
  }
  return { track: raw, stop: () => void set(false).catch(() => undefined) };
}

function surface(width: number, height: number): [HTMLCanvasElement, CanvasRenderingContext2D] {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  return [canvas, context];
}

/** Draws people sharp before a blurred background. */
class Painter {
  readonly canvas: HTMLCanvasElement;
  readonly small: HTMLCanvasElement;
  readonly #out: CanvasRenderingContext2D;
  readonly #seen: CanvasRenderingContext2D;
  readonly #mask: [HTMLCanvasElement, CanvasRenderingContext2D];
  readonly #coarse: [HTMLCanvasElement, CanvasRenderingContext2D];
  #hasMask = false;

  constructor(readonly video: HTMLVideoElement) {
    [this.canvas, this.#out] = surface(16, 9);
    [this.small, this.#seen] = surface(MASK.width, MASK.height);
    this.#mask = surface(MASK.width, MASK.height);
    this.#coarse = surface(COARSE, Math.round((COARSE * 9) / 16));
    this.fit();
  }

  /** Takes over the size of the camera; a phone turns it. */
  fit(): void {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth || !videoHeight) return;
    const scale = Math.min(1, MAX_WIDTH / Math.max(videoWidth, videoHeight));
    const even = (side: number) => Math.max(2, Math.round((side * scale) / 2) * 2);
    const [width, height] = [even(videoWidth), even(videoHeight)];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  /** What the model is to look at. */
  shrink(): HTMLCanvasElement {
    this.#seen.drawImage(this.video, 0, 0, MASK.width, MASK.height);
    return this.small;
  }

  keep(mask: CanvasImageSource): void {
    const context = this.#mask[1];
    context.globalCompositeOperation = 'copy';
    // Engines without filters on a canvas leave the edge as it is.
    context.filter = `blur(${SOFT}px)`;
    context.drawImage(mask, 0, 0, MASK.width, MASK.height);
    this.#hasMask = true;
  }

  paint(): void {
    const out = this.#out;
    const { width, height } = this.canvas;
    const [coarse, brush] = this.#coarse;
    brush.imageSmoothingQuality = 'medium';
    brush.drawImage(this.video, 0, 0, coarse.width, coarse.height);
    out.imageSmoothingQuality = 'medium';
    if (!this.#hasMask) {
      out.globalCompositeOperation = 'copy';
      out.drawImage(coarse, 0, 0, width, height);
      return;
    }
    out.globalCompositeOperation = 'copy';
    out.drawImage(this.#mask[0], 0, 0, width, height);
    out.globalCompositeOperation = 'source-in';
    out.drawImage(this.video, 0, 0, width, height);
    out.globalCompositeOperation = 'destination-over';
    out.drawImage(coarse, 0, 0, width, height);
  }
}

export async function blurBackground(raw: MediaStreamTrack, lost: (why: EffectFault) => void): Promise<Processor> {
  const native = await byPlatform(raw);
  if (native) return native;
  if (!canBlurHere()) throw new Error('too weak');

  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([raw]);
  await video.play();
  const painter = new Painter(video);
  painter.paint();
  const [track] = painter.canvas.captureStream(RATE).getVideoTracks();
  if (!track) throw new Error('no track');
  if ('contentHint' in track) track.contentHint = 'motion';

  const budget = new FrameBudget();
  const began = performance.now();
  let model: Segmenter | null = null;
  let busySince: number | null = null;
  let stopped = false;

  const fail = (why: EffectFault) => {
    if (stopped) return;
    lost(why);
  };
  segmenter().then(
    (made) => (model = made),
    () => {
      forgetSegmenter();
      fail('broken');
    },
  );

  async function step(): Promise<void> {
    const now = performance.now();
    if (busySince !== null) {
      // Its graphics context may be lost for good: the next one is made anew.
      if (now - busySince > ANSWERS_IN) {
        forgetSegmenter();
        fail('slow');
      }
      return;
    }
    if (!model && now - began > LOADS_IN) return fail('broken');
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    busySince = now;
    try {
      painter.fit();
      if (model) await model.look(painter.shrink(), (mask) => painter.keep(mask));
      if (!stopped) painter.paint();
    } catch {
      forgetSegmenter();
      fail('broken');
    } finally {
      busySince = null;
    }
    if (model && budget.spend(performance.now() - now)) fail('slow');
  }
  const stopTicks = workerTicker(1000 / RATE, () => {
    if (!stopped) void step();
  });

  return {
    track,
    stop() {
      stopped = true;
      stopTicks();
      track.stop();
      video.srcObject = null;
    },
  };
}
