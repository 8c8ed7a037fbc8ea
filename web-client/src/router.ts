// Addresses of the pages. The room keeps the address of its link: Safari on iPhones asks
// for camera and microphone again when the address changes.

/** Tabs of the class page, as they stand in its address. */
export const CLASS_TABS = ['plan', 'sessions', 'roster', 'staff', 'attendance', 'recordings', 'exports'] as const;
export type ClassTab = (typeof CLASS_TABS)[number];

/** Pages of records: of signed-in people, and the two everybody may open. */
export type RecordsRoute =
  | { page: 'home' }
  | { page: 'signIn' }
  | { page: 'account' }
  | { page: 'classes' }
  | { page: 'classNew' }
  | { page: 'class'; id: string; tab: ClassTab }
  | { page: 'classEdit'; id: string }
  | { page: 'import'; id: string }
  | { page: 'calendar' }
  | { page: 'desk'; session: string }
  | { page: 'console'; session: string }
  | { page: 'attendance'; session: string }
  | { page: 'my' }
  | { page: 'recordings' }
  | { page: 'recording'; id: string; manage: boolean }
  | { page: 'recordingLink'; token: string }
  | { page: 'people'; id: string | null }
  | { page: 'units'; id: string | null }
  | { page: 'reports'; id: string | null }
  | { page: 'accounts' }
  | { page: 'verify'; id: string | null }
  | { page: 'check'; code: string };

export type Route =
  | RecordsRoute
  | { page: 'join'; link: string }
  | { page: 'preflight'; link: string }
  | { page: 'dev'; what: string; query: URLSearchParams }
  | { page: 'notFound' };

const ID = /^[\w.~-]{1,200}$/u;

function recordsRoute(parts: readonly string[]): RecordsRoute | null {
  const [first, second, third, ...rest] = parts;
  if (rest.length > 0 || parts.some((part) => !ID.test(part))) return null;
  const alone = second === undefined;
  switch (first) {
    case 'sign-in':
      return alone ? { page: 'signIn' } : null;
    case 'account':
    case 'calendar':
    case 'my':
    case 'accounts':
      return alone ? { page: first } : null;
    case 'classes': {
      if (alone) return { page: 'classes' };
      if (second === 'new') return third === undefined ? { page: 'classNew' } : null;
      if (third === 'edit') return { page: 'classEdit', id: second };
      if (third === 'import') return { page: 'import', id: second };
      const tab = CLASS_TABS.find((one) => one === (third ?? 'plan'));
      return tab ? { page: 'class', id: second, tab } : null;
    }
    case 'sessions':
      if (second === undefined) return null;
      if (third === 'console') return { page: 'console', session: second };
      if (third === 'desk') return { page: 'desk', session: second };
      return third === 'attendance' ? { page: 'attendance', session: second } : null;
    case 'recordings':
      if (alone) return { page: 'recordings' };
      if (third === undefined) return { page: 'recording', id: second, manage: false };
      return third === 'manage' ? { page: 'recording', id: second, manage: true } : null;
    case 'r':
      return second !== undefined && third === undefined ? { page: 'recordingLink', token: second } : null;
    case 'people':
    case 'units':
    case 'reports':
    case 'verify':
      return third === undefined ? { page: first, id: second ?? null } : null;
    case 'check':
      return second !== undefined && third === undefined ? { page: 'check', code: second } : null;
    default:
      return null;
  }
}

/** What `/dev/…` shows without the fixture of the records. */
const DEV_PAGES = ['room', 'join', 'over'];

/** The page for an address. */
export function route(url: URL): Route {
  const path = url.pathname.replace(/\/+$/u, '') || '/';
  if (path === '/') return { page: 'home' };
  const link = /^\/j\/([\w.~-]+)$/u.exec(path)?.[1];
  if (link !== undefined) return { page: 'join', link };
  const preflight = /^\/preflight\/([\w.~-]+)$/u.exec(path)?.[1];
  if (preflight !== undefined) return { page: 'preflight', link: preflight };
  if (import.meta.env.DEV && path.startsWith('/dev/')) {
    const what = path.slice(5);
    if (DEV_PAGES.includes(what)) return { page: 'dev', what, query: url.searchParams };
    // A recording of the fixture, without looking for its id.
    if (what === 'player' || what === 'recording') {
      return { page: 'recording', id: url.searchParams.get('id') ?? 'rec-1', manage: what === 'recording' };
    }
    // Pages of records on the fixture: /dev/classes shows what /classes shows.
    return what === 'home' ? { page: 'home' } : (recordsRoute(what.split('/')) ?? { page: 'notFound' });
  }
  return recordsRoute(path.slice(1).split('/')) ?? { page: 'notFound' };
}

export type Pasted = { kind: 'ok'; path: string } | { kind: 'foreign' } | { kind: 'bad' };

/** Finds a class link in what somebody pasted, which may be a whole invitation. */
export function pastedLink(text: string, origin: string): Pasted {
  const found = /(https?:\/\/[^\s/]+)?\/?j\/([\w.~-]+)/u.exec(text.trim());
  const link = found?.[2]?.replace(/[.]+$/u, '');
  if (!link) return { kind: 'bad' };
  if (found?.[1] !== undefined && found[1].toLowerCase() !== origin.toLowerCase()) return { kind: 'foreign' };
  return { kind: 'ok', path: `/j/${link}` };
}
