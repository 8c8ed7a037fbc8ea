// A live session with personal links: the desk, starting from the room, the waiting room,
// a second device, and a phone that checks in at the hall.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { addSession, Api, demoClass, demoServer, links, signIn, type PersonalLink, type SessionLine } from '../lib/records.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import type { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let context: BrowserContext;
let desk: Page;
let room: Page;
let api: Api;
let classId: string;
let live: SessionLine;
let learners: PersonalLink[];
let learner: Page;

test.beforeAll(async () => {
  server = await demoServer();
  browser = await launch();
  context = await person(browser, server.origin);
  desk = await context.newPage();
  await signIn(desk, server);
  api = new Api(context, server);
  classId = (await demoClass(api)).id;
  live = await addSession(api, classId, 'Buổi 2: Thực hành trên lớp học trực tuyến', false);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('a learner comes in by the personal link and the desk shows it', async () => {
  const made = await links(api, classId, live.id);
  learners = made.learners;
  learner = await enter(await person(browser, server.origin), learners[0]!.url);
  await desk.goto(`${server.origin}/sessions/${live.id}/desk`);
  const row = desk.getByRole('listitem').filter({ has: desk.getByRole('button', { name: new RegExp(`^${learners[0]!.name}`) }) });
  await expect(row.filter({ hasText: 'Trong phòng' }).first()).toBeVisible();
  await expect(desk.getByText('người trong phòng')).toBeVisible();
});

test('the organiser enters from the desk, and starts the lesson', async () => {
  const made = await links(api, classId, live.id);
  room = await enter(context, made.organiser.url);
  await expect(room.getByTestId('rehearsal')).toBeVisible();
  await expect(learner.getByTestId('rehearsal')).toBeVisible();
  await expect(learner.getByTestId('start-lesson')).toHaveCount(0);
  await press(room, 'start-lesson');
  await expect(room.getByTestId('rehearsal')).toBeHidden();
  await expect(learner.getByTestId('rehearsal')).toBeHidden();
  await expect(desk.getByText('Đang diễn ra').first()).toBeVisible();
});

test('a phone checks in at the hall with the code on the screen', async () => {
  await press(room, 'more');
  await press(room, 'open-hall');
  const dialog = room.getByRole('dialog');
  await dialog.getByRole('tab').nth(1).click();
  const url = (await dialog.getByTestId('hall-code').getByText(/\/check\//).innerText()).trim();
  const phone = await person(browser, server.origin, PHONE);
  const page = await phone.newPage();
  await page.goto(url);
  await page.getByLabel('Mã định danh').fill('MAU9999999');
  await page.getByRole('button', { name: 'Tôi có mặt' }).click();
  await expect(page.locator('.note[role=alert]')).toContainText('Không tìm thấy bạn trong danh sách');
  await page.getByLabel('Mã định danh').fill('MAU0000010');
  await page.getByRole('button', { name: 'Tôi có mặt' }).click();
  await expect(page.getByText('Trần Thị Bích')).toBeVisible();
  await expect(page.getByText('Đã ghi nhận có mặt lúc')).toBeVisible();
  // The same phone does not check in for anybody else.
  await page.goto(url);
  await page.getByLabel('Mã định danh').fill('MAU0000011');
  await page.getByRole('button', { name: 'Tôi có mặt' }).click();
  await expect(page.locator('.note[role=alert]')).toContainText('Điện thoại này đã điểm danh cho người khác');
  await phone.close();
  await dialog.getByRole('tab').first().click();
  const ticked = dialog.getByTestId('hall-list').getByRole('listitem').filter({ hasText: 'Trần Thị Bích' });
  await expect(ticked.getByRole('checkbox')).toBeChecked();
  await dialog.getByRole('button', { name: 'Đóng' }).last().click();
  await expect(dialog).toBeHidden();
});

test('a second device of the same link asks, and takes over', async () => {
  const second = await (await person(browser, server.origin)).newPage();
  await second.goto(`${learners[0]!.url}?e2e=1`);
  await second.getByRole('button', { name: 'Vào lớp', exact: true }).click();
  const question = second.getByTestId('elsewhere');
  await expect(question).toBeVisible();
  await press(second, 'take-over');
  await inRoom(second);
  await expect(learner.getByTestId('over')).toBeVisible();
  await second.context().close();
});

test('with the waiting room on, a learner waits until let in', async () => {
  const waiting = await addSession(api, classId, 'Buổi 3: Có phòng chờ', true);
  const made = await links(api, classId, waiting.id);
  const host = await enter(await person(browser, server.origin), made.organiser.url);
  const page = await (await person(browser, server.origin)).newPage();
  await page.goto(`${made.learners[1]!.url}?e2e=1`);
  await page.getByRole('button', { name: 'Vào lớp', exact: true }).click();
  await expect(page.getByTestId('waiting-room')).toBeVisible();
  await press(host, 'open-people');
  const row = host.getByTestId('lobby-list').getByRole('listitem').filter({ hasText: made.learners[1]!.name });
  await row.getByTestId('admit').click();
  await inRoom(page);
  await expect(host.getByTestId('lobby-list')).toBeHidden();
});

test('no page asked a foreign host', () => {
  expect(foreignRequests).toEqual([]);
});
