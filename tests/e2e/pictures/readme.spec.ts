// Takes the readme's pictures of a real class: join page and room, on a desktop
// and on a phone. Other people are bots that replay encoded clips.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test, expect, type Page } from '@playwright/test';
import { DESKTOP, launch, person, PHONE, shownCorners } from '../lib/browser.ts';
import { Api, demoClass, demoServer, signIn } from '../lib/records.ts';
import { enter, press } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

const REPO = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const FOLDER = join(REPO, 'docs/screenshots');
const LOADTESTS = process.env.E2E_LOADTESTS ?? join(REPO, 'target/debug/loadtests');

const NAMES = [
  'Trần Văn An',
  'Lê Thị Bình',
  'Phạm Minh Châu',
  'Công Tằng Tôn Nữ Huyền Trang',
  'Đặng Quốc Đạt',
  'Bùi Thị Ngọc Ánh',
];

async function picturesShown(page: Page, count: number): Promise<void> {
  await expect.poll(async () => (await shownCorners(page)).length, { timeout: 90_000 }).toBeGreaterThanOrEqual(count);
  await page.waitForTimeout(2_000);
}

test('pictures of join page and room', async () => {
  mkdirSync(FOLDER, { recursive: true });
  const server = await Server.start();
  const room = server.newClass('Bồi dưỡng giáo viên: Dạy học với công cụ số');
  const link = server.link(room, 'learner');
  const bots = spawn(
    LOADTESTS,
    ['bots', '--server', server.origin, '--link', link, '--count', '6', '--seconds', '300', '--names', NAMES.join(',')],
    { stdio: 'ignore' },
  );
  const browser = await launch();
  try {
    for (const [width, viewport] of [
      ['1280', DESKTOP],
      ['390', PHONE],
    ] as const) {
      const context = await person(browser, server.origin, viewport);
      const joining = await context.newPage();
      await joining.goto(server.link(room, 'trainer', 'Nguyễn Thị Minh Hằng'));
      await expect(joining.getByTestId('toggle-camera')).toBeVisible();
      await joining.getByTestId('toggle-camera').click();
      await joining.waitForTimeout(2_500);
      await joining.screenshot({ path: join(FOLDER, `join-${width}.png`) });
      await joining.close();
      const page = await enter(context, server.link(room, 'trainer', 'Nguyễn Thị Minh Hằng'), { camera: true, mic: true });
      await picturesShown(page, 3);
      await page.mouse.move(5, 5);
      await page.screenshot({ path: join(FOLDER, `room-${width}.png`) });
      if (viewport === DESKTOP) {
        await press(page, 'open-people');
        await page.waitForTimeout(1_000);
        await page.screenshot({ path: join(FOLDER, 'people-1280.png') });
      }
      await context.close();
    }
  } finally {
    bots.kill('SIGKILL');
    await browser.close();
    await server.close();
  }
});

test('pictures of attendance and of the desk', async () => {
  mkdirSync(FOLDER, { recursive: true });
  const server = await demoServer();
  const browser = await launch();
  try {
    const context = await person(browser, server.origin, DESKTOP);
    const page = await context.newPage();
    await signIn(page, server);
    const { past } = await demoClass(new Api(context, server));
    for (const name of ['attendance', 'desk']) {
      await page.goto(`${server.origin}/sessions/${past.id}/${name}`);
      await expect(page.getByText('Đặng Thị Ái').first()).toBeVisible();
      await page.mouse.move(5, 5);
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(FOLDER, `${name}-1280.png`) });
    }
  } finally {
    await browser.close();
    await server.close();
  }
});
