// Pages of the made-up decks of /dev/room, drawn by the development server alone.
import type { Plugin } from 'vite';

const TITLES = ['Yêu cầu cần đạt của môn học', 'Kế hoạch bài dạy và học liệu số', 'Kiểm tra, đánh giá thường xuyên'];

function draw(deck: string, page: number, width: number): string {
  const [w, h] = deck === '3' ? [960, 720] : [960, 540];
  const hue = (page * 47) % 360;
  const bars = [0.5, 0.8, 0.62, 0.95]
    .map((v, i) => {
      const tall = v * 160 * (0.6 + ((page * (i + 3)) % 5) / 10);
      return `<rect x="${600 + i * 72}" y="${h - 70 - tall}" width="48" height="${tall}" fill="hsl(${hue} 45% ${45 + i * 10}%)"/>`;
    })
    .join('');
  const lines = [
    'Nội dung trọng tâm của trang',
    'Hoạt động của người dạy',
    'Hoạt động của người học',
    'Trao đổi theo nhóm',
  ]
    .map((line, i) => `<text x="76" y="${200 + i * 58}" font-size="28" fill="#544f47">${i + 1}. ${line}</text>`)
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${(width * h) / w}" viewBox="0 0 ${w} ${h}"
    font-family="sans-serif"><rect width="${w}" height="${h}" fill="#fff"/><rect width="18" height="${h}" fill="hsl(${hue} 60% 30%)"/>
    <text x="76" y="110" font-size="40" font-weight="600" fill="#1f1d1a">${page}. ${TITLES[page % TITLES.length]}</text>${lines}${bars}
    <text x="${w - 76}" y="${h - 24}" font-size="20" text-anchor="end" fill="#8c8578">${page}</text></svg>`;
}

export function fixturePages(): Plugin {
  return {
    name: 'fixture-pages',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const found = /^\/s\/fixture-(\d+)\/(\d+)\/(?:([sl])\.webp|text\.json)$/u.exec(request.url ?? '');
        if (!found) return next();
        const [, deck = '1', page = '1', variant] = found;
        if (variant === undefined) {
          response.setHeader('content-type', 'application/json');
          const words = `${page}. ${TITLES[Number(page) % TITLES.length] ?? ''}`.split(' ');
          let at = 76;
          const placed = words.map((word) => {
            const left = at;
            at += word.length * 21 + 11;
            return [word, left, 76, left + word.length * 21, 122];
          });
          response.end(JSON.stringify({ w: 960, h: deck === '3' ? 720 : 540, words: placed }));
        } else {
          response.setHeader('content-type', 'image/svg+xml');
          response.end(draw(deck, Number(page), variant === 's' ? 640 : 1600));
        }
      });
    },
  };
}
