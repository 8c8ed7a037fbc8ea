// Values of the protocol in the words of arrangement and groups.
import type { GroupBy, Permits, Role, RoomMode } from '../core/proto';
import type { ArrangeKey } from './arrange.svelte';

type Pair = readonly [ArrangeKey, ArrangeKey];

/** Each permit with its words. `openQuestions` is told the other way round: questions are reviewed first. */
export const PERMIT = {
  mic: ['permits.mic', 'permits.micText'],
  camera: ['permits.camera', 'permits.cameraText'],
  screen: ['permits.screen', 'permits.screenText'],
  hand: ['permits.hand', 'permits.handText'],
  chat: ['permits.chat', 'permits.chatText'],
  private: ['permits.private', 'permits.privateText'],
  react: ['permits.react', 'permits.reactText'],
  question: ['permits.question', 'permits.questionText'],
  openQuestions: ['permits.review', 'permits.reviewText'],
  browse: ['permits.browse', 'permits.browseText'],
  handIn: ['permits.handIn', 'permits.handInText'],
  draw: ['permits.draw', 'permits.drawText'],
  notes: ['permits.notes', 'permits.notesText'],
} as const satisfies Record<keyof Permits, Pair>;

export const ROLE_TEXT = {
  organiser: 'role.organiserText',
  chair: 'role.chairText',
  trainer: 'role.trainerText',
  adviser: 'role.adviserText',
  technician: 'role.technicianText',
  secretary: 'role.secretaryText',
  inspector: 'role.inspectorText',
  learner: 'role.learnerText',
  guest: 'role.guestText',
} as const satisfies Record<Role, ArrangeKey>;

export const MODE_LONG = {
  discussion: 'mode.discussionLong',
  training: 'mode.trainingLong',
  conference: 'mode.conferenceLong',
} as const satisfies Record<RoomMode, ArrangeKey>;

export const GROUP_BY = {
  random: ['groups.random', 'groups.randomText'],
  unit: ['groups.unit', 'groups.unitText'],
  manual: ['groups.manual', 'groups.manualText'],
  choose: ['groups.choose', 'groups.chooseText'],
} as const satisfies Record<GroupBy, Pair>;
