// The address of the pages. Links between them change the address without loading the
// program again; everything else (a class's room, files) is loaded as usual.
import { route, type Route } from '../../router';

/** Development shows the pages under /dev, on a fixture. */
const PREFIX = '/dev';

const softPages = (to: Route): boolean => !['join', 'dev', 'notFound'].includes(to.page);

class Nav {
  url = $state.raw(new URL('http://localhost/'));
  #prefix = '';
  readonly route = $derived(route(this.url));

  /** Takes the address of the window. */
  start(href = location.href): void {
    this.url = new URL(href);
    this.#prefix = import.meta.env.DEV && this.url.pathname.startsWith(`${PREFIX}/`) ? PREFIX : '';
  }

  /** Whether the pages show the fixture. */
  get onFixture(): boolean {
    return this.#prefix !== '';
  }

  /** A link of a page as the address to go to. */
  #target(href: string): URL {
    const url = new URL(href, this.url);
    if (this.#prefix && !url.pathname.startsWith(`${PREFIX}/`)) {
      url.pathname = PREFIX + (url.pathname === '/' ? '/home' : url.pathname);
    }
    return url;
  }

  /** Goes to a page. */
  go(href: string, how: { replace?: boolean; keepScroll?: boolean } = {}): void {
    const url = this.#target(href);
    if (url.origin !== this.url.origin || !softPages(route(url))) {
      location.assign(url.href);
      return;
    }
    if (how.replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    this.url = url;
    if (!how.keepScroll) scrollTo(0, 0);
  }

  /** Changes the query of this page: search, filter, first row. */
  query(change: Readonly<Record<string, string | number | null>>): void {
    const url = new URL(this.url);
    for (const [key, value] of Object.entries(change)) {
      if (value === null || value === '' || value === 0) url.searchParams.delete(key);
      else url.searchParams.set(key, String(value));
    }
    history.replaceState(null, '', url);
    this.url = url;
  }

  /** The own path with query, to come back to after signing in. */
  get here(): string {
    const path = this.url.pathname.slice(this.#prefix.length);
    return path + this.url.search;
  }

  /** Back and forward of the browser. */
  moved = (): void => {
    this.url = new URL(location.href);
  };

  /** Follows a click on a link, when it leads to a page of this program. */
  clicked = (event: MouseEvent): void => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== this.url.origin) return;
    if (link.getAttribute('href')?.startsWith('#')) return;
    if (!softPages(route(new URL(link.href)))) return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  };
}

export const nav = new Nav();

/** A path inside this program from a `back` parameter; anything else leads home. */
export function safeBack(back: string | null): string {
  if (back === null || !back.startsWith('/') || back.startsWith('//') || back.includes('\\')) return '/';
  return back.startsWith('/sign-in') ? '/' : back;
}
