// Files Chromium's fake devices play: a picture whose four corners have four
// colours, so that a receiver can tell it from any other picture, and a tone.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Rgb = readonly [number, number, number];

/** Colours of the corners: top left, top right, bottom left, bottom right. */
export type Corners = readonly [Rgb, Rgb, Rgb, Rgb];

export const TRAINER_CORNERS: Corners = [
  [220, 30, 30],
  [30, 190, 40],
  [30, 50, 220],
  [230, 210, 30],
];

function yuv([r, g, b]: Rgb): [number, number, number] {
  return [
    Math.round(0.257 * r + 0.504 * g + 0.098 * b + 16),
    Math.round(-0.148 * r - 0.291 * g + 0.439 * b + 128),
    Math.round(0.439 * r - 0.368 * g - 0.071 * b + 128),
  ];
}

function frame(width: number, height: number, corners: Corners, step: number): Buffer {
  const luma = Buffer.alloc(width * height);
  const cw = width / 2;
  const ch = height / 2;
  const u = Buffer.alloc(cw * ch);
  const v = Buffer.alloc(cw * ch);
  const colours = corners.map(yuv);
  // A bar crosses the middle line, so that frames differ and the encoder has work.
  const bar = (step * 16) % width;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = colours[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? [0, 0, 0];
      const onBar = Math.abs(y - height / 2) < 12 && x >= bar && x < bar + 48;
      luma[y * width + x] = onBar ? 235 : colour[0];
      if (y % 2 === 0 && x % 2 === 0) {
        const at = (y / 2) * cw + x / 2;
        u[at] = onBar ? 128 : colour[1];
        v[at] = onBar ? 128 : colour[2];
      }
    }
  }
  return Buffer.concat([luma, u, v]);
}

/** A y4m of one second that loops. Written once per folder. */
export function patternVideo(folder: string, corners: Corners, width = 960, height = 540, fps = 15): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `pattern-${width}x${height}.y4m`);
  if (existsSync(path)) return path;
  const parts: Buffer[] = [Buffer.from(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`)];
  for (let step = 0; step < fps; step++) {
    parts.push(Buffer.from('FRAME\n'), frame(width, height, corners, step));
  }
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** A y4m of one second in which every block changes with every picture: it takes all the bits a layer may have. */
export function restlessVideo(folder: string, width = 960, height = 540, fps = 15): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `restless-${width}x${height}.y4m`);
  if (existsSync(path)) return path;
  const parts: Buffer[] = [Buffer.from(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`)];
  const grey = Buffer.alloc((width * height) / 2, 128);
  let seed = 1;
  for (let step = 0; step < fps; step++) {
    const luma = Buffer.alloc(width * height);
    for (let y = 0; y < height; y += BLOCK) {
      for (let x = 0; x < width; x += BLOCK) {
        // The same picture at every run.
        seed = (seed * 48_271) % 2_147_483_647;
        for (let row = y; row < Math.min(y + BLOCK, height); row++) luma.fill(70 + (seed % 100), row * width + x, row * width + Math.min(x + BLOCK, width));
      }
    }
    parts.push(Buffer.from('FRAME\n'), luma, grey);
  }
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** Side of a block of the restless picture: larger than what the smallest layer smoothes away. */
const BLOCK = 20;

/** A WAV of four seconds: a tone in syllable-like bursts, so that it counts as voice. */
export function toneAudio(folder: string, hertz = 300): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `tone-${hertz}.wav`);
  if (existsSync(path)) return path;
  return writeWav(path, 4, (t) => {
    const envelope = 0.55 + 0.45 * Math.sin(2 * Math.PI * 3 * t);
    return 0.5 * envelope * (Math.sin(2 * Math.PI * hertz * t) + 0.4 * Math.sin(4 * Math.PI * hertz * t));
  });
}

/** A WAV of six seconds: three seconds of the tone of `toneAudio` in noise, then the noise alone. */
export function noisyAudio(folder: string, hertz = 300): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `noisy-${hertz}.wav`);
  if (existsSync(path)) return path;
  let seed = 1;
  return writeWav(path, 6, (t) => {
    // The same noise at every run.
    seed = (seed * 48_271) % 2_147_483_647;
    const noise = (seed / 2_147_483_647 - 0.5) * 0.12;
    const envelope = t < 3 ? 0.55 + 0.45 * Math.sin(2 * Math.PI * 3 * t) : 0;
    return noise + 0.4 * envelope * (Math.sin(2 * Math.PI * hertz * t) + 0.4 * Math.sin(4 * Math.PI * hertz * t));
  });
}

function writeWav(path: string, seconds: number, sample: (t: number) => number): string {
  const rate = 48_000;
  const count = rate * seconds;
  const data = Buffer.alloc(count * 2);
  for (let i = 0; i < count; i++) {
    const value = sample(i / rate);
    data.writeInt16LE(Math.round(Math.max(-1, Math.min(1, value)) * 32_000), i * 2);
  }
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  writeFileSync(path, Buffer.concat([head, data]));
  return path;
}
