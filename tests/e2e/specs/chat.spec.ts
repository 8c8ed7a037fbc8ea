// Chat to some, deletion and slow mode with several people in real browsers.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let technician: Page;
let an: Page;
let binh: Page;

test.beforeAll(async () => {
  server = await Server.start();
  const room = server.newClass('Nhắn riêng');
  browser = await launch();
  const join = async (role: 'trainer' | 'technician' | 'learner', name: string, phone = false) =>
    enter(await person(browser, server.origin, phone ? PHONE : undefined), server.link(room, role, name));
  trainer = await join('trainer', 'Nguyễn Thị Hạnh');
  technician = await join('technician', 'Phạm Minh Kỹ');
  an = await join('learner', 'Trần Văn An');
  binh = await join('learner', 'Lê Thị Bình', true);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const message = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });

async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('chat-input').fill(text);
  await page.getByRole('button', { name: 'Gửi tin nhắn' }).click();
  await expect(message(page, text)).toBeVisible();
}

test('a private message reaches one person, is marked, and is answered privately', async () => {
  await press(an, 'open-people');
  const row = an.getByTestId('person').filter({ hasText: 'Nguyễn Thị Hạnh' });
  await row.getByTestId('person-menu').click();
  await press(an, 'write-private');
  await expect(an.getByTestId('chat-to')).toContainText('Nguyễn Thị Hạnh');
  await say(an, 'Thưa cô, em xin phép vào muộn.');
  await press(trainer, 'open-chat');
  await expect(message(trainer, 'vào muộn')).toHaveAttribute('data-private', 'true');
  await message(trainer, 'vào muộn').hover();
  await message(trainer, 'vào muộn').getByTestId('message-menu').click();
  await press(trainer, 'reply-private');
  await say(trainer, 'Cô biết rồi nhé.');
  await expect(message(an, 'Cô biết rồi')).toContainText('Riêng cho bạn');
  await press(binh, 'open-chat');
  await press(technician, 'open-chat');
  for (const page of [binh, technician]) await expect(message(page, 'vào muộn')).toHaveCount(0);
  await accessible(an, 'chat with private messages');
});

test('the line to technical support is read by the technician alone', async () => {
  await press(binh, 'chat-to');
  await press(binh, 'to-support');
  await say(binh, 'Em không nghe thấy tiếng.');
  await expect(message(technician, 'không nghe thấy')).toContainText('Lê Thị Bình');
  await expect(message(trainer, 'không nghe thấy')).toHaveCount(0);
  await expect(message(an, 'không nghe thấy')).toHaveCount(0);
});

test('private messages and what is being written are there after a reload', async () => {
  await an.getByTestId('chat-input').fill('viết dở dang');
  await an.reload();
  await inRoom(an);
  await press(an, 'open-chat');
  await expect(message(an, 'Cô biết rồi')).toBeVisible();
  await expect(an.getByTestId('chat-input')).toHaveValue('viết dở dang');
  await an.getByTestId('chat-input').fill('');
  await press(an, 'chat-direct');
  await expect(an.getByTestId('message')).toHaveCount(2);
});

test('a message is taken from all screens after a question', async () => {
  await press(an, 'chat-every');
  // Bình writes it, because An writes as the first one in slow mode below.
  await press(binh, 'chat-to');
  await press(binh, 'to-all');
  await say(binh, 'Gửi nhầm rồi ạ.');
  await expect(message(an, 'Gửi nhầm')).toBeVisible();
  await message(trainer, 'Gửi nhầm').hover();
  await message(trainer, 'Gửi nhầm').getByTestId('message-menu').click();
  await press(trainer, 'delete-message');
  await press(trainer, 'confirm-delete');
  for (const page of [trainer, an, binh]) await expect(message(page, 'Gửi nhầm')).toHaveCount(0);
});

test('slow mode makes learners wait with their text in the field', async () => {
  await press(trainer, 'more');
  await press(trainer, 'slow-menu');
  await press(trainer, 'slow-30');
  await expect(an.getByTestId('slow-mode')).toBeVisible();
  // The message that was taken away counts as well.
  await an.getByTestId('chat-input').fill('Tin thứ nhất.');
  await expect(an.getByRole('button', { name: 'Gửi tin nhắn' })).toBeEnabled({ timeout: 40_000 });
  await say(an, 'Tin thứ nhất.');
  await an.getByTestId('chat-input').fill('Tin thứ hai.');
  await expect(an.getByTestId('slow-mode')).toContainText(/gửi được sau \d+ giây/);
  await an.getByTestId('chat-input').press('Enter');
  await expect(an.getByTestId('chat-input')).toHaveValue('Tin thứ hai.');
  await press(trainer, 'to-back').catch(() => undefined);
  await say(trainer, 'Cô nhắn liền hai tin.');
  await say(trainer, 'Người dạy không phải chờ.');
  await expect(message(binh, 'không phải chờ')).toBeVisible();
  expect(foreignRequests).toEqual([]);
});
