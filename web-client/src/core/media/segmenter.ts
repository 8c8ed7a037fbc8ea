// Tells people from the background in a picture: MediaPipe's selfie model, all of it from
// our own origin. Its script is made for a plain <script> and leaves its class in `window`.
import graphUrl from '@mediapipe/selfie_segmentation/selfie_segmentation.binarypb?url&no-inline';
import scriptUrl from '@mediapipe/selfie_segmentation/selfie_segmentation.js?url&no-inline';
import modelUrl from '@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite?url&no-inline';
import loaderUrl from '@mediapipe/selfie_segmentation/selfie_segmentation_solution_simd_wasm_bin.js?url&no-inline';
import wasmUrl from '@mediapipe/selfie_segmentation/selfie_segmentation_solution_simd_wasm_bin.wasm?url&no-inline';
import type { SelfieSegmentation as Selfie } from '@mediapipe/selfie_segmentation';

/** Size of the picture the model looks at, pixels. */
export const MASK = { width: 256, height: 144 } as const;

const FILES: Readonly<Record<string, string>> = {
  'selfie_segmentation.binarypb': graphUrl,
  'selfie_segmentation_landscape.tflite': modelUrl,
  'selfie_segmentation_solution_simd_wasm_bin.js': loaderUrl,
  'selfie_segmentation_solution_simd_wasm_bin.wasm': wasmUrl,
};

function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error('script'));
    document.head.append(script);
  });
}

export interface Segmenter {
  /** Looks at the picture; `draw` gets the mask (people are opaque) before the promise resolves. */
  look(picture: HTMLCanvasElement, draw: (mask: CanvasImageSource) => void): Promise<void>;
}

async function make(): Promise<Segmenter> {
  const home = window as unknown as { SelfieSegmentation?: typeof Selfie };
  if (!home.SelfieSegmentation) await loadScript(scriptUrl);
  if (!home.SelfieSegmentation) throw new Error('no model');
  const model = new home.SelfieSegmentation({ locateFile: (name) => FILES[name] ?? `/missing/${name}` });
  model.setOptions({ modelSelection: 1, selfieMode: false });
  let draw: (mask: CanvasImageSource) => void = () => undefined;
  model.onResults((results) => draw(results.segmentationMask));
  await model.initialize();
  return {
    async look(picture, next) {
      draw = next;
      await model.send({ image: picture });
    },
  };
}

let kept: Promise<Segmenter> | null = null;

/** One for the page: it holds a graphics context, of which there are few. */
export function segmenter(): Promise<Segmenter> {
  kept ??= make();
  return kept;
}

/** What failed is made anew the next time. */
export function forgetSegmenter(): void {
  kept = null;
}
