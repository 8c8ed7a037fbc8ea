import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadArrangeWords } from '../../../i18n/arrange.svelte';
import { setLanguage } from '../../../i18n/index.svelte';
import { fixtureRoom } from '../../../state/fixture.svelte';
import PeoplePanel from '../PeoplePanel.svelte';
import { MuteAllDialog, PermitsDialog, RoleDialog, SubstituteDialog } from '../arrange';
import { wallPageSize } from '../grid';
import { RoomView } from '../view.svelte';
import { columns } from './columns';
import GroupsDialog from './GroupsDialog.svelte';
import { resize } from './names';
import PickDialog from './PickDialog.svelte';

const NOW = Date.UTC(2026, 10, 22, 1, 5);
function play(role: 'trainer' | 'learner' = 'trainer') {
  const room = fixtureRoom({
    people: 12,
    layout: 'gallery',
    role,
    mode: 'training',
    screen: false,
    now: NOW,
    conn: 'ok',
    asked: false,
    audioBlocked: false,
    sharing: false,
    talking: false,
  });
  return { room, view: new RoomView(room), now: NOW, onclose: vi.fn() };
}

beforeAll(async () => {
  await setLanguage('vi');
  await loadArrangeWords('vi');
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
});

describe('the dialog of groups', () => {
  it('goes from forming over moving to open and back', async () => {
    const p = play();
    render(GroupsDialog, p);
    const count = screen.getByTestId('groups-count');
    await fireEvent.input(count, { target: { value: '2' } });
    await fireEvent.click(screen.getByTestId('groups-by-manual'));
    await fireEvent.click(screen.getByTestId('groups-make'));
    await vi.waitFor(() => expect(screen.getByTestId('groups-board')).toBeTruthy());
    expect(p.room.groups.now).toMatchObject({ open: false, by: 'manual' });
    expect(p.room.groups.now?.list.map((g) => g.name)).toEqual(['Nhóm 1', 'Nhóm 2']);

    // By keyboard: the list beside the name.
    const list = screen.getByLabelText('Chuyển Trần Đình Đức sang nhóm khác');
    await fireEvent.change(list, { target: { value: '2' } });
    await vi.waitFor(() => expect(within(screen.getByTestId('group-2')).getByText('Trần Đình Đức')).toBeTruthy());
    // By hand: dragged to the other group.
    const row = within(screen.getByTestId('group-2')).getByText('Trần Đình Đức').closest('li') as HTMLElement;
    await fireEvent.dragStart(row);
    await fireEvent.drop(screen.getByTestId('group-1'));
    await vi.waitFor(() => expect(p.room.people.find((x) => x.id === 'p2')?.group).toBe(1));

    await fireEvent.click(screen.getByTestId('groups-open'));
    await vi.waitFor(() => expect(p.room.groups.now?.open).toBe(true));
    expect(p.room.groups.now?.until).toBe(NOW + 600_000);
    await fireEvent.input(screen.getByTestId('groups-text'), { target: { value: ' Còn 2 phút ' } });
    await fireEvent.click(screen.getByTestId('groups-say'));
    await vi.waitFor(() => expect(p.room.groups.said?.text).toBe('Còn 2 phút'));
    await fireEvent.click(screen.getByTestId('groups-close'));
    await vi.waitFor(() => expect(p.room.groups.now).toBeNull());
  });

  it('asks for names that differ', async () => {
    const p = play();
    render(GroupsDialog, p);
    await fireEvent.input(screen.getByLabelText('Tên nhóm 2'), { target: { value: ' nhóm 1 ' } });
    await fireEvent.click(screen.getByTestId('groups-make'));
    expect(screen.getByRole('alert').textContent).toContain('khác nhau');
    expect(p.room.groups.now).toBeNull();
  });

  it('warns the groups, and brings them back unless it is stopped', async () => {
    vi.useFakeTimers();
    try {
      const { room, view } = play();
      await room.groups.make(['A', 'B'], 'random');
      await room.groups.open(null);
      await view.bringBack(30);
      expect(room.groups.said?.text).toContain('30');
      view.stopBack();
      await vi.advanceTimersByTimeAsync(40_000);
      expect(room.groups.now?.open).toBe(true);
      await view.bringBack(30);
      await vi.advanceTimersByTimeAsync(29_000);
      expect(room.groups.now?.open).toBe(true);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(room.groups.now).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets a learner choose where everybody chooses', async () => {
    const p = play('learner');
    await p.room.groups.make(['A', 'B'], 'choose');
    await p.room.groups.open(5);
    render(PickDialog, p);
    await fireEvent.click(screen.getByTestId('pick-2'));
    expect(p.room.groups.mine?.name).toBe('B');
    await vi.waitFor(() => expect(p.onclose).toHaveBeenCalled());
  });
});

describe('the list of people', () => {
  it('names those of the other groups under their group', async () => {
    const p = play('learner');
    await p.room.groups.make(['Nhóm 1', 'Nhóm 2'], 'random');
    await p.room.groups.open(5);
    render(PeoplePanel, p);
    const heads = screen.getAllByTestId('other-group').map((h) => h.textContent);
    expect(heads[0]).toContain('Nhóm 2');
    expect(heads.at(-1)).toContain('Phòng chính');
  });
});

describe('moderation', () => {
  it('switches one permit and leaves the others; reviewing is told the other way round', async () => {
    const p = play();
    render(PermitsDialog, p);
    await fireEvent.click(screen.getByTestId('permit-camera'));
    await fireEvent.click(screen.getByTestId('permit-openQuestions'));
    expect(p.room.room.permits).toMatchObject({ camera: false, openQuestions: false, mic: true, chat: true });
    expect(screen.getByTestId('permit-camera').getAttribute('aria-checked')).toBe('false');
    expect(screen.getByTestId('permit-openQuestions').getAttribute('aria-checked')).toBe('true');
  });

  it('spares who has the floor, shares or is in the spotlight when all are muted', async () => {
    const p = play();
    await p.room.arrange.spotlight('p7', true);
    const muteAll = vi.spyOn(p.room.mod, 'muteAll');
    render(MuteAllDialog, p);
    await fireEvent.click(screen.getByTestId('confirm-mute-all'));
    expect([...(muteAll.mock.calls[0]?.[1] ?? [])].sort()).toEqual(['p5', 'p7']);
  });

  it('hands a role over only after a confirmation', async () => {
    const p = play();
    const person = p.room.people.find((x) => x.id === 'p3');
    if (!person) throw new Error('no p3');
    render(RoleDialog, { ...p, person });
    expect(screen.getByTestId<HTMLButtonElement>('next-role').disabled).toBe(true);
    // A trainer does not lead: neither organisers nor chairs are made by him.
    expect(screen.queryByTestId('role-organiser')).toBeNull();
    expect(screen.queryByTestId('role-chair')).toBeNull();
    await fireEvent.click(screen.getByTestId('role-trainer'));
    await fireEvent.click(screen.getByTestId('next-role'));
    expect(p.room.people.find((x) => x.id === 'p3')?.role).toBe('learner');
    await fireEvent.click(screen.getByTestId('confirm-role'));
    await vi.waitFor(() => expect(p.room.people.find((x) => x.id === 'p3')?.role).toBe('trainer'));
  });

  it('names for whom somebody stands in, under the name', async () => {
    const p = play();
    const person = p.room.people.find((x) => x.id === 'p1');
    if (!person) throw new Error('no p1');
    render(SubstituteDialog, { ...p, person });
    await fireEvent.click(screen.getByTestId('substitute-save'));
    expect(screen.getByRole('alert').textContent).toContain('Hãy nhập');
    await fireEvent.input(screen.getByTestId('substitute-name'), { target: { value: 'Lê Thị Vắng' } });
    await fireEvent.click(screen.getByTestId('substitute-save'));
    await vi.waitFor(() => expect(p.onclose).toHaveBeenCalled());
    render(PeoplePanel, p);
    expect(screen.getByText(/Thay Lê Thị Vắng/)).toBeTruthy();
  });
});

describe('small parts', () => {
  it('keep the names of groups when their number changes', () => {
    const name = (n: number) => `Nhóm ${n}`;
    expect(resize(['Tổ Văn'], 3, name)).toEqual(['Tổ Văn', 'Nhóm 2', 'Nhóm 3']);
    expect(resize(['A', 'B', 'C'], 2, name)).toEqual(['A', 'B']);
    expect(resize([], 0, name)).toEqual(['Nhóm 1']);
  });

  it('put people of a group that is no more with those in none', () => {
    const { room } = play();
    const people = room.people.map((x, n) => (n === 3 ? { ...x, group: 9 } : x));
    const [none, first] = columns([{ n: 1, name: 'A', people: 0 }], people);
    expect(none?.people).toHaveLength(12);
    expect(first?.people).toHaveLength(0);
    expect(none?.hands).toBe(3);
  });

  it('show as many sites on a page as are still seen', () => {
    expect(wallPageSize(820, 560)).toBe(16);
    expect(wallPageSize(382, 470)).toBe(8);
    expect(wallPageSize(3000, 2000)).toBe(24);
    expect(wallPageSize(10, 10)).toBe(2);
  });
});
