// Notices of a session by e-mail, with a mail server of the play: invitation, change,
// cancellation; the words to copy, and what a server without mail says.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { DESKTOP, foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, links, signIn, type SessionLine } from '../lib/records.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';
import { MailSink, part } from '../lib/smtp.ts';

test.describe.configure({ mode: 'serial' });

const LEARNERS = 36;

let browser: Browser;
let sink: MailSink;
let server: Server;
let page: Page;
let api: Api;
let classId: string;
let session: SessionLine;

test.beforeAll(async () => {
  browser = await launch();
  sink = await MailSink.open();
  server = await Server.start({
    demo: true,
    config: [
      '[mail]',
      'host = "127.0.0.1"',
      `port = ${sink.port}`,
      'tls = "none"',
      'from = "Lớp tập huấn <lop@so.example>"',
      'per_minute = 600',
    ],
  });
  const context = await person(browser, server.origin, DESKTOP);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  page = await context.newPage();
  await signIn(page, server);
  api = new Api(context, server);
  classId = (await demoClass(api)).id;
  session = await addSession(api, classId, 'Buổi được thông báo', false);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
  sink?.close();
});

async function open(on: Page, at: Server, id: string, no: number) {
  await on.goto(`${at.origin}/classes/${id}/sessions`);
  await on.getByRole('button', { name: `Thao tác khác: Buổi ${no}` }).click();
  await on.getByRole('button', { name: 'Thông báo qua email' }).click();
  const dialog = on.getByRole('dialog', { name: `Thông báo qua email, buổi ${no}` });
  await expect(dialog.getByText('Người học có địa chỉ email')).toBeVisible();
  return dialog;
}

test('the roster is invited, each by the own link, with a calendar entry', async () => {
  const dialog = await open(page, server, classId, session.no);
  await expect(dialog.getByText('Sẽ gửi lần này: Giấy mời')).toBeVisible();
  await dialog.getByRole('button', { name: 'Sao chép nội dung' }).click();
  await expect(dialog.getByRole('button', { name: 'Đã sao chép.' })).toBeVisible();
  const words = await page.evaluate(() => navigator.clipboard.readText());
  expect(words).toContain('Buổi được thông báo');
  await accessible(page, 'notice');
  await picture(page, 'notice-1280');
  await dialog.getByRole('button', { name: 'Gửi thông báo' }).click();
  await expect(dialog.getByText(`Đã gửi ${LEARNERS}, đang chờ 0, không gửi được 0`)).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByRole('button', { name: 'Gửi thông báo' })).toBeDisabled();
  await picture(page, 'notice-sent-1280');
  expect(sink.mails).toHaveLength(LEARNERS);
  const mail = sink.mails[0]!;
  expect(part(mail, 'text/calendar')).toContain('METHOD:REQUEST');
  // The link in the mail is a key to the room, in the name of the person it was sent to.
  const { learners } = await links(api, classId, session.id);
  const mine = learners.find((one) => part(mail, 'text/plain').includes(one.url));
  expect(mine, part(mail, 'text/plain')).toBeTruthy();
  expect(part(mail, 'text/plain')).toContain(`Kính gửi ${mine!.name},`);
  const learner = await person(browser, server.origin);
  await enter(learner, mine!.url);
  await learner.close();
});

test('the way to personal links and their QR codes', async () => {
  const dialog = await open(page, server, classId, session.no);
  await dialog.getByRole('button', { name: 'Liên kết cá nhân và mã QR' }).click();
  const invite = page.getByRole('dialog', { name: `Mời vào buổi ${session.no}` });
  await invite
    .getByRole('button', { name: /^Hiện mã QR của / })
    .first()
    .click();
  await expect(invite.getByRole('img', { name: /^Mã QR vào lớp của / })).toBeVisible();
  await page.keyboard.press('Escape');
});

test('a cancelled session is told to those who were invited', async () => {
  const other = await addSession(api, classId, 'Buổi bị hủy', false);
  const before = sink.mails.length;
  await api.post(`/sessions/${other.id}/notices`, {});
  await expect.poll(() => sink.mails.length, { timeout: 60_000 }).toBe(before + LEARNERS);
  await api.post(`/sessions/${other.id}/cancel`, { reason: 'Mất điện' });
  const dialog = await open(page, server, classId, other.no);
  await expect(dialog.getByText('Sẽ gửi lần này: Hủy buổi học')).toBeVisible();
  await dialog.getByRole('button', { name: 'Gửi thông báo' }).click();
  await expect.poll(() => sink.mails.length, { timeout: 60_000 }).toBe(before + 2 * LEARNERS);
  const last = sink.mails.at(-1)!;
  expect(part(last, 'text/calendar')).toContain('METHOD:CANCEL');
  expect(part(last, 'text/plain')).not.toContain('/j/');
});

test('a server without mail says so and offers the words', async () => {
  const bare = await Server.start({ demo: true });
  try {
    const context = await person(browser, bare.origin, PHONE);
    const phone = await context.newPage();
    await signIn(phone, bare);
    const own = new Api(context, bare);
    const cls = await demoClass(own);
    const one = await addSession(own, cls.id, 'Buổi không có thư', false);
    const dialog = await open(phone, bare, cls.id, one.no);
    await expect(dialog.getByText('Máy chủ này chưa được cài đặt để gửi email.')).toBeVisible();
    await expect(dialog.getByRole('button', { name: 'Gửi thông báo' })).toBeDisabled();
    await expect(dialog.getByRole('button', { name: 'Sao chép nội dung' })).toBeEnabled();
    await accessible(phone, 'notice-off');
    await picture(phone, 'notice-off-390');
    expect(foreignRequests).toEqual([]);
  } finally {
    await bare.close();
  }
});
