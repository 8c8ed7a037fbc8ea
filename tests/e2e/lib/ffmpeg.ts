// What Debian's ffmpeg and ffprobe say of a file.
import { spawnSync } from 'node:child_process';

function run(program: string, args: string[]): { out: string; err: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}\n${stderr}`);
  return { out: stdout, err: stderr };
}

/**
 * What is wrong with a file, decoded from its beginning to its end; empty: nothing.
 * Pictures of a camera have no rate; that which ffmpeg guesses would put two of them
 * into one place, so times are counted in milliseconds, as they are in the file.
 */
export function complaints(file: string): string {
  const times = ['-fps_mode:v', 'passthrough', '-enc_time_base:v', '1:1000'];
  return run('/usr/bin/ffmpeg', ['-nostdin', '-v', 'error', '-i', file, ...times, '-f', 'null', '-']).err;
}

/** Sizes of the pictures of a file, in order, each run of equal ones once. */
export function sizes(file: string): string[] {
  const { out } = run('/usr/bin/ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=width,height', '-of', 'csv=p=0', file]);
  const all = out.split('\n').map((line) => line.trim().replace(/,+$/, '')).filter((line) => line !== '');
  return all.filter((size, at) => size !== all[at - 1]);
}

/** Codecs of a file, and how long it is, seconds. */
export function streams(file: string): { codecs: string[]; width: number; height: number; seconds: number } {
  const { out } = run('/usr/bin/ffprobe', ['-v', 'error', '-show_entries', 'format=duration:stream=codec_name,width,height', '-of', 'json', file]);
  const told = JSON.parse(out) as { streams: { codec_name: string; width?: number; height?: number }[]; format: { duration?: string } };
  const picture = told.streams.find((one) => one.width !== undefined);
  return {
    codecs: told.streams.map((one) => one.codec_name),
    width: picture?.width ?? 0,
    height: picture?.height ?? 0,
    seconds: Number(told.format.duration ?? 0),
  };
}

/** Silences of at least so long, seconds: when each begins and how long it is. */
export function silences(file: string, least: number): { from: number; seconds: number }[] {
  const { err } = run('/usr/bin/ffmpeg', ['-nostdin', '-i', file, '-af', `silencedetect=noise=-50dB:d=${least}`, '-f', 'null', '-']);
  const ends = [...err.matchAll(/silence_end: ([\d.]+) \| silence_duration: ([\d.]+)/g)];
  return ends.map((found) => ({ from: Number(found[1]) - Number(found[2]), seconds: Number(found[2]) }));
}
