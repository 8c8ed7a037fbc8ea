// Values of the records in words. Each table names every value, so that a new one in the
// server's types is an error of the type checker until it has words.
import type {
  AccountState,
  ClassBy,
  ClassForm,
  ClassKind,
  ClassState,
  ClassStep,
  DataCheck,
  Gender,
  GuestPolicy,
  IdentifierKind,
  RosterState,
  SessionPhase,
  StaffRole,
  StepRefused,
  UnitKind,
  UnitRole,
} from '../core/records/gen';
import type { ApiError } from '../core/records/http';
import { dayText, decimal } from '../ui/formats';
import { r, type RecordsKey } from './records.svelte';

export type Tone = 'plain' | 'teal' | 'green' | 'amber' | 'red' | 'grey';
type Toned = readonly [RecordsKey, Tone];

export const CLASS_STATE = {
  draft: ['classState.draft', 'plain'],
  submitted: ['classState.submitted', 'amber'],
  approved: ['classState.approved', 'teal'],
  preparing: ['classState.preparing', 'teal'],
  open: ['classState.open', 'teal'],
  announced: ['classState.announced', 'teal'],
  running: ['classState.running', 'green'],
  finished: ['classState.finished', 'grey'],
  grading: ['classState.grading', 'amber'],
  published: ['classState.published', 'grey'],
  materialsOpen: ['classState.materialsOpen', 'grey'],
  archived: ['classState.archived', 'grey'],
  destroyed: ['classState.destroyed', 'grey'],
  postponed: ['classState.postponed', 'amber'],
  cancelled: ['classState.cancelled', 'red'],
} as const satisfies Record<ClassState, Toned>;

export const CLASS_STEP = {
  submit: 'step.submit',
  return: 'step.return',
  approve: 'step.approve',
  prepare: 'step.prepare',
  open: 'step.open',
  announce: 'step.announce',
  run: 'step.run',
  finish: 'step.finish',
  grade: 'step.grade',
  publish: 'step.publish',
  openMaterials: 'step.openMaterials',
  archive: 'step.archive',
  destroy: 'step.destroy',
  postpone: 'step.postpone',
  resume: 'step.resume',
  cancel: 'step.cancel',
} as const satisfies Record<ClassStep, RecordsKey>;

const REFUSED = {
  wrongState: 'refused.wrongState',
  noPlan: 'refused.noPlan',
  noTrainer: 'refused.noTrainer',
  noSession: 'refused.noSession',
  noRoster: 'refused.noRoster',
  sessionOpen: 'refused.sessionOpen',
  notFrozen: 'refused.notFrozen',
  protected: 'refused.protected',
  noApproval: 'refused.noApproval',
} as const satisfies Record<StepRefused, RecordsKey>;

export const CLASS_KIND = {
  training: 'kind.training',
  pupils: 'kind.pupils',
  meeting: 'kind.meeting',
  public: 'kind.public',
} as const satisfies Record<ClassKind, RecordsKey>;

export const CLASS_FORM = {
  online: 'form.online',
  inPerson: 'form.inPerson',
  hybrid: 'form.hybrid',
} as const satisfies Record<ClassForm, RecordsKey>;

export const GUESTS = {
  nobody: 'guests.nobody',
  wait: 'guests.wait',
  free: 'guests.free',
} as const satisfies Record<GuestPolicy, RecordsKey>;

export const CLASS_BY = {
  minutes: 'by.minutes',
  sessions: 'by.sessions',
} as const satisfies Record<ClassBy, RecordsKey>;

export const PHASE = {
  scheduled: ['phase.scheduled', 'plain'],
  rehearsal: ['phase.rehearsal', 'amber'],
  running: ['phase.running', 'green'],
  break: ['phase.break', 'amber'],
  ended: ['phase.ended', 'grey'],
  frozen: ['phase.frozen', 'teal'],
  exported: ['phase.exported', 'teal'],
  cancelled: ['phase.cancelled', 'red'],
} as const satisfies Record<SessionPhase, Toned>;

export const ROSTER_STATE = {
  planned: ['roster.planned', 'plain'],
  official: ['roster.official', 'teal'],
  added: ['roster.added', 'teal'],
  withdrawn: ['roster.withdrawn', 'grey'],
} as const satisfies Record<RosterState, Toned>;

export const STAFF_ROLE = {
  organiser: 'staff.organiser',
  chair: 'staff.chair',
  trainer: 'staff.trainer',
  adviser: 'staff.adviser',
  technician: 'staff.technician',
  contentAuthor: 'staff.contentAuthor',
  secretary: 'staff.secretary',
  observer: 'staff.observer',
} as const satisfies Record<StaffRole, RecordsKey>;

