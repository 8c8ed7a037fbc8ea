import { render, screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setLanguage } from '../../../i18n/index.svelte';
import { loadSharingWords } from '../../../i18n/sharing.svelte';
import { fixtureRoom, type FixtureOptions } from '../../../state/fixture.svelte';
import { NO_SHARING, type FixtureSharing } from '../../../state/fixture-slides';
import DocsPanel from '../docs/DocsPanel.svelte';
import { RoomView } from '../view.svelte';
import SlidesBar from './SlidesBar.svelte';
import { deckNews } from './news';
import { fitPage, FITTED, pan, zoomAt } from './zoom';

function room(slides: Partial<FixtureSharing> = {}, over: Partial<FixtureOptions> = {}) {
  return fixtureRoom({
    people: 12,
    layout: 'auto',
    role: 'trainer',
    mode: 'training',
    screen: false,
    now: Date.UTC(2026, 10, 22, 1, 5),
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
    ...over,
    slides: { ...NO_SHARING, bare: false, ...slides },
  });
}

beforeAll(async () => {
  await Promise.all([setLanguage('vi'), loadSharingWords('vi')]);
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
});

describe('zooming', () => {
  const box = { width: 800, height: 500 };
  const paper = fitPage(box, { width: 960, height: 540 });

  it('fits the page into its place', () => {
    expect(paper).toEqual({ width: 800, height: 450 });
    expect(fitPage(box, { width: 0, height: 0 })).toEqual({ width: 0, height: 0 });
  });

  it('keeps the point under the fingers and never shows more than the page', () => {
    const zoom = zoomAt(FITTED, 2, { x: 100, y: 50 }, paper, box);
    expect(zoom).toEqual({ z: 2, x: -100, y: -50 });
    expect(pan(zoom, 9999, 9999, paper, box)).toEqual({ z: 2, x: 400, y: 200 });
    expect(zoomAt(zoom, 0.5, { x: 0, y: 0 }, paper, box)).toEqual(FITTED);
    expect(zoomAt(FITTED, 99, { x: 0, y: 0 }, paper, box).z).toBe(5);
  });
});

describe('the bar of the slides', () => {
  function open(r: ReturnType<typeof room>) {
    const shown = r.slides.shown;
    if (!shown) throw new Error('nothing is shown');
    render(SlidesBar, {
      room: r,
      view: new RoomView(r),
      deck: shown.deck,
      page: shown.page,
      leafs: r.slides.canPresent || r.slides.canBrowse,
      thumbs: false,
      laser: false,
      zoomed: false,
      full: false,
      tall: false,
      onthumbs: () => undefined,
      onlaser: () => undefined,
      onzoom: () => undefined,
      onfull: () => undefined,
    });
  }

  it('goes to the page that was typed', async () => {
    const r = room({ stage: 'd1:3' });
    open(r);
    const number = screen.getByTestId('slide-number') as HTMLInputElement;
    number.value = '17';
    number.dispatchEvent(new Event('input', { bubbles: true }));
    number.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await tick();
    expect(r.slides.stage).toEqual({ deck: 'd1', page: 17 });
  });

  it('flags what was not reviewed, for everybody', () => {
    open(room({ stage: 'd2:3' }, { role: 'learner' }));
    expect(screen.getByTestId('unreviewed').textContent).toBe('Chưa thẩm định');
  });

  it('offers learners no power over what others see', () => {
    open(room({ stage: 'd1:3' }, { role: 'learner' }));
    expect(screen.queryByTestId('slides-stop')).toBeNull();
    expect(screen.queryByTestId('slides-laser')).toBeNull();
  });
});

describe('the panel of materials', () => {
  it('says why a file did not become slides and what to do', () => {
    const r = room({ fault: 'encrypted' });
    render(DocsPanel, { room: r, view: new RoomView(r) });
    expect(screen.getByTestId('deck-fault').textContent).toBe('Tệp có mật khẩu. Hãy bỏ mật khẩu rồi tải lên lại.');
  });

  it('shows how far uploads and pages are', () => {
    const r = room({ uploads: true });
    render(DocsPanel, { room: r, view: new RoomView(r) });
    expect(screen.getAllByTestId('upload')).toHaveLength(2);
    expect(screen.getByText('Đang chuyển thành trang 7/42')).toBeTruthy();
  });

  it('tells learners of decks that are ready only, without a button to show them to all', () => {
    const r = room({ uploads: true, fault: 'broken' }, { role: 'learner' });
    render(DocsPanel, { room: r, view: new RoomView(r) });
    const decks = screen.getAllByTestId('deck');
    expect(decks.map((one) => one.dataset.state)).toEqual(['ready', 'ready', 'ready']);
    expect(screen.queryByTestId('deck-present')).toBeNull();
    expect(screen.queryByTestId('deck-file')).toBeNull();
  });

  it('asks before a deck is taken away for everybody', async () => {
    HTMLDialogElement.prototype.showModal ??= () => undefined;
    const r = room();
    render(DocsPanel, { room: r, view: new RoomView(r) });
    const drop = vi.spyOn(r.slides, 'drop');
    within(screen.getAllByTestId('deck')[0] as HTMLElement)
      .getByTestId('deck-remove')
      .click();
    await tick();
    expect(drop).not.toHaveBeenCalled();
    screen.getByTestId('confirm-remove-file').click();
    expect(drop).toHaveBeenCalledWith('d1');
  });

  it('lists who handed in what to staff, one’s own to a learner', async () => {
    const r = room();
    const view = new RoomView(r);
    view.docs = 'files';
    render(DocsPanel, { room: r, view });
    const handed = screen.getAllByTestId('file').filter((one) => one.dataset.way === 'in');
    expect(handed.map((one) => one.textContent)).toEqual(
      expect.arrayContaining([expect.stringContaining("H'Hen Niê"), expect.stringContaining('Bùi Thị Ngọc Ánh')]),
    );
    expect(screen.getByText('3 người đã nộp, 3 tệp')).toBeTruthy();
    expect(screen.queryByTestId('hand-in-file')).toBeNull();
  });
});

it('the end of an upload is told in a sentence', () => {
  const deck = room().slides.decks[0];
  if (!deck) throw new Error('no deck');
  expect(deckNews(deck)?.tone).toBe('good');
  expect(deckNews({ ...deck, st: { is: 'failed', why: 'tooHard' } })?.text).toContain('Tệp quá phức tạp');
  expect(deckNews({ ...deck, st: { is: 'queued' } })).toBeNull();
});
