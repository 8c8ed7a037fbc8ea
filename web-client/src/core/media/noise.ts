// Strong noise suppression: RNNoise in an audio worklet. Fetched when it is switched on.
import { loadRnnoise, RnnoiseWorkletNode } from '@sapphi-red/web-noise-suppressor';
import simdUrl from '@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url';
import wasmUrl from '@sapphi-red/web-noise-suppressor/rnnoise.wasm?url';
import workletUrl from '@sapphi-red/web-noise-suppressor/rnnoiseWorklet.js?url';
import type { EffectFault, Processor } from './effect-line';
import { dbfs } from './meter';

/** The network of the filter was trained at this rate, Hz. */
const RATE = 48_000;
/** How often it is looked at whether sound still comes out, ms. */
const LOOK_EVERY = 500;
/** So many looks in a row with sound going in and nothing at all coming out mean a broken filter. */
const DEAD_LOOKS = 4;
/** Louder than this is sound that goes in, dBFS. */
const SOUND = -50;

export async function filterNoise(
  raw: MediaStreamTrack,
  lost: (why: EffectFault | 'lapsed') => void,
): Promise<Processor> {
  const context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
  try {
    const [wasmBinary] = await Promise.all([
      loadRnnoise({ url: wasmUrl, simdUrl }),
      context.audioWorklet.addModule(workletUrl),
      context.resume(),
    ]);
    const source = context.createMediaStreamSource(new MediaStream([raw]));
    const filter = new RnnoiseWorkletNode(context, { maxChannels: 1, wasmBinary });
    const sink = context.createMediaStreamDestination();
    sink.channelCount = 1;
    const before = context.createAnalyser();
    const after = context.createAnalyser();
    source.connect(before);
    source.connect(filter);
    filter.connect(after);
    filter.connect(sink);
    const [track] = sink.stream.getAudioTracks();
    if (!track) throw new Error('no track');

    filter.onprocessorerror = () => lost('broken');
    // A phone call takes the context away; the microphone itself may go on.
    context.onstatechange = () => {
      if (context.state !== 'running') lost('lapsed');
    };
    let dead = 0;
    const samples = new Float32Array(before.fftSize);
    const watch = setInterval(() => {
      before.getFloatTimeDomainData(samples);
      const goesIn = dbfs(samples) > SOUND;
      after.getFloatTimeDomainData(samples);
      if (dbfs(samples) > -Infinity) dead = 0;
      else if (goesIn) dead += 1;
      if (dead >= DEAD_LOOKS) lost('broken');
    }, LOOK_EVERY);
    return {
      track,
      stop() {
        clearInterval(watch);
        context.onstatechange = null;
        filter.onprocessorerror = null;
        filter.destroy();
        source.disconnect();
        track.stop();
        void context.close().catch(() => undefined);
      },
    };
  } catch (error) {
    void context.close().catch(() => undefined);
    throw error;
  }
}
