import { beforeEach, describe, expect, it } from 'vitest';
import { ability, androidIntent, family } from './browser';
import { checkName } from './name';
import { forgetSeat, keepSeat, keptSeat, updateSeat } from './seat';

describe('a name', () => {
  it('is sent composed, with single spaces', () => {
    expect(checkName('  Nguye\u0302\u0303n   Thị An ')).toEqual({ name: 'Nguyễn Thị An' });
  });

  it('must not be empty or longer than the server takes', () => {
    expect(checkName(' \u00a0 ')).toBe('empty');
    expect(checkName('a'.repeat(81))).toBe('long');
    expect(checkName('a'.repeat(80))).toEqual({ name: 'a'.repeat(80) });
  });
});

describe('the browser', () => {
  const full = { secure: true, webrtc: true, capture: true, agent: 'Chrome/156' };

  it('is judged by what it can do', () => {
    expect(ability(full)).toBe('full');
    expect(ability({ ...full, agent: 'Zalo android' })).toBe('full');
    expect(ability({ ...full, secure: false, capture: false })).toBe('insecure');
    expect(ability({ ...full, capture: false })).toBe('listenOnly');
    expect(ability({ ...full, capture: false, agent: 'x Zalo y' })).toBe('webview');
    expect(ability({ ...full, webrtc: false })).toBe('none');
    expect(ability({ ...full, webrtc: false, agent: 'FBAN/FBIOS' })).toBe('webview');
  });

  it('gets the help of its family', () => {
    expect(family('Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) CriOS/120')).toBe('safariIos');
    expect(family('Mozilla/5.0 (Macintosh) Safari/605', 5)).toBe('safariIos');
    expect(family('Mozilla/5.0 (X11; Linux) Gecko Firefox/128.0')).toBe('firefox');
    expect(family('coc_coc_browser/120 Chrome/120')).toBe('chrome');
  });

  it('is left towards Chrome on Android with the same address', () => {
    expect(androidIntent('https://lop.vn/j/a.b?x=1')).toBe(
      'intent://lop.vn/j/a.b?x=1#Intent;scheme=https;action=android.intent.action.VIEW;end',
    );
  });
});

describe('the seat of a tab', () => {
  beforeEach(() => sessionStorage.clear());
  const seat = { link: 'a.b', name: 'An', listenOnly: false, mic: true, camera: false };

  it('is found again for the same link only', () => {
    keepSeat(seat);
    expect(keptSeat('a.b')).toEqual(seat);
    expect(keptSeat('c.d')).toBeNull();
  });

  it('follows the devices and is forgotten on leaving', () => {
    keepSeat(seat);
    updateSeat('a.b', { mic: false, camera: true });
    expect(keptSeat('a.b')).toMatchObject({ mic: false, camera: true });
    forgetSeat();
    expect(keptSeat('a.b')).toBeNull();
  });

  it('is no seat when the storage holds something else', () => {
    sessionStorage.setItem('lophoc.seat', '{"link":7}');
    expect(keptSeat('a.b')).toBeNull();
    sessionStorage.setItem('lophoc.seat', '{');
    expect(keptSeat('a.b')).toBeNull();
  });
});
