// Which component shows which address. Each is a file of its own in the build.
import type { Component } from 'svelte';
import type { RecordsRoute } from '../../router';

type AnyPage = Component<Record<string, unknown>>;

export interface PageSource {
  /** The same key keeps the component when only its properties change. */
  key: string;
  load: () => Promise<AnyPage>;
  props: Record<string, unknown>;
}

/** The page's own properties are checked where it is written; here they are looked up. */
const of = (module: { default: unknown }): AnyPage => module.default as AnyPage;

export function pageOf(to: RecordsRoute, guest: boolean): PageSource {
  switch (to.page) {
    case 'home':
      return guest
        ? { key: 'front', load: () => import('../home/HomePage.svelte').then(of), props: {} }
        : { key: 'home', load: () => import('../home/OwnHome.svelte').then(of), props: {} };
    case 'signIn':
      return { key: 'signIn', load: () => import('../sign-in/SignInPage.svelte').then(of), props: {} };
    case 'account':
      return { key: 'account', load: () => import('../sign-in/AccountPage.svelte').then(of), props: {} };
    case 'classes':
      return { key: 'classes', load: () => import('../classes/ClassesPage.svelte').then(of), props: {} };
    case 'classNew':
      return { key: 'classNew', load: () => import('../classes/PlanPage.svelte').then(of), props: { id: null } };
    case 'classEdit':
      return {
        key: `edit:${to.id}`,
        load: () => import('../classes/PlanPage.svelte').then(of),
        props: { id: to.id },
      };
    case 'class':
      return {
        key: `class:${to.id}`,
        load: () => import('../classes/ClassPage.svelte').then(of),
        props: { id: to.id, tab: to.tab },
      };
    case 'import':
      return {
        key: `import:${to.id}`,
        load: () => import('../import/ImportPage.svelte').then(of),
        props: { id: to.id },
      };
    case 'calendar':
      return { key: 'calendar', load: () => import('../calendar/CalendarPage.svelte').then(of), props: {} };
    case 'desk':
      return {
        key: `desk:${to.session}`,
        load: () => import('../desk/DeskPage.svelte').then(of),
        props: { session: to.session },
      };
    case 'console':
      return {
        key: `console:${to.session}`,
        load: () => import('../console/ConsolePage.svelte').then(of),
        props: { session: to.session },
      };
    case 'attendance':
      return {
        key: `attendance:${to.session}`,
        load: () => import('../attendance/SessionAttendance.svelte').then(of),
        props: { session: to.session },
      };
    case 'recordings':
      return { key: 'recordings', load: () => import('../recordings/LibraryPage.svelte').then(of), props: {} };
    case 'recording':
      return to.manage
        ? {
            key: `recording-manage:${to.id}`,
            load: () => import('../recordings/ManagePage.svelte').then(of),
            props: { id: to.id },
          }
        : {
            key: `recording:${to.id}`,
            load: () => import('../recordings/WatchPage.svelte').then(of),
            props: { id: to.id },
          };
    case 'recordingLink':
      return {
        key: `recording-link:${to.token}`,
        load: () => import('../recordings/LinkWatchPage.svelte').then(of),
        props: { token: to.token },
      };
    case 'my':
      return { key: 'my', load: () => import('../my/MyPage.svelte').then(of), props: {} };
    case 'people':
      return { key: 'people', load: () => import('../people/PeoplePage.svelte').then(of), props: { id: to.id } };
    case 'units':
      return { key: 'units', load: () => import('../units/UnitsPage.svelte').then(of), props: { id: to.id } };
    case 'reports':
      return { key: 'reports', load: () => import('../reports/ReportsPage.svelte').then(of), props: { id: to.id } };
    case 'accounts':
      return { key: 'accounts', load: () => import('../accounts/AccountsPage.svelte').then(of), props: {} };
    case 'verify':
      return { key: 'verify', load: () => import('../verify/VerifyPage.svelte').then(of), props: { id: to.id } };
    case 'check':
      return {
        key: `check:${to.code}`,
        load: () => import('../check-in/CheckInPage.svelte').then(of),
        props: { code: to.code },
      };
  }
}
