import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RoomInfo } from '../core/proto';
import { fromStartModel, mayFromStart } from './from-start';
import { RecordingState } from './recording.svelte';

const recording = (more: Partial<NonNullable<RoomInfo['recording']>> = {}) =>
  ({
    recording: { by: 'server', who: 'Sở', why: '', keep: '', since: 1, recording: 'r1', fromStart: true, ...more },
  }) as unknown as RoomInfo;

describe('watching from the start', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is asked of the server once for a recording and its setting', async () => {
    let room = recording();
    const ask = vi.fn(async () => true);
    const state = new RecordingState(() => room, vi.fn(), ask);
    state.askFromStart();
    state.askFromStart();
    expect(state.fromStart).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.fromStart).toBe(true);
    expect(ask).toHaveBeenCalledTimes(1);
    // Turned off in the meantime: what was said before counts no more.
    room = recording({ fromStart: false });
    expect(state.fromStart).toBe(false);
    ask.mockResolvedValueOnce(false);
    state.askFromStart();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.fromStart).toBe(false);
    room = recording({ recording: 'r2', state: 'starting' });
    state.askFromStart();
    expect(ask).toHaveBeenCalledTimes(2);
    room = {} as RoomInfo;
    expect(state.fromStart).toBe(false);
  });

  it('is asked again where there was no answer', async () => {
    const ask = vi.fn<() => Promise<boolean | null>>(async () => true).mockResolvedValueOnce(null);
    const room = recording();
    const state = new RecordingState(() => room, vi.fn(), ask);
    state.askFromStart();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(state.fromStart).toBe(false);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(state.fromStart).toBe(true);
  });

  it('is asked with the token of the room, and takes the cookie that comes with it', async () => {
    const calls: [string, RequestInit][] = [];
    vi.stubGlobal(
      'fetch',
      vi.fn(async (address: string, init: RequestInit) => {
        calls.push([address, init]);
        const refused = address.endsWith('/playback');
        return new Response(JSON.stringify(refused ? { error: { code: 'notFound' } } : { may: true }), {
          status: refused ? 404 : 200,
        });
      }),
    );
    const access = { recording: 'r1', token: () => 'secret' };
    expect(await mayFromStart(access)).toBe(true);
    expect(await fromStartModel(access).playback()).toBeNull();
    expect(calls.map(([address]) => address)).toEqual([
      '/api/v1/recordings/r1/from-start',
      '/api/v1/recordings/r1/playback',
    ]);
    for (const [, init] of calls) {
      expect(init.credentials).toBe('same-origin');
      expect((init.headers as Record<string, string>).authorization).toBe('Bearer secret');
    }
  });
});
