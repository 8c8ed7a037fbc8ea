import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setLanguage } from '../../i18n/index.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import { useApi } from '../../state/records/client';
import { fixtureApi, FixtureServer, type FixtureSetup } from '../../state/records/fixture';
import { me } from '../../state/records/me.svelte';
import { nav } from '../../state/records/nav.svelte';
import DateField from '../../ui/DateField.svelte';
import PersonPicker from '../../ui/PersonPicker.svelte';
import ImportPage from '../import/ImportPage.svelte';
import SignInPage from '../sign-in/SignInPage.svelte';
import ClassesPage from './ClassesPage.svelte';
import ClassPage from './ClassPage.svelte';
import PlanPage from './PlanPage.svelte';

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
  HTMLDialogElement.prototype.showModal ??= function () {
    this.open = true;
  };
});

let server: FixtureServer;
async function start(path: string, setup: FixtureSetup = { as: 'organiser' }) {
  server = new FixtureServer(setup);
  useApi(fixtureApi(server));
  history.replaceState(null, '', path);
  nav.start();
  if (setup.as !== 'guest') await me.load();
}

beforeEach(() => me.clear());

describe('the list of classes', () => {
  it('tells of each class its state, next session and people', async () => {
    await start('/classes');
    render(ClassesPage);
    const row = (await screen.findByText(/Tập huấn dạy học Ngữ văn/u)).closest('tr');
    expect(row?.textContent).toContain('Đang diễn ra');
    expect(row?.textContent).toContain('22/11/2026, 08:00–11:30');
    expect(row?.textContent).toContain('200');
    expect(screen.getAllByRole('row')).toHaveLength(7);
  });

  it('keeps the filter in the address', async () => {
    await start('/classes');
    render(ClassesPage);
    await fireEvent.click(screen.getByRole('button', { name: 'Dự thảo' }));
    expect(nav.here).toBe('/classes?state=draft');
    await waitFor(() => expect(screen.getAllByRole('row')).toHaveLength(2));
  });

  it('says what to do when there is none, and when the network is lost', async () => {
    await start('/classes', { as: 'organiser', empty: true });
    const { unmount } = render(ClassesPage);
    expect(await screen.findByText('Chưa có lớp học nào')).toBeTruthy();
    unmount();
    await start('/classes', { as: 'organiser', fail: 'network' });
    render(ClassesPage);
    expect((await screen.findByRole('alert')).textContent).toContain('Chưa kết nối được máy chủ.');
    expect(screen.getByRole('button', { name: 'Thử lại' })).toBeTruthy();
  });

  it('offers no new class to somebody who may not host', async () => {
    await start('/classes', { as: 'trainer' });
    render(ClassesPage);
    await screen.findByText(/Tập huấn dạy học Ngữ văn/u);
    expect(screen.queryByRole('link', { name: 'Tạo lớp học' })).toBeNull();
  });
});

describe('a class', () => {
  it('words a refused step', async () => {
    await start('/classes/c1');
    render(ClassPage, { id: 'c1', tab: 'plan' });
    await fireEvent.click(await screen.findByRole('button', { name: 'Kết thúc lớp' }));
    const dialog = document.querySelector('dialog');
    if (!dialog) throw new Error('no dialog');
    await fireEvent.click(within(dialog).getByText('Kết thúc lớp', { selector: 'button' }));
    await waitFor(() => expect(dialog.textContent).toContain('Còn buổi học chưa kết thúc.'));
  });

  it('shows a trainer neither steps nor editing', async () => {
    await start('/classes/c1', { as: 'trainer' });
    render(ClassPage, { id: 'c1', tab: 'plan' });
    await screen.findByText('Kiểm tra điều kiện tổ chức');
    expect(screen.queryByText('Kết thúc lớp')).toBeNull();
    expect(screen.queryByText('Sửa kế hoạch')).toBeNull();
  });
});

