// The check of devices and network: anybody's from the join page, and that of a site,
// whose result stands at the live desk.
import { test, expect, type BrowserContext, type Page } from '@playwright/test';
import { accessible } from '../lib/axe.ts';
import { DESKTOP, foreignRequests, launch, person, PHONE } from '../lib/browser.ts';
import { picture } from '../lib/picture.ts';
import { addSession, Api, demoClass, demoServer, signIn } from '../lib/records.ts';
import { Server } from '../lib/server.ts';

/** A page whose network lets no UDP through: its peer never learns of the server's UDP addresses. */
async function withoutUdp(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const native = RTCPeerConnection.prototype.setRemoteDescription as (
      this: RTCPeerConnection,
      description: RTCSessionDescriptionInit,
    ) => Promise<void>;
    RTCPeerConnection.prototype.setRemoteDescription = function (this: RTCPeerConnection, description: RTCSessionDescriptionInit) {
      const sdp = description.sdp?.replace(/a=candidate:\S+ \d+ udp [^\r\n]*\r\n/giu, '');
      return native.call(this, { ...description, ...(sdp !== undefined && { sdp }) });
    } as typeof RTCPeerConnection.prototype.setRemoteDescription;
  });
}

const mark = (page: Page, what: string) => page.getByTestId(`check-${what}`);

/** Camera, microphone and speaker as a person tries them. */
async function tryDevices(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Bật micro và camera' }).last().click();
  await expect(mark(page, 'camera')).toHaveAttribute('data-mark', 'good');
  await expect(mark(page, 'microphone')).toHaveAttribute('data-mark', 'good');
  await page.getByRole('button', { name: 'Thử loa' }).click();
  await expect(page.getByText('Bạn có nghe thấy không?')).toBeVisible();
  await page.getByRole('button', { name: 'Có', exact: true }).click();
  await expect(mark(page, 'speaker')).toHaveAttribute('data-mark', 'good');
}

