// Which of the files a browser can play, and how a fresh answer replaces an old one.
import type { Playback, Track } from './shapes';

export type CanPlay = (mime: string) => boolean;

/** How pictures are shown: the parts, the one composed file, or not at all yet. */
export type Pictures = 'parts' | 'whole' | 'waiting' | 'none';

export function playable(tracks: readonly Track[], can: CanPlay): Track[] {
  return tracks.filter((one) => can(one.mime));
}

export function picturesOf(playback: Pick<Playback, 'tracks' | 'film'>, can: CanPlay): Pictures {
  if (playback.tracks.length === 0) return 'none';
  // Some parts in another codec are no reason to leave the others out.
  if (playable(playback.tracks, can).length > 0) return 'parts';
  return playback.film ? 'whole' : 'waiting';
}

const held = (name: 'sound' | 'film', url: string | undefined) => (url === undefined ? {} : { [name]: url });

/**
 * A fresh answer while one watches. Addresses change with every answer; those in use are kept
 * unless they run out, so that nothing is fetched twice.
 */
export function renewed(old: Playback, fresh: Playback, keepAddresses: boolean): Playback {
  if (!keepAddresses) return fresh;
  const urls = new Map(old.tracks.map((one) => [one.id, one.url]));
  return {
    ...fresh,
    ...held('sound', old.sound ?? fresh.sound),
    ...held('film', old.film ?? fresh.film),
    tracks: fresh.tracks.map((one) => ({ ...one, url: urls.get(one.id) ?? one.url })),
    urlsExpireMs: old.urlsExpireMs,
  };
}
