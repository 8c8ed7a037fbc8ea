// The report of a unit on its training (Sở → Bộ): presets, own days, files that are known
// again; and own fields of a class on its sheets.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { foreignRequests, launch, person } from '../lib/browser.ts';
import { picture, pictured } from '../lib/picture.ts';
import { Api, demoClass, demoServer, signIn, type SessionLine } from '../lib/records.ts';
import type { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let api: Api;

/** The page as a phone shows it, and back. */
async function narrow(name: string): Promise<void> {
  if (!pictured) return;
  await page.setViewportSize({ width: 390, height: 844 });
  await picture(page, name);
  await page.setViewportSize({ width: 1280, height: 720 });
}

/** The day of a moment in Vietnam. */
const dayOf = (ms: number) => new Date(ms + 7 * 3_600_000).toISOString().slice(0, 10);
const typed = (day: string) => day.split('-').reverse().join('/');

test.beforeAll(async () => {
  server = await demoServer();
  browser = await launch();
  context = await person(browser, server.origin);
  page = await context.newPage();
  await signIn(page, server);
  api = new Api(context, server);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('the report due next shows what the unit held', async () => {
  await page.getByRole('link', { name: 'Báo cáo', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Báo cáo tập huấn qua mạng' })).toBeVisible();
  // The demo's past session may lie before 16 June of this school year: days of one's own find it.
  const cls = await demoClass(api);
  const { beganMs } = await api.get<{ beganMs: number }>(`/sessions/${cls.past.id}`);
  await page.getByLabel('Kỳ báo cáo').selectOption('free');
  await expect(page.getByLabel('Từ ngày', { exact: true })).toBeVisible();
  await page.getByLabel('Từ ngày', { exact: true }).fill(typed(dayOf(beganMs)));
  await page.getByLabel('Đến ngày', { exact: true }).fill(typed(dayOf(beganMs)));
  await page.getByRole('button', { name: 'Xem số liệu' }).click();
  const hosts = page.getByRole('table', { name: 'Theo đơn vị chủ trì' });
  await expect(hosts).toBeVisible();
  await expect(hosts.getByRole('row').last()).toContainText('Cộng');
  await expect(hosts.getByRole('row').last()).toContainText('36');
  await expect(page.getByRole('table', { name: 'Người học theo cấp học' })).toBeVisible();
  await accessible(page, 'reports');
  await picture(page, 'reports-1280');
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(hosts).toBeVisible();
  await picture(page, 'reports-390');
  await page.setViewportSize({ width: 1280, height: 720 });
});

test('presets of the sector are in the address, and a year without sessions says so', async () => {
  const address = page.url();
  await page.getByLabel('Kỳ báo cáo').selectOption('yearBegin');
  await expect(page).toHaveURL(/preset=yearBegin/);
  const years = page.getByLabel('Năm học');
  const oldest = await years.locator('option').last().getAttribute('value');
  await years.selectOption(oldest!);
  await expect(page).toHaveURL(new RegExp(`year=${oldest}`));
  await expect(page.getByText('Trong kỳ này chưa có buổi học nào')).toBeVisible();
  await page.goto(address);
  await expect(page.getByRole('table', { name: 'Theo đơn vị chủ trì' })).toBeVisible();
});

test('a file is downloaded, listed and known again', async () => {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: /\.xlsx/ }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toContain('Báo cáo công tác tập huấn qua mạng');
  const file = join(server.folder, 'report.xlsx');
  await download.saveAs(file);
  const made = page.getByRole('table', { name: 'Các lần đã xuất' });
  await expect(made.getByRole('row')).toHaveCount(2);
  const answer = await context.request.post(`${server.origin}/api/v1/verify`, { data: readFileSync(file) });
  expect(await answer.json()).toMatchObject({ kind: 'genuine', current: true, title: 'Báo cáo công tác tập huấn qua mạng' });
  await made.getByRole('link', { name: /Kiểm tra/ }).click();
  await expect(page.getByText('Báo cáo công tác tập huấn qua mạng').first()).toBeVisible();
});

test('own fields of a class are printed on its sheets when they are marked', async () => {
  const cls = await demoClass(api);
  await page.goto(`${server.origin}/classes/${cls.id}/edit`);
  await page.getByRole('button', { name: 'Thêm mục' }).click();
  await page.getByLabel('Tên mục', { exact: true }).last().fill('Nguồn kinh phí');
  await page.getByLabel('Nội dung', { exact: true }).last().fill('Chi thường xuyên');
  await expect(page.getByLabel('In trên các danh sách xuất ra').last()).toBeChecked();
  await page.getByLabel('In trên các danh sách xuất ra').last().scrollIntoViewIfNeeded();
  await picture(page, 'plan-fields-1280');
  await page.getByRole('button', { name: /^Lưu/ }).click();
  await expect(page).toHaveURL(new RegExp(`/classes/${cls.id}$`));
  const sheet = await context.request.get(`${server.origin}/api/v1/sessions/${cls.past.id}/exports/session.html`);
  expect(await sheet.text()).toContain('Nguồn kinh phí: Chi thường xuyên');
});

test('own fields of a session and of people are entered, and stand on the sheet as chosen', async () => {
  const cls = await demoClass(api);
  // Of a person of the own unit, who comes to the class.
  const name = 'Đinh Thị Hòa';
  const { id } = await api.post<{ id: string }>('/people', { name, unit: 'u-demo' });
  await api.post(`/classes/${cls.id}/roster`, [{ person: id, state: 'official', site: false, note: '' }]);
  await page.goto(`${server.origin}/people`);
  await page.getByRole('searchbox').fill(name);
  await page.getByRole('link', { name }).click();
  const person = page.getByRole('dialog');
  await person.getByRole('button', { name: 'Thêm mục' }).click();
  await expect(person.getByLabel('Tên mục', { exact: true })).toBeFocused();
  await person.getByLabel('Nội dung', { exact: true }).fill('=1+1 hạng II');
  await picture(page, 'person-fields-1280');
  await person.getByRole('button', { name: 'Lưu', exact: true }).click();
  // A value without a name is told at the field.
  await expect(person.getByLabel('Tên mục', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await person.getByLabel('Tên mục', { exact: true }).fill('Hạng');
  await accessible(page, 'person with own fields');
  await person.getByRole('button', { name: 'Thêm mục' }).scrollIntoViewIfNeeded();
  await narrow('person-fields-390');
  await person.getByRole('button', { name: 'Lưu', exact: true }).click();
  await expect(person).toBeHidden();
  // Of a session tomorrow at 8, one of two printed.
  const startsMs = Date.parse(`${dayOf(Date.now() + 86_400_000)}T08:00:00+07:00`);
  const form = { title: 'Buổi có khách mời', mode: 'training', startsMs, endsMs: startsMs + 3_600_000 };
  const added = await api.post<SessionLine>(`/classes/${cls.id}/sessions`, form);
  await page.goto(`${server.origin}/classes/${cls.id}/sessions`);
  await page.getByRole('button', { name: `Thao tác khác: Buổi ${added.no}` }).click();
  await page.getByRole('button', { name: 'Sửa', exact: true }).click();
  const session = page.getByRole('dialog');
  for (const [field, value] of [
    ['Báo cáo viên mời', 'TS. Phan Thị Lụa'],
    ['Ghi chú nội bộ', 'mượn thêm loa'],
  ] as const) {
    await session.getByRole('button', { name: 'Thêm mục' }).click();
    await session.getByLabel('Tên mục', { exact: true }).last().fill(field);
    await session.getByLabel('Nội dung', { exact: true }).last().fill(value);
  }
  await session.getByLabel('In trên các danh sách xuất ra').last().uncheck();
  await picture(page, 'session-fields-1280');
  await accessible(page, 'session with own fields');
  await narrow('session-fields-390');
  await session.getByRole('button', { name: 'Lưu', exact: true }).click();
  await expect(session).toBeHidden();
  // The plan makes the field of people a column.
  await page.goto(`${server.origin}/classes/${cls.id}/edit`);
  await page.getByRole('button', { name: 'Thêm cột' }).click();
  await expect(page.getByLabel('Tên mục ở cột 1')).toBeFocused();
  await page.getByLabel('Tên mục ở cột 1').fill('Hạng');
  await picture(page, 'plan-columns-1280');
  await accessible(page, 'plan with columns of people');
  await narrow('plan-columns-390');
  await page.getByRole('button', { name: /^Lưu/ }).click();
  await expect(page).toHaveURL(new RegExp(`/classes/${cls.id}$`));
  const sheet = await context.request.get(`${server.origin}/api/v1/sessions/${added.id}/exports/session.html`);
  expect(sheet.ok()).toBe(true);
  const coming = await sheet.text();
  for (const told of ['Báo cáo viên mời: TS. Phan Thị Lụa', name, '=1+1 hạng II']) expect(coming).toContain(told);
  expect(coming).not.toContain('mượn thêm loa');
  expect(foreignRequests).toEqual([]);
});
