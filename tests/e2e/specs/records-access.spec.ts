// Every page of classes and attendance on a desk and on a phone: axe finds nothing,
// nothing is wider than the page. With E2E_PICTURES=<folder> it also takes pictures.
import { test, expect, type Browser, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { DESKTOP, foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { enter } from '../lib/room.ts';
import type { Server } from '../lib/server.ts';

let server: Server;
let browser: Browser;

test.beforeAll(async () => {
  server = await demoServer();
  browser = await launch();
});

test.afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function look(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  await expect(page.locator('h1, h2').first(), name).toBeVisible();
  expect.soft(await page.getByText('Trang gặp lỗi').count(), `${name} broke`).toBe(0);
  await picture(page, name);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(over, `${name} is wider than the page`).toBeLessThanOrEqual(0);
  await accessible(page, name);
}

for (const [size, viewport] of [
  ['1280', DESKTOP],
  ['390', PHONE],
] as const) {
  test(`pages at ${size} pixels`, async () => {
    const context = await person(browser, server.origin, viewport);
    const page = await context.newPage();
    await page.goto(server.origin);
    await look(page, `front-${size}`);
    await page.goto(`${server.origin}/no/such/page`);
    await look(page, `not-found-${size}`);
    await page.goto(`${server.origin}/sign-in`);
    await look(page, `sign-in-${size}`);
    await page.goto(`${server.origin}/verify`);
    await look(page, `verify-${size}`);
    await page.goto(`${server.origin}/check/khong-co-ma-nay`);
    await look(page, `check-old-${size}`);
    await signIn(page, server);
    const api = new Api(context, server);
    const cls = await demoClass(api);
    const live = await addSession(api, cls.id, `Buổi trực tuyến ${size}`, false);
    const { learners } = await links(api, cls.id, live.id);
    const guest = await person(browser, server.origin);
    await enter(guest, learners[2]!.url);
    const code = await api.get<{ url: string }>(`/sessions/${live.id}/sites/here/code`);
    for (const [name, path] of [
      ['home', '/'],
      ['classes', '/classes'],
      ['class', `/classes/${cls.id}`],
      ['sessions', `/classes/${cls.id}/sessions`],
      ['roster', `/classes/${cls.id}/roster`],
      ['staff', `/classes/${cls.id}/staff`],
      ['class-attendance', `/classes/${cls.id}/attendance`],
      ['class-exports', `/classes/${cls.id}/exports`],
      ['import', `/classes/${cls.id}/import`],
      ['new-class', '/classes/new'],
      ['edit-class', `/classes/${cls.id}/edit`],
      ['calendar', '/calendar'],
      ['attendance', `/sessions/${cls.past.id}/attendance`],
      ['desk', `/sessions/${live.id}/desk`],
      ['desk-past', `/sessions/${cls.past.id}/desk`],
      ['my', '/my'],
      ['account', '/account'],
      ['people', '/people'],
      ['units', '/units'],
      ['accounts', '/accounts'],
      ['check-in', new URL(code.url).pathname],
    ] as const) {
      await page.goto(`${server.origin}${path}`);
      await look(page, `${name}-${size}`);
    }
    await page.goto(`${server.origin}/sessions/${cls.past.id}/attendance`);
    await page.getByRole('button', { name: /^(34. )?Lò Văn Thuận/ }).first().click();
    await expect(page.getByRole('dialog', { name: 'Lò Văn Thuận' })).toBeVisible();
    await look(page, `person-${size}`);
    expect(foreignRequests).toEqual([]);
    await guest.close();
    await context.close();
  });
}
