import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AttendancePage, Verdict } from '../../core/records/gen';
import { setLanguage } from '../../i18n/index.svelte';
import { loadRecordsWords } from '../../i18n/records.svelte';
import { useApi } from '../../state/records/client';
import { fixtureApi, FixtureServer } from '../../state/records/fixture';
import { nav } from '../../state/records/nav.svelte';
import CheckInPage from '../check-in/CheckInPage.svelte';
import { offerProblem, tickProblem } from '../check-in/problems';
import MyPage from '../my/MyPage.svelte';
import { standsWords, verdictWords } from '../verify/verdict';
import SessionAttendance from './SessionAttendance.svelte';
import { adjustmentLine, counted, footWords, noteParts, resultTerm, timesWords } from './words';

let server: FixtureServer;

beforeAll(async () => {
  await setLanguage('vi');
  await loadRecordsWords('vi');
  globalThis.ResizeObserver ??= class {
    observe() {}
    unobserve() {}
    disconnect() {}
  };
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
});

beforeEach(() => {
  history.replaceState(null, '', '/sessions/c1-s3/attendance');
  nav.start();
  server = new FixtureServer({ n: 12 });
  useApi(fixtureApi(server));
});

async function page(session = 'c1-s3'): Promise<AttendancePage> {
  const result = await fixtureApi(server).attendance(session);
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
}

describe('words of the sheet', () => {
  it('name results as the printed sheet does', () => {
    const of = (status: 'online' | 'excused' | 'absent' | 'notTaken', late = false, early = false) =>
      resultTerm({ status, late, early })[0];
    expect([of('online'), of('online', true), of('online', false, true), of('online', true, true)]).toEqual([
      'result.present',
      'result.late',
      'result.early',
      'result.lateEarly',
    ]);
    expect([of('excused'), of('absent'), of('notTaken')]).toEqual([
      'result.excused',
      'result.absent',
      'result.notTaken',
    ]);
  });

  it('write the foot sentence with two digits and a decimal comma', () => {
    const totals = {
      ...{ expected: 118, present: 110, online: 96, atSite: 0, inPerson: 14, excused: 5, absent: 3 },
      ...{ notTaken: 0, late: 4, early: 2, meanPermille: 932, guests: 0 },
    };
    expect(footWords(totals, true)).toBe(
      'Danh sách này có 118 người; có mặt 110 (trực tuyến 96, trực tiếp 14), vắng 08 (có phép 05, không phép 03). Tỷ lệ tham dự bình quân 93,2%.',
    );
    expect(footWords({ ...totals, atSite: 7, guests: 2, notTaken: 1 }, false)).toContain(
      'tại điểm cầu 07, trực tiếp 14), vắng 08 (có phép 05, không phép 03), chưa điểm danh 01. Tỷ lệ tham dự bình quân 93,2%. Ngoài danh sách có 02 người tham dự. Buổi học chưa kết thúc',
    );
    expect([0, 9, 10, 1234].map(counted)).toEqual(['0', '09', '10', '1.234']);
  });

  it('tell a correction with old and new value, who, when and why', async () => {
    const sheet = await page();
    const [one] = sheet.adjustments;
    expect(one && adjustmentLine(one)).toBe(
      'Điều chỉnh số 1 – Tổng thời gian: 168 phút → 190 phút. Nguyễn Thị Minh Hằng, 20/11/2026 11:52. Lý do: Máy của đơn vị mất điện, có biên bản xác nhận của Hiệu trưởng',
    );
    const row = sheet.report.rows.find(({ person }) => person === one?.person);
    expect(row && noteParts(sheet, row)).toContain('Điều chỉnh số 1');
  });

  it('tell all times of a person, or that he never came', async () => {
    const sheet = await page();
    const row = sheet.report.rows[0];
    expect(row && timesWords(row)).toMatch(/^Trực tuyến \d\d:\d\d–11:30$/u);
    expect(timesWords({ intervals: [] })).toBe('chưa vào lần nào');
  });
});

