// The organiser's way with the demo class: signing in, a past session's attendance as
// evidence (correction, freeze, files, verification), import of learners.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { foreignRequests, launch, person } from '../lib/browser.ts';
import { Api, demoClass, demoServer, signIn } from '../lib/records.ts';
import type { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let api: Api;
let cls: Awaited<ReturnType<typeof demoClass>>;
let csv = '';
let xlsx = '';

test.beforeAll(async () => {
  server = await demoServer();
  browser = await launch();
  context = await person(browser, server.origin);
  page = await context.newPage();
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`));
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('a wrong password is told in words, the right one leads to the own things', async () => {
  await page.goto(`${server.origin}/classes`);
  await expect(page).toHaveURL(/sign-in/);
  await page.getByLabel('Tên đăng nhập').fill('demo');
  await page.getByLabel('Mật khẩu', { exact: true }).fill('sai-mat-khau');
  await page.getByRole('button', { name: 'Đăng nhập', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: /mật khẩu/i })).toBeVisible();
  await signIn(page, server);
  api = new Api(context, server);
  cls = await demoClass(api);
});

test('classes, the demo class and its tabs', async () => {
  await page.goto(`${server.origin}/classes`);
  await page.getByRole('link', { name: cls.title }).click();
  await expect(page.getByRole('heading', { level: 1, name: cls.title })).toBeVisible();
  const tabs = page.getByRole('navigation', { name: 'Các phần của lớp' });
  await tabs.getByRole('link', { name: /Buổi học/ }).click();
  await expect(page.getByText('Dạy học trực tuyến và an toàn trên môi trường mạng').first()).toBeVisible();
  await tabs.getByRole('link', { name: /Người học/ }).click();
  await expect(page.getByText('Đặng Thị Ái').first()).toBeVisible();
  await tabs.getByRole('link', { name: /Cán bộ/ }).click();
  await expect(page.getByText('Lê Thị Minh Tâm').first()).toBeVisible();
  await tabs.getByRole('link', { name: /Chuyên cần/ }).click();
  await expect(page.getByText('Lò Văn Thuận').first()).toBeVisible();
});

const row = (name: string) => page.getByRole('table', { name: 'Danh sách điểm danh' }).getByRole('row').filter({ hasText: name });

test('numbers and filters of the past session', async () => {
  await page.goto(`${server.origin}/sessions/${cls.past.id}/attendance`);
  await expect(page.getByText(/Danh sách này có 36 người/)).toBeVisible();
  await expect(page.getByText(/Danh sách này có 36 người/)).toContainText('vắng 02');
  await expect(page.getByText(/Danh sách này có 36 người/)).toContainText('có phép 01');
  const filters = page.getByRole('group', { name: 'Lọc danh sách' });
  await filters.getByRole('button', { name: /^Vắng/ }).click();
  await expect(row('Lò Văn Thuận')).toBeVisible();
  await expect(row('Nguyễn Thị Yến')).toContainText('Vắng P');
  await expect(row('Hoàng Hà')).toHaveCount(0);
  await filters.getByRole('button', { name: /^Tất cả/ }).click();
  await expect(row('Hoàng Hà')).toBeVisible();
});

test('a correction needs its reason and leaves the automatic value to see', async () => {
  await row('Lò Văn Thuận').getByRole('button', { name: 'Lò Văn Thuận', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Điều chỉnh', exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Điều chỉnh điểm danh' });
  await form.getByLabel('Giá trị mới').selectOption({ label: 'Có mặt trực tiếp' });
  await form.getByRole('button', { name: 'Lưu điều chỉnh' }).click();
  await expect(form.getByText('Hãy ghi lý do.')).toBeVisible();
  await form.getByLabel('Lý do').fill('Ngồi cùng phòng với giảng viên, có chữ ký trong sổ');
  await form.getByLabel(/Minh chứng/).fill('Sổ điểm danh trang 3');
  await form.getByRole('button', { name: 'Lưu điều chỉnh' }).click();
  await expect(form).toBeHidden();
  await expect(row('Lò Văn Thuận')).toContainText('Trực tiếp');
  await expect(page.getByText(/Danh sách này có 36 người/)).toContainText('vắng 01');
  await row('Lò Văn Thuận').getByRole('button', { name: 'Lò Văn Thuận', exact: true }).click();
  const shown = page.getByRole('dialog', { name: 'Lò Văn Thuận' });
  await expect(shown.getByText('Giá trị tự động')).toBeVisible();
  await expect(shown.getByText('Ngồi cùng phòng với giảng viên')).toBeVisible();
  await expect(shown.getByText('Vắng không phép').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(shown).toBeHidden();
});

test('the sheet is frozen as version 1', async () => {
  await page.getByRole('button', { name: 'Chốt điểm danh', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Chốt điểm danh, bản 1' });
  await dialog.getByRole('button', { name: /^Chốt/ }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: /Đã chốt bản 1/ })).toBeVisible();
});

async function download(format: RegExp): Promise<string> {
  await page.getByRole('button', { name: 'Xuất danh sách', exact: true }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: format }).check();
  const waiting = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Xuất', exact: true }).click();
  const file = await waiting;
  const path = join(server.folder, file.suggestedFilename());
  await file.saveAs(path);
  await dialog.getByRole('button', { name: 'Đóng' }).last().click();
  await expect(dialog).toBeHidden();
  return path;
}

test('XLSX and CSV go home', async () => {
  xlsx = await download(/Excel|XLSX/i);
  csv = await download(/CSV/);
  expect(xlsx).toMatch(/\.xlsx$/);
  expect(readFileSync(xlsx).subarray(0, 2).toString()).toBe('PK');
  const text = readFileSync(csv, 'utf8');
  expect(text.startsWith('\uFEFF')).toBe(true);
  expect(text).toContain('Lò Văn Thuận');
});

async function verdict(file: string): Promise<string> {
  await page.goto(`${server.origin}/verify`);
  await page.locator('input[type=file]').setInputFiles(file);
  const title = page.locator('#verdict');
  await expect(title).toBeVisible();
  return title.innerText();
}

test('the files are genuine, an altered one is found out', async () => {
  const genuine = await verdict(xlsx);
  expect(await verdict(csv)).toBe(genuine);
  const altered = join(server.folder, 'sua.csv');
  writeFileSync(altered, readFileSync(csv, 'utf8').replace('Vắng P', 'Có mặt'));
  expect(readFileSync(altered, 'utf8')).not.toBe(readFileSync(csv, 'utf8'));
  expect(await verdict(altered)).not.toBe(genuine);
  await expect(page.getByText(/sửa/i).first()).toBeVisible();
});

const HEAD = 'Mã số định danh ngành,Họ và tên,Ngày sinh,Giới tính,Chức vụ,Đơn vị,Email';
const GOOD = ['MAU0000201,Phan Thị Mới,12/03/1988,Nữ,Giáo viên,Trường THCS Hoa Phượng (mẫu),moi201@gddt.example', 'MAU0000202,Đoàn Văn Thêm,25/11/1979,Nam,Giáo viên,Trường THCS Sông Xanh (mẫu),moi202@gddt.example'];

async function people(): Promise<number> {
  return (await api.get<{ total: number }>(`/classes/${cls.id}/roster?n=1`)).total;
}

async function upload(name: string, lines: string[]): Promise<void> {
  await page.goto(`${server.origin}/classes/${cls.id}/import`);
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(`\uFEFF${[HEAD, ...lines].join('\r\n')}\r\n`) });
}

test('a file with a wrong row is refused row by row, nothing is written', async () => {
  await upload('sai.csv', [GOOD[0]!, 'MAU0000203,Lê Văn Sai,31/02/1990,Nam,Giáo viên,Trường THCS Hoa Phượng (mẫu),sai@gddt.example']);
  await expect(page.getByText(/Ngày sinh: /).first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Nhập vào lớp' })).toBeDisabled();
  expect(await people()).toBe(36);
});

test('a right file is shown, applied, and the list has grown', async () => {
  await upload('dung.csv', GOOD);
  await expect(page.getByText('Đoàn Văn Thêm').first()).toBeVisible();
  await page.getByRole('button', { name: 'Nhập vào lớp' }).click();
  await expect(page.getByRole('link', { name: 'Xem danh sách người học' })).toBeVisible();
  expect(await people()).toBe(38);
  await page.getByRole('link', { name: 'Xem danh sách người học' }).click();
  await page.getByRole('searchbox').fill('Đoàn Văn Thêm');
  await expect(page.getByText('Đoàn Văn Thêm').first()).toBeVisible();
});

test('a learner with an account sees the own times', async () => {
  const { items } = await api.get<{ items: { person: { id: string; name: string } }[] }>(`/classes/${cls.id}/roster?q=${encodeURIComponent('Hoàng Hà')}`);
  const learner = items.find((one) => one.person.name === 'Hoàng Hà')!.person;
  // Accounts are made by an administrator, whose first password has to be changed first.
  const office = await person(browser, server.origin);
  const first = /first account admin (\S+)/.exec(server.log())?.[1] ?? '';
  await signIn(await office.newPage(), server, 'admin', first);
  const admin = new Api(office, server);
  await admin.post('/me/password', { old: first, new: 'Quan-tri-lop-hoc-2026' });
  const [printed] = await admin.post<{ login: string; password: string }[]>('/accounts', [
    { person: learner.id, login: null, admin: false, units: [] },
  ]);
  await office.close();
  const own = await person(browser, server.origin);
  const mine = await own.newPage();
  await signIn(mine, server, printed!.login, printed!.password);
  await expect(mine).toHaveURL(/account/);
  await mine.getByLabel('Mật khẩu hiện tại', { exact: true }).fill(printed!.password);
  await mine.getByLabel('Mật khẩu mới', { exact: true }).fill('Mot-mat-khau-dai-2026');
  await mine.getByLabel('Nhập lại mật khẩu mới', { exact: true }).fill('Mot-mat-khau-dai-2026');
  const changed = mine.waitForResponse((answer) => answer.url().endsWith('/me/password'));
  await mine.getByRole('button', { name: 'Đổi mật khẩu', exact: true }).click();
  expect((await changed).ok()).toBe(true);
  await mine.goto(`${server.origin}/my`);
  await expect(mine.getByText('Có mặt trực tuyến').first()).toBeVisible();
  await expect(mine.getByText(/135 phút/).first()).toBeVisible();
  await own.close();
});

test('no page asked a foreign host', () => {
  expect(foreignRequests).toEqual([]);
});
