// Join page and room by keyboard alone, and what axe finds there.
import { test, expect, type Browser } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

let server: Server;
let browser: Browser;
let room: string;

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass('Lớp dùng bàn phím');
  browser = await launch();
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('axe finds nothing on the join page, in the room and its panels', async () => {
  const context = await person(browser, server.origin);
  const page = await context.newPage();
  await page.goto(server.link(room, 'organiser'));
  await expect(page.getByRole('button', { name: 'Vào lớp', exact: true })).toBeVisible();
  await accessible(page, 'join page');
  await page.close();
  const inside = await enter(context, server.link(room, 'organiser'), { name: 'Vũ Thị Tổ Chức' });
  await accessible(inside, 'room');
  await press(inside, 'open-people');
  await accessible(inside, 'people');
  await press(inside, 'open-chat');
  await accessible(inside, 'chat');
  await context.close();
});

test('axe finds nothing in the room on a phone', async () => {
  const context = await person(browser, server.origin, PHONE);
  const page = await enter(context, server.link(room, 'learner'), { name: 'Lê Thị Bình' });
  await accessible(page, 'room on a phone');
  await context.close();
});

test('a person enters, writes, raises a hand and leaves without a mouse', async () => {
  const context = await person(browser, server.origin);
  const page = await context.newPage();
  await page.goto(`${server.link(room, 'learner')}?e2e=1`);
  const name = page.getByLabel('Họ và tên');
  await expect(name).toBeVisible();
  for (let steps = 0; steps < 20 && !(await name.evaluate((el) => el === document.activeElement)); steps++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.type('Phạm Bàn Phím');
  await page.keyboard.press('Enter');
  await inRoom(page);
  await page.keyboard.press('c');
  await expect(page.getByTestId('chat-input')).toBeFocused();
  await page.keyboard.type('Em gõ bằng bàn phím');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('log').getByText('Em gõ bằng bàn phím')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('h');
  await expect(page.getByTestId('hand')).toHaveAttribute('aria-pressed', 'true');
  const leave = page.getByTestId('leave').first();
  await leave.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('over')).toBeVisible();
  await context.close();
});
