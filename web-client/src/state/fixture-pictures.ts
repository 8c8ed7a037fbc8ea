// Pictures of made-up people and slides, drawn.
import type { Person } from '../core/proto';
import { hueOf } from '../ui/names';

const SKIES = [
  ['#31525b', '#8fb3b0'],
  ['#5a4a3a', '#c7a98a'],
  ['#3f4a63', '#98a8c4'],
  ['#4b5a3f', '#a9b892'],
  ['#5b3f4d', '#bf97a7'],
  ['#3b3b44', '#9c9ca8'],
] as const;

export function pick<T>(list: readonly T[], n: number): T {
  return list[n % list.length] as T;
}

export function drawPerson(ctx: CanvasRenderingContext2D, w: number, h: number, person: Person): void {
  const [dark, bright] = pick(SKIES, hueOf(person.id));
  const sky = ctx.createLinearGradient(0, 0, w, h);
  sky.addColorStop(0, bright);
  sky.addColorStop(1, dark);
  ctx.fillStyle = sky;
  ctx.fillRect(0, 0, w, h);
  ctx.fillStyle = 'rgba(255,255,255,.16)';
  ctx.fillRect(w * 0.08, h * 0.1, w * 0.24, h * 0.36);
  ctx.fillStyle = '#2c2723';
  ctx.beginPath();
  ctx.ellipse(w / 2, h * 0.4, h * 0.19, h * 0.23, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.fillStyle = pick(['#d9a884', '#c6906a', '#e3b998', '#b98262'], hueOf(person.id, 4));
  ctx.beginPath();
  ctx.ellipse(w / 2, h * 0.45, h * 0.145, h * 0.185, 0, 0, Math.PI * 2);
  ctx.fill();
  ctx.fillStyle = pick(['#e9e4da', '#7a2e2e', '#24505a', '#41456b', '#3f5b3c'], hueOf(person.id, 5));
  ctx.beginPath();
  ctx.ellipse(w / 2, h * 1.02, h * 0.42, h * 0.36, 0, 0, Math.PI * 2);
  ctx.fill();
}

export function drawSlide(ctx: CanvasRenderingContext2D, w: number, h: number): void {
  ctx.fillStyle = '#ffffff';
  ctx.fillRect(0, 0, w, h);
  ctx.fillStyle = '#0e7c86';
  ctx.fillRect(0, 0, w * 0.018, h);
  ctx.fillStyle = '#1f1d1a';
  ctx.font = `600 ${h * 0.075}px sans-serif`;
  ctx.fillText('Chương trình giáo dục phổ thông', w * 0.08, h * 0.2);
  ctx.font = `${h * 0.046}px sans-serif`;
  ctx.fillStyle = '#544f47';
  [
    '1. Yêu cầu cần đạt của môn học',
    '2. Kế hoạch bài dạy và học liệu số',
    '3. Kiểm tra, đánh giá thường xuyên',
    '4. Trao đổi theo nhóm trường',
  ].forEach((line, i) => ctx.fillText(line, w * 0.08, h * (0.36 + i * 0.11)));
  [0.5, 0.8, 0.62, 0.95].forEach((v, i) => {
    ctx.fillStyle = i === 3 ? '#0e7c86' : '#cfe3e4';
    ctx.fillRect(w * (0.62 + i * 0.08), h * (0.88 - v * 0.5), w * 0.05, h * v * 0.5);
  });
}

export function still(draw: (ctx: CanvasRenderingContext2D, w: number, h: number) => void): MediaStream | null {
  const canvas = document.createElement('canvas');
  canvas.width = 960;
  canvas.height = 540;
  const ctx = canvas.getContext('2d');
  if (!ctx || !canvas.captureStream) return null;
  draw(ctx, canvas.width, canvas.height);
  const stream = canvas.captureStream(5);
  // A canvas that never changes sends one frame; a second drawing lets late viewers see it.
  const timer = setInterval(() => draw(ctx, canvas.width, canvas.height), 500);
  stream.getVideoTracks()[0]?.addEventListener('ended', () => clearInterval(timer));
  return stream;
}
