// House rules: written on the page of the class, accepted before the first join, asked
// anew when the words change.
import { test, expect, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { inRoom } from '../lib/room.ts';

async function write(page: Page, text: string): Promise<void> {
  const card = page.getByTestId('class-rules');
  await card.getByRole('button').click();
  const dialog = page.getByRole('dialog', { name: 'Nội quy phòng học' });
  await dialog.getByLabel('Nội dung nội quy').fill(text);
  await accessible(page, 'rules dialog');
  await dialog.getByRole('button', { name: 'Lưu', exact: true }).click();
  await expect(dialog).toHaveCount(0);
}

test('house rules are written, accepted before the first join, and asked anew when they change', async () => {
  const server = await demoServer();
  const browser = await launch();
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi có nội quy', false);
    const { learners } = await links(api, id, lesson.id);

    await page.goto(`${server.origin}/classes/${id}`);
    const card = page.getByTestId('class-rules');
    await expect(card).toContainText('Chưa có nội quy');
    await write(page, 'Giữ trật tự.\nKhông ghi hình khi chưa được phép.');
    await expect(card).toContainText('Không ghi hình khi chưa được phép.');
    await accessible(page, 'class page with rules');
    await picture(page, 'rules-1280');

    const learner = await (await person(browser, server.origin, PHONE)).newPage();
    await learner.goto(`${learners[0]!.url}?e2e=1`);
    await expect(learner.getByTestId('rules')).toContainText('Không ghi hình khi chưa được phép.');
    const enter = learner.getByRole('button', { name: 'Vào lớp', exact: true });
    await enter.click();
    await expect(learner.getByText('Hãy đọc và đánh dấu đồng ý với nội quy để vào lớp.')).toBeVisible();
    await expect(learner.getByTestId('room')).toHaveCount(0);
    await accessible(learner, 'join page with rules');
    await picture(learner, 'rules-join-390');
    await learner.getByTestId('rules-accept').check();
    await enter.click();
    await inRoom(learner);

    // Accepted is accepted: on another device too, since the person is known.
    const other = await (await person(browser, server.origin)).newPage();
    await other.goto(`${learners[0]!.url}?e2e=1`);
    await expect(other.getByRole('button', { name: 'Vào lớp', exact: true })).toBeVisible();
    await expect(other.getByTestId('rules')).toHaveCount(0);

    // Other words are other rules.
    await write(page, 'Giữ trật tự.\nBật camera khi phát biểu.');
    await other.reload();
    await expect(other.getByTestId('rules')).toContainText('Bật camera khi phát biểu.');
    await write(page, '');
    await expect(card).toContainText('Chưa có nội quy');
    await other.reload();
    await expect(other.getByRole('button', { name: 'Vào lớp', exact: true })).toBeVisible();
    await expect(other.getByTestId('rules')).toHaveCount(0);
  } finally {
    await browser.close();
    await server.close();
  }
});
