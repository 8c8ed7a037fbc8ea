// Slides as pages and files handed out and in: a trainer and two learners in real browsers.
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { pdf } from '../lib/pdf.ts';
import { enter, inRoom, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

test.describe.configure({ mode: 'serial' });

let server: Server;
let browser: Browser;
let trainer: Page;
let first: Page;
let second: Page;
const contexts: BrowserContext[] = [];

async function come(role: 'trainer' | 'learner', name: string, viewport?: { width: number; height: number }): Promise<Page> {
  const context = await person(browser, server.origin, viewport);
  contexts.push(context);
  return enter(context, server.link(room, role), { name });
}

/** The page on the screen is this one, and its picture is really there. */
async function shows(page: Page, number: number): Promise<void> {
  const slide = page.getByTestId('slide');
  await expect(slide).toHaveAttribute('data-page', String(number));
  await expect.poll(() => slide.locator('.picture img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(300);
}

let room: string;

test.beforeAll(async () => {
  server = await Server.start();
  room = server.newClass('Bồi dưỡng giáo viên: trang trình chiếu');
  browser = await launch();
  trainer = await come('trainer', 'Nguyễn Thị Hạnh');
  first = await come('learner', 'Trần Văn An');
  second = await come('learner', 'Lê Thị Bình', PHONE);
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

test('a PDF becomes pages and everybody sees the page shown', async () => {
  // On a busy machine the sandbox has what the others leave.
  test.setTimeout(600_000);
  await press(trainer, 'open-docs');
  await trainer.getByTestId('deck-file').setInputFiles({ name: 'Bài giảng số 1.pdf', mimeType: 'application/pdf', buffer: pdf(5) });
  const deck = trainer.getByTestId('deck').filter({ hasText: 'Bài giảng số 1.pdf' });
  await expect(deck).toHaveAttribute('data-state', 'ready', { timeout: 500_000 });
  await expect(deck).toContainText('5 trang');
  await deck.getByTestId('deck-present').click();
  for (const page of [trainer, first, second]) await shows(page, 1);
  const since = Date.now();
  await trainer.getByTestId('slide-next').click();
  await shows(first, 2);
  console.log(`page on the other screen: ${Date.now() - since} ms`);
  await shows(second, 2);
  // Nobody has reviewed it, and everybody is told so.
  await expect(first.getByTestId('unreviewed')).toHaveText('Chưa thẩm định');
  await expect(second.getByTestId('unreviewed')).toBeVisible();
});

test('keys turn the page; its words can be read aloud', async () => {
  await trainer.getByTestId('slide').focus();
  await trainer.keyboard.press('PageDown');
  await shows(first, 3);
  await trainer.keyboard.press('ArrowLeft');
  await shows(first, 2);
  await trainer.getByTestId('slide-number').fill('4');
  await trainer.keyboard.press('Enter');
  await shows(first, 4);
  await expect(first.getByTestId('slide-text')).toContainText('Page number 4');
  await expect(first.getByRole('img', { name: 'Trang 4/5 của Bài giảng số 1.pdf' })).toBeVisible();
});

test('the pointer is seen with its owner’s name and goes away', async () => {
  await press(trainer, 'slides-laser');
  const box = (await trainer.getByTestId('slide').boundingBox())!;
  await trainer.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await trainer.mouse.move(box.x + box.width / 2 + 4, box.y + box.height / 2);
  await expect(first.getByTestId('pointer')).toContainText('Hạnh');
  const place = (await first.getByTestId('pointer').boundingBox())!;
  const sheet = (await first.locator('.sheet').boundingBox())!;
  expect(Math.abs(place.x - (sheet.x + sheet.width / 2))).toBeLessThan(sheet.width * 0.1);
  await press(trainer, 'slides-laser');
  await expect(first.getByTestId('pointer')).toBeHidden();
});

test('a reload comes back to the page', async () => {
  await first.reload();
  await inRoom(first);
  await shows(first, 4);
});

test('a learner leafs alone and comes back to the page being shown', async () => {
  await second.getByTestId('slide-previous').click();
  await shows(second, 3);
  await expect(second.getByTestId('slides-alone')).toContainText('Đang xem riêng trang 3');
  await trainer.getByTestId('slide-next').click();
  await shows(first, 5);
  await shows(second, 3);
  await second.getByTestId('slides-follow').click();
  await shows(second, 5);
});

test('thumbnails lead to a page', async () => {
  await press(trainer, 'slides-thumbs');
  await trainer.locator('[data-thumb="1"]').click();
  await shows(first, 1);
  await press(trainer, 'slides-thumbs');
});

test('licence and owner are kept', async () => {
  const deck = trainer.getByTestId('deck').first();
  await deck.getByTestId('deck-edit').click();
  await trainer.getByLabel('Giấy phép sử dụng').fill('CC BY-SA 4.0');
  await trainer.getByLabel('Chủ sở hữu bản quyền').fill('Sở GDĐT Thử nghiệm');
  await press(trainer, 'deck-save');
  await expect(deck).toContainText('Sở GDĐT Thử nghiệm · CC BY-SA 4.0');
});

test('a hostile file gives a sentence and harms nothing', async () => {
  const broken = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(20_000, 0xff)]);
  await trainer.getByTestId('deck-file').setInputFiles({ name: 'hong.pdf', mimeType: 'application/pdf', buffer: broken });
  await expect(trainer.getByTestId('docs-panel')).toContainText('Tệp bị hỏng hoặc không đúng định dạng.');
  await trainer.getByTestId('deck-file').setInputFiles({ name: 'virus.pdf', mimeType: 'application/pdf', buffer: Buffer.from('MZ\x90\x00'.repeat(100), 'latin1') });
  await expect(trainer.getByTestId('docs-panel')).toContainText('Không trình chiếu được loại tệp này.');
  await trainer.getByTestId('slide-next').click();
  await shows(first, 2);
});

test('what is handed out is loaded by a learner, what is handed in is seen by the trainer alone', async () => {
  await trainer.getByTestId('docs-files').click();
  await trainer.getByTestId('hand-out-file').setInputFiles({ name: 'Phiếu học tập.txt', mimeType: 'text/plain', buffer: Buffer.from('Nội dung phiếu') });
  await press(first, 'open-docs');
  await first.getByTestId('docs-files').click();
  const link = first.getByTestId('file-link').filter({ hasText: 'Phiếu học tập.txt' });
  await expect(link).toBeVisible();
  const [download] = await Promise.all([first.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toBe('Phiếu học tập.txt');

  await first.getByTestId('hand-in-file').setInputFiles({ name: 'Bài của An.txt', mimeType: 'text/plain', buffer: Buffer.from('Bài làm') });
  await expect(first.getByTestId('file').filter({ hasText: 'Bài của An.txt' })).toBeVisible();
  await expect(trainer.getByTestId('file').filter({ hasText: 'Bài của An.txt' })).toContainText('Trần Văn An');
  await press(second, 'more');
  await press(second, 'open-docs');
  await second.getByTestId('docs-files').click();
  await expect(second.getByTestId('file').filter({ hasText: 'Phiếu học tập.txt' })).toBeVisible();
  await expect(second.getByText('Bài của An.txt')).toHaveCount(0);

  await first.getByTestId('file').filter({ hasText: 'Bài của An.txt' }).getByTestId('file-drop').click();
  await press(first, 'confirm-remove-file');
  await expect(trainer.getByText('Bài của An.txt')).toHaveCount(0);
});

/** Drags a file over the room and lets it go on one of the places shown for it. */
async function dragIn(page: Page, place: 'deck' | 'out' | 'in', name: string, type: string, content: Buffer): Promise<void> {
  const carried = await page.evaluateHandle(
    ([fileName, fileType, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { type: fileType }));
      return transfer;
    },
    [name, type, content.toString('base64')] as const,
  );
  const on = (target: ReturnType<Page['getByTestId']>, event: string) => target.dispatchEvent(event, { dataTransfer: carried });
  await on(page.getByTestId('room'), 'dragenter');
  const target = page.getByTestId(`drop-${place}`);
  await expect(target).toBeVisible();
  await on(target, 'dragenter');
  await on(target, 'dragover');
  await on(target, 'drop');
  await expect(page.getByTestId('drop-zone')).toHaveCount(0);
}

test('files are dragged in: to be shown, to be handed out, to be handed in', async () => {
  test.setTimeout(600_000);
  await dragIn(trainer, 'deck', 'Kéo thả.pdf', 'application/pdf', pdf(2));
  const deck = trainer.getByTestId('deck').filter({ hasText: 'Kéo thả.pdf' });
  await expect(deck).toHaveAttribute('data-state', 'ready', { timeout: 500_000 });
  await expect(deck).toContainText('2 trang');
  await dragIn(trainer, 'out', 'Đề cương.txt', 'text/plain', Buffer.from('Nội dung đề cương'));
  await expect(first.getByTestId('file').filter({ hasText: 'Đề cương.txt' })).toBeVisible();
  // A learner is offered the one thing a learner may do.
  await dragIn(first, 'in', 'Bài kéo thả.txt', 'text/plain', Buffer.from('Bài làm'));
  await expect(trainer.getByTestId('file').filter({ hasText: 'Bài kéo thả.txt' })).toContainText('Trần Văn An');
  await first.getByTestId('room').dispatchEvent('dragenter', { dataTransfer: await first.evaluateHandle(() => new DataTransfer()) });
  await expect(first.getByTestId('drop-zone')).toHaveCount(0);
});

test('axe finds nothing with slides and files on the screen', async () => {
  for (const [page, where] of [[trainer, 'trainer'], [first, 'learner'], [second, 'phone']] as const) {
    await accessible(page, `${where}, files`);
    await page.getByTestId('docs-slides').click();
    await accessible(page, `${where}, slides`);
  }
});

test('the page is hidden for all and the deck taken away', async () => {
  await press(trainer, 'slides-stop');
  await expect(first.getByTestId('slide')).toHaveCount(0);
  await trainer.getByTestId('deck').filter({ hasText: 'Bài giảng số 1.pdf' }).getByTestId('deck-remove').click();
  await press(trainer, 'confirm-remove-file');
  await expect(trainer.getByText('Bài giảng số 1.pdf')).toHaveCount(0);
  expect(foreignRequests).toEqual([]);
});
