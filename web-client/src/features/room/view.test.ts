import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../core/proto';
import type { RoomModel } from '../../state/contract';
import { RoomView } from './view.svelte';

function room(answer: ErrorCode | null) {
  const asked: boolean[] = [];
  const model = {
    room: { room: 'r1' },
    hands: [],
    me: { person: 'p1', perms: new Set(['raiseHand']) },
    raiseHand: (up: boolean) => {
      asked.push(up);
      return Promise.resolve(answer);
    },
  } as unknown as RoomModel;
  return { asked, view: new RoomView(model) };
}

describe('the hand button', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('means the opposite at a second press, also before the room has told the queue', async () => {
    const { asked, view } = room(null);
    await view.hand();
    expect(view.handUp).toBe(true);
    await view.hand();
    expect(asked).toEqual([true, false]);
    expect(view.handUp).toBe(false);
  });

  it('shows what the room says once it has settled', async () => {
    const { view } = room(null);
    await view.hand();
    vi.runAllTimers();
    expect(view.handUp).toBe(false);
  });

  it('falls back at once when the room refuses', async () => {
    const { view } = room('rate_limited');
    await view.hand();
    vi.advanceTimersByTime(0);
    expect(view.handUp).toBe(false);
  });
});
