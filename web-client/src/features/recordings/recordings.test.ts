import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordingItem } from '../../core/playback/shapes';
import { setLanguage } from '../../i18n/index.svelte';
import { loadPlaybackWords } from '../../i18n/playback.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import { recordings } from '../../state/playback/client';
import type { Player } from '../../state/playback/player.svelte';
import { useApi } from '../../state/records/client';
import { fixtureApi, FixtureServer, NOW, type FixtureSetup } from '../../state/records/fixture';
import { clock } from '../../state/records/clock';
import { me } from '../../state/records/me.svelte';
import { nav } from '../../state/records/nav.svelte';
import LibraryPage from './LibraryPage.svelte';
import LinkWatchPage from './LinkWatchPage.svelte';
import ManagePage from './ManagePage.svelte';
import RecordingList from './RecordingList.svelte';
import WatchPage from './WatchPage.svelte';
import { playerKey } from './keys';

const HOUR = 3_600_000;
let server: FixtureServer;
async function start(path: string, setup: FixtureSetup = { as: 'organiser' }) {
  server = new FixtureServer(setup);
  useApi(fixtureApi(server));
  history.replaceState(null, '', path);
  nav.start();
  if (setup.as !== 'guest') await me.load();
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
  await loadPlaybackWords('vi');
  clock.now = () => NOW;
  HTMLDialogElement.prototype.showModal ??= function () {
    this.open = true;
  };
  // Without a browser nothing is played; that is the task of the plays.
  HTMLMediaElement.prototype.load = () => undefined;
  HTMLMediaElement.prototype.pause = () => undefined;
});
beforeEach(() => {
  me.clear();
  vi.spyOn(HTMLMediaElement.prototype, 'canPlayType').mockImplementation((type) =>
    type.includes('none') ? '' : 'probably',
  );
});

