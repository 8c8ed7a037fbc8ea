// Questions and answers, reactions and the timer with several people in real browsers.
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
  const room = server.newClass('Hỏi đáp');
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

const question = (page: Page, text: string) => page.getByTestId('question').filter({ hasText: text });

async function ask(page: Page, text: string): Promise<void> {
  await page.getByTestId('question-input').fill(text);
  await press(page, 'question-send');
  await expect(page.getByTestId('question-input')).toHaveValue('');
}

test('asked, voted for, answered aloud and in writing', async () => {
  await press(an, 'open-questions');
  await ask(an, 'Bài nộp trễ có được tính không?');
  await an.getByTestId('question-anonymous').check();
  await ask(an, 'Có bắt buộc bật camera không?');
  await expect(trainer.getByTestId('open-questions').locator('.badge')).toHaveText('2');
  await press(binh, 'more');
  await press(binh, 'open-questions');
  await question(binh, 'bật camera').getByTestId('question-vote').click();
  await press(trainer, 'open-questions');
  await expect(trainer.getByTestId('question').first()).toContainText('bật camera');
  await expect(question(trainer, 'bật camera')).toContainText('Không hiện tên');
  await expect(question(trainer, 'nộp trễ')).toContainText('Trần Văn An');
  await question(trainer, 'bật camera').getByTestId('question-live').click();
  await expect(question(binh, 'bật camera')).toHaveAttribute('data-state', 'live');
  await question(trainer, 'nộp trễ').getByTestId('question-write').click();
  await trainer.getByTestId('question-answer').fill('Có, trong vòng 24 giờ.');
  await press(trainer, 'question-answer-send');
  await expect(an.getByText('Đã trả lời (1)')).toBeVisible();
  await an.getByText('Đã trả lời (1)').click();
  await expect(question(an, 'nộp trễ')).toContainText('Có, trong vòng 24 giờ.');
  await accessible(trainer, 'questions of the trainer');
  await accessible(binh, 'questions on a phone');
});

test('the own vote and the own questions are known after a reload', async () => {
  await binh.reload();
  await inRoom(binh);
  await press(binh, 'more');
  await press(binh, 'open-questions');
  await expect(question(binh, 'bật camera').getByTestId('question-vote')).toHaveAttribute('aria-pressed', 'true');
  await an.reload();
  await inRoom(an);
  await press(an, 'open-questions');
  await expect(question(an, 'bật camera')).toContainText('Bạn hỏi');
});

test('reactions are seen by all, the pace by those who lead', async () => {
  await press(an, 'reactions');
  await press(an, 'react-clap');
  await expect(trainer.locator('[data-reaction="clap"]')).toBeVisible();
  await press(an, 'reactions');
  await press(an, 'react-slower');
  await expect(trainer.getByTestId('pace')).toContainText('Chậm lại: 1');
  await expect(binh.getByTestId('pace')).toHaveCount(0);
});

test('a timer runs for all until it is taken away', async () => {
  await press(trainer, 'more');
  await press(trainer, 'open-timer');
  await trainer.getByTestId('timer-2').check({ force: true });
  await trainer.getByTestId('timer-label').fill('Làm bài');
  await press(trainer, 'timer-start');
  for (const page of [trainer, an, binh]) await expect(page.getByTestId('timer')).toContainText(/1:5\d/);
  await press(trainer, 'timer');
  await press(trainer, 'timer-off');
  await expect(binh.getByTestId('timer')).toHaveCount(0);
  expect(foreignRequests).toEqual([]);
});
