// Polls, a quiz and a vote with several people in real browsers.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let an: Page;
let binh: Page;

test.beforeAll(async () => {
  server = await Server.start();
  const room = server.newClass('Thăm dò và biểu quyết');
  browser = await launch();
  const join = async (role: 'trainer' | 'learner', name: string, phone = false) =>
    enter(await person(browser, server.origin, phone ? PHONE : undefined), server.link(room, role, name));
  trainer = await join('trainer', 'Nguyễn Thị Hạnh');
  an = await join('learner', 'Trần Văn An');
  binh = await join('learner', 'Lê Thị Bình', true);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const card = (page: Page) => page.getByTestId('poll-card');
/** The newest poll in the panel, with its buttons: older ones have buttons of the same names. */
const newest = (page: Page) => page.getByTestId('polls-panel').locator('section.poll').first();

/** Leads the newest poll and waits until the page has heard of its new state. */
async function lead(page: Page, act: 'close' | 'show'): Promise<void> {
  const state = (wanted: string) => expect(newest(page).getByTestId('poll')).toHaveAttribute('data-state', wanted);
  await state(act === 'close' ? 'open' : 'closed');
  await newest(page).getByTestId(`poll-${act}`).click();
  await state(act === 'close' ? 'closed' : 'shown');
}

test('a quick yes or no: answered, changed, seen by all while it goes on, kept over a reload', async () => {
  await press(trainer, 'open-polls');
  await press(trainer, 'quick-yes-no');
  await card(an).getByRole('button', { name: 'Có', exact: true }).click();
  await card(binh).getByRole('button', { name: 'Có', exact: true }).click();
  await expect(newest(trainer).getByTestId('poll-count')).toContainText('2/');
  await card(binh).getByRole('button', { name: 'Không', exact: true }).click();
  for (const page of [newest(trainer), card(an), card(binh)]) {
    await expect(page.getByText('50%')).toHaveCount(2);
  }
  await accessible(an, 'poll card');
  await an.reload();
  await inRoom(an);
  await expect(card(an).getByRole('button', { name: 'Có', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await lead(trainer, 'close');
  await expect(an.getByTestId('poll-option-0')).toBeHidden();
});

test('a quiz: points and right answers come with the results, not before', async () => {
  await press(trainer, 'make-quiz');
  await trainer.getByTestId('make-title').fill('Kiểm tra nhanh');
  await trainer.getByTestId('make-text-0').fill('Học liệu được mở ít nhất bao lâu?');
  await trainer.getByTestId('make-option-0-0').fill('3 tháng');
  await trainer.getByTestId('make-option-0-1').fill('6 tháng');
  await press(trainer, 'make-open');
  await expect(trainer.getByText('Hãy đánh dấu đáp án đúng.', { exact: true }).last()).toBeVisible();
  await press(trainer, 'make-right-0-1');
  await accessible(trainer, 'writing a quiz');
  await press(trainer, 'make-open');
  for (const [page, option] of [
    [an, 1],
    [binh, 0],
  ] as const) {
    await card(page).getByTestId(`poll-option-${option}`).check();
    await card(page).getByTestId('poll-send').click();
    await expect(card(page).getByTestId('poll-done')).toBeVisible();
  }
  await lead(trainer, 'close');
  await expect(card(an).getByTestId('poll')).toHaveAttribute('data-state', 'closed');
  await expect(an.getByTestId('poll-score')).toBeHidden();
  await lead(trainer, 'show');
  await expect(card(an).getByTestId('poll-score')).toHaveText('Bạn trả lời đúng 1/1 câu');
  await expect(card(binh).getByTestId('poll-score')).toHaveText('Bạn trả lời đúng 0/1 câu');
  await expect(card(binh).getByText('Đáp án đúng')).toBeVisible();
  await newest(trainer).getByTestId('poll-who').click();
  await expect(trainer.getByTestId('poll-rows').getByRole('row')).toHaveCount(3);
  await expect(trainer.getByTestId('poll-rows').getByRole('row', { name: /Trần Văn An/ })).toContainText('6 tháng');
  await trainer.keyboard.press('Escape');
});

test('a secret vote: everybody votes once, nobody can be asked who, the quorum is told', async () => {
  await press(trainer, 'make-vote');
  await trainer.getByTestId('make-title').fill('Thông qua quy chế');
  await press(trainer, 'make-secret');
  await trainer.getByTestId('make-quorum').fill('3');
  await press(trainer, 'make-open');
  for (const page of [an, binh]) {
    await card(page).getByText('Tán thành', { exact: true }).click();
    await card(page).getByTestId('poll-send').click();
    await expect(card(page).getByTestId('poll-done')).toBeVisible();
    await expect(card(page).getByTestId('poll-change')).toHaveCount(0);
  }
  await lead(trainer, 'close');
  await lead(trainer, 'show');
  await expect(newest(trainer).getByTestId('vote-outcome')).toContainText('Tán thành 2/2 phiếu (100%)');
  await expect(card(an).getByTestId('vote-outcome')).toContainText('Chưa đủ số phiếu tối thiểu: 2, cần 3');
  // The one before is a named quiz: its list of answers is offered, that of the secret vote is not.
  await expect(newest(trainer).getByTestId('poll-who')).toHaveCount(0);
});

test('the card is closed by keyboard and brings up no older one; a poll taken away leaves all screens', async () => {
  const aside = an.getByTestId('poll-aside');
  await aside.focus();
  await an.keyboard.press('Enter');
  await expect(aside).toBeHidden();
  await press(an, 'open-polls');
  const vote = an.getByTestId('poll').filter({ hasText: 'Thông qua quy chế' });
  await expect(vote).toBeVisible();
  await newest(trainer).getByTestId('poll-drop').click();
  await press(trainer, 'confirm-poll-drop');
  await expect(vote).toHaveCount(0);
  await expect(an.getByTestId('poll').filter({ hasText: 'Kiểm tra nhanh' })).toBeVisible();
  expect(foreignRequests).toEqual([]);
});
