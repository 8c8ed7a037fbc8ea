// The server records: begun, paused and ended by the trainer, told to everybody and to
// who comes late, with the consent of each and a way to attend unrecorded.
import { test, expect, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { inRoom } from '../lib/room.ts';

const dialog = async (page: Page) => {
  await page.getByTestId('recording').click();
  await expect(page.getByTestId('record-dialog')).toBeVisible();
};

test('the server records whoever agrees, and everybody knows it all the time', async () => {
  const server = await demoServer();
  const browser = await launch();
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi máy chủ ghi hình', false);
    const { learners, organiser } = await links(api, id, lesson.id);
    const into = async (url: string, phone = false) => {
      const one = await (await person(browser, server.origin, ...(phone ? [PHONE] : []))).newPage();
      await one.goto(`${url}?e2e=1`);
      return one;
    };
    const enter = async (one: Page) => {
      await one.getByRole('button', { name: 'Vào lớp', exact: true }).click();
      await inRoom(one);
    };

    const trainer = await into(organiser.url);
    await enter(trainer);
    const start = trainer.getByTestId('start-lesson');
    if (await start.isVisible()) await start.click();
    const learner = await into(learners[0]!.url, true);
    await enter(learner);
    await expect(learner.getByTestId('recording')).toHaveCount(0);

    // Begun by the trainer, who is told that a class asks.
    await trainer.getByTestId('more').click();
    await trainer.getByTestId('open-record').click();
    const form = trainer.getByTestId('record-dialog');
    await expect(form.getByRole('combobox', { name: 'Cách ghi' })).toHaveValue('server');
    await expect(form.getByRole('combobox', { name: 'Sự đồng ý' })).toHaveValue('consent');
    await form.getByLabel('Đơn vị hoặc người ghi').fill('Sở GDĐT Lào Cai');
    await accessible(trainer, 'dialog that begins a recording');
    await picture(trainer, 'record-start-1280');
    await trainer.getByTestId('record-start').click();
    await expect(trainer.getByTestId('recording-banner')).toBeVisible();
    await expect(trainer.getByTestId('recording')).toHaveAttribute('data-state', 'on', { timeout: 60_000 });

    // Asked of who is there; nothing is chosen for him.
    await expect(learner.getByTestId('recording-ask')).toContainText('Sở GDĐT Lào Cai');
    await accessible(learner, 'room that asks');
    await picture(learner, 'record-ask-390');
    await learner.getByTestId('recording-refuse').click();
    await expect(learner.getByTestId('recording-ask')).toHaveCount(0);
    await expect(learner.getByTestId('recording')).toBeVisible();

    // Listed, and no person; who refused is marked to staff.
    await trainer.getByTestId('recording-seen').click();
    await trainer.getByTestId('open-people').click();
    await expect(trainer.getByTestId('recording-entry')).toContainText('Sở GDĐT Lào Cai');
    await expect(trainer.getByTestId('person')).toHaveCount(2);
    await expect(trainer.getByTestId('unrecorded')).toHaveCount(1);
    await accessible(trainer, 'people and a recording');
    await picture(trainer, 'record-people-1280');

    // Minds may change, both ways.
    await dialog(learner);
    await expect(learner.getByTestId('record-mine')).toContainText('Bạn dự và không bị ghi');
    await learner.getByTestId('record-agree').click();
    await expect(learner.getByTestId('record-mine')).toContainText('Bạn đồng ý được ghi âm, ghi hình');
    await expect(trainer.getByTestId('unrecorded')).toHaveCount(0);
    await picture(learner, 'record-mine-390');
    await learner.getByTestId('record-withdraw').click();
    await expect(trainer.getByTestId('unrecorded')).toHaveCount(1);
    await learner.keyboard.press('Escape');

    // Who comes late is asked before he comes in, and may attend unrecorded.
    const late = await into(learners[1]!.url);
    await expect(late.getByTestId('recording-note')).toContainText('Sở GDĐT Lào Cai');
    await late.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await expect(late.getByText('Hãy chọn một trong hai để vào lớp.')).toBeVisible();
    await accessible(late, 'join page that asks');
    await late.getByTestId('recording-note').scrollIntoViewIfNeeded();
    await picture(late, 'record-join-1280');
    await late.getByTestId('recording-refuse').check();
    await enter(late);
    await expect(late.getByTestId('recording-banner')).toBeVisible();
    await expect(late.getByTestId('recording-ask')).toHaveCount(0);
    await expect(trainer.getByTestId('unrecorded')).toHaveCount(2);

    // Paused, and on again, for everybody.
    await dialog(trainer);
    await trainer.getByTestId('record-pause').click();
    for (const one of [trainer, learner, late]) {
      await expect(one.getByTestId('recording')).toHaveAttribute('data-state', 'paused');
    }
    await expect(late.getByTestId('recording-banner')).toContainText('Tạm dừng ghi hình');
    await picture(late, 'record-paused-1280');
    await dialog(trainer);
    await trainer.getByTestId('record-pause').click();
    await expect(late.getByTestId('recording')).toHaveAttribute('data-state', 'on', { timeout: 60_000 });

    await dialog(trainer);
    await trainer.getByTestId('record-stop').click();
    for (const one of [learner, late]) {
      await expect(one.getByTestId('recording-over')).toBeVisible();
      await expect(one.getByTestId('recording')).toHaveCount(0);
    }
    await expect(trainer.getByTestId('recording-entry')).toHaveCount(0);
  } finally {
    await browser.close();
    await server.close();
  }
});
