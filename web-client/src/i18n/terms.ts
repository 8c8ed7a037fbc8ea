// Values of the protocol in words. Each table names every value, so that a new one in the
// protocol is an error of the type checker until it has words.
import type { ErrorCode, Role, RoomMode, Rung } from '../core/proto';
import type { Layout, MediaProblem, NetLevel } from '../state/contract';
import type { Key } from './vi';

type Plain = Extract<Key, string>;

export const ROLE = {
  organiser: 'role.organiser',
  chair: 'role.chair',
  trainer: 'role.trainer',
  adviser: 'role.adviser',
  technician: 'role.technician',
  secretary: 'role.secretary',
  inspector: 'role.inspector',
  learner: 'role.learner',
  guest: 'role.guest',
} as const satisfies Record<Role, Plain>;

export const MODE = {
  discussion: ['mode.discussion', 'mode.discussionText'],
  training: ['mode.training', 'mode.trainingText'],
  conference: ['mode.conference', 'mode.conferenceText'],
} as const satisfies Record<RoomMode, readonly [Plain, Plain]>;

export const ERROR = {
  bad_request: 'error.bad_request',
  forbidden: 'error.forbidden',
  not_found: 'error.not_found',
  full: 'error.full',
  server_full: 'error.serverFull',
  locked: 'error.locked',
  banned: 'error.banned',
  removed: 'error.removed',
  expired: 'error.expired',
  ended: 'error.ended',
  too_early: 'error.too_early',
  conflict: 'error.conflict',
  no_recorder: 'error.no_recorder',
  no_space: 'error.no_space',
  slow_mode: 'error.slow_mode',
  taken_over: 'error.taken_over',
  elsewhere: 'error.elsewhere',
  denied: 'error.denied',
  rate_limited: 'error.rate_limited',
  too_large: 'error.too_large',
  busy: 'error.busy',
  internal: 'error.internal',
  network: 'error.network',
} as const satisfies Record<ErrorCode | 'network', Plain>;

export const NET = {
  4: ['net.4', 'net.short4'],
  3: ['net.3', 'net.short3'],
  2: ['net.2', 'net.short2'],
  1: ['net.1', 'net.short1'],
  0: ['net.0', 'net.short0'],
} as const satisfies Record<NetLevel, readonly [Plain, Plain]>;

/** What somebody gets on a rung of the ladder for weak links. */
export const RUNG = {
  sound: 'rung.sound',
  camera: 'rung.camera',
  screen: 'rung.screen',
} as const satisfies Record<Rung, Plain>;

export const LAYOUT = {
  auto: 'layout.auto',
  gallery: 'layout.gallery',
  speaker: 'layout.speaker',
  screen: 'layout.screen',
  wall: 'layout.wall',
} as const satisfies Record<Layout, Plain>;

export const PROBLEM = {
  denied: 'problem.denied',
  notFound: 'problem.notFound',
  busy: 'problem.busy',
  overconstrained: 'problem.overconstrained',
  insecure: 'problem.insecure',
  unsupported: 'problem.unsupported',
} as const satisfies Record<MediaProblem, Plain>;

/** Roles listed apart, before learners and guests. */
export function isStaff(role: Role): boolean {
  return role !== 'learner' && role !== 'guest';
}
