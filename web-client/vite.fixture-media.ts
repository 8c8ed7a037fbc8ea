// Sound, pictures and captions of the made-up recording of /dev/player, made with ffmpeg the
// first time they are asked for and kept in the temporary folder of the machine.
import { execFile } from 'node:child_process';
import { createReadStream, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Plugin } from 'vite';

const FOLDER = join(tmpdir(), 'lophoc-fixture-media-1');
const LENGTH = 180;
const VP8 = '-c:v libvpx -deadline realtime -cpu-used 8 -b:v 250k -g 100 -pix_fmt yuv420p'.split(' ');

/** Somebody in front of a wall, or a sheet of numbers: drawn, then encoded. */
function portrait(wall: string, clothes: string, hair: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="640" height="360" fill="${wall}"/>
    <rect x="430" y="40" width="150" height="110" fill="#fff" opacity=".45"/><ellipse cx="320" cy="380" rx="170" ry="130" fill="${clothes}"/>
    <ellipse cx="320" cy="150" rx="84" ry="98" fill="${hair}"/><ellipse cx="320" cy="172" rx="66" ry="80" fill="#e2b48f"/>
    <circle cx="296" cy="164" r="6" fill="#332a22"/><circle cx="344" cy="164" r="6" fill="#332a22"/>
    <path d="M292 208q28 20 56 0" stroke="#8a4b3a" stroke-width="6" fill="none"/></svg>`;
}

function sheet(): string {
  const cells = Array.from({ length: 9 }, (_, row) =>
    Array.from({ length: 6 }, (_, column) => {
      const [x, y] = [40 + column * 94, 70 + row * 30];
      const fill = row === 0 ? '#dcebea' : '#fff';
      return `<rect x="${x}" y="${y}" width="94" height="30" fill="${fill}" stroke="#b9c4c3"/><rect x="${x + 10}" y="${y + 11}" width="${24 + ((row * 17 + column * 29) % 48)}" height="8" fill="#59706f"/>`;
    }).join(''),
  ).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="640" height="360" fill="#f4f6f6"/><rect width="640" height="40" fill="#1f6f54"/>
    <rect x="40" y="14" width="180" height="12" fill="#fff"/>${cells}</svg>`;
}

/** A square in the corner has another colour every ten seconds: a test sees by it which moment is shown. */
const MARK = 'overlay=x=16:y=16:shortest=1';

/** Length of each picture, s, and where it begins in the recording, which the mark follows. */
const PICTURES: Record<string, { seconds: number; from: number; svg: string }> = {
  'cam-1': { seconds: 93, from: 2, svg: portrait('#b9c7c2', '#0e5c64', '#2a211c') },
  'cam-2': { seconds: 83, from: 95, svg: portrait('#c9bfae', '#0e5c64', '#2a211c') },
  guest: { seconds: 20, from: 60, svg: portrait('#a9b7cf', '#8a3b52', '#1d1714') },
  screen: { seconds: 30, from: 62, svg: sheet() },
};

const CAPTIONS = `WEBVTT

00:08.000 --> 00:14.000
Chào mừng thầy cô đến với buổi tập huấn.

00:24.000 --> 00:31.000
Hôm nay chúng ta nói về <b>kế hoạch bài dạy</b>
và học liệu số.

02:08.000 --> 02:16.000
Đánh giá thường xuyên giúp người học tiến bộ từng ngày.
`;

const run = promisify(execFile);
const made = new Map<string, Promise<string>>();

async function make(name: string): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, name);
  try {
    statSync(path);
    return path;
  } catch {
    // Not made yet.
  }
  const half = join(FOLDER, `half-${process.pid}-${name}`);
  const quiet = ['-hide_banner', '-loglevel', 'error', '-y'];
  const picture = PICTURES[name.replace('.webm', '')];
  if (name === 'vi.vtt') writeFileSync(half, CAPTIONS);
  else if (name === 'sound.webm') {
    // A beep at every full second, higher at every tenth.
    const tone = `0.3*sin(2*PI*t*if(lt(mod(t\\,10)\\,1)\\,880\\,440))*lt(mod(t\\,1)\\,0.08)+0.04*sin(2*PI*180*t)*(0.6+0.4*sin(2*PI*2.3*t))`;
    const source = `aevalsrc=${tone}:d=${LENGTH}:s=48000`;
    await run('ffmpeg', [...quiet, '-f', 'lavfi', '-i', source, '-c:a', 'libopus', '-b:a', '32k', half]);
  } else if (picture) {
    const svg = join(FOLDER, `${name}.svg`);
    writeFileSync(svg, picture.svg);
    const turn = `h='47*floor((t+${picture.from})/10)'`;
    const graph = `[1]hue=${turn}[mark];[0][mark]${MARK}`;
    const still = ['-loop', '1', '-framerate', '10', '-t', String(picture.seconds), '-i', svg];
    const mark = ['-f', 'lavfi', '-i', `color=red:size=48x48:rate=10:duration=${picture.seconds}`];
    await run('ffmpeg', [...quiet, ...still, ...mark, '-filter_complex', graph, ...VP8, half]);
  } else throw new Error(`no such file: ${name}`);
  renameSync(half, path);
  return path;
}

export function fixtureMedia(): Plugin {
  return {
    name: 'fixture-media',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = /^\/media\/fixture\/([\w-]+\.(?:webm|vtt))(?:\?|$)/u.exec(request.url ?? '')?.[1];
        if (name === undefined) return next();
        let file = made.get(name);
        if (!file) {
          file = make(name);
          made.set(name, file);
        }
        file.then(
          (path) => {
            const { size } = statSync(path);
            const range = /^bytes=(\d+)-(\d*)$/u.exec(request.headers.range ?? '');
            const start = range ? Number(range[1]) : 0;
            const end = range?.[2] ? Math.min(size - 1, Number(range[2])) : size - 1;
            if (start > end) {
              response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
              return;
            }
            response.writeHead(range ? 206 : 200, {
              'content-type': name.endsWith('.vtt')
                ? 'text/vtt; charset=utf-8'
                : name === 'sound.webm'
                  ? 'audio/webm'
                  : 'video/webm',
              'accept-ranges': 'bytes',
              'content-length': end - start + 1,
              ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
            });
            const stream = createReadStream(path, { start, end });
            response.on('close', () => stream.destroy());
            stream.pipe(response);
          },
          (problem: unknown) => {
            made.delete(name);
            response.writeHead(503, { 'content-type': 'text/plain' }).end(String(problem));
          },
        );
      });
    },
  };
}