describe('the page of a session', () => {
  it('shows rows, totals and filters', async () => {
    render(SessionAttendance, { session: 'c1-s3' });
    await screen.findByText('Công Tằng Tôn Nữ Huyền Trang');
    expect(screen.getByText(/^Danh sách này có 11 người;/u)).toBeTruthy();
    await fireEvent.click(screen.getByRole('button', { name: /^Vắng \d/u }));
    await waitFor(() => expect(screen.queryByText('Công Tằng Tôn Nữ Huyền Trang')).toBeNull());
    expect(nav.here).toContain('show=absent');
  });

  it('asks for a reason before it corrects, and shows the mark afterwards', async () => {
    render(SessionAttendance, { session: 'c1-s3' });
    await fireEvent.click(await screen.findByLabelText('Chọn Công Tằng Tôn Nữ Huyền Trang'));
    await fireEvent.click(screen.getByRole('button', { name: 'Điều chỉnh' }));
    await fireEvent.click(screen.getByText('Lưu điều chỉnh'));
    expect(screen.getByText('Hãy ghi lý do.')).toBeTruthy();
    expect(server.calls.some(({ path }) => path.endsWith('/adjustments'))).toBe(false);
    await fireEvent.input(screen.getByLabelText('Lý do'), { target: { value: 'Có biên bản' } });
    await fireEvent.click(screen.getByText('Lưu điều chỉnh'));
    await screen.findByLabelText(/Điều chỉnh số 2 – Kết quả điểm danh/u);
  });

  it('freezes the first version without a reason, the next only with one', async () => {
    render(SessionAttendance, { session: 'c1-s3' });
    for (const reason of [null, 'Bổ sung giấy phép']) {
      const [open] = await screen.findAllByRole('button', { name: 'Chốt điểm danh' });
      if (open) await fireEvent.click(open);
      const act = () => screen.getAllByRole('button', { name: 'Chốt điểm danh' }).at(-1) as HTMLElement;
      await fireEvent.click(act());
      if (reason !== null) {
        expect(screen.getByText('Hãy ghi lý do.')).toBeTruthy();
        await fireEvent.input(screen.getByLabelText('Lý do'), { target: { value: reason } });
        await fireEvent.click(act());
      }
      await screen.findByText(new RegExp(`^Đã chốt bản ${reason === null ? 1 : 2} lúc`, 'u'));
    }
  });

  it('offers nothing to change without the rights', async () => {
    server = new FixtureServer({ n: 12, as: 'trainer' });
    useApi(fixtureApi(server));
    render(SessionAttendance, { session: 'c1-s3' });
    await screen.findByText('Công Tằng Tôn Nữ Huyền Trang');
    expect(screen.queryByText('Chốt điểm danh')).toBeNull();
    expect(screen.queryByText('Xuất danh sách')).toBeNull();
    expect(screen.queryByRole('checkbox')).toBeNull();
  });

  it('says what to do when there is nobody, and when it cannot be had', async () => {
    useApi(fixtureApi(new FixtureServer({ n: 0 })));
    const { unmount } = render(SessionAttendance, { session: 'c1-s3' });
    await screen.findByText('Chưa có ai trong danh sách');
    unmount();
    useApi(fixtureApi(new FixtureServer({ fail: 'forbidden' })));
    render(SessionAttendance, { session: 'c1-s3' });
    await screen.findByText('Bạn không có quyền xem hoặc làm việc này.');
  });
});

