// Values of recordings in words.
import type { AudienceKind, RecordingState } from '../../core/playback/shapes';
import { p, type PlaybackKey } from '../../i18n/playback.svelte';
import type { Tone } from '../../i18n/records-terms';
import { decimal } from '../../ui/formats';

export const STATE = {
  recording: ['recState.recording', 'red'],
  processing: ['recState.processing', 'teal'],
  review: ['recState.review', 'amber'],
  published: ['recState.published', 'green'],
  hidden: ['recState.hidden', 'grey'],
  archived: ['recState.archived', 'grey'],
  deleted: ['recState.deleted', 'grey'],
} as const satisfies Record<RecordingState, readonly [PlaybackKey, Tone]>;

export const AUDIENCE = {
  enrolled: ['aud.enrolled', 'aud.enrolledHint'],
  unit: ['aud.unit', 'aud.unitHint'],
  link: ['aud.link', 'aud.linkHint'],
  public: ['aud.public', 'aud.publicHint'],
} as const satisfies Record<AudienceKind, readonly [PlaybackKey, PlaybackKey]>;

/** Values the server may add to: an unknown one has words too. */
const WHY = {
  disk: 'why.disk',
  recorder: 'why.recorder',
  server: 'why.server',
  overload: 'why.overload',
  damaged: 'why.damaged',
} as const satisfies Record<string, PlaybackKey>;
const STAGES = {
  finalise: 'stage.finalise',
  verify: 'stage.verify',
  quick: 'stage.quick',
  mix: 'stage.mix',
  pictures: 'stage.pictures',
  render: 'stage.render',
  upload: 'stage.upload',
  publish: 'stage.publish',
} as const satisfies Record<string, PlaybackKey>;
const LANES = {
  camera: 'lane.camera',
  screen: 'lane.screen',
  voice: 'lane.sound',
  screenSound: 'file.screenSound',
} as const satisfies Record<string, PlaybackKey>;

type Simple =
  (typeof WHY)[keyof typeof WHY] | (typeof STAGES)[keyof typeof STAGES] | (typeof LANES)[keyof typeof LANES];
const simple = p as (key: Simple | 'why.other' | 'stage.other') => string;

export const whyWords = (why: string): string => simple(WHY[why as keyof typeof WHY] ?? 'why.other');
export const stageWords = (stage: string): string => simple(STAGES[stage as keyof typeof STAGES] ?? 'stage.other');
export const laneWords = (kind: string): string => simple(LANES[kind as keyof typeof LANES] ?? 'lane.sound');

const GB = 1_000_000_000;
const MB = 1_000_000;

/** Bytes as `1,4 GB`, `312 MB`. */
export function sizeText(bytes: number): string {
  if (bytes >= GB) return `${decimal(bytes / GB, 1)} GB`;
  return `${decimal(Math.max(bytes === 0 ? 0 : 0.1, bytes / MB), bytes < 10 * MB ? 1 : 0)} MB`;
}
