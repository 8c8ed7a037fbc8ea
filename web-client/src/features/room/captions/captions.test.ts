import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadArrangeWords } from '../../../i18n/arrange.svelte';
import { setLanguage } from '../../../i18n/index.svelte';
import { loadLiveWords } from '../../../i18n/live.svelte';
import { fixtureRoom } from '../../../state/fixture.svelte';
import { RoomView } from '../view.svelte';
import CaptionsPanel from './CaptionsPanel.svelte';
import CaptionsShown from './CaptionsShown.svelte';

function room() {
  return fixtureRoom({
    people: 12,
    layout: 'gallery',
    role: 'trainer',
    mode: 'training',
    screen: false,
    now: Date.UTC(2026, 10, 22, 1, 5),
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
  });
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadLiveWords('vi');
  await loadArrangeWords('vi');
  Element.prototype.scrollTo ??= () => undefined;
});
beforeEach(() => localStorage.clear());

describe('captions over the stage', () => {
  it('are the last two lines, silent to screen readers', () => {
    const r = room();
    render(CaptionsShown, { room: r });
    const shown = screen.getByTestId('captions');
    expect(screen.getAllByTestId('caption-line')).toHaveLength(2);
    expect(shown.getAttribute('aria-live')).toBe('off');
    expect(shown.getAttribute('lang')).toBe('vi');
  });
});

describe('the panel of captions', () => {
  it('lists every line and lets nobody type who has not the task', () => {
    const r = room();
    render(CaptionsPanel, { room: r, view: new RoomView(r) });
    expect(screen.getAllByTestId('transcript-line')).toHaveLength(3);
    expect(screen.queryByTestId('caption-input')).toBeNull();
    expect(screen.getByTestId('captioners').textContent).toContain('Chưa ai được giao');
  });

  it('ends a line by Enter, but not while a letter is being composed', async () => {
    const r = room();
    await r.captions.hand(r.me.person, true);
    render(CaptionsPanel, { room: r, view: new RoomView(r) });
    const input = screen.getByTestId<HTMLTextAreaElement>('caption-input');
    await fireEvent.input(input, { target: { value: 'Mời cả lớp' } });
    await fireEvent.keyDown(input, { key: 'Enter', isComposing: true });
    expect(screen.getAllByTestId('transcript-line')).toHaveLength(3);
    await fireEvent.keyDown(input, { key: 'Enter' });
    await tick();
    expect(screen.getAllByTestId('transcript-line').at(-1)?.textContent).toContain('Mời cả lớp');
    expect(input.value).toBe('');
    await fireEvent.click(screen.getByTestId('caption-lay-down'));
    await tick();
    expect(screen.queryByTestId('caption-input')).toBeNull();
  });
});
