// Somebody comes late and watches the class from its beginning while it goes on: in the
// room, beside the live class whose sound is off meanwhile, as far as it is recorded and on;
// and only where it was set, as long as he is there, and until the recording ends.
import { test, expect, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { DESKTOP, foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { inRoom, press } from '../lib/room.ts';

/** Comes in by a personal link; agrees to be recorded where that is asked. */
async function come(page: Page, url: string, on: readonly string[] = []): Promise<void> {
  await page.goto(`${url}?e2e=1`);
  const enter = page.getByRole('button', { name: 'Vào lớp', exact: true });
  await expect(enter).toBeVisible();
  const accept = page.getByTestId('recording-accept');
  if (await accept.isVisible()) await accept.check();
  for (const id of ['toggle-mic', 'toggle-camera']) {
    const toggle = page.getByTestId(id);
    if (((await toggle.getAttribute('aria-pressed')) === 'true') !== on.includes(id)) await toggle.click();
    await expect(toggle).toHaveAttribute('aria-pressed', String(on.includes(id)));
  }
  await enter.click();
  await inRoom(page);
}

/** Whether the sound of the room comes out: its elements stand hidden beside the page. */
const hushed = (page: Page) =>
  page.evaluate(() => [...document.querySelectorAll<HTMLAudioElement>('body > div[hidden] > audio')].every((one) => one.muted));
const at = (page: Page) => page.getByTestId('player').evaluate((one) => Number((one as HTMLElement).dataset.t));

test('who comes late watches from the start while the class goes on', async () => {
  test.setTimeout(420_000);
  const server = await demoServer();
  const browser = await launch({ pattern: true });
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi có người vào muộn', false);

    // The organiser sets it, and reads what it means.
    await page.goto(`${server.origin}/classes/${id}`);
    const card = page.getByTestId('class-recording');
    await card.getByRole('button').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Áp dụng cho').selectOption(lesson.id);
    const how = dialog.getByRole('combobox', { name: 'Ghi hình' });
    await expect(how).toHaveValue('class');
    await how.selectOption('on');
    const early = dialog.getByLabel('Người vào muộn được xem từ đầu');
    await expect(early).not.toBeChecked();
    await expect(dialog.getByText('trước khi ban tổ chức duyệt')).toBeVisible();
    await early.check();
    await dialog.getByText('trước khi ban tổ chức duyệt').scrollIntoViewIfNeeded();
    await picture(page, 'early-setting-1280');
    await accessible(page, 'setting of watching from the start');
    await dialog.getByRole('button', { name: 'Lưu', exact: true }).click();
    await expect(dialog).toHaveCount(0);

    const { organiser, learners } = await links(api, id, lesson.id);
    const desk = await (await person(browser, server.origin)).newPage();
    await come(desk, organiser.url, ['toggle-mic', 'toggle-camera']);
    const start = desk.getByTestId('start-lesson');
    if (await start.isVisible()) await start.click();
    await expect(desk.getByTestId('recording')).toBeVisible();
    // Everybody is told.
    await expect(desk.getByTestId('recording-banner')).toContainText('Người vào muộn được xem từ đầu');
    const running = async () =>
      (await api.get<{ items: { id: string; state: string; durationMs: number }[] }>(`/recordings?session=${lesson.id}`)).items[0];
    await expect.poll(async () => (await running())?.state).toBe('recording');
    await desk.waitForTimeout(30_000);

    // Late.
    const late = await (await person(browser, server.origin, DESKTOP)).newPage();
    await come(late, learners[0]!.url);
    const seen = late.getByTestId('recording-seen');
    if (await seen.isVisible()) await seen.click();
    const button = late.getByTestId('from-start');
    await expect(button).toBeVisible();
    await picture(late, 'early-button-1280');
    expect(await hushed(late)).toBe(false);
    await button.click();
    await expect(late.getByTestId('player')).toBeVisible();
    expect(await at(late)).toBeLessThan(1_000);
    // With its sound: that is there up to half a minute ago.
    await expect(late.locator('[data-testid=player] audio')).toHaveCount(1);
    // The class is heard until something plays, and with a pause.
    expect(await hushed(late)).toBe(false);
    await late.getByTestId('play').click();
    await expect.poll(() => at(late), { timeout: 90_000 }).toBeGreaterThan(4_000);
    await expect(late.getByTestId('early-sound')).toContainText('Tiếng của lớp trực tiếp đang tắt');
    expect(await hushed(late)).toBe(true);
    await picture(late, 'early-playing-1280');
    await accessible(late, 'watching from the start');
    await late.keyboard.press('Space');
    await expect.poll(() => hushed(late)).toBe(false);
    // The key was the player's: nobody's microphone was opened by it.
    await expect(late.getByTestId('early-sound')).toContainText('Bạn đang nghe lớp trực tiếp');
    await late.getByTestId('play').click();

    // It goes on past what was recorded when it was opened, and nobody left the class.
    const first = (await running())!;
    await late.getByLabel('Tốc độ phát').selectOption('2');
    await expect.poll(() => at(late), { timeout: 150_000 }).toBeGreaterThan(36_000);
    expect((await running())!.state).toBe('recording');
    expect(first.id).toBe((await running())!.id);
    await press(desk, 'open-people');
    await expect(desk.getByText(learners[0]!.name).first()).toBeVisible();

    // On a phone, another one who came late.
    const phone = await (await person(browser, server.origin, PHONE)).newPage();
    await come(phone, learners[1]!.url);
    const told = phone.getByTestId('recording-seen');
    if (await told.isVisible()) await told.click();
    await expect(phone.getByTestId('from-start')).toBeVisible();
    await picture(phone, 'early-button-390');
    await phone.getByTestId('from-start').click();
    await phone.getByTestId('play').click();
    await expect.poll(() => at(phone), { timeout: 60_000 }).toBeGreaterThan(2_000);
    await picture(phone, 'early-playing-390');
    await accessible(phone, 'watching from the start on a phone');

    // His address is good for nothing in another browser.
    const sound = await phone.locator('[data-testid=player] audio').getAttribute('src');
    const address = new URL(sound!, server.origin).href;
    expect((await phone.request.get(address, { headers: { Range: 'bytes=0-99' } })).status()).toBe(206);
    expect((await page.request.get(address)).status()).toBe(403);
    await phone.getByTestId('to-live').click();
    await expect(phone.getByTestId('player')).toHaveCount(0);
    expect(await hushed(phone)).toBe(false);
    await expect(phone.getByTestId('room')).toBeVisible();

    // It is turned off: whoever watches is back in the class, and the bytes end.
    const off = await office.request.put(`${server.origin}/api/v1/sessions/${lesson.id}/recording`, {
      data: { on: true, own: true, who: 'Ban tổ chức lớp', by: 'server', auto: true, whom: 'all', ask: 'consent' },
      headers: { 'X-Lophoc': '1', Origin: server.origin },
    });
    expect(off.ok(), await off.text()).toBe(true);
    await expect(late.getByTestId('early')).toHaveCount(0);
    await expect(late.getByTestId('room').getByText('Bạn đang ở lớp trực tiếp')).toBeVisible();
    await expect(late.getByTestId('from-start')).toHaveCount(0);
    expect(await hushed(late)).toBe(false);
    await expect.poll(async () => (await phone.request.get(address)).status()).toBe(403);
    expect(foreignRequests).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
