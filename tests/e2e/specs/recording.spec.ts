// That the session is recorded: told and accepted before joining, a mark in everybody's
// header the whole time, begun and ended in the room, in the session's record. And the
// room in a small window.
import { test, expect, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { inRoom } from '../lib/room.ts';


test('a recording is announced, accepted, marked, ended and kept in the record', async () => {
  const server = await demoServer();
  const browser = await launch();
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi có ghi hình', false);
    const { learners, organiser } = await links(api, id, lesson.id);

    // Set on the page of the class.
    await page.goto(`${server.origin}/classes/${id}`);
    const card = page.getByTestId('class-recording');
    await expect(card).toContainText('Không ghi hình');
    await card.getByRole('button').click();
    const dialog = page.getByRole('dialog', { name: 'Ghi hình' });
    await dialog.getByRole('combobox', { name: 'Ghi hình' }).selectOption('on');
    await dialog.getByRole('combobox', { name: 'Cách ghi' }).selectOption('external');
    await dialog.getByLabel('Đơn vị hoặc người ghi').fill('Ban tổ chức lớp');
    await accessible(page, 'recording setting');
    await picture(page, 'recording-setting-1280');
    await dialog.getByRole('button', { name: 'Lưu', exact: true }).click();
    await expect(dialog).toHaveCount(0);
    await expect(card).toContainText('Các buổi học được ghi âm, ghi hình');

    // Accepted before the first join.
    const learner = await (await person(browser, server.origin, PHONE)).newPage();
    await learner.goto(`${learners[0]!.url}?e2e=1`);
    await expect(learner.getByTestId('recording-note')).toContainText('Ban tổ chức lớp');
    const enter = learner.getByRole('button', { name: 'Vào lớp', exact: true });
    await enter.click();
    await expect(learner.getByText('Hãy đọc và đánh dấu đồng ý với thông báo ghi hình để vào lớp.')).toBeVisible();
    await accessible(learner, 'join page with recording notice');
    await learner.getByTestId('recording-note').scrollIntoViewIfNeeded();
    await picture(learner, 'recording-join-390');
    await learner.getByTestId('recording-accept').check();
    await enter.click();
    await inRoom(learner);

    // By the setting it begins with the lesson, for who is there and for who comes late.
    const desk = await (await person(browser, server.origin)).newPage();
    await desk.goto(`${organiser.url}?e2e=1`);
    await desk.getByTestId('recording-accept').check();
    await desk.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await inRoom(desk);
    const start = desk.getByTestId('start-lesson');
    if (await start.isVisible()) await start.click();
    for (const one of [desk, learner]) {
      await expect(one.getByTestId('recording')).toBeVisible();
      await expect(one.getByTestId('recording-banner')).toContainText('Ban tổ chức lớp');
    }
    await accessible(learner, 'room that is recorded');
    await picture(learner, 'recording-room-390');
    await picture(desk, 'recording-room-1280');
    await learner.getByTestId('recording-seen').click();
    await expect(learner.getByTestId('recording-banner')).toHaveCount(0);
    await expect(learner.getByTestId('recording')).toBeVisible();
    await learner.getByTestId('recording').click();
    await expect(learner.getByTestId('record-dialog')).toContainText('Ban tổ chức lớp');
    await learner.keyboard.press('Escape');

    // Ended and begun again in the room.
    await desk.getByTestId('recording-seen').click();
    await desk.getByTestId('recording').click();
    await accessible(desk, 'recording dialog');
    await picture(desk, 'recording-dialog-1280');
    await desk.getByTestId('record-stop').click();
    await expect(learner.getByTestId('recording-over')).toBeVisible();
    await expect(learner.getByTestId('recording')).toHaveCount(0);
    await desk.getByTestId('more').click();
    await desk.getByTestId('open-record').click();
    await desk.getByTestId('record-start').click();
    await expect(learner.getByTestId('recording-banner')).toBeVisible();

    // In the record: the one that ended and the one that goes on.
    await page.goto(`${server.origin}/sessions/${lesson.id}/attendance`);
    await expect(page.getByTestId('recordings')).toContainText('Ban tổ chức lớp');
    await expect(page.getByTestId('recordings')).toContainText('…');
  } finally {
    await browser.close();
    await server.close();
  }
});

test('the room goes on in a small window', async () => {
  const server = await demoServer();
  const browser = await launch();
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi có cửa sổ nhỏ', false);
    const { organiser } = await links(api, id, lesson.id);
    const context = await person(browser, server.origin);
    const desk = await context.newPage();
    await desk.goto(`${organiser.url}?e2e=1`);
    await desk.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await inRoom(desk);
    const own = await desk.evaluate(() => 'documentPictureInPicture' in window);
    expect(own, 'this Chromium has windows of its own for pictures').toBe(true);
    const opened = context.waitForEvent('page');
    await desk.getByTestId('more').click();
    await desk.getByTestId('open-mini').click();
    const mini = await opened;
    await expect(mini.getByTestId('mini')).toBeVisible();
    await accessible(mini, 'small window');
    await picture(mini, 'mini-380');
    await mini.getByTestId('mini-hand').click();
    await expect(mini.getByTestId('mini-hand')).toHaveAttribute('aria-pressed', 'true');
    await mini.getByTestId('mini-leave').click();
    await mini.getByTestId('mini-leave-yes').click();
    await expect(desk.getByTestId('room')).toHaveCount(0);
    await expect.poll(() => mini.isClosed()).toBe(true);
  } finally {
    await browser.close();
    await server.close();
  }
});
