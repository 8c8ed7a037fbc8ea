// The endpoints of /api/v1 with their shapes. One function per endpoint, nothing else.
import type { RecordConsent, RecordWhom, RecordedBy } from '../proto';
import { Http, part, type HttpOptions, type Query, type Result } from './http';
import type {
  AccessLine,
  Account,
  AccountState,
  ApiToken,
  AttendancePage,
  CheckInOffer,
  Class,
  ClassLine,
  ClassPage,
  ClassState,
  ConsolePage,
  Delegate,
  DutyEntry,
  Excuse,
  ExportFormat,
  ExportKind,
  ExportList,
  ExportQuery,
  Frozen,
  HallPerson,
  HallTick,
  ImportApply,
  ImportJob,
  Incident,
  JoinLink,
  MyPage,
  NewAccount,
  NewAdjustment,
  NewApiToken,
  NewIncident,
  NewIncidentEntry,
  NewStaff,
  NoticePage,
  Person,
  PersonForm,
  Plan,
  PreflightLink,
  Printed,
  ReportPage,
  ReportQuery,
  RosterChange,
  RosterRow,
  RosterVersion,
  Session,
  SessionForm,
  SignedIn,
  Site,
  SiteActForm,
  StaffMember,
  StepRequest,
  SummaryPage,
  Unit,
  UnitKind,
  UnitPath,
  UnitRole,
  Verdict,
} from './gen';

export interface Page<T> {
  items: T[];
  total: number;
}

/** A course (khóa): several classes with one programme. */
export interface Course {
  id: string;
  title: string;
  programme: string;
  periods: number;
  basis: string;
  schoolYear: string;
}

export interface CalendarEntry {
  class: { id: string; title: string };
  session: Session;
}

/** How somebody says who he is at a hall's screen. */
export interface CheckIn {
  identifier?: string;
  name?: string;
  born?: string;
  link?: string;
  device: string;
}

export interface CheckedIn {
  name: string;
  unit: string;
  at: number;
}

/** The rotating code of a hall's screen. */
export interface HallCode {
  url: string;
  svg: string;
  expiresMs: number;
}

/** House rules of a class; version 0 and no text: there are none. */
export interface ClassRules {
  version: number;
  text: string;
}

/** Whether sessions are recorded, and what is told about it. */
export interface RecordingState {
  on: boolean;
  /** Of a session: set for it alone. */
  own: boolean;
  who: string;
  why: string;
  keep: string;
  /** What makes it. */
  by: RecordedBy;
  /** Of the server: begins with the lesson. */
  auto: boolean;
  /** Of the server: whom it takes. */
  whom: RecordWhom;
  /** Of the server: whether people are told or asked. */
  ask: RecordConsent;
  /** Of the server: learners who are in the room watch what is recorded so far. */
  fromStart: boolean;
}

type Answer<T> = Promise<Result<T>>;
type List<T> = Answer<Page<T>>;

export class RecordsApi {
  readonly http: Http;

  constructor(options: HttpOptions = {}) {
    this.http = new Http(options);
  }

  // Sign-in and account
  signIn = (login: string, password: string): Answer<SignedIn> =>
    this.http.send('POST', '/sign-in', { login, password });
  signOut = (): Answer<null> => this.http.send('POST', '/sign-out');
  me = (): Answer<SignedIn> => this.http.get('/me');
  changePassword = (old: string, fresh: string): Answer<SignedIn> =>
    this.http.send('POST', '/me/password', { old, new: fresh });
  tokens = (): Answer<ApiToken[]> => this.http.get('/tokens');
  makeToken = (token: NewApiToken): Answer<ApiToken> => this.http.send('POST', '/tokens', token);
  endToken = (id: string): Answer<null> => this.http.send('DELETE', `/tokens/${part(id)}`);

  // Accounts, people, units
  accounts = (query: { q?: string; from?: number } = {}): List<Account> => this.http.get('/accounts', query);
  makeAccounts = (list: NewAccount[]): Answer<Printed[]> => this.http.send('POST', '/accounts', list);
  resetAccount = (person: string): Answer<Printed> => this.http.send('POST', `/accounts/${part(person)}/reset`);
  accountState = (person: string, state: AccountState): Answer<Account> =>
    this.http.send('POST', `/accounts/${part(person)}/state`, { state });
  accountRoles = (person: string, roles: { admin: boolean; units: UnitRole[] }): Answer<Account> =>
    this.http.send('POST', `/accounts/${part(person)}/roles`, roles);
  people = (query: { q?: string; unit?: string; from?: number } = {}, signal?: AbortSignal): List<Person> =>
    this.http.get('/people', query, signal);
  person = (id: string): Answer<Person> => this.http.get(`/people/${part(id)}`);
  addPerson = (form: PersonForm): Answer<Person> => this.http.send('POST', '/people', form);
  changePerson = (id: string, form: PersonForm): Answer<Person> => this.http.send('PUT', `/people/${part(id)}`, form);
  units = (
    query: { q?: string; parent?: string; kind?: UnitKind; on?: string; from?: number } = {},
    signal?: AbortSignal,
  ): List<Unit> => this.http.get('/units', query, signal);
  addUnit = (unit: Unit): Answer<Unit> => this.http.send('POST', '/units', unit);
  changeUnit = (id: string, unit: Unit): Answer<Unit> => this.http.send('PUT', `/units/${part(id)}`, unit);
  unitPath = (id: string): Answer<UnitPath> => this.http.get(`/units/${part(id)}/path`);

