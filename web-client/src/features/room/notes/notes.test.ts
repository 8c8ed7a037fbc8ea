import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Action, ServerFrame } from '../../../core/proto';
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
    expect(room.notes.text).toBe('# Mới\n**đậm**');
    expect(screen.getByTestId('notes-state').textContent).toContain('Đang lưu');
    await fireEvent.click(screen.getByTestId('notes-read'));
    expect(screen.getByTestId('notes-text').querySelector('strong')?.textContent).toBe('đậm');
  });
});
