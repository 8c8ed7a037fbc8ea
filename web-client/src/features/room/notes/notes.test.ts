import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Action, NotesId, ServerFrame } from '../../../core/proto';
import { setLanguage } from '../../../i18n/index.svelte';
import { loadLiveWords } from '../../../i18n/live.svelte';
import { fixtureRoom } from '../../../state/fixture.svelte';
import { RoomView } from '../view.svelte';
import NotesPanel from './NotesPanel.svelte';

async function open(role: 'trainer' | 'learner') {
  const room = fixtureRoom({
    people: 12,
    layout: 'gallery',
    role,
    mode: 'training',
    screen: false,
    now: Date.UTC(2026, 10, 22, 1, 5),
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
  });
  render(NotesPanel, { room, view: new RoomView(room) });
  await new Promise((done) => setTimeout(done, 0));
  await tick();
  return room;
}
const area = () => screen.getByTestId<HTMLTextAreaElement>('notes-area');
const which = () => screen.getByTestId<HTMLSelectElement>('notes-which');
async function settle() {
  await tick();
  await new Promise((done) => setTimeout(done, 0));
  await tick();
}
const others = (op: (number | string)[], rev = 2) =>
  ({ t: 'notes', edit: { rev, who: 'p1', name: 'Hằng', cid: 'x', at: 0, op }, seq: rev }) as ServerFrame;

beforeAll(async () => {
  await setLanguage('vi');
  await loadLiveWords('vi');
});

describe('the panel of notes', () => {
  it('shows headings, lists and bold to who may only read', async () => {
    const room = await open('learner');
    expect(room.me.perms.has('notes' as Action)).toBe(false);
    const text = screen.getByTestId('notes-text');
    expect(text.querySelector('h3')?.textContent).toBe('Buổi 3: Kiểm tra, đánh giá');
    expect(text.querySelectorAll('ul li')).toHaveLength(3);
    expect(text.querySelector('strong')?.textContent).toBe('Câu hỏi mở');
    expect(screen.queryByTestId('notes-area')).toBeNull();
    expect(screen.getByTestId('notes-authors').textContent).toContain('Nguyễn Thị Minh Hằng');
  });

  it('keeps the place of writing where it was when others write before it', async () => {
    const room = await open('trainer');
    const at = area().value.indexOf('Ba ý');
    area().setSelectionRange(at, at + 2);
    room.notes.take(others(['Mới: ']));
    await tick();
    expect(area().value.startsWith('Mới: # Buổi 3')).toBe(true);
    expect([area().selectionStart, area().selectionEnd]).toEqual([at + 5, at + 7]);
  });

  it('touches nothing while a letter is being composed', async () => {
    const room = await open('trainer');
    await fireEvent.compositionStart(area());
    const before = area().value;
    room.notes.take(others(['Mới: ']));
    await tick();
    expect(area().value).toBe(before);
    await fireEvent.compositionEnd(area());
    await tick();
    expect(area().value).toBe(`Mới: ${before}`);
  });

  it('is written and read in turn', async () => {
    const room = await open('trainer');
    await fireEvent.input(area(), { target: { value: '# Mới\n**đậm**' } });
    expect(room.notes.open.text).toBe('# Mới\n**đậm**');
    expect(screen.getByTestId('notes-state').textContent).toContain('Đang lưu');
    await fireEvent.click(screen.getByTestId('notes-read'));
    expect(screen.getByTestId('notes-text').querySelector('strong')?.textContent).toBe('đậm');
  });

  it('of a group are written in the group, and those of the main room are a choice away', async () => {
    const room = await open('learner');
    room.notes.setOwn('g1-1' as NotesId);
    await settle();
    expect(which().value).toBe('g1-1');
    expect(screen.getByTestId('notes-group').textContent).toContain('người điều hành đọc được');
    await fireEvent.input(area(), { target: { value: 'ý của nhóm' } });
    expect(room.notes.whole.text).toContain('Buổi 3');
    await fireEvent.change(which(), { target: { value: '' } });
    await settle();
    expect(screen.getByTestId('notes-text').querySelector('h3')?.textContent).toBe('Buổi 3: Kiểm tra, đánh giá');
    await fireEvent.change(which(), { target: { value: 'g1-1' } });
    await settle();
    expect(area().value).toBe('ý của nhóm');
    room.notes.setOwn(undefined);
    await settle();
    expect(screen.queryByTestId('notes-which')).toBeNull();
    expect(screen.getByTestId('notes-text').textContent).toContain('Kiểm tra, đánh giá');
  });

  it('of all groups are there for staff, those of before with their time', async () => {
    const room = await open('trainer');
    expect(screen.queryByTestId('notes-which')).toBeNull();
    const at = Date.UTC(2026, 10, 22, 1, 5);
    const list = [
      { of: 'g1-1', name: 'Nhóm 1', at },
      { of: 'g2-1', name: 'Nhóm 1', at: at + 3_600_000 },
      { of: 'g2-2', name: 'Tổ Toán', at: at + 3_600_000 },
    ];
    room.notes.take({ t: 'notesList', list } as ServerFrame);
    await settle();
    const names = [...which().options].map((one) => one.textContent);
    expect(names).toEqual(['Phòng chính', 'Nhóm 1', 'Tổ Toán', 'Nhóm 1 · 08:05']);
    await fireEvent.change(which(), { target: { value: 'g2-2' } });
    await settle();
    expect(area().placeholder).toContain('cả nhóm cùng thấy');
    await fireEvent.input(area(), { target: { value: 'x' } });
    expect(room.notes.of).toBe('g2-2');
    expect([room.notes.open.text, room.notes.whole.text.includes('x\n')]).toEqual(['x', false]);
  });
});
