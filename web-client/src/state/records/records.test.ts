import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Result } from '../../core/records/http';
import { useApi } from './client';
import { fixtureApi, FixtureServer } from './fixture';
import { setGate } from './gate';
import { perhapsSignedIn } from './known';
import { Loaded } from './loaded.svelte';
import { me } from './me.svelte';
import { nav, safeBack } from './nav.svelte';

function later<T>() {
  let give: (value: Result<T>) => void = () => undefined;
  const promise = new Promise<Result<T>>((resolve) => (give = resolve));
  return { promise, give };
}

describe('something loaded', () => {
  it('keeps the answer to the last question, whichever comes last', async () => {
    const list = new Loaded<string>();
    const first = later<string>();
    const second = later<string>();
    const a = list.load(() => first.promise);
    const b = list.load(() => second.promise);
    second.give({ ok: true, value: 'mới' });
    first.give({ ok: true, value: 'cũ' });
    await Promise.all([a, b]);
    expect(list.value).toBe('mới');
    expect(list.loading).toBe(false);
  });

  it('keeps the old value beside the error', async () => {
    const list = new Loaded<string>();
    list.set('có');
    await list.load(async () => ({ ok: false, error: { code: 'network', status: 0 } }));
    expect(list.value).toBe('có');
    expect(list.error?.code).toBe('network');
  });
});

describe('who is signed in', () => {
  beforeEach(() => me.clear());

  it('is known after asking, and remembered only as a note', async () => {
    useApi(fixtureApi(new FixtureServer({ as: 'organiser' })));
    await me.load();
    expect(me.now?.account.name).toBe('Nguyễn Thị Minh Hằng');
    expect(me.mayHost).toBe(true);
    expect(perhapsSignedIn()).toBe(true);
    await me.signOut();
    expect(me.now).toBeNull();
    expect(perhapsSignedIn()).toBe(false);
  });

  it('is nobody when the server says so, and the gate is told', async () => {
    const signIn = vi.fn();
    setGate({ signIn, password: () => undefined });
    useApi(fixtureApi(new FixtureServer({ as: 'guest' })));
    await me.load();
    expect(me.known).toBe(true);
    expect(me.now).toBeNull();
    expect(signIn).toHaveBeenCalled();
    setGate(null);
  });

  it('gives a learner no organiser’s pages', async () => {
    useApi(fixtureApi(new FixtureServer({ as: 'learner' })));
    await me.load();
    expect(me.now?.organises).toBe(false);
    expect(me.mayHost).toBe(false);
    expect(me.managesPeople).toBe(false);
  });
});

describe('the address', () => {
  it('changes without loading for own pages, and keeps filters in its query', () => {
    history.replaceState(null, '', '/classes');
    nav.start();
    nav.go('/classes/c1/roster?q=an');
    expect(nav.route).toEqual({ page: 'class', id: 'c1', tab: 'roster' });
    expect(nav.here).toBe('/classes/c1/roster?q=an');
    nav.query({ q: null, from: 50 });
    expect(nav.here).toBe('/classes/c1/roster?from=50');
  });

  it('stays on the fixture when one started there', () => {
    history.replaceState(null, '', '/dev/classes?as=admin');
    nav.start();
    expect(nav.route).toEqual({ page: 'classes' });
    nav.go('/classes/c1');
    expect(location.pathname).toBe('/dev/classes/c1');
    expect(nav.here).toBe('/classes/c1');
    nav.go('/');
    expect(nav.route).toEqual({ page: 'home' });
  });

  it('to come back to is always one of ours', () => {
    expect(safeBack('/classes/c1?x=1')).toBe('/classes/c1?x=1');
    for (const bad of [null, '', 'https://evil.example', '//evil.example', '/\\evil.example', '/sign-in?back=/x']) {
      expect(safeBack(bad), String(bad)).toBe('/');
    }
  });
});