test('the check of the join page passes over UDP, by keyboard too', async () => {
  const server = await Server.start();
  const browser = await launch({ pattern: true });
  try {
    const link = server.link(server.newClass('Lớp kiểm tra'), 'learner');
    for (const [size, name] of [
      [DESKTOP, '1280'],
      [PHONE, '390'],
    ] as const) {
      const page = await (await person(browser, server.origin, size)).newPage();
      await page.goto(link);
      const button = page.getByRole('button', { name: 'Kiểm tra thiết bị và mạng' });
      await button.focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Kiểm tra thiết bị và mạng' });
      await expect(dialog).toBeVisible();
      await expect(mark(page, 'websocket')).toHaveAttribute('data-mark', 'good');
      await expect(mark(page, 'udp')).toHaveAttribute('data-mark', 'good');
      await expect(mark(page, 'udp')).toContainText('ms');
      // No relay is configured, which is no fault of this network.
      await expect(mark(page, 'turn')).toContainText('Máy chủ không bật');
      await expect(page.getByTestId('check-verdict')).toHaveAttribute('data-net', 'good');
      await expect(page.getByTestId('check-verdict')).toContainText('Mạng tốt');
      await tryDevices(page);
      await expect(page.getByTestId('check-verdict')).toContainText('Máy và mạng này sẵn sàng');
      await expect(page.getByTestId('check-letter')).toHaveCount(0);
      await accessible(page, `check ${name}`);
      await picture(page, `check-${name}`);
      await page.keyboard.press('Escape');
      await expect(dialog).toHaveCount(0);
      await expect(button).toBeFocused();
      await page.close();
    }
    expect(foreignRequests).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});

test('where UDP is blocked it says so, with a letter for the administrator', async () => {
  const server = await Server.start();
  const browser = await launch();
  try {
    const link = server.link(server.newClass('Lớp sau tường lửa'), 'learner');
    const context = await person(browser, server.origin, PHONE);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
    await withoutUdp(context);
    const page = await context.newPage();
    await page.goto(link);
    await page.getByRole('button', { name: 'Kiểm tra thiết bị và mạng' }).click();
    await expect(mark(page, 'udp')).toHaveAttribute('data-mark', 'bad');
    await expect(mark(page, 'udp')).toContainText('Không tới được');
    await expect(mark(page, 'websocket')).toHaveAttribute('data-mark', 'good');
    const verdict = page.getByTestId('check-verdict');
    await expect(verdict).toHaveAttribute('data-net', /none|tcpOnly/);
    const letter = page.getByTestId('check-letter');
    await expect(letter).toContainText(/Xin mở cổng UDP \d+ tới địa chỉ 127\.0\.0\.1/);
    await page.getByRole('button', { name: 'Sao chép đoạn này' }).click();
    await expect(page.getByRole('button', { name: 'Đã sao chép' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('Xin mở cổng UDP');
    await accessible(page, 'check without UDP');
    await picture(page, 'check-blocked-390');
  } finally {
    await browser.close();
    await server.close();
  }
});

test('a site checks by its link and the live desk shows what it found', async () => {
  const server = await demoServer();
  const browser = await launch({ pattern: true });
  try {
    const office = await person(browser, server.origin);
    const page = await office.newPage();
    await signIn(page, server);
    const api = new Api(office, server);
    const { id } = await demoClass(api);
    const lesson = await addSession(api, id, 'Buổi có điểm cầu', false);
    const roster = await api.get<{ items: { person: { id: string; name: string } }[] }>(`/classes/${id}/roster`);
    const site = roster.items[0]!.person;
    await api.post(`/classes/${id}/roster`, [{ person: site.id, state: 'official', site: true, note: '' }]);

    // The organiser takes the link from the page of the class.
    await page.goto(`${server.origin}/classes/${id}/sessions`);
    await page.getByRole('button', { name: `Thao tác khác: Buổi ${lesson.no}`, exact: true }).click();
    await page.getByRole('button', { name: 'Liên kết kiểm tra' }).click();
    await expect(page.getByRole('button', { name: `Hiện mã QR kiểm tra của ${site.name}` })).toBeVisible();
    await page.getByRole('button', { name: `Hiện mã QR kiểm tra của ${site.name}` }).click();
    await expect(page.getByRole('img', { name: `Mã QR mở trang kiểm tra của ${site.name}` })).toBeVisible();
    await accessible(page, 'preflight links');
    await picture(page, 'preflight-links-1280');
    const links = await api.get<{ url: string }[]>(`/sessions/${lesson.id}/preflight`);
    const url = links[0]!.url;

    await page.goto(`${server.origin}/sessions/${lesson.id}/desk`);
    const desk = page.getByTestId('desk-preflight');
    await expect(desk).toContainText('Chưa kiểm tra');

    // The site: no account, its own browser.
    const hall = await person(browser, server.origin, PHONE);
    const there = await hall.newPage();
    await there.goto(url);
    await expect(there.getByText(`Điểm cầu: ${site.name}`)).toBeVisible();
    await expect(mark(there, 'udp')).toHaveAttribute('data-mark', 'good');
    const send = there.getByRole('button', { name: 'Gửi kết quả' });
    await expect(send).toBeEnabled();
    // As it is: nobody has tried the devices.
    await send.click();
    await expect(there.getByText('Đã gửi kết quả')).toBeVisible();
    await expect(desk).toContainText('Trục trặc: camera, micro, loa');
    await picture(page, 'desk-fault-1280');

    await there.getByRole('button', { name: 'Kiểm tra lại' }).click();
    await expect(mark(there, 'udp')).toHaveAttribute('data-mark', 'good');
    await tryDevices(there);
    await there.getByLabel('Người liên hệ tại điểm cầu').fill('Lê Văn Kỹ');
    await there.getByLabel('Ghi chú').fill('Phòng họp tầng 2');
    await accessible(there, 'preflight page');
    await picture(there, 'preflight-390');
    await send.click();
    await expect(there.getByText('Đã gửi kết quả')).toBeVisible();
    await expect(desk).toContainText(/Đạt lúc \d\d:\d\d/);
    await expect(desk).toContainText('Liên hệ: Lê Văn Kỹ');
    await expect(desk).toContainText('Phòng họp tầng 2');
    await accessible(page, 'desk with a check');
    await picture(page, 'desk-1280');

    // The link opens no class.
    await there.goto(url.replace('/preflight/', '/j/'));
    await expect(there.getByTestId('link-page')).toHaveAttribute('data-reason', 'forbidden');
    await there.goto(`${server.origin}/preflight/khong.dung`);
    await expect(there.getByText('Liên kết kiểm tra không đúng')).toBeVisible();
    expect(foreignRequests).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
