import { CHANNEL_GZIP } from '../proto';

/** Largest message after decompression that we accept, bytes. */
const MAX_INFLATED = 8 * 1024 * 1024;

/** Whether this browser can compress (Chrome 80, Firefox 113, Safari 16.4). */
export function canGzip(): boolean {
  return typeof CompressionStream === 'function' && typeof DecompressionStream === 'function';
}

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total > limit) {
      await reader.cancel();
      throw new RangeError('message too large');
    }
    parts.push(value);
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

function through(bytes: Uint8Array<ArrayBuffer>, transform: CompressionStream | DecompressionStream) {
  const source = new Blob([bytes]).stream();
  return source.pipeThrough(transform as unknown as ReadableWritablePair<Uint8Array, Uint8Array<ArrayBuffer>>);
}

/** A binary frame: channel byte, then the gzip stream of `text`. */
export async function packJson(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const body = await collect(
    through(new TextEncoder().encode(text), new CompressionStream('gzip')),
    Number.MAX_SAFE_INTEGER,
  );
  const frame = new Uint8Array(body.byteLength + 1);
  frame[0] = CHANNEL_GZIP;
  frame.set(body, 1);
  return frame;
}

/** The text of a binary JSON frame, or null when it is another channel. Throws on bad gzip data. */
export async function unpackJson(frame: ArrayBuffer): Promise<string | null> {
  const bytes = new Uint8Array(frame);
  if (bytes[0] !== CHANNEL_GZIP) return null;
  const body = await collect(through(bytes.slice(1), new DecompressionStream('gzip')), MAX_INFLATED);
  return new TextDecoder().decode(body);
}
