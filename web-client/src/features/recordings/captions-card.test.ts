import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setLanguage } from '../../i18n/index.svelte';
import { loadPlaybackWords } from '../../i18n/playback.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import { useApi } from '../../state/records/client';
import { clock } from '../../state/records/clock';
import { fixtureApi, FixtureServer, NOW } from '../../state/records/fixture';
import { me } from '../../state/records/me.svelte';
import { nav } from '../../state/records/nav.svelte';
import ManagePage from './ManagePage.svelte';

let server: FixtureServer;
async function manage(as: 'organiser' | 'learner' = 'organiser') {
  const id = as === 'learner' ? 'rec-1' : 'rec-2';
  server = new FixtureServer({ as });
  useApi(fixtureApi(server));
  history.replaceState(null, '', `/recordings/${id}/manage`);
  nav.start();
  await me.load();
  render(ManagePage, { id });
}
const sent = (method: string) => server.calls.filter((one) => one.method === method && one.path.includes('/captions/'));
const SRT = '1\n00:00:01,000 --> 00:00:02,500\nChào cả lớp.\n';

async function choose(name: string, text: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const input = screen.getByRole('dialog').querySelector<HTMLInputElement>('input[type=file]')!;
  Object.defineProperty(input, 'files', { configurable: true, value: [new File([text], name)] });
  await fireEvent.change(input);
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
  await loadPlaybackWords('vi');
  clock.now = () => NOW;
  HTMLDialogElement.prototype.showModal ??= function () {
    this.open = true;
  };
});
beforeEach(() => me.clear());

describe('files of captions', () => {
  it('are added in a language, SubRip as WebVTT, and listed', async () => {
    await manage();
    await fireEvent.click(await screen.findByTestId('add-captions'));
    await fireEvent.click(screen.getByTestId('save-captions'));
    expect(screen.getByRole('alert').textContent).toContain('Hãy chọn tệp phụ đề');
    await choose('buoi-3.srt', SRT);
    expect((await screen.findByTestId('captions-file')).textContent).toContain('1 dòng phụ đề');
    await fireEvent.click(screen.getByTestId('save-captions'));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(sent('PUT').map((one) => one.path)).toEqual(['/recordings/rec-2/captions/vi']);
    expect(sent('PUT')[0]?.body).toBe('WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nChào cả lớp.\n');
    const card = screen.getByTestId('captions-card');
    expect(await within(card).findByText('Tiếng Việt')).toBeTruthy();
  });

  it('say what is wrong with a file', async () => {
    await manage();
    await fireEvent.click(await screen.findByTestId('add-captions'));
    await choose('a.vtt', 'không phải phụ đề');
    expect((await screen.findByRole('alert')).textContent).toContain('Không đọc được dòng phụ đề nào');
    await choose('a.vtt', new Uint8Array([0xff, 0xfe, 0x00]));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('UTF-8'));
    await choose('a.docx', SRT);
    expect(screen.getByRole('dialog').textContent).toContain('.vtt');
    expect(sent('PUT')).toEqual([]);
  });

  it('are offered in the languages there are none of, then in any by its tag', async () => {
    await manage();
    for (const n of [1, 2, 3]) {
      await fireEvent.click(await screen.findByTestId('add-captions'));
      await choose('a.srt', SRT);
      await screen.findByTestId('captions-file');
      if (n === 3) {
        await fireEvent.input(screen.getByLabelText('Mã ngôn ngữ'), { target: { value: 'tiếng Mông' } });
        await fireEvent.click(screen.getByTestId('save-captions'));
        expect(screen.getByRole('dialog').textContent).toContain('Hãy ghi mã ngôn ngữ');
        expect(sent('PUT')).toHaveLength(2);
        await fireEvent.input(screen.getByLabelText('Mã ngôn ngữ'), { target: { value: 'hmn' } });
      }
      await fireEvent.click(screen.getByTestId('save-captions'));
      await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
      await waitFor(() => expect(within(screen.getByTestId('captions-card')).getAllByRole('listitem')).toHaveLength(n));
    }
    expect(sent('PUT').map((one) => one.path.split('/').at(-1))).toEqual(['vi', 'en', 'hmn']);
  });

  it('are replaced in their language, and taken away after a question', async () => {
    await manage();
    await fireEvent.click(await screen.findByTestId('add-captions'));
    await choose('a.srt', SRT);
    await screen.findByTestId('captions-file');
    await fireEvent.click(screen.getByTestId('save-captions'));
    await fireEvent.click(await screen.findByRole('button', { name: 'Thay tệp phụ đề Tiếng Việt' }));
    expect(screen.queryByLabelText('Ngôn ngữ')).toBeNull();
    await choose('b.vtt', 'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nKhác\n');
    await screen.findByTestId('captions-file');
    await fireEvent.click(screen.getByTestId('save-captions'));
    await waitFor(() => expect(sent('PUT')).toHaveLength(2));
    expect(sent('PUT')[1]?.path).toBe('/recordings/rec-2/captions/vi');
    await fireEvent.click(await screen.findByRole('button', { name: 'Xóa phụ đề Tiếng Việt' }));
    expect(sent('DELETE')).toEqual([]);
    await fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Xóa phụ đề' }));
    await waitFor(() => expect(screen.queryByText('Chưa có tệp phụ đề nào', { exact: false })).not.toBeNull());
    expect(sent('DELETE').map((one) => one.path)).toEqual(['/recordings/rec-2/captions/vi']);
  });

  it('are nothing for who neither reviews nor edits', async () => {
    await manage('learner');
    await screen.findByTestId('manage');
    await screen.findByRole('heading', { level: 1 });
    expect(screen.queryByTestId('captions-card')).toBeNull();
  });
});
