import { render, screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { setLanguage } from '../../i18n/index.svelte';
import { loadArrangeWords } from '../../i18n/arrange.svelte';
import { loadTalkWords } from '../../i18n/talk.svelte';
import type { RoomModel } from '../../state/contract';
import { fixtureRoom, type FixtureOptions } from '../../state/fixture.svelte';
import ChatPanel from './chat/ChatPanel.svelte';
import PeoplePanel from './PeoplePanel.svelte';
import TileView from './TileView.svelte';
import { RoomView } from './view.svelte';

const NOW = Date.UTC(2026, 10, 22, 1, 5);

function room(over: Partial<FixtureOptions> = {}) {
  return fixtureRoom({
    people: 12,
    layout: 'gallery',
    role: 'trainer',
    mode: 'training',
    screen: false,
    now: NOW,
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
    ...over,
  });
}

function tileOf(r: RoomModel, name: string) {
  const tile = r.grid.find((one) => one.person.name === name);
  if (!tile) throw new Error(`no tile of ${name}`);
  return tile;
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadTalkWords('vi');
  await loadArrangeWords('vi');
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
});

describe('a tile', () => {
  it('says name, microphone and role to a screen reader', () => {
    const r = room();
    render(TileView, { room: r, tile: tileOf(r, 'Nguyễn Thị Minh Hằng') });
    const label = screen.getByTestId('tile').getAttribute('aria-label');
    expect(label).toBe('Nguyễn Thị Minh Hằng, mic đang bật, Người dạy');
  });

  it('tells of a weak network instead of showing a frozen face', () => {
    const r = room();
    const { container } = render(TileView, { room: r, tile: tileOf(r, 'Bùi Thị Ngọc Ánh') });
    expect(container.textContent).toContain('Tạm dừng hình do mạng yếu');
    expect(container.querySelector('video')).toBeNull();
  });

  it('shows the initial of the given name without a camera', () => {
    const r = room();
    const { container } = render(TileView, { room: r, tile: tileOf(r, 'Đặng Thị Ái') });
    expect(container.querySelector('.avatar')?.textContent).toBe('Á');
  });

  it('can be pinned and unpinned', async () => {
    const r = room();
    render(TileView, { room: r, tile: tileOf(r, 'Nguyễn Thị Minh Hằng') });
    screen.getByLabelText('Ghim Nguyễn Thị Minh Hằng').click();
    await tick();
    expect(r.pinned).toBe('k1c');
    screen.getByLabelText('Bỏ ghim Nguyễn Thị Minh Hằng').click();
    expect(r.pinned).toBeNull();
  });
});

describe('a tile shown to all', () => {
  const shown = async (role: 'organiser' | 'learner') => {
    const r = room({ role });
    await r.arrange.spotlight('p1', true);
    render(TileView, { room: r, tile: tileOf(r, 'Nguyễn Thị Minh Hằng') });
    return r;
  };

  it('is told from one pinned for oneself, and given up from the tile by those who lead', async () => {
    const r = await shown('organiser');
    expect(r.room.spotlight).toEqual(['p1']);
    screen.getByTestId('tile-unspot').click();
    await tick();
    expect(r.room.spotlight ?? []).toEqual([]);
    expect(screen.queryByTestId('tile-unspot')).toBeNull();
  });

  it('is not given up by a learner', async () => {
    await shown('learner');
    expect(screen.queryByTestId('tile-unspot')).toBeNull();
    expect(screen.getByTestId('tile').getAttribute('aria-label')).toContain('Ghim cho mọi người');
  });
});

describe('the people panel', () => {
  function open(r = room()) {
    render(PeoplePanel, { room: r, view: new RoomView(r), now: NOW });
    return r;
  }
  const rows = () => screen.getAllByTestId('person');

  it('lists everybody once, those who teach and organise first', () => {
    open();
    expect(rows()).toHaveLength(12);
    expect(rows()[0]?.textContent).toContain('Cán bộ kỹ thuật');
    expect(rows().at(-1)?.textContent).toContain('Lê Nguyễn Hoàng Phương Uyên');
  });

  it('searches without marks', async () => {
    open();
    const search = screen.getByRole('searchbox') as HTMLInputElement;
    search.value = 'huyen trang';
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await tick();
    expect(rows()).toHaveLength(1);
    expect(rows()[0]?.textContent).toContain('Công Tằng Tôn Nữ Huyền Trang');
    expect(screen.getByRole('status').textContent).toContain('1 người');
  });

  it('numbers the hands in order and gives the floor with one press', async () => {
    const r = open();
    const queue = within(screen.getByTestId('hand-queue'));
    const names = queue.getAllByRole('listitem').map((li) => li.querySelector('.name')?.textContent);
    expect(names).toEqual(['Lê Nguyễn Hoàng Phương Uyên', 'Đặng Thị Ái', "H'Hen Niê"]);
    const floor = vi.spyOn(r.mod, 'floor');
    queue.getByLabelText('Mời Đặng Thị Ái phát biểu').click();
    expect(floor).toHaveBeenCalledWith('p6', true);
  });

  it('offers learners no power over others', () => {
    open(room({ role: 'learner' }));
    expect(screen.queryByText('Mời phát biểu')).toBeNull();
    expect(screen.queryByText('Hạ tay tất cả')).toBeNull();
  });
});

describe('the chat panel', () => {
  function open() {
    const r = room();
    const send = vi.spyOn(r, 'sendChat');
    render(ChatPanel, { room: r, view: new RoomView(r), now: NOW });
    const input = screen.getByTestId('chat-input') as HTMLTextAreaElement;
    const type = async (text: string) => {
      input.value = text;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await tick();
    };
    const enter = (init: KeyboardEventInit = {}) =>
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init }));
    return { r, send, input, type, enter };
  }

  it('sends composed text with Enter and empties the field', async () => {
    const { send, type, enter, input } = open();
    await type('Em cha\u0300o co\u0302');
    enter();
    await tick();
    expect(send).toHaveBeenCalledWith('Em chào cô', 'all');
    expect(input.value).toBe('');
  });

  it('never takes the Enter that ends a letter of an input method, nor Shift+Enter', async () => {
    const { send, type, enter } = open();
    await type('tiếng');
    enter({ isComposing: true });
    enter({ shiftKey: true });
    expect(send).not.toHaveBeenCalled();
  });

  it('holds back a message that is too long and says by how much', async () => {
    const { send, type, enter } = open();
    await type('ạ'.repeat(5003));
    enter();
    expect(send).not.toHaveBeenCalled();
    expect(screen.getByText('Thừa 3 ký tự. Hãy rút ngắn để gửi.')).toBeTruthy();
  });

  it('makes links that leak nothing to the page they open', () => {
    open();
    const link = screen.getByRole('link');
    expect(link.getAttribute('rel')).toContain('noopener');
    expect(link.getAttribute('rel')).toContain('noreferrer');
  });
});
