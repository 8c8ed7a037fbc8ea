// Fails when a page has become heavier than it may be: gzip bytes of the JavaScript
// that must be there before the page works, in Vietnamese, read from Vite's manifest.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', DIST), 'utf8'));

/** Every module as its source path, with all it imports statically. */
function closure(keys, seen = new Set()) {
  for (const key of keys) {
    const entry = manifest[key];
    if (!entry) throw new Error(`not in the manifest: ${key}`);
    if (seen.has(key)) continue;
    seen.add(key);
    closure(entry.imports ?? [], seen);
  }
  return seen;
}

function size(keys) {
  let bytes = 0;
  for (const key of keys) {
    const { file } = manifest[key];
    if (file.endsWith('.js')) bytes += gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length;
  }
  return bytes;
}

const find = (end) => {
  const key = Object.keys(manifest).find((name) => name.endsWith(end));
  if (!key) throw new Error(`no module ends with ${end}`);
  return key;
};

const join = closure(['index.html', find('LinkRoute.svelte'), find('i18n/vi.ts')]);
const room = closure([find('state/enter.ts'), find('features/room/index.ts')]);
const more = [...room].filter((key) => !join.has(key));

let failed = false;
for (const [name, keys, limit] of [
  ['join page', [...join], 60],
  ['room, on top', more, 180],
]) {
  const kb = size(keys) / 1024;
  const over = kb > limit;
  failed ||= over;
  process.stdout.write(`${name}: ${kb.toFixed(1)} KB of ${limit} KB${over ? ' — too heavy' : ''}\n`);
}
process.exit(failed ? 1 : 0);
