// What is on screen at a moment: one large picture, the others beside it.
import type { BoardTape } from './boards';
import type { Playback, Slide, Track } from './shapes';
import { lastAt } from './timeline';

export type Large =
  | { kind: 'screen'; track: Track }
  | { kind: 'slide'; slide: Slide }
  | { kind: 'board'; board: string }
  | { kind: 'camera'; track: Track }
  | { kind: 'none' };

export interface Scene {
  large: Large;
  /** Cameras beside the large picture, the presenter's first. */
  beside: Track[];
  /** What would be large when the presenter were not. */
  content: Large;
}

/** What the viewer wants large. */
export type Wish = 'content' | 'presenter';

/** The presenter's place stays his while one segment ends and the next begins, ms. */
const SEAM = 250;

const covers = (track: Track, t: number) => t >= track.fromMs && t < track.toMs;

/** Tracks that run at `t`; of one person and kind the later one. */
export function runningAt(tracks: readonly Track[], t: number): Track[] {
  const found = new Map<string, Track>();
  for (const track of tracks) {
    if (!covers(track, t)) continue;
    const key = `${track.kind} ${track.person}`;
    const other = found.get(key);
    if (!other || track.fromMs >= other.fromMs) found.set(key, track);
  }
  return [...found.values()];
}

/** The blank board that is shown, else the page; nothing when both were put away. */
function paper(slides: readonly Slide[], boards: BoardTape, t: number): Large {
  const up = boards.shownAt(t);
  if (up.board !== '') return { kind: 'board', board: up.board };
  const slide = slides[lastAt(slides, t)];
  return slide && slide.page > 0 ? { kind: 'slide', slide } : { kind: 'none' };
}

export function sceneAt(
  playback: Pick<Playback, 'tracks' | 'slides'>,
  boards: BoardTape,
  t: number,
  wish: Wish = 'content',
  pictures = true,
): Scene {
  const running = pictures ? runningAt(playback.tracks, t) : [];
  const screen = running.filter((one) => one.kind === 'screen').sort((a, b) => b.fromMs - a.fromMs)[0];
  const cameras = running
    .filter((one) => one.kind === 'camera')
    .sort((a, b) => Number(b.presenter) - Number(a.presenter) || a.fromMs - b.fromMs);
  const content: Large = screen ? { kind: 'screen', track: screen } : paper(playback.slides, boards, t);
  const first = cameras[0];
  if (first && (content.kind === 'none' || (wish === 'presenter' && first.presenter))) {
    return { large: { kind: 'camera', track: first }, beside: cameras.slice(1), content };
  }
  return { large: content, beside: cameras, content };
}

/** Pictures that begin within `aheadMs` and are fetched a little before they are shown. */
export function comingAt(tracks: readonly Track[], t: number, aheadMs: number): Track[] {
  return tracks.filter((one) => one.fromMs > t && one.fromMs <= t + aheadMs && one.toMs - one.fromMs > SEAM);
}
