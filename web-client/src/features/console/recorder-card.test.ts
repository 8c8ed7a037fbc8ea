// The recorder on the technicians' console.
import { render, screen, within } from '@testing-library/svelte';
import axe from 'axe-core';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecorderLine } from '../../core/records/gen';
import { loadArrangeWords } from '../../i18n/arrange.svelte';
import { setLanguage } from '../../i18n/index.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import { prefs } from '../../ui/prefs.svelte';
import RecorderCard from './RecorderCard.svelte';

const AT = Date.UTC(2026, 10, 22, 1, 30, 5);
const line = (more: Partial<RecorderLine> = {}): RecorderLine => ({
  state: 'off',
  sinceMs: null,
  unable: null,
  alarms: [],
  ...more,
});
const plain = (one: HTMLElement) => one.textContent.replaceAll(/\s+/gu, ' ').trim();
/** Rules about lists and roles that are broken. */
const faults = async () =>
  (await axe.run(document.body, { runOnly: ['list', 'listitem', 'aria-allowed-role'] })).violations.map(({ id }) => id);

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
});
beforeEach(async () => {
  prefs.lang = 'vi';
  await loadArrangeWords('vi');
});

describe('the recorder', () => {
  it('that has nothing to do says so and raises no alarm', () => {
    render(RecorderCard, { recorder: line() });
    expect(screen.getByTestId('recorder').textContent).toContain('Không ghi hình');
    expect(screen.queryByTestId('recorder-alarms')).toBeNull();
    expect(screen.queryByTestId('recorder-unable')).toBeNull();
  });

  it('tells its state, since when, and what went wrong in the words of the room, the latest first', async () => {
    const { rerender } = render(RecorderCard, {
      recorder: line({
        state: 'failed',
        sinceMs: AT,
        alarms: [
          { at: AT + 10_000, what: 'gap', from: AT, to: AT + 4_000 },
          { at: AT + 20_000, what: 'diskLow', left: 9 * 1024 ** 3 },
          { at: AT + 30_000, what: 'failed' },
        ],
      }),
    });
    const card = screen.getByTestId('recorder');
    expect(card.textContent).toContain('Ghi hình bị gián đoạn');
    expect(card.textContent).toContain('Đang ghi từ 08:30');
    const told = within(card).getAllByRole('listitem');
    expect(told.map(plain)).toEqual([
      '08:30:35 Bộ ghi hình gặp sự cố và đang được khởi động lại.',
      '08:30:25 Chỗ lưu bản ghi sắp hết, còn 9,0 GB.',
      '08:30:15 Bản ghi thiếu đoạn từ 08:30:05 đến 08:30:09.',
    ]);
    expect(await faults()).toEqual([]);
    // The next look at the console.
    await rerender({ recorder: line({ state: 'on', sinceMs: AT, alarms: [{ at: AT, what: 'diskFull' }] }) });
    expect(card.dataset['state']).toBe('on');
    expect(within(card).getByRole('listitem').textContent).toContain('Hết chỗ lưu');
  });

  it('is heard with its latest alarm and no other', async () => {
    const gap = { at: AT + 10_000, what: 'gap', from: AT, to: AT + 4_000 } as const;
    const failed = (at: number) => ({ at, what: 'failed' }) as const;
    const { rerender } = render(RecorderCard, { recorder: line({ state: 'on' }) });
    // It is there before there is anything to say: what comes with its first words is not read.
    const heard = screen.getByTestId('recorder-heard');
    expect(heard.getAttribute('role')).toBe('status');
    expect(plain(heard)).toBe('');
    const changes: MutationRecord[] = [];
    const watch = new MutationObserver((all) => changes.push(...all));
    watch.observe(heard, { childList: true, characterData: true, subtree: true });
    await rerender({ recorder: line({ state: 'on', alarms: [gap] }) });
    expect(plain(heard)).toBe('08:30:15 Bản ghi thiếu đoạn từ 08:30:05 đến 08:30:09.');
    const list = screen.getByRole('list');
    expect(list.closest('[role="status"], [aria-live]')).toBeNull();
    // The same once more is an alarm of its own.
    await rerender({ recorder: line({ state: 'on', alarms: [gap, failed(AT + 20_000)] }) });
    await rerender({ recorder: line({ state: 'on', alarms: [gap, failed(AT + 20_000), failed(AT + 30_000)] }) });
    expect(plain(heard)).toBe('08:30:35 Bộ ghi hình gặp sự cố và đang được khởi động lại.');
    expect(within(list).getAllByRole('listitem')).toHaveLength(3);
    await new Promise((next) => setTimeout(next));
    const before = changes.length;
    expect(before).toBeGreaterThan(0);
    // Nothing new is nothing to say.
    await rerender({ recorder: line({ state: 'on', alarms: [gap, failed(AT + 20_000), failed(AT + 30_000)] }) });
    await new Promise((next) => setTimeout(next));
    expect(changes).toHaveLength(before);
    watch.disconnect();
  });

  it('speaks in the marks of the language', async () => {
    const diskLow = { at: AT, what: 'diskLow', left: 9.5 * 1024 ** 3 } as const;
    render(RecorderCard, { recorder: line({ alarms: [diskLow] }) });
    expect(screen.getByRole('listitem').textContent).toContain('còn 9,5 GB.');
    prefs.lang = 'en';
    await loadArrangeWords('en');
    await vi.waitFor(() => expect(screen.getByRole('listitem').textContent).toContain('recording: 9.5 GB.'));
  });

  it('that cannot record says why', async () => {
    const { rerender } = render(RecorderCard, { recorder: line({ unable: 'noRecorder' }) });
    const why = screen.getByTestId('recorder-unable');
    expect(why.textContent).toContain('Máy chủ chưa thể ghi hình lúc này.');
    await rerender({ recorder: line({ unable: 'diskFull' }) });
    expect(why.textContent).toContain('không còn đủ chỗ lưu');
  });
});
