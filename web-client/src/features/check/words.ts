// What a check found, in words.
import type { Opening, WayName } from '../../core/check/judge';
import type { DeviceCheck } from '../../core/records/gen';
import { k, type CheckKey } from '../../i18n/check.svelte';
import type { Check, WayState } from '../../state/check.svelte';

export type Mark = 'good' | 'bad' | 'wait' | 'none';

export interface Line {
  id: string;
  label: string;
  text: string;
  mark: Mark;
}

export const WAY: Record<WayName, CheckKey> = {
  websocket: 'check.websocket',
  udp: 'check.udp',
  tcp: 'check.tcp',
  turn: 'check.turn',
};

const DEVICE: Record<'missing' | 'blocked' | 'failed', CheckKey> = {
  missing: 'check.missing',
  blocked: 'check.blocked',
  failed: 'check.busy',
};
const plain = k as (key: CheckKey) => string;

/** A way of the network. */
export function wayLine(name: WayName, way: WayState): Line {
  const line = (text: string, mark: Mark): Line => ({ id: name, label: plain(WAY[name]), text, mark });
  switch (way.state) {
    case 'waiting':
      return line(k('check.waiting'), 'none');
    case 'running':
      return line(k('check.running'), 'wait');
    case 'good':
      if (way.rttMs === null) return line(k('check.good'), 'good');
      return line(way.rttMs < 1 ? k('check.goodQuick') : k('check.goodRtt', way.rttMs), 'good');
    case 'failed':
      return line(k('check.failed'), 'bad');
    case 'absent':
      return line(k('check.absent'), 'none');
    case 'untried':
      return line(k('check.untried'), 'none');
  }
}

function device(found: DeviceCheck, words: { good: CheckKey; silent: CheckKey; untried: CheckKey }): [string, Mark] {
  if (found === 'good') return [plain(words.good), 'good'];
  if (found === 'silent') return [plain(words.silent), 'bad'];
  if (found === 'untried') return [plain(words.untried), 'wait'];
  return [plain(DEVICE[found]), 'bad'];
}

/** Browser, camera, microphone, speaker. */
export function deviceLines(check: Check, micOn: boolean): Line[] {
  const [camera, cameraMark] = device(check.camera, {
    good: 'check.cameraGood',
    silent: 'check.cameraTry',
    untried: 'check.cameraTry',
  });
  const [mic, micMark] = device(check.microphone, {
    good: 'check.micGood',
    silent: 'check.micSilent',
    untried: micOn ? 'check.micSpeak' : 'check.micTry',
  });
  const [speaker, speakerMark] = device(check.speaker, {
    good: 'check.speakerGood',
    silent: 'check.speakerBad',
    untried: 'check.speakerTry',
  });
  const browser = check.browser ? 'check.secure' : window.isSecureContext ? 'check.tooOld' : 'check.insecure';
  return [
    { id: 'browser', label: k('check.browser'), text: plain(browser), mark: check.browser ? 'good' : 'bad' },
    { id: 'camera', label: k('check.camera'), text: camera, mark: cameraMark },
    { id: 'microphone', label: k('check.microphone'), text: mic, mark: micMark },
    { id: 'speaker', label: k('check.speaker'), text: speaker, mark: speakerMark },
  ];
}

export interface Verdict {
  tone: 'good' | 'warn' | 'bad' | 'calm';
  title: string;
  text: string;
}

/** The outcome for the person, once the network was tried. */
export function verdict(check: Check, devices: Line[]): Verdict {
  if (!check.done) return { tone: 'calm', title: k('verdict.running'), text: '' };
  const left = devices.filter((line) => line.mark !== 'good').map((line) => line.label);
  const open = left.length > 0 ? k('verdict.left', left.join(', ')) : '';
  const also = (text: string) => [text, open].filter(Boolean).join(' ');
  switch (check.net) {
    case 'good':
      return open
        ? { tone: 'warn', title: k('verdict.netGood'), text: open }
        : { tone: 'good', title: k('verdict.ready'), text: k('verdict.readyText') };
    case 'tcpOnly':
      return { tone: 'warn', title: k('verdict.slow'), text: also(k('verdict.slowTcp')) };
    case 'turnOnly':
      return { tone: 'warn', title: k('verdict.slow'), text: also(k('verdict.slowTurn')) };
    case 'noSocket':
      return { tone: 'bad', title: k('verdict.noSocket'), text: also(k('verdict.noSocketText')) };
    case 'none':
      return { tone: 'bad', title: k('verdict.none'), text: also(k('verdict.noneText')) };
    case 'untried': {
      const busy = ['busy', 'rateLimited'].includes(check.problem?.code ?? '');
      const why = check.problem ? (busy ? 'verdict.untriedBusy' : 'verdict.untriedNetwork') : 'verdict.untriedOld';
      return { tone: 'warn', title: k('verdict.untried'), text: also(plain(why)) };
    }
  }
}

function opening(one: Opening): string {
  const hosts = one.hosts.join(', ');
  if (one.way === 'turn') return k('admin.turn', one.transport, one.port, hosts);
  if (one.way === 'websocket') return k('admin.websocket', one.port, hosts);
  return one.way === 'udp' ? k('admin.udp', one.port, hosts) : k('admin.tcp', one.port, hosts);
}

/** The letter to the administrator of the network; empty when nothing is closed. */
export function letter(list: readonly Opening[], host: string): string {
  if (list.length === 0) return '';
  return [k('admin.hello'), k('admin.why', host), ...list.map(opening), k('admin.stateful'), k('admin.thanks')].join(
    '\n',
  );
}