describe('the library', () => {
  it('tells of each recording its state, what is missing and how far the work is', async () => {
    await start('/recordings');
    render(LibraryPage);
    const list = await screen.findByTestId('recordings-list');
    const review = within(list)
      .getByRole('link', { name: /^Buổi 3/u })
      .closest('li');
    expect(review?.textContent).toContain('Chờ duyệt');
    expect(review?.textContent).toContain('bộ ghi hình bị ngắt');
    expect(
      within(list)
        .getByRole('link', { name: /^Buổi 4/u })
        .closest('li')?.textContent,
    ).toContain('42%');
    expect(within(list).getAllByRole('listitem')).toHaveLength(7);
    await fireEvent.click(screen.getByRole('button', { name: 'Chờ duyệt' }));
    expect(nav.here).toBe('/recordings?state=review');
    await waitFor(() => expect(within(list).getAllByRole('listitem')).toHaveLength(1));
  });

  it('shows a picture of what it is of, where there is one', async () => {
    await start('/recordings');
    render(LibraryPage);
    const list = await screen.findByTestId('recordings-list');
    const posters = () => list.querySelectorAll<HTMLImageElement>('li img');
    expect([...posters()].map((one) => [one.closest('li')?.dataset.recording, one.getAttribute('src')])).toEqual([
      ['rec-1', '/s/fixture-1/1/l.webp'],
    ]);
    // It was cut since: there is none until it is made anew.
    await fireEvent.error(posters()[0]!);
    await waitFor(() => expect(posters()).toHaveLength(0));
  });

  it('keeps a picture while its address is signed anew', async () => {
    await start('/recordings');
    const address = (s: string, mark = 'ab12') =>
      `/media/recordings/rec-1/poster-${mark}.webp?e=${NOW + 4 * HOUR}&s=${s}`;
    const list = await recordings().list({});
    const one = (list.ok ? list.value.items : []).find(({ id }) => id === 'rec-1')!;
    const items = (poster: string | null) => [{ ...one, poster: poster ?? undefined }] as RecordingItem[];
    const { rerender, container } = render(RecordingList, { items: items(address('1')), reload: () => undefined });
    const image = () => container.querySelector('img');
    const first = image()!;
    await rerender({ items: items(address('2')) });
    expect(image()).toBe(first);
    expect(first.getAttribute('src')).toBe(address('1'));
    // Who may watch was set anew before it came into view: the latest address is good.
    await fireEvent.error(first);
    expect(image()?.getAttribute('src')).toBe(address('2'));
    await fireEvent.error(image()!);
    expect(image()).toBeNull();
    // There is none, however it is signed, until it was made anew.
    await rerender({ items: items(address('3')) });
    expect(image()).toBeNull();
    await rerender({ items: items(address('3', 'cd34')) });
    expect(image()?.getAttribute('src')).toBe(address('3', 'cd34'));
    await rerender({ items: items(null) });
    await rerender({ items: items(address('4')) });
    expect(image()?.getAttribute('src')).toBe(address('4'));
  });

  it('looks again while something is worked on, and no more when the work failed', async () => {
    await start('/recordings');
    const answer = server.recordings.answer.bind(server.recordings);
    let failed: string | undefined;
    vi.spyOn(server.recordings, 'answer').mockImplementation((call) => {
      const told = answer(call);
      const { items } = told?.body as { items: RecordingItem[] };
      const busy = items.filter(({ state }) => state === 'processing');
      return { status: 200, body: { items: busy.map((one) => ({ ...one, progress: { ...one.progress, failed } })) } };
    });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      render(LibraryPage);
      const list = await screen.findByTestId('recordings-list');
      const asked = () => server.calls.filter(({ path }) => path === '/recordings').length;
      expect(asked()).toBe(1);
      vi.advanceTimersByTime(10_000);
      await waitFor(() => expect(asked()).toBe(2));
      failed = 'ffmpeg';
      vi.advanceTimersByTime(10_000);
      await waitFor(() => expect(list.textContent).toContain('không làm được'));
      vi.advanceTimersByTime(60_000);
      await new Promise((next) => setTimeout(next, 20));
      expect(asked()).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it('shows learners what was released, and nothing to manage', async () => {
    await start('/recordings', { as: 'learner' });
    render(LibraryPage);
    const list = await screen.findByTestId('recordings-list');
    expect(within(list).getAllByRole('listitem')).toHaveLength(1);
    expect(within(list).queryByText('Quản lý')).toBeNull();
  });

  it('says what to expect while there is none', async () => {
    await start('/recordings', { as: 'organiser', empty: true });
    render(LibraryPage);
    expect(await screen.findByText('Chưa có bản ghi nào')).toBeTruthy();
  });
});

describe('taking back that one is recorded', () => {
  it('asks, and then the recording is another without him', async () => {
    await start('/recordings/rec-1', { as: 'learner' });
    render(WatchPage, { id: 'rec-1' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Rút lại đồng ý ghi hình' }));
    expect(server.calls.some((one) => one.path.endsWith('/withdraw'))).toBe(false);
    const dialog = screen.getByRole('dialog');
    expect(dialog.textContent).toContain('không lấy lại được');
    await fireEvent.click(within(dialog).getByRole('button', { name: 'Rút lại đồng ý ghi hình' }));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Rút lại đồng ý ghi hình' })).toBeNull());
    expect(server.calls.find((one) => one.path === '/recordings/rec-1/withdraw')?.method).toBe('POST');
    expect(await screen.findByTestId('player')).toBeTruthy();
  });

  it('stands in the library as well, and only where there is something of him', async () => {
    await start('/recordings', { as: 'learner' });
    const { unmount } = render(LibraryPage);
    await screen.findByRole('button', { name: /^Rút lại đồng ý ghi hình.*Buổi 2/u });
    unmount();
    await start('/recordings');
    render(LibraryPage);
    await screen.findByTestId('recordings-list');
    expect(screen.queryByRole('button', { name: /^Rút lại/u })).toBeNull();
  });
});

describe('managing a recording', () => {
  it('releases what was reviewed', async () => {
    await start('/recordings/rec-2/manage');
    render(ManagePage, { id: 'rec-2' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Công bố' }));
    await fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Công bố' }));
    await screen.findByRole('button', { name: 'Ẩn bản ghi' });
    expect(server.calls.find((one) => one.path === '/recordings/rec-2/state')?.body).toEqual({ to: 'published' });
  });

  it('says why a step is refused', async () => {
    await start('/recordings/rec-1/manage');
    render(ManagePage, { id: 'rec-1' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Lưu trữ' }));
    await fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Lưu trữ' }));
    expect((await screen.findByRole('alert')).textContent).toContain('đến hết ngày 16/05/2027');
  });

  it('asks for a reason where one is needed', async () => {
    await start('/recordings/rec-1/manage');
    render(ManagePage, { id: 'rec-1' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Ẩn bản ghi' }));
    const dialog = screen.getByRole('dialog');
    await fireEvent.click(within(dialog).getByRole('button', { name: 'Ẩn bản ghi' }));
    expect((await screen.findByRole('alert')).textContent).toContain('Hãy ghi lý do');
    await fireEvent.input(within(dialog).getByLabelText(/Lý do, ghi chú/u), { target: { value: 'Còn tên học sinh' } });
    await fireEvent.click(within(dialog).getByRole('button', { name: 'Ẩn bản ghi' }));
    await screen.findByRole('button', { name: 'Công bố lại' });
  });

  it('gives a link that expires, and refuses a day too far', async () => {
    await start('/recordings/rec-2/manage');
    render(ManagePage, { id: 'rec-2' });
    const card = await screen.findByTestId('audience');
    await fireEvent.click(within(card).getByRole('button', { name: 'Thay đổi' }));
    const dialog = screen.getByRole('dialog');
    await fireEvent.click(within(dialog).getByLabelText('Ai có liên kết'));
    const until = within(dialog).getByLabelText('Hết hạn sau ngày');
    await fireEvent.input(until, { target: { value: '01/01/2030' } });
    await fireEvent.click(within(dialog).getByRole('button', { name: 'Lưu' }));
    expect(await within(dialog).findByText(/trong vòng một năm/u)).toBeTruthy();
    await fireEvent.input(until, { target: { value: '31/12/2026' } });
    await fireEvent.click(within(dialog).getByRole('button', { name: 'Lưu' }));
    const link = await screen.findByTestId<HTMLInputElement>('audience-link');
    expect(link.value).toContain('/r/');
    const body = server.calls.find((one) => one.path === '/recordings/rec-2/audience')?.body;
    // To the end of that day in Vietnam.
    expect(body).toEqual({ kind: 'link', untilMs: Date.parse('2026-12-31T17:00:00Z') - 1 });
  });

  it('cuts, takes back, and sends the whole list', async () => {
    await start('/recordings/rec-1/manage');
    render(ManagePage, { id: 'rec-1' });
    await fireEvent.click(await screen.findByTestId('open-cutter'));
    const list = await screen.findByTestId('cut-list', undefined, { timeout: 30_000 });
    expect(
      within(list)
        .getAllByRole('listitem')
        .map((one) => one.querySelector('strong')?.textContent),
    ).toEqual(['0:00 – 0:04', '0:40 – 0:50', '1:40 – 1:55']);
    const from = screen.getByLabelText('Từ');
    const to = screen.getByLabelText('Đến');
    await fireEvent.input(from, { target: { value: '1:10' } });
    await fireEvent.input(to, { target: { value: '1:00' } });
    await fireEvent.click(screen.getByTestId('cut-span'));
    expect((await screen.findByRole('alert')).textContent).toContain('phải sau');
    await fireEvent.input(to, { target: { value: '1:12,5' } });
    await fireEvent.click(screen.getByTestId('cut-span'));
    await fireEvent.click(screen.getByRole('button', { name: 'Lấy lại đoạn 1:40 – 1:55' }));
    await fireEvent.click(screen.getByTestId('save-cuts'));
    await waitFor(() =>
      expect(server.calls.find((one) => one.path === '/recordings/rec-1/cuts')?.body).toEqual({
        cuts: [
          { fromMs: 0, toMs: 4_000 },
          { fromMs: 70_000, toMs: 72_500 },
        ],
      }),
    );
  });

  it('refuses disposal before its day with the reason, and lets a second person agree', async () => {
    await start('/recordings/rec-1/manage');
    const { unmount } = render(ManagePage, { id: 'rec-1' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Đề nghị tiêu hủy' }));
    const dialog = screen.getByRole('dialog');
    const go = () => fireEvent.click(within(dialog).getByRole('button', { name: 'Đề nghị tiêu hủy' }));
    await go();
    expect(within(dialog).getByText('Hãy ghi lý do.')).toBeTruthy();
    await fireEvent.input(within(dialog).getByLabelText('Lý do tiêu hủy'), { target: { value: 'Hết hạn' } });
    await go();
    expect((await within(dialog).findByRole('alert')).textContent).toContain('Thông tư 21/2017');
    unmount();
    render(ManagePage, { id: 'rec-4' });
    expect((await screen.findByTestId('disposal')).textContent).toContain('Còn cần 1 người');
    await fireEvent.click(screen.getByRole('button', { name: 'Đồng ý tiêu hủy' }));
    await fireEvent.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Đồng ý tiêu hủy' }));
    await waitFor(() => expect(screen.getByTestId('disposal').textContent).toContain('Đã tiêu hủy lúc'));
  });
});

describe('watching', () => {
  it('goes to a chapter, and finds words without marks', async () => {
    await start('/recordings/rec-1');
    render(WatchPage, { id: 'rec-1' });
    const player = await screen.findByTestId('player');
    const chapters = within(player).getAllByRole('button', { name: /Yêu cầu cần đạt/u });
    await fireEvent.click(chapters[0]!);
    await waitFor(() => expect(player.dataset.t).toBe('55000'));
    await fireEvent.click(screen.getByRole('tab', { name: 'Tìm kiếm' }));
    await fireEvent.input(screen.getByTestId('find'), { target: { value: 'cau hoi' } });
    const found = await screen.findByTestId('found');
    expect(found.textContent).toContain('Em có câu hỏi về đánh giá');
    await fireEvent.click(within(found).getByRole('button'));
    await waitFor(() => expect(player.dataset.t).toBe('126000'));
  });

  it('shows messages and polls when they happened, and none of a cut', async () => {
    await start('/recordings/rec-1');
    render(WatchPage, { id: 'rec-1' });
    const player = await screen.findByTestId('player');
    await fireEvent.click(screen.getByRole('tab', { name: 'Trò chuyện' }));
    const place = screen.getByTestId('place');
    const at = async (t: number, net: number) => {
      await fireEvent.input(place, { target: { value: String(net) } });
      await fireEvent.change(place, { target: { value: String(net) } });
      await waitFor(() => expect(player.dataset.t).toBe(String(t)));
    };
    await at(80_000, 66_000);
    expect(screen.getByTestId('talk').textContent).toContain('Đang hỏi');
    expect(screen.getByTestId('talk').textContent).not.toContain('87');
    await at(130_000, 101_000);
    expect(screen.getByTestId('talk').textContent).toContain('142 phản hồi');
    expect(screen.getByTestId('talk').textContent).not.toContain('đoạn đã cắt');
    expect(screen.getByTestId('talk').textContent).not.toContain('dễ hiểu');
  });

  it('fetches no picture of people with sound only, and says when pictures have to wait', async () => {
    await start('/recordings/rec-1');
    const { unmount } = render(WatchPage, { id: 'rec-1' });
    const player = await screen.findByTestId('player');
    expect(player.querySelectorAll('video')).toHaveLength(1);
    await fireEvent.click(screen.getByTestId('sound-only'));
    await waitFor(() => expect(player.querySelectorAll('video')).toHaveLength(0));
    await fireEvent.click(screen.getByTestId('sound-only'));
    unmount();
    await start('/recordings/rec-1?mime=none');
    render(WatchPage, { id: 'rec-1' });
    expect(await screen.findByTestId('wait-film')).toBeTruthy();
  });

  it('shows a picture of it before it is played, not when one went somewhere, and not with sound only', async () => {
    await start('/recordings/rec-1?pictures');
    const { unmount } = render(WatchPage, { id: 'rec-1' });
    const player = await screen.findByTestId('player');
    expect(screen.getByTestId('poster').getAttribute('src')).toBe('/s/fixture-1/1/l.webp');
    await fireEvent.click(screen.getByTestId('sound-only'));
    await waitFor(() => expect(screen.queryByTestId('poster')).toBeNull());
    await fireEvent.click(screen.getByTestId('sound-only'));
    await screen.findByTestId('poster');
    await fireEvent.click(within(player).getAllByRole('button', { name: /Yêu cầu cần đạt/u })[0]!);
    await waitFor(() => expect(screen.queryByTestId('poster')).toBeNull());
    unmount();
    await start('/recordings/rec-1?pictures');
    render(WatchPage, { id: 'rec-1' });
    await fireEvent.error(await screen.findByTestId('poster'));
    await waitFor(() => expect(screen.queryByTestId('poster')).toBeNull());
  });

  it('shows a small picture of where one would go, with mouse and finger, and none with sound only', async () => {
    await start('/recordings/rec-1?pictures');
    render(WatchPage, { id: 'rec-1' });
    const place = await screen.findByTestId<HTMLInputElement>('place');
    const drag = (net: number) => fireEvent.input(place, { target: { value: String(net) } });
    expect(screen.queryByTestId('still')).toBeNull();
    // 75 s: the sixth, the first of the second row.
    await drag(61_000);
    const still = screen.getByTestId('still');
    expect(still.style.backgroundImage).toContain('/s/fixture-1/2/l.webp');
    expect([still.style.width, still.style.height, still.style.backgroundPosition]).toEqual([
      '160px',
      '90px',
      '0px -90px',
    ]);
    // Nothing is to be seen there.
    await drag(120_000);
    expect(screen.queryByTestId('still')).toBeNull();
    await drag(61_000);
    expect(screen.getByTestId('still')).toBeTruthy();
    await fireEvent.change(place, { target: { value: '61000' } });
    expect(screen.queryByTestId('still')).toBeNull();
    await fireEvent.click(screen.getByTestId('sound-only'));
    await drag(61_000);
    expect(screen.queryByTestId('still')).toBeNull();
    const line = place.parentElement!;
    line.getBoundingClientRect = () => ({ left: 0, width: 151, top: 0, height: 28 }) as DOMRect;
    await fireEvent.change(place, { target: { value: '61000' } });
    await fireEvent.click(screen.getByTestId('sound-only'));
    await fireEvent.pointerMove(line, { pointerType: 'mouse', clientX: 5 });
    expect(screen.getByTestId('still').style.backgroundPosition).toBe('0px 0px');
    await fireEvent.pointerLeave(line);
    expect(screen.queryByTestId('still')).toBeNull();
  });

  it('tells who has a link that it is over', async () => {
    await start('/r/over', { as: 'guest' });
    render(LinkWatchPage, { token: 'over' });
    expect(await screen.findByText('Không xem được bản ghi này')).toBeTruthy();
  });
});

describe('keys', () => {
  const player = {
    rate: 1,
    volume: 0.5,
    muted: false,
    chapter: 0,
    chapters: [{ atMs: 0 }, { atMs: 5_000 }],
    line: { netMs: 100_000 },
    toggle: vi.fn(),
    step: vi.fn(),
    seek: vi.fn(),
    seekNet: vi.fn(),
    setRate: vi.fn(),
    setMuted: vi.fn(),
    setVolume: vi.fn(),
  };
  const acts = { full: vi.fn(), captions: vi.fn(), help: vi.fn() };
  const press = (key: string, target: Element = document.body, letters = true) => {
    const event = new KeyboardEvent('keydown', { key, bubbles: true });
    let did = false;
    const listen = (seen: Event) =>
      (did = playerKey(seen as KeyboardEvent, player as unknown as Player, acts, letters));
    target.addEventListener('keydown', listen);
    target.dispatchEvent(event);
    target.removeEventListener('keydown', listen);
    return did;
  };

  it('play, move and switch', () => {
    for (const key of [' ', 'ArrowLeft', 'j', 'L', '5', 'm', 'f', 'c', '>', 'n', '?'])
      expect(press(key), key).toBe(true);
    expect(player.toggle).toHaveBeenCalledOnce();
    expect(player.step.mock.calls).toEqual([[-5_000], [-10_000], [10_000]]);
    expect(player.seekNet).toHaveBeenCalledWith(50_000);
    expect(player.seek).toHaveBeenCalledWith(5_000);
    expect(player.setRate).toHaveBeenCalledWith(1.25);
    expect([acts.full, acts.captions, acts.help].map((one) => one.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('leave alone who writes, what a control does itself, and letters where they are switched off', () => {
    const field = document.createElement('input');
    const button = document.createElement('button');
    const select = document.createElement('select');
    document.body.append(field, button, select);
    expect(press('m', field)).toBe(false);
    expect(press(' ', button)).toBe(false);
    expect(press('ArrowLeft', select)).toBe(false);
    expect(press('m', document.body, false)).toBe(false);
    expect(press('ArrowRight', document.body, false)).toBe(true);
    for (const one of [field, button, select]) one.remove();
  });
});