  // Classes and sessions
  classes = (query: { state?: ClassState; q?: string; from?: number } = {}): List<ClassLine> =>
    this.http.get('/classes', query);
  classPage = (id: string): Answer<ClassPage> => this.http.get(`/classes/${part(id)}`);
  addClass = (plan: Plan): Answer<Class> => this.http.send('POST', '/classes', plan);
  changeClass = (id: string, plan: Plan, rev: number): Answer<Class> =>
    this.http.send('PUT', `/classes/${part(id)}`, { plan, rev });
  step = (id: string, request: StepRequest): Answer<Class> =>
    this.http.send('POST', `/classes/${part(id)}/steps`, request);
  deleteClass = (id: string): Answer<null> => this.http.send('DELETE', `/classes/${part(id)}`);
  courses = (): List<Course> => this.http.get('/courses');
  addCourse = (course: Course): Answer<Course> => this.http.send('POST', '/courses', course);
  session = (id: string): Answer<Session> => this.http.get(`/sessions/${part(id)}`);
  addSession = (id: string, form: SessionForm): Answer<Session> =>
    this.http.send('POST', `/classes/${part(id)}/sessions`, form);
  changeSession = (id: string, form: SessionForm): Answer<Session> =>
    this.http.send('PUT', `/sessions/${part(id)}`, form);
  deleteSession = (id: string): Answer<null> => this.http.send('DELETE', `/sessions/${part(id)}`);
  cancelSession = (id: string, reason: string): Answer<Session> =>
    this.http.send('POST', `/sessions/${part(id)}/cancel`, { reason });
  endSession = (id: string): Answer<Session> => this.http.send('POST', `/sessions/${part(id)}/end`);
  /** Sessions that begin from a moment on and before another, ms. */
  calendar = (from: number, to: number): Answer<CalendarEntry[]> => this.http.get('/calendar', { from, to });
  staff = (id: string): Answer<StaffMember[]> => this.http.get(`/classes/${part(id)}/staff`);
  addStaff = (id: string, entry: NewStaff): Answer<StaffMember> =>
    this.http.send('POST', `/classes/${part(id)}/staff`, entry);
  endStaff = (id: string, entry: number): Answer<null> =>
    this.http.send('DELETE', `/classes/${part(id)}/staff/${entry}`);
  roster = (id: string, query: { q?: string; from?: number; n?: number } = {}, signal?: AbortSignal): List<RosterRow> =>
    this.http.get(`/classes/${part(id)}/roster`, query, signal);
  changeRoster = (id: string, changes: RosterChange[]): Answer<null> =>
    this.http.send('POST', `/classes/${part(id)}/roster`, changes);
  rosterVersions = (id: string): Answer<RosterVersion[]> => this.http.get(`/classes/${part(id)}/roster/versions`);
  links = (id: string, session?: string): Answer<JoinLink[]> =>
    this.http.get(`/classes/${part(id)}/links`, { session });
  preflightLinks = (session: string): Answer<PreflightLink[]> => this.http.get(`/sessions/${part(session)}/preflight`);
  houseRules = (id: string): Answer<ClassRules> => this.http.get(`/classes/${part(id)}/rules`);
  setHouseRules = (id: string, text: string): Answer<ClassRules> =>
    this.http.send('PUT', `/classes/${part(id)}/rules`, { text });
  recordingOfClass = (id: string): Answer<RecordingState> => this.http.get(`/classes/${part(id)}/recording`);
  setRecordingOfClass = (id: string, form: RecordingState): Answer<RecordingState> =>
    this.http.send('PUT', `/classes/${part(id)}/recording`, form);
  recordingOfSession = (id: string): Answer<RecordingState> => this.http.get(`/sessions/${part(id)}/recording`);
  setRecordingOfSession = (id: string, form: RecordingState): Answer<RecordingState> =>
    this.http.send('PUT', `/sessions/${part(id)}/recording`, form);
  calendarFile = (session: string): string => this.http.url(`/sessions/${part(session)}/calendar.ics`);
  my = (): Answer<MyPage> => this.http.get('/my');

  // Import
  template = (): string => this.http.url('/imports/template.xlsx');
  startImport = (id: string, file: File, onProgress: (part: number) => void): Answer<ImportJob> =>
    this.http.upload(`/classes/${part(id)}/imports`, { file: file.name }, file, onProgress);
  importJob = (id: string): Answer<ImportJob> => this.http.get(`/imports/${part(id)}`);
  applyImport = (id: string, apply: ImportApply): Answer<{ job: ImportJob; accounts: Printed[] }> =>
    this.http.send('POST', `/imports/${part(id)}/apply`, apply);
  dropImport = (id: string): Answer<null> => this.http.send('DELETE', `/imports/${part(id)}`);

