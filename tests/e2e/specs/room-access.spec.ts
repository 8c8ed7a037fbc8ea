// Every screen of the way in, of the room, its panels, menus and dialogs, on a desk
// and on a phone, dark and light: axe finds nothing, nothing is wider than the page.
// With E2E_PICTURES=<folder> it also takes pictures.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { accessible, accessibleInBoth, settled } from '../lib/axe.ts';
import { DESKTOP, foreignRequests, launch, person, PHONE, shownCorners } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

let server: Server;
let browser: Browser;

test.beforeAll(async () => {
  server = await Server.start();
  browser = await launch({ pattern: true });
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function fits(page: Page, name: string): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(over, `${name} is wider than the page`).toBeLessThanOrEqual(0);
  expect.soft(await page.getByText('Trang gặp lỗi').count(), `${name} broke`).toBe(0);
}

/** A screen before or after the room, which is light. */
async function page(of: Page, name: string): Promise<void> {
  await expect(of.locator('h1, h2').first(), name).toBeVisible();
  await picture(of, name);
  await fits(of, name);
  await accessible(of, name);
}

/** A screen of the room. */
async function inside(of: Page, name: string): Promise<void> {
  await of.mouse.move(2, 300);
  await settled(of);
  await picture(of, name);
  await fits(of, name);
  if ((of.viewportSize()?.width ?? 0) > PHONE.width) await accessibleInBoth(of, name);
  else await accessible(of, name);
}

/** Opens an entry of the menu «Thêm», by its test id. */
async function more(of: Page, id: string): Promise<void> {
  await press(of, 'more');
  await press(of, id);
}

async function closeDialog(of: Page): Promise<void> {
  await of.keyboard.press('Escape');
  await expect(of.getByRole('dialog')).toHaveCount(0);
}

/** Opens a panel, which on a narrow screen is in the menu. */
async function panel(of: Page, name: string): Promise<void> {
  const button = of.getByTestId(`open-${name}`);
  if (!(await button.isVisible())) await press(of, 'more');
  await button.click();
  await expect(of.getByRole('complementary')).toBeVisible();
}

async function closePanel(of: Page): Promise<void> {
  await of.getByRole('complementary').getByRole('button', { name: 'Đóng' }).first().click();
  await expect(of.getByRole('complementary')).toHaveCount(0);
}

for (const [size, viewport] of [
  ['1280', DESKTOP],
  ['390', PHONE],
] as const) {
  const at = (name: string) => `${name}-${size}`;

  test(`the way in and out at ${size} pixels`, async () => {
    const room = server.newClass('Dạy học với công cụ số');
    const context = await person(browser, server.origin, viewport);
    const joining = await context.newPage();
    await joining.goto(`${server.origin}/j/khong-dung`);
    await page(joining, at('link-wrong'));
    await joining.goto(server.link(room, 'learner'));
    await expect(joining.getByRole('button', { name: 'Vào lớp', exact: true })).toBeVisible();
    await page(joining, at('join-asks'));
    await joining.getByTestId('toggle-camera').click();
    await expect.poll(async () => (await shownCorners(joining)).length).toBeGreaterThan(0);
    await page(joining, at('join'));
    await joining.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await page(joining, at('join-no-name'));
    await joining.close();
    const host = await enter(await person(browser, server.origin), server.link(room, 'organiser', 'Vũ Thị Tổ Chức'));
    await more(host, 'waiting-room-switch');
    await host.keyboard.press('Escape');
    const waiting = await context.newPage();
    await waiting.goto(server.link(room, 'learner', 'Trần Văn An'));
    await waiting.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await expect(waiting.getByTestId('waiting-room')).toBeVisible();
    await page(waiting, at('waiting'));
    await expect(host.getByTestId('lobby')).toBeVisible();
    await host.getByTestId('admit-all').click();
    await expect(waiting.getByTestId('room')).toBeVisible();
    await press(host, 'leave');
    await host.getByTestId('end-for-all').click();
    await inside(host, at('end-asks'));
    await host.getByTestId('confirm-end').click();
    await expect(waiting.getByTestId('over')).toBeVisible();
    await page(waiting, at('over'));
    await host.context().close();
    await context.close();
  });

  test(`the room, its panels and dialogs at ${size} pixels`, async () => {
    // Some fifty screens, each looked at by axe.
    test.setTimeout(900_000);
    const room = server.newClass('Dạy học với công cụ số', 'training');
    const contexts: BrowserContext[] = [];
    const come = async (role: 'organiser' | 'trainer' | 'learner', name: string, media: boolean, own = DESKTOP) => {
      const context = await person(browser, server.origin, own);
      contexts.push(context);
      return enter(context, server.link(room, role, name), { camera: media, mic: media });
    };
    const trainer = await come('trainer', 'Nguyễn Thị Minh Hằng', true);
    const me = await come('organiser', 'Vũ Thị Tổ Chức', false, viewport);
    const an = await come('learner', 'Công Tằng Tôn Nữ Huyền Trang', true);
    await expect.poll(async () => (await shownCorners(me)).length).toBeGreaterThan(0);
    await inside(me, at('room'));

    await press(an, 'hand');
    await panel(me, 'people');
    await expect(me.getByTestId('hand-queue')).toContainText('Huyền Trang');
    await inside(me, at('people'));
    await me.getByTestId('people-panel').getByTestId('person').filter({ hasText: 'Huyền Trang' }).getByTestId('person-menu').click();
    await inside(me, at('person-menu'));
    await me.getByTestId('give-role').click();
    await expect(me.getByRole('dialog')).toBeVisible();
    await inside(me, at('role'));
    await closeDialog(me);
    await closePanel(me);

    await panel(me, 'chat');
    await me.getByTestId('chat-input').fill('Mời thầy cô mở tài liệu trang 3. https://lophoc.example/tai-lieu');
    await me.getByTestId('chat-input').press('Enter');
    await press(an, 'open-chat');
    await an.getByTestId('chat-input').fill('Em chào cô ạ, em nghe rõ.');
    await an.getByTestId('chat-input').press('Enter');
    await expect(me.getByRole('log')).toContainText('em nghe rõ');
    await inside(me, at('chat'));
    await closePanel(me);

    await press(an, 'open-questions');
    await an.getByTestId('question-input').fill('Học liệu có được dùng lại ở trường khác không ạ?');
    await press(an, 'question-send');
    await panel(me, 'questions');
    await expect(me.getByTestId('question')).toHaveCount(1);
    await inside(me, at('questions'));
    await closePanel(me);

    await panel(me, 'polls');
    await inside(me, at('polls-new'));
    await press(me, 'make-quiz');
    await inside(me, at('poll-maker'));
    await me.getByTestId('poll-maker').getByRole('button', { name: 'Hủy', exact: true }).click();
    await press(me, 'quick-yes-no');
    await an.getByTestId('poll-card').getByRole('button', { name: 'Có', exact: true }).click();
    await expect(me.getByTestId('poll-count').first()).toContainText('1/');
    await inside(me, at('polls'));
    await inside(an, at('poll-card'));
    await closePanel(me);

    await panel(me, 'docs');
    await inside(me, at('slides-panel'));
    await press(me, 'docs-files');
    await inside(me, at('files-panel'));
    await closePanel(me);

    await press(me, 'more');
    await inside(me, at('more'));
    await me.keyboard.press('Escape');
    for (const [name, id] of [
      ['stats', 'open-stats'],
      ['shortcuts', 'open-keys'],
      ['timer-dialog', 'open-timer'],
      ['mute-all', 'mute-all'],
      ['permits', 'open-permits'],
      ['mode', 'open-mode'],
      ['groups', 'open-groups'],
      ['hall', 'open-hall'],
    ] as const) {
      await more(me, id);
      await expect(me.getByRole('dialog')).toBeVisible();
      await inside(me, at(name));
      await closeDialog(me);
    }
    if (viewport === DESKTOP) {
      for (const [name, button] of [
        ['layouts', me.getByTestId('layout-menu')],
        ['reactions', me.getByTestId('reactions')],
        ['mic-menu', me.getByRole('button', { name: 'Chọn micro' })],
      ] as const) {
        await button.click();
        await expect(me.getByRole('menu')).toBeVisible();
        await inside(me, at(name));
        await me.keyboard.press('Escape');
        await expect(me.getByRole('menu')).toHaveCount(0);
      }
    }
    await press(trainer, 'share');
    await expect(me.getByTestId('room')).toHaveAttribute('data-layout', 'screen');
    await expect(trainer.getByTestId('stop-share').first()).toBeVisible();
    await inside(me, at('screen-shared'));
    await inside(trainer, at('sharing'));
    await trainer.getByTestId('stop-share').first().click();
    await more(me, 'hold-check');
    await expect(an.getByTestId('check-reply')).toBeVisible();
    await inside(an, at('presence-check'));
    await press(an, 'check-reply');
    await more(me, 'break-menu');
    await press(me, 'break-10');
    await expect(me.getByTestId('break')).toBeVisible();
    await inside(me, at('break'));
    await me.context().setOffline(true);
    await expect(me.getByTestId('reconnecting')).toBeVisible();
    await inside(me, at('reconnecting'));
    expect(foreignRequests).toEqual([]);
    for (const context of contexts) await context.close();
  });
}
