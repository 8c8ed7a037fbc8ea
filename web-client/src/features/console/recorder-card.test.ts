// The recorder on the technicians' console.
import { render, screen, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RecorderLine } from '../../core/records/gen';
import { loadArrangeWords } from '../../i18n/arrange.svelte';
import { setLanguage } from '../../i18n/index.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import RecorderCard from './RecorderCard.svelte';

const AT = Date.UTC(2026, 10, 22, 1, 30, 5);
const line = (more: Partial<RecorderLine> = {}): RecorderLine => ({
  state: 'off',
  sinceMs: null,
  unable: null,
  alarms: [],
  ...more,
});

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
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
    expect(told.map((one) => one.textContent.replaceAll(/\s+/gu, ' ').trim())).toEqual([
      '08:30:35 Bộ ghi hình gặp sự cố và đang được khởi động lại.',
      '08:30:25 Chỗ lưu bản ghi sắp hết, còn 9,0 GB.',
      '08:30:15 Bản ghi thiếu đoạn từ 08:30:05 đến 08:30:09.',
    ]);
    // The next look at the console.
    await rerender({ recorder: line({ state: 'on', sinceMs: AT, alarms: [{ at: AT, what: 'diskFull' }] }) });
    expect(card.dataset['state']).toBe('on');
    expect(within(card).getByRole('listitem').textContent).toContain('Hết chỗ lưu');
  });

  it('that cannot record says why', async () => {
    const { rerender } = render(RecorderCard, { recorder: line({ unable: 'noRecorder' }) });
    const why = screen.getByTestId('recorder-unable');
    expect(why.textContent).toContain('Máy chủ chưa thể ghi hình lúc này.');
    await rerender({ recorder: line({ unable: 'diskFull' }) });
    expect(why.textContent).toContain('không còn đủ chỗ lưu');
  });
});
