// A refused device, and the attendance list an organiser takes home.
import { readFileSync } from 'node:fs';
import { test, expect } from '@playwright/test';
import { audioEnergy, launch, person } from '../lib/browser.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test('who refuses camera and microphone is told what to do and comes in all the same', async () => {
  const server = await Server.start();
  const browser = await launch({ deny: true });
  try {
    const room = server.newClass('Lớp không thiết bị');
    const context = await person(browser, server.origin);
    const page = await context.newPage();
    await page.goto(`${server.link(room, 'learner')}?e2e=1`);
    await page.getByLabel('Họ và tên').fill('Trần Văn An');
    await page.getByTestId('toggle-camera').click();
    await expect(page.getByText('Trình duyệt đang chặn quyền dùng thiết bị')).toBeVisible();
    const how = page.locator('details summary').first();
    await how.click();
    await expect(page.locator('details ol li').first()).toBeVisible();
    await expect(page.getByTestId('toggle-camera')).toHaveAttribute('aria-pressed', 'false');
    await page.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await inRoom(page);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('the organiser takes home the list of stays, also of who has left', async () => {
  const server = await Server.start();
  const browser = await launch();
  try {
    const room = server.newClass('Lớp có điểm danh');
    const learner = await enter(await person(browser, server.origin), server.link(room, 'learner'), { name: 'Đặng Quốc Đạt' });
    const organiser = await enter(await person(browser, server.origin), server.link(room, 'organiser'), { name: 'Vũ Thị Tổ Chức' });
    await press(learner, 'leave');
    const confirm = learner.getByTestId('leave-room');
    await confirm.or(learner.getByTestId('over')).first().waitFor();
    if (await confirm.isVisible()) await confirm.click();
    await expect(learner.getByTestId('over')).toBeVisible();
    await press(organiser, 'more');
    const waiting = organiser.waitForEvent('download');
    await organiser.getByTestId('download-stays').click();
    const file = await (await waiting).path();
    const csv = readFileSync(file, 'utf8');
    expect(csv.startsWith('\uFEFF')).toBe(true);
    const rows = csv.trim().split('\r\n');
    expect(rows.some((row) => row.includes('Đặng Quốc Đạt'))).toBe(true);
    expect(rows.some((row) => row.includes('Vũ Thị Tổ Chức'))).toBe(true);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('where the browser blocks sound one large button brings it', async () => {
  const server = await Server.start();
  const browser = await launch();
  try {
    const room = server.newClass('Lớp bị chặn tiếng');
    await enter(await person(browser, server.origin), server.link(room, 'trainer'), { name: 'Nguyễn Thị Hạnh', mic: true });
    const context = await person(browser, server.origin);
    // Headless Chromium never blocks sound: the refusal is put in its place.
    await context.addInitScript(() => {
      const play = HTMLMediaElement.prototype.play;
      HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
        const blocked = (window as unknown as { __allowed?: boolean }).__allowed !== true && this instanceof HTMLAudioElement;
        return blocked ? Promise.reject(new DOMException('blocked', 'NotAllowedError')) : play.call(this);
      };
    });
    const page = await enter(context, server.link(room, 'learner'), { name: 'Trần Văn An' });
    const button = page.getByRole('button', { name: 'Bấm để nghe' });
    await expect(button).toBeVisible();
    await page.evaluate(() => ((window as unknown as { __allowed?: boolean }).__allowed = true));
    await button.click();
    await expect(button).toBeHidden();
    await expect.poll(() => audioEnergy(page), { timeout: 45_000 }).toBeGreaterThan(0.001);
  } finally {
    await browser.close();
    await server.close();
  }
});