export const UNIT_ROLE = {
  organiser: 'unitRole.organiser',
  contact: 'unitRole.contact',
  inspector: 'unitRole.inspector',
} as const satisfies Record<UnitRole['role'], RecordsKey>;

export const UNIT_KIND = {
  ministry: 'unitKind.ministry',
  ministryUnit: 'unitKind.ministryUnit',
  project: 'unitKind.project',
  department: 'unitKind.department',
  districtOffice: 'unitKind.districtOffice',
  commune: 'unitKind.commune',
  school: 'unitKind.school',
  centre: 'unitKind.centre',
  university: 'unitKind.university',
  other: 'unitKind.other',
} as const satisfies Record<UnitKind, RecordsKey>;

export const DATA_CHECK = {
  verified: ['check.verified', 'green'],
  unverified: ['check.unverified', 'amber'],
  own: ['check.own', 'plain'],
} as const satisfies Record<DataCheck, Toned>;

export const ACCOUNT_STATE = {
  new: ['accountState.new', 'amber'],
  active: ['accountState.active', 'green'],
  locked: ['accountState.locked', 'red'],
  retired: ['accountState.retired', 'grey'],
} as const satisfies Record<AccountState, Toned>;

export const GENDER = {
  male: 'gender.male',
  female: 'gender.female',
  other: 'gender.other',
} as const satisfies Record<Gender, RecordsKey>;

export const IDENTIFIER = {
  sector: 'identifier.sector',
  personal: 'identifier.personal',
  local: 'identifier.local',
} as const satisfies Record<IdentifierKind, RecordsKey>;

/** What a field's code means. */
const FIELD = {
  required: 'field.required',
  tooLong: 'field.tooLong',
  badValue: 'field.badValue',
  taken: 'field.taken',
  unknown: 'field.unknown',
} as const;

export function fieldWords(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  return r(FIELD[code as keyof typeof FIELD] ?? 'field.badValue');
}

/** `45 giây`, `15 phút`: rounded up, so that waiting so long suffices. */
export function waitWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds < 90 ? r('wait.seconds', decimal(seconds)) : r('wait.minutes', decimal(Math.ceil(seconds / 60)));
}

type Plain = 'network' | 'timeout' | 'forbidden' | 'notFound' | 'conflict' | 'tooLarge' | 'busy' | 'badRequest';
const PLAIN = {
  network: ['error.network', 'error.networkText'],
  timeout: ['error.timeout', 'error.timeoutText'],
  forbidden: ['error.forbidden', 'error.forbiddenText'],
  notFound: ['error.notFound', 'error.notFoundText'],
  conflict: ['error.conflict', 'error.conflictText'],
  tooLarge: ['error.tooLarge', 'error.tooLargeText'],
  busy: ['error.busy', 'error.busyText'],
  badRequest: ['error.badRequest', 'error.badRequestText'],
  signIn: ['error.signIn', 'error.signInText'],
  wrongPassword: ['error.wrongPassword', 'error.wrongPasswordText'],
  mustChange: ['error.mustChange', 'error.mustChangeText'],
} as const satisfies Record<Plain | 'signIn' | 'wrongPassword' | 'mustChange', readonly [RecordsKey, RecordsKey]>;

/** What happened, and what to do. */
export function problemWords(error: ApiError): { title: string; text: string } {
  switch (error.code) {
    case 'refused':
      return { title: r('error.refused'), text: r(error.step ? REFUSED[error.step] : 'error.refusedText') };
    case 'protected':
      return {
        title: r('error.protected'),
        text: error.until ? r('error.protectedText', dayText(error.until)) : r('error.protectedNoDay'),
      };
    case 'rateLimited':
      return { title: r('error.rateLimited'), text: r('error.rateLimitedText', waitWords(error.afterMs ?? 10_000)) };
    case 'accountLocked':
      return {
        title: r('error.accountLocked'),
        text: error.afterMs ? r('error.accountLockedWait', waitWords(error.afterMs)) : r('error.accountLockedText'),
      };
    default: {
      const [title, text] =
        PLAIN[error.code as keyof typeof PLAIN] ?? (['error.internal', 'error.internalText'] as const);
      return { title: r(title), text: r(text) };
    }
  }
}

/** The two sentences as one. */
export function problemLine(error: ApiError): string {
  const { title, text } = problemWords(error);
  return `${title} ${text}`;
}
