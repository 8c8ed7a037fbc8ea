// The technicians' console: who is on duty, how the sites are, what is done to them from
// there, and the incident log.
import { test, expect, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, links, signIn } from '../lib/records.ts';
import { inRoom } from '../lib/room.ts';


test('duty, sites and incidents of a session', async () => {
  const server = await demoServer();
  const browser = await launch();
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const roster = await api.get<{ items: { person: { id: string; name: string } }[] }>(`/classes/${id}/roster`);
    const site = roster.items[0]!.person;
    await api.post(`/classes/${id}/roster`, [{ person: site.id, state: 'official', site: true, note: '' }]);
    const lesson = await addSession(api, id, 'Buổi có điểm cầu', false);
    const all = await links(api, id, lesson.id);
    const entries = await api.get<{ person: string | null; url: string }[]>(`/classes/${id}/links?session=${lesson.id}`);
    const siteUrl = entries.find((one) => one.person === site.id)!.url;

    await page.goto(`${server.origin}/sessions/${lesson.id}/desk`);
    await page.getByRole('link', { name: 'Bàn kỹ thuật' }).click();
    const row = page.getByTestId('site-row');
    await expect(row).toHaveAttribute('data-link', 'away');
    await expect(row).toContainText('Chưa kiểm tra');

    // Duty.
    await page.getByTestId('duty').getByRole('button', { name: 'Phân công' }).click();
    const duty = page.getByRole('dialog', { name: 'Lịch trực kỹ thuật' });
    if ((await duty.getByLabel('Họ và tên').count()) === 0) await duty.getByRole('button', { name: 'Thêm người' }).click();
    await duty.getByLabel('Họ và tên').first().fill('Vũ Văn Trực');
    await duty.getByLabel('Điện thoại').first().fill('0912 345 678');
    await duty.getByLabel('Từ', { exact: true }).first().fill('07:30');
    await duty.getByLabel('Đến', { exact: true }).first().fill('11:30');
    await accessible(page, 'duty dialog');
    await picture(page, 'console-duty-1280');
    await duty.getByRole('button', { name: 'Lưu', exact: true }).click();
    await expect(page.getByTestId('duty')).toContainText('Vũ Văn Trực');
    await expect(page.getByTestId('duty')).toContainText('07:30 – 11:30');

    // The site comes, and so does who has the console open.
    const hall = await (await person(browser, server.origin)).newPage();
    await hall.goto(`${siteUrl}?e2e=1`);
    await hall.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await inRoom(hall);
    await expect(row).toHaveAttribute('data-link', 'here');
    const room = await office.newPage();
    await room.goto(`${all.organiser.url}?e2e=1`);
    await room.getByRole('button', { name: 'Vào lớp', exact: true }).click();
    await inRoom(room);
    const menu = row.getByRole('button', { name: /^Thao tác với/ });
    await expect(page.getByText('Hãy vào phòng (ở thẻ khác)')).toHaveCount(0);
    await menu.click();
    await row.getByRole('button', { name: 'Đề nghị bật micro' }).click();
    await expect(hall.getByTestId('ask-accept')).toBeVisible();
    await hall.getByTestId('ask-decline').click();
    await menu.click();
    await row.getByRole('button', { name: 'Nhắn tin' }).click();
    const say = page.getByRole('dialog', { name: /^Nhắn tin tới/ });
    await say.getByLabel('Nội dung tin nhắn').fill('Kiểm tra dây micro giúp');
    await say.getByRole('button', { name: 'Gửi', exact: true }).click();
    await expect(say).toHaveCount(0);
    await hall.getByTestId('open-chat').click();
    await expect(hall.getByText('Kiểm tra dây micro giúp')).toBeVisible();

    // An incident from the line of the site goes its way.
    await menu.click();
    await row.getByRole('button', { name: 'Ghi sự cố' }).click();
    const dialog = page.getByRole('dialog', { name: 'Ghi sự cố mới' });
    await dialog.getByLabel('Loại').selectOption('sound');
    await dialog.getByRole('button', { name: 'Ghi vào nhật ký' }).click();
    await expect(dialog.getByText('Hãy ghi nội dung.')).toBeVisible();
    await dialog.getByLabel('Nội dung').fill('Loa tại điểm cầu bị rè');
    await accessible(page, 'incident dialog');
    await picture(page, 'console-incident-1280');
    await dialog.getByRole('button', { name: 'Ghi vào nhật ký' }).click();
    const incident = page.getByTestId('incident');
    await expect(incident).toContainText('Loa tại điểm cầu bị rè');
    await incident.getByTestId('incident-take').click();
    await expect(incident).toHaveAttribute('data-state', 'handling');
    await incident.getByTestId('incident-solve').click();
    const solve = page.getByRole('dialog', { name: /Đã xử lý xong/ });
    await solve.getByLabel('Đã xử lý thế nào').fill('Thay dây loa');
    await solve.getByRole('button', { name: 'Ghi vào nhật ký' }).click();
    await expect(incident).toHaveAttribute('data-state', 'solved');
    await accessible(page, 'console');
    await picture(page, 'console-1280');
    await page.setViewportSize(PHONE);
    await accessible(page, 'console on a phone');
    await picture(page, 'console-390');

    // A site that stays away is written down by the server, and solved when it is back.
    await hall.context().setOffline(true);
    await expect(page.getByTestId('incident').filter({ hasText: 'Mất kết nối với điểm cầu.' })).toHaveCount(1, {
      timeout: 120_000,
    });
    await hall.context().setOffline(false);
    await expect(page.getByTestId('incident').filter({ hasText: 'Điểm cầu đã kết nối lại.' })).toHaveAttribute(
      'data-state',
      'solved',
      { timeout: 120_000 },
    );
  } finally {
    await browser.close();
    await server.close();
  }
});