describe('a verdict', () => {
  const verdict: Verdict = {
    ...{ kind: 'genuine' as const, current: true, madeMs: 0, title: '', host: '', version: 1, latest: 1, id: 'x' },
    differences: [],
  };

  it('has plain words and a tone', () => {
    const of = (kind: 'genuine' | 'signed' | 'resaved' | 'altered' | 'unknown') => {
      const { title, tone } = verdictWords({ ...verdict, kind, differences: [] }, false);
      return `${title}: ${tone}`;
    };
    expect(of('genuine')).toBe('Đúng bản gốc: good');
    expect(of('resaved')).toBe('Đúng dữ liệu nhưng đã lưu lại: warn');
    expect(of('altered')).toBe('Đã bị sửa đổi: bad');
    expect(of('unknown')).toBe('Không phải do hệ thống này xuất: bad');
    expect(of('signed')).toBe('Đúng bản gốc, đã ký số thêm: good');
  });

  it('by a number alone never calls the paper in hand genuine', () => {
    expect(verdictWords({ ...verdict, differences: [] }, true).title).toBe('Có danh sách mang số hiệu này');
  });

  it('says whether it still stands, and nothing of the kind about an altered one', () => {
    const of = (over: object) => standsWords({ ...verdict, differences: [], ...over })?.text ?? null;
    expect(of({})).toBe('Còn hiệu lực');
    expect(of({ current: false, latest: 3 })).toBe('Đã có bản mới hơn: bản 3');
    expect(of({ current: false })).toBe('Số liệu đã thay đổi sau khi xuất');
    expect(of({ kind: 'altered' })).toBeNull();
    expect(of({ kind: 'unknown' })).toBeNull();
  });
});

describe('checking in with a phone', () => {
  it('tells the code’s problems from the person’s', () => {
    expect(offerProblem({ code: 'refused', status: 410 })?.title).toBe('Mã đã hết hạn');
    expect(offerProblem({ code: 'refused', status: 409 })?.title).toBe('Buổi học không nhận điểm danh nữa');
    expect(offerProblem({ code: 'notFound', status: 404 })?.title).toBe('Mã không đúng');
    expect(offerProblem({ code: 'notFound', status: 404 }, true)).toBeNull();
    expect(offerProblem({ code: 'network', status: 0 })).toBeNull();
    expect(tickProblem({ code: 'notFound', status: 404 }).title).toBe('Không tìm thấy bạn trong danh sách.');
    expect(tickProblem({ code: 'conflict', status: 409 }).title).toContain('người khác');
    expect(tickProblem({ code: 'rateLimited', status: 429, afterMs: 9000 }).text).toContain('9 giây');
  });

  it('ends with the name and the time, and sends the phone’s key both times', async () => {
    render(CheckInPage, { code: 'abc' });
    await fireEvent.input(await screen.findByLabelText('Mã định danh'), { target: { value: ' 1510000000 ' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Tôi có mặt' }));
    await screen.findByText('Công Tằng Tôn Nữ Huyền Trang');
    expect(screen.getByText('22/11/2026 08:05')).toBeTruthy();
    const [get, post] = server.calls;
    const { device, identifier } = post?.body as { device: string; identifier: string };
    expect(identifier).toBe('1510000000');
    expect(device).toMatch(/^[0-9a-f]{32}$/u);
    expect(get?.query.get('device')).toBe(device);
  });

  it('sends nothing while the birthday is no day', async () => {
    render(CheckInPage, { code: 'abc' });
    await fireEvent.click(await screen.findByText('Không nhớ mã? Dùng họ tên và ngày sinh'));
    await fireEvent.input(screen.getByLabelText('Họ và tên'), { target: { value: 'Ô Thị Ệ' } });
    await fireEvent.input(screen.getByLabelText('Ngày sinh'), { target: { value: '31/02/1985' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Tôi có mặt' }));
    expect(screen.getByText(/Ngày chưa đúng/u)).toBeTruthy();
    expect(server.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });
});

describe('own classes', () => {
  it('lead into the room that is open and show own times', async () => {
    useApi(fixtureApi(new FixtureServer({ as: 'learner' })));
    render(MyPage);
    const enter = await screen.findByRole('link', { name: 'Vào lớp' });
    expect(enter.getAttribute('href')).toBe('/j/AbCd123.k0xYz');
    expect(screen.getByText('Học liệu mở đến ngày 10/02/2027')).toBeTruthy();
    expect(screen.getByText('Đã được Ban tổ chức điều chỉnh')).toBeTruthy();
  });
});