  // Attendance
  attendance = (session: string): Answer<AttendancePage> => this.http.get(`/sessions/${part(session)}/attendance`);
  desk = (session: string, signal?: AbortSignal): Answer<AttendancePage> =>
    this.http.get(`/sessions/${part(session)}/desk`, undefined, signal);
  console = (session: string, signal?: AbortSignal): Answer<ConsolePage> =>
    this.http.get(`/sessions/${part(session)}/console`, undefined, signal);
  setDuty = (session: string, version: number, list: readonly DutyEntry[]): Answer<{ version: number }> =>
    this.http.send('PUT', `/sessions/${part(session)}/duty`, { version, list });
  addIncident = (session: string, incident: NewIncident): Answer<Incident> =>
    this.http.send('POST', `/sessions/${part(session)}/incidents`, incident);
  addIncidentEntry = (session: string, no: number, entry: NewIncidentEntry): Answer<Incident> =>
    this.http.send('POST', `/sessions/${part(session)}/incidents/${no}/entries`, entry);
  siteAct = (session: string, form: SiteActForm): Answer<unknown> =>
    this.http.send('POST', `/sessions/${part(session)}/console/acts`, form);
  adjust = (session: string, adjustment: NewAdjustment): Answer<unknown> =>
    this.http.send('POST', `/sessions/${part(session)}/adjustments`, adjustment);
  excuse = (session: string, excuses: Excuse[]): Answer<unknown> =>
    this.http.send('POST', `/sessions/${part(session)}/excuses`, excuses);
  delegate = (session: string, delegates: Delegate[]): Answer<unknown> =>
    this.http.send('POST', `/sessions/${part(session)}/delegates`, delegates);
  freeze = (session: string, reason: string): Answer<Frozen> =>
    this.http.send('POST', `/sessions/${part(session)}/freeze`, { reason });
  sites = (session: string): Answer<Site[]> => this.http.get(`/sessions/${part(session)}/sites`);
  hallPeople = (session: string, site: string | null, query: { q?: string; from?: number } = {}): List<HallPerson> =>
    this.http.get(`/sessions/${part(session)}/sites/${part(site ?? 'here')}/people`, query);
  tick = (session: string, site: string | null, tick: HallTick): Answer<Site> =>
    this.http.send('POST', `/sessions/${part(session)}/sites/${part(site ?? 'here')}/ticks`, tick);
  hallCode = (session: string, site: string | null): Answer<HallCode> =>
    this.http.get(`/sessions/${part(session)}/sites/${part(site ?? 'here')}/code`);
  checkInOffer = (code: string, device?: string): Answer<CheckInOffer> =>
    this.http.get(`/check-in/${part(code)}`, { device });
  checkIn = (code: string, who: CheckIn): Answer<CheckedIn> => this.http.send('POST', `/check-in/${part(code)}`, who);
  summary = (id: string): Answer<SummaryPage> => this.http.get(`/classes/${part(id)}/summary`);
  sessionExports = (session: string): Answer<ExportList> => this.http.get(`/sessions/${part(session)}/exports`);
  classExports = (id: string): Answer<ExportList> => this.http.get(`/classes/${part(id)}/exports`);
  exportFile = (
    of: 'sessions' | 'classes',
    id: string,
    kind: ExportKind,
    format: ExportFormat,
    query: Partial<ExportQuery> = {},
  ): Answer<{ blob: Blob; name: string }> =>
    this.http.file(`/${of}/${part(id)}/exports/${kind}.${format}`, query as Query);
  notices = (session: string): Answer<NoticePage> => this.http.get(`/sessions/${part(session)}/notices`);
  sendNotice = (session: string): Answer<NoticePage> =>
    this.http.send('POST', `/sessions/${part(session)}/notices`, {});
  unitReport = (unit: string, query: Partial<ReportQuery>): Answer<ReportPage> =>
    this.http.get(`/units/${part(unit)}/report`, query as Query);
  reportFile = (
    unit: string,
    format: ExportFormat,
    query: Partial<ReportQuery>,
  ): Answer<{ blob: Blob; name: string }> =>
    this.http.file(`/units/${part(unit)}/exports/aggregate.${format}`, query as Query);
  bundle = (session: string): Answer<{ blob: Blob; name: string }> =>
    this.http.file(`/sessions/${part(session)}/bundle.zip`);
  access = (id: string): Answer<AccessLine[]> => this.http.get(`/classes/${part(id)}/access`);
  verifyFile = (file: Blob, onProgress: (part: number) => void = () => undefined): Answer<Verdict> =>
    this.http.upload('/verify', {}, file, onProgress);
  verify = (id: string): Answer<Verdict> => this.http.get(`/verify/${part(id)}`);
}
