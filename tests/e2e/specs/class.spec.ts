// The first class: a trainer with camera, then screen, and three learners in
// real browsers. Times are printed, not asserted.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { audioEnergy, foreignRequests, hasNewConnection, inboundVideo, launch, markConnection, person, showsPattern } from '../lib/browser.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let room: string;
let trainerBrowser: Browser;
let learnerBrowser: Browser;
let trainer: Page;
const learners: Page[] = [];
const contexts: BrowserContext[] = [];

function took(what: string, since: number): void {
  console.log(`${what}: ${Date.now() - since} ms`);
}

async function newPerson(browser: Browser): Promise<BrowserContext> {
  const context = await person(browser, server.origin);
  contexts.push(context);
  return context;
}

async function seesTrainer(page: Page, what: string): Promise<void> {
  const since = Date.now();
  await expect.poll(async () => (await inboundVideo(page)).some((v) => v.framesDecoded > 0 && v.height > 0), { timeout: 60_000 }).toBe(true);
  took(`${what}: first frame decoded`, since);
  await expect.poll(() => showsPattern(page), { timeout: 60_000 }).toBe(true);
  took(`${what}: right picture shown`, since);
}

async function hearsTrainer(page: Page): Promise<void> {
  const before = await audioEnergy(page);
  await expect.poll(async () => (await audioEnergy(page)) - before, { timeout: 45_000 }).toBeGreaterThan(0.001);
}

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass('Bồi dưỡng giáo viên: Lớp thử nghiệm');
  trainerBrowser = await launch({ pattern: true });
  learnerBrowser = await launch();
});

test.afterAll(async () => {
  await trainerBrowser?.close();
  await learnerBrowser?.close();
  await server?.close();
});

test('three learners decode the trainer’s picture and hear the trainer', async () => {
  const since = Date.now();
  trainer = await enter(await newPerson(trainerBrowser), server.link(room, 'trainer'), {
    name: 'Nguyễn Thị Hạnh',
    mic: true,
    camera: true,
  });
  took('trainer in the room', since);
  for (const name of ['Trần Văn An', 'Lê Thị Bình', 'Phạm Minh Châu']) {
    const joined = Date.now();
    learners.push(await enter(await newPerson(learnerBrowser), server.link(room, 'learner'), { name }));
    took(`${name} in the room`, joined);
  }
  for (const [index, page] of learners.entries()) {
    await seesTrainer(page, `learner ${index + 1}`);
    await hearsTrainer(page);
  }
});

test('everybody present is listed to everybody', async () => {
  const page = learners[0]!;
  await press(page, 'open-people');
  for (const name of ['Nguyễn Thị Hạnh', 'Trần Văn An', 'Lê Thị Bình', 'Phạm Minh Châu']) {
    await expect(page.getByTestId('people-panel').getByText(name).first()).toBeVisible();
  }
  await press(page, 'open-people');
});

test('a chat message reaches all, and a hand is seen and lowered', async () => {
  const [author, reader] = [learners[0]!, learners[1]!];
  await press(author, 'open-chat');
  await author.getByTestId('chat-input').fill('Em chào cô ạ, em nghe rõ.');
  await author.getByTestId('chat-input').press('Enter');
  await press(reader, 'open-chat');
  await expect(reader.getByRole('log').getByText('Em chào cô ạ, em nghe rõ.')).toBeVisible();
  await press(reader, 'open-chat');
  await press(author, 'open-chat');
  await press(author, 'hand');
  await press(trainer, 'open-people');
  await expect(trainer.getByTestId('hand-queue').getByText('Trần Văn An')).toBeVisible();
  await expect(author.getByTestId('hand')).toHaveAttribute('aria-pressed', 'true');
  await press(author, 'hand');
  await expect(trainer.getByTestId('hand-queue').getByText('Trần Văn An')).toBeHidden();
  await press(trainer, 'open-people');
});

test('a late joiner sees a picture', async () => {
  const late = learners[2]!;
  await late.close();
  const since = Date.now();
  learners[2] = await enter(await newPerson(learnerBrowser), server.link(room, 'learner'), { name: 'Đỗ Văn Muộn' });
  await seesTrainer(learners[2], 'late joiner');
  took('late joiner, from the open link', since);
});

test('a muted trainer falls silent at the server and asks back in', async () => {
  const chairBrowser = learnerBrowser;
  const learner = learners[0]!;
  const organiser = await enter(await newPerson(chairBrowser), server.link(room, 'organiser'), { name: 'Vũ Thị Tổ Chức' });
  await press(organiser, 'open-people');
  const row = organiser.getByTestId('people-panel').getByTestId('person').filter({ hasText: 'Nguyễn Thị Hạnh' });
  await row.getByTestId('person-menu').click();
  await organiser.getByTestId('mute-person').click();
  await expect(trainer.getByTestId('mic')).toHaveAttribute('aria-pressed', 'false');
  // What was on its way may still arrive; afterwards silence.
  await expect
    .poll(async () => {
      const before = await audioEnergy(learner);
      await learner.waitForTimeout(2_000);
      return (await audioEnergy(learner)) - before;
    })
    .toBeLessThan(0.001);
  await row.getByTestId('person-menu').click();
  await organiser.getByTestId('ask-mic').click();
  await trainer.getByTestId('ask-accept').click();
  await expect(trainer.getByTestId('mic')).toHaveAttribute('aria-pressed', 'true');
  await hearsTrainer(learner);
  await organiser.context().close();
});

test('a reload brings a learner back by itself', async () => {
  const page = learners[1]!;
  const since = Date.now();
  await page.reload();
  await inRoom(page);
  await seesTrainer(page, 'after a reload');
  took('reload to picture', since);
});

test('the trainer’s screen is shown large to learners', async () => {
  const since = Date.now();
  await press(trainer, 'share');
  await expect(trainer.getByTestId('stop-share').first()).toBeVisible();
  for (const [index, page] of learners.entries()) {
    await expect(page.getByTestId('room')).toHaveAttribute('data-layout', 'screen');
    await expect
      .poll(async () => (await inboundVideo(page)).filter((v) => v.framesDecoded > 0).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(2);
    took(`learner ${index + 1}: screen decoded`, since);
  }
  await trainer.getByTestId('stop-share').first().click();
  for (const page of learners) {
    await expect(page.getByTestId('room')).not.toHaveAttribute('data-layout', 'screen');
  }
});

test('a server killed with -9 and started again gets everybody back by itself', async () => {
  for (const page of [trainer, ...learners]) await markConnection(page);
  await server.down('SIGKILL');
  await expect(learners[0]!.getByTestId('reconnecting')).toBeVisible();
  const since = Date.now();
  await server.up();
  for (const page of [trainer, ...learners]) {
    await expect(page.getByTestId('reconnecting')).toBeHidden({ timeout: 90_000 });
    await expect.poll(() => hasNewConnection(page), { timeout: 60_000 }).toBe(true);
    await inRoom(page);
  }
  took('restart to everybody connected', since);
  for (const [index, page] of learners.entries()) {
    await seesTrainer(page, `learner ${index + 1} after the restart`);
    await hearsTrainer(page);
  }
  await press(learners[0]!, 'open-chat');
  await expect(learners[0]!.getByRole('log').getByText('Em chào cô ạ, em nghe rõ.')).toBeVisible();
});

test('the end of the session is told to all and no request left the origin', async () => {
  await press(trainer, 'leave');
  await trainer.getByTestId('end-for-all').click();
  await trainer.getByTestId('confirm-end').click();
  for (const page of learners) {
    await expect(page.getByTestId('over')).toBeVisible();
  }
  expect(foreignRequests).toEqual([]);
});
