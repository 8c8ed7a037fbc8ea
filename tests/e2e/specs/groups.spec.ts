// Breakout groups with a trainer and two learners: into groups and back, sound and notes within
// the group only, no device asked for again.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { audioEnergy, launch, person } from '../lib/browser.ts';
import { picture, pictured } from '../lib/picture.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
const learners: Page[] = [];

/** Counts what the page asks of its devices from now on. */
async function countCaptures(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const devices = navigator.mediaDevices;
    const ask = devices.getUserMedia.bind(devices);
    const page = window as unknown as { __captures: number };
    page.__captures = 0;
    devices.getUserMedia = (want) => {
      page.__captures += 1;
      return ask(want);
    };
  });
}
const captures = (page: Page) => page.evaluate(() => (window as unknown as { __captures: number }).__captures);
const connection = (page: Page) =>
  page.evaluate(() => {
    const hooks = (window as unknown as { __lophoc: { pc: RTCPeerConnection & { __first?: boolean } } }).__lophoc;
    const known = hooks.pc.__first === true;
    hooks.pc.__first = true;
    return known;
  });
async function heard(page: Page, ms: number): Promise<number> {
  const before = await audioEnergy(page);
  await page.waitForTimeout(ms);
  return (await audioEnergy(page)) - before;
}

const notes = (page: Page) => page.getByTestId('notes-area');
const words = ['ý của An', 'ý của Bình'];
async function openNotes(page: Page): Promise<void> {
  await press(page, 'more');
  await press(page, 'open-notes');
}
/** Types at the end of the notes. */
async function type(page: Page, text: string): Promise<void> {
  await notes(page).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
}

test.beforeAll(async () => {
  server = await Server.start();
  browser = await launch();
  const room = server.newClass('Thảo luận nhóm', 'discussion');
  const link = server.link(room, 'learner');
  const enterAs = async (url: string, name: string, mic: boolean) => {
    const context = await person(browser, server.origin);
    await countCaptures(context);
    return enter(context, url, { name, mic });
  };
  trainer = await enterAs(server.link(room, 'trainer'), 'Nguyễn Thị Hạnh', false);
  learners.push(await enterAs(link, 'Trần Văn An', true), await enterAs(link, 'Lê Thị Bình', true));
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('two groups are formed by lot and opened', async () => {
  for (const page of learners) expect(await connection(page)).toBe(false);
  await press(trainer, 'more');
  await press(trainer, 'open-groups');
  await trainer.getByTestId('groups-count').fill('2');
  await press(trainer, 'groups-make');
  await expect(trainer.getByTestId('groups-board')).toBeVisible();
  await expect(trainer.getByTestId('group-1').getByTestId('group-move')).toHaveCount(1);
  await press(trainer, 'groups-open');
  for (const page of learners) {
    await expect(page.getByTestId('group-chip')).toContainText('Nhóm');
    await expect(page.getByTestId('tile-name')).toHaveCount(1);
  }
});

test('who is alone in a group hears nobody, and what is said to all is read', async () => {
  for (const page of learners) await expect.poll(() => heard(page, 3_000)).toBeLessThan(0.001);
  await trainer.getByTestId('groups-text').fill('Còn 2 phút nữa');
  await press(trainer, 'groups-say');
  for (const page of learners) await expect(page.getByTestId('groups-said')).toContainText('Còn 2 phút nữa');
});

test('each group writes its own notes, though learners may not write those of the room', async () => {
  for (const [n, page] of learners.entries()) {
    await openNotes(page);
    await expect(notes(page)).toHaveValue('');
    await type(page, words[n] ?? '');
    await expect(page.getByTestId('notes-state')).toContainText('Đã lưu');
    await page.getByTestId('notes-which').selectOption({ label: 'Phòng chính' });
    await expect(page.getByTestId('notes-area')).toHaveCount(0);
    await expect(page.getByText('Chưa có ghi chú')).toBeVisible();
    await page.getByTestId('notes-which').selectOption({ index: 1 });
  }
  for (const [n, page] of learners.entries()) {
    await expect(notes(page)).toHaveValue(words[n] ?? '');
    await expect(page.getByTestId('notes-which').locator('option')).toHaveCount(2);
  }
  const page = learners[0] as Page;
  await accessible(page, 'notes of a group');
  if (pictured) {
    await picture(page, 'group-notes-1280');
    const size = page.viewportSize() ?? { width: 1280, height: 720 };
    await page.setViewportSize({ width: 390, height: 844 });
    await picture(page, 'group-notes-390');
    await page.setViewportSize(size);
  }
});

test('the trainer goes into a group, hears it and writes in its notes', async () => {
  await trainer.getByTestId('group-enter').first().click();
  await expect(trainer.getByTestId('in-group')).toBeVisible();
  await expect.poll(() => heard(trainer, 1_000)).toBeGreaterThan(0.001);
  await trainer.keyboard.press('Escape');
  await openNotes(trainer);
  await expect(notes(trainer)).toHaveValue(/^ý của/);
  const n = words.indexOf(await notes(trainer).inputValue());
  await type(trainer, ', cô Hạnh');
  await expect(notes(learners[n] as Page)).toHaveValue(`${words[n]}, cô Hạnh`);
  words[n] += ', cô Hạnh';
  await expect(notes(learners[1 - n] as Page)).toHaveValue(words[1 - n] ?? '');
  if (pictured) await picture(trainer, 'group-notes-trainer');
});

test('everybody is back, by the same connection and without a question for devices', async () => {
  const asked = await Promise.all(learners.map(captures));
  await press(trainer, 'group-chip');
  // What is written in the last second goes in as well.
  for (const [n, page] of learners.entries()) {
    await type(page, '!');
    words[n] += '!';
  }
  await press(trainer, 'groups-close');
  for (const page of learners) {
    await expect(page.getByTestId('group-chip')).toHaveCount(0);
    await expect.poll(() => heard(page, 1_000)).toBeGreaterThan(0.001);
    expect(await connection(page)).toBe(true);
  }
  expect(await Promise.all(learners.map(captures))).toEqual(asked);
});

test('the notes of the groups are kept: staff read each, learners have those of the room again', async () => {
  for (const page of learners) {
    await expect(notes(page)).toHaveCount(0);
    await expect(page.getByTestId('notes-which')).toHaveCount(0);
    await expect(page.getByText('Chưa có ghi chú')).toBeVisible();
  }
  await trainer.keyboard.press('Escape');
  const found: string[] = [];
  for (const group of ['Nhóm 1', 'Nhóm 2']) {
    await trainer.getByTestId('notes-which').selectOption({ label: group });
    await expect(notes(trainer)).toHaveValue(/!$/);
    found.push(await notes(trainer).inputValue());
  }
  expect(found.sort()).toEqual([...words].sort());
  await trainer.getByTestId('notes-which').selectOption({ label: 'Phòng chính' });
  await expect(notes(trainer)).toHaveValue('');
  if (pictured) await picture(trainer, 'group-notes-after');
});
