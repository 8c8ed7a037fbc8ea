// Addresses of the pages. The room keeps the address of its link: Safari on iPhones asks
// for camera and microphone again when the address changes.

export type Route =
  | { page: 'home' }
  | { page: 'join'; link: string }
  | { page: 'dev'; what: string; query: URLSearchParams }
  | { page: 'notFound' };

/** The page for an address. */
export function route(url: URL): Route {
  const path = url.pathname.replace(/\/+$/u, '') || '/';
  if (path === '/') return { page: 'home' };
  const link = /^\/j\/([\w.~-]+)$/u.exec(path)?.[1];
  if (link !== undefined) return { page: 'join', link };
  if (import.meta.env.DEV && path.startsWith('/dev/')) {
    return { page: 'dev', what: path.slice(5), query: url.searchParams };
  }
  return { page: 'notFound' };
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
