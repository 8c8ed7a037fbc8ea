// Join page and room by keyboard alone, and what axe finds there.
import { test, expect, type Browser, type Locator, type Page } from '@playwright/test';
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

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, target: Locator, key = 'Tab'): Promise<void> {
  for (let steps = 0; steps < 60; steps++) {
    if (await target.evaluate((el) => el === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error('never reached by keyboard');
}

/** In an open menu: goes down to the entry and takes it. */
async function choose(page: Page, id: string): Promise<void> {
  const entry = page.getByTestId(id);
  await expect(entry).toBeVisible();
  for (let steps = 0; steps < 40 && !(await entry.evaluate((el) => el === document.activeElement)); steps++) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(entry).toBeFocused();
  await page.keyboard.press('Enter');
}

test('an organiser reaches every function of the bar, its panels, menus and dialogs without a mouse', async () => {
  test.setTimeout(600_000);
  const others = await enter(await person(browser, server.origin), server.link(room, 'learner'), { name: 'Đỗ Thị Khách' });
  const context = await person(browser, server.origin);
  const page = await context.newPage();
  await page.goto(`${server.link(room, 'organiser')}?e2e=1`);
  const name = page.getByLabel('Họ và tên');
  await expect(name).toBeVisible();
  await tabTo(page, name);
  await page.keyboard.type('Vũ Thị Tổ Chức');
  await page.keyboard.press('Enter');
  await inRoom(page);
  const button = (id: string) => page.getByTestId(id);
  // F6 goes from region to region; the bar is one of them.
  await page.keyboard.press('F6');
  await tabTo(page, button('mic'), 'F6');
  for (const id of ['mic', 'camera']) {
    await tabTo(page, button(id));
    await page.keyboard.press('Enter');
    await expect(button(id)).toHaveAttribute('aria-pressed', 'true');
    await page.keyboard.press('Enter');
    await expect(button(id)).toHaveAttribute('aria-pressed', 'false');
  }
  await tabTo(page, button('share'));
  await page.keyboard.press('Enter');
  await expect(button('stop-share').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(button('stop-share')).toHaveCount(0);
  await tabTo(page, button('hand'));
  await page.keyboard.press(' ');
  await expect(button('hand')).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press(' ');
  await expect(button('hand')).toHaveAttribute('aria-pressed', 'false');
  await tabTo(page, button('reactions'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(button('reactions')).toBeFocused();
  // Panels: opened from their button, left with Escape, and the button has the focus again.
  for (const panel of ['people', 'chat', 'questions', 'polls', 'docs']) {
    const opener = button(`open-${panel}`);
    await tabTo(page, opener);
    await page.keyboard.press('Enter');
    const aside = page.getByRole('complementary');
    await expect(aside.locator('h2').first()).toBeVisible();
    await tabTo(page, aside.getByRole('button', { name: 'Đóng', exact: true }).first(), 'Tab');
    await page.keyboard.press('Escape');
    await expect(aside).toHaveCount(0);
    await expect(opener).toBeFocused();
  }
  // The menu, its dialogs, and the focus back on the menu's button.
  for (const dialog of ['open-stats', 'open-keys', 'open-timer', 'open-permits', 'open-mode', 'open-groups', 'mute-all']) {
    await tabTo(page, button('more'));
    await page.keyboard.press('Enter');
    await choose(page, dialog);
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(button('more')).toBeFocused();
  }
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  // Somebody is moderated: the menu of a person is reached from the list.
  await tabTo(page, button('open-people'));
  await page.keyboard.press('Enter');
  const menu = page.getByTestId('person').filter({ hasText: 'Đỗ Thị Khách' }).getByTestId('person-menu');
  await tabTo(page, menu);
  await page.keyboard.press('Enter');
  await choose(page, 'ask-mic');
  await expect(others.getByTestId('ask-accept')).toBeVisible();
  await tabTo(others, others.getByTestId('ask-decline'));
  await others.keyboard.press('Enter');
  await expect(others.getByTestId('ask-accept')).toHaveCount(0);
  await page.keyboard.press('Escape');
  // The end for all asks again, and is taken by keyboard too.
  await tabTo(page, button('leave'));
  await page.keyboard.press('Enter');
  await choose(page, 'end-for-all');
  await tabTo(page, button('confirm-end'));
  await page.keyboard.press('Enter');
  await expect(button('over')).toBeVisible();
  await expect(others.getByTestId('over')).toBeVisible();
  await others.context().close();
  await context.close();
});