describe('the form of a plan', () => {
  it('puts words of the server beside the field and focus on it', async () => {
    await start('/classes/new');
    render(PlanPage, { id: null });
    await fireEvent.input(await screen.findByLabelText('Tên lớp'), { target: { value: 'Lớp thử' } });
    await fireEvent.input(screen.getByLabelText(/Mã lớp/u), { target: { value: 'T9A' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Tạo lớp' }));
    expect(await screen.findByText('Giá trị này đã có nơi dùng.')).toBeTruthy();
    expect(screen.getByLabelText(/Mã lớp/u).getAttribute('aria-invalid')).toBe('true');
    expect(document.activeElement).toBe(screen.getByLabelText(/Mã lớp/u));
  });

  it('asks nothing of the server while something is missing', async () => {
    await start('/classes/new');
    render(PlanPage, { id: null });
    await screen.findByLabelText('Tên lớp');
    await fireEvent.click(screen.getByRole('button', { name: 'Tạo lớp' }));
    expect(await screen.findByText('Mục này là bắt buộc.')).toBeTruthy();
    expect(server.calls.some((call) => call.method === 'POST')).toBe(false);
  });
});

describe('signing in', () => {
  async function tryOnce(password: string) {
    await fireEvent.input(screen.getByLabelText('Tên đăng nhập'), { target: { value: 'HangNTM ' } });
    await fireEvent.input(screen.getByLabelText('Mật khẩu'), { target: { value: password } });
    await fireEvent.submit(document.querySelector('form') as HTMLFormElement);
  }

  it('words a wrong password, and the time of a lockout', async () => {
    await start('/sign-in', { as: 'guest' });
    render(SignInPage);
    await tryOnce('sai');
    expect((await screen.findByRole('alert')).textContent).toContain('Tên đăng nhập hoặc mật khẩu chưa đúng.');
    await tryOnce('sai');
    await tryOnce('sai');
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('sau 15 phút'));
  });

  it('goes back to the page asked for, or to a new password first', async () => {
    await start('/sign-in?back=%2Fclasses%2Fc1', { as: 'guest' });
    render(SignInPage);
    await tryOnce('đúng rồi');
    await waitFor(() => expect(nav.here).toBe('/classes/c1'));
    expect(server.calls[0]?.body).toEqual({ login: 'hangntm', password: 'đúng rồi' });
    await start('/sign-in?back=%2Fclasses%2Fc1', { as: 'guest' });
    nav.start();
    await tryOnce('moi');
    await waitFor(() => expect(nav.here).toBe('/account'));
  });

  it('can show the password', async () => {
    await start('/sign-in', { as: 'guest' });
    render(SignInPage);
    const field = screen.getByLabelText('Mật khẩu');
    expect(field.getAttribute('type')).toBe('password');
    await fireEvent.click(screen.getByRole('button', { name: 'Hiện mật khẩu' }));
    expect(field.getAttribute('type')).toBe('text');
  });
});

describe('an import', () => {
  async function preview() {
    await start('/classes/c1/import');
    const { container } = render(ImportPage, { id: 'c1' });
    const file = new File(['x'], 'danh-sach.xlsx');
    await fireEvent.change(container.querySelector('input[type=file]') as HTMLInputElement, {
      target: { files: [file] },
    });
    await screen.findByText('Các cột đã nhận ra', {}, { timeout: 5000 });
  }

  it('holds back while rows are bad, and sends answers and choices', async () => {
    await preview();
    const apply = screen.getByRole('button', { name: 'Nhập vào lớp' }) as HTMLButtonElement;
    expect(apply.disabled).toBe(true);
    expect(screen.getAllByText(/31\/02\/1985/u).length).toBeGreaterThan(0);
    await fireEvent.click(screen.getByLabelText(/Bỏ qua 5 dòng có lỗi/u));
    expect(apply.disabled).toBe(false);
    await fireEvent.click(screen.getByRole('button', { name: /Cần hỏi/u }));
    await fireEvent.click(screen.getAllByRole('button', { name: 'Cùng một người' })[0] as HTMLElement);
    await fireEvent.click(screen.getByLabelText(/Tạo tài khoản cho người chưa có/u));
    await fireEvent.click(apply);
    expect(await screen.findByText('Danh sách tài khoản vừa cấp')).toBeTruthy();
    const sent = server.calls.find((call) => call.path === '/imports/i1/apply');
    expect(sent?.body).toEqual({
      same: { 9: true },
      withdrawMissing: false,
      skipBad: true,
      sites: false,
      accounts: true,
    });
  }, 15_000);

  it('refuses other sorts of files before sending', async () => {
    await start('/classes/c1/import');
    const { container } = render(ImportPage, { id: 'c1' });
    await fireEvent.change(container.querySelector('input[type=file]') as HTMLInputElement, {
      target: { files: [new File(['x'], 'anh.png')] },
    });
    expect((await screen.findByRole('alert')).textContent).toContain('Chỉ nhận tệp');
    expect(server.calls.some((call) => call.method === 'POST')).toBe(false);
  });
});

describe('fields', () => {
  it('of a day take what people type and complain only when it is left', async () => {
    render(DateField, { label: 'Ngày', value: null });
    const input = screen.getByLabelText('Ngày') as HTMLInputElement;
    await fireEvent.input(input, { target: { value: '31/2/2026' } });
    expect(screen.queryByText(/Ngày chưa đúng/u)).toBeNull();
    await fireEvent.blur(input);
    expect(screen.getByText(/Ngày chưa đúng/u)).toBeTruthy();
    await fireEvent.input(input, { target: { value: '1-2-26' } });
    await fireEvent.blur(input);
    expect(input.value).toBe('01/02/2026');
  });

  it('of a person search without marks and choose with the keyboard', async () => {
    await start('/people');
    render(PersonPicker, { label: 'Người học', value: null });
    const input = screen.getByRole('combobox') as HTMLInputElement;
    await fireEvent.input(input, { target: { value: 'ton nu huyen trang' } });
    expect(await screen.findByRole('option')).toBeTruthy();
    expect(input.getAttribute('aria-activedescendant')).toBe(screen.getByRole('option').id);
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(input.value).toBe('Công Tằng Tôn Nữ Huyền Trang');
    expect(input.getAttribute('aria-expanded')).toBe('false');
  });
});
