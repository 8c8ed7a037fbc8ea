import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { CheckApi } from '../../core/check/api';
import type { WayResult } from '../../core/check/ways';
import { loadCheckWords } from '../../i18n/check.svelte';
import { setLanguage } from '../../i18n/index.svelte';
import { Check, deviceCheck } from '../../state/check.svelte';
import type { DevicesModel } from '../../state/contract';
import { route } from '../../router';
import CheckPanel from './CheckPanel.svelte';

beforeAll(async () => {
  await setLanguage('vi');
  await loadCheckWords('vi');
});

const devices = (over: Partial<DevicesModel> = {}): DevicesModel => ({
  mics: [],
  cameras: [],
  speakers: [],
  micId: null,
  cameraId: null,
  speakerId: null,
  micOn: false,
  cameraOn: false,
  micProblem: null,
  cameraProblem: null,
  preview: null,
  micLost: false,
  cameraLost: false,
  regain: () => Promise.resolve(),
  canPickSpeaker: false,
  canShareScreen: true,
  start: () => Promise.resolve(),
  setMic: () => Promise.resolve(),
  setCamera: () => Promise.resolve(),
  pick: () => Promise.resolve(),
  onLevel: () => () => undefined,
  testSpeaker: () => Promise.resolve(),
  recordCue: () => Promise.resolve(),
  effects: {
    canFilter: false,
    canBlur: false,
    filter: false,
    music: false,
    blur: false,
    fault: null,
    setFilter: () => Promise.resolve(),
    setMusic: () => Promise.resolve(),
    setBlur: () => undefined,
    dismissFault: () => undefined,
  },
  stop: () => undefined,
  ...over,
});

const good = (addresses: string[] = []): WayResult => ({ state: 'good', rttMs: 12, addresses });
const offer = { title: 'Buổi 1', host: 'Sở GDĐT X', ice: [] };

function made(media: (via: string) => WayResult, over: Partial<DevicesModel> = {}, api: Partial<CheckApi> = {}) {
  const own = devices(over);
  const check = new Check(
    'key',
    own,
    { fits: true, canConnect: true },
    {
      api: {
        begin: () => Promise.resolve({ ok: true, value: offer }),
        media: () => Promise.reject(new Error('not asked')),
        send: () => Promise.resolve({ ok: true, value: { at: 1 } }),
        ...api,
      },
      media: ({ via }) => Promise.resolve(media(via)),
      socket: () => Promise.resolve(good()),
    },
  );
  return { check, devices: own };
}

describe('the check', () => {
  it('says that all is ready once everything was tried', async () => {
    const levels: ((level: number) => void)[] = [];
    const it = made(() => good(), {
      micOn: true,
      cameraOn: true,
      onLevel: (cb) => {
        levels.push(cb);
        return () => undefined;
      },
    });
    render(CheckPanel, it);
    await waitFor(() => expect(screen.getByTestId('check-udp').dataset['mark']).toBe('good'));
    expect(screen.getByTestId('check-verdict').textContent).toContain('Còn thiết bị cần xem lại');
    levels.forEach((heard) => heard(0.5));
    await fireEvent.click(screen.getByRole('button', { name: 'Thử loa' }));
    await fireEvent.click(await screen.findByRole('button', { name: 'Có' }));
    await waitFor(() => expect(screen.getByTestId('check-verdict').textContent).toContain('Máy và mạng này sẵn sàng'));
    expect(it.check.report).toMatchObject({ camera: 'good', microphone: 'good', speaker: 'good' });
  });

  it('writes the letter where a way is closed', async () => {
    const closed: WayResult = { state: 'failed', rttMs: null, addresses: ['192.0.2.7:7881'] };
    render(
      CheckPanel,
      made((via) => (via === 'udp' ? closed : via === 'tcp' ? good() : { ...closed, state: 'absent' })),
    );
    const letter = await screen.findByTestId('check-letter');
    expect(letter.textContent).toContain('Xin mở cổng UDP 7881 tới địa chỉ 192.0.2.7');
    expect(letter.textContent).not.toContain('TCP 7881');
    expect(screen.getByTestId('check-verdict').dataset['net']).toBe('tcpOnly');
    expect(screen.getByTestId('check-turn').textContent).toContain('Máy chủ không bật');
  });

  it('blames nobody when the server was too busy to try', async () => {
    const error = { code: 'busy', status: 503 };
    render(
      CheckPanel,
      made(() => ({ state: 'untried', rttMs: null, addresses: [], error })),
    );
    await waitFor(() =>
      expect(screen.getByTestId('check-verdict').textContent).toContain('Máy chủ đang có nhiều người kiểm tra'),
    );
    expect(screen.queryByTestId('check-letter')).toBeNull();
  });

  it('hears silence after five seconds, and a voice at once', () => {
    vi.useFakeTimers();
    let hear: (level: number) => void = () => undefined;
    const { check } = made(() => good(), {
      micOn: true,
      onLevel: (cb) => {
        hear = cb;
        return () => undefined;
      },
    });
    check.listen();
    hear(0);
    expect(check.microphone).toBe('untried');
    vi.advanceTimersByTime(5_000);
    hear(0.01);
    expect(check.microphone).toBe('silent');
    hear(0.3);
    expect(check.microphone).toBe('good');
    vi.useRealTimers();
  });

  it('tells a missing device from a forbidden one', () => {
    expect(deviceCheck(false, 'notFound')).toBe('missing');
    expect(deviceCheck(false, 'denied')).toBe('blocked');
    expect(deviceCheck(false, 'busy')).toBe('failed');
    expect(deviceCheck(false, null)).toBe('untried');
  });
});

it('has an address of its own, which is no join link', () => {
  expect(route(new URL('https://lop.vn/preflight/abc.def'))).toEqual({ page: 'preflight', link: 'abc.def' });
  expect(route(new URL('https://lop.vn/preflight/'))).toEqual({ page: 'notFound' });
});
