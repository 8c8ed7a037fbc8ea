// What the findings of a check mean, and what the administrator of the network is asked
// for. Nothing here touches a browser.
import type { CheckReport, DeviceCheck, WayCheck } from '../records/gen';
import type { WayResult } from './ways';

export type WayName = 'websocket' | 'udp' | 'tcp' | 'turn';
export type DeviceName = 'camera' | 'microphone' | 'speaker';

export interface Findings {
  browser: boolean;
  camera: DeviceCheck;
  microphone: DeviceCheck;
  speaker: DeviceCheck;
  ways: Record<WayName, WayResult>;
}

export type NetVerdict = 'good' | 'tcpOnly' | 'turnOnly' | 'none' | 'noSocket' | 'untried';

/** How sound and picture come, in one word. */
export function netVerdict(ways: Record<WayName, WayResult>): NetVerdict {
  const good = (name: WayName) => ways[name].state === 'good';
  const media = (['udp', 'tcp', 'turn'] as const).map((name) => ways[name].state);
  if (media.includes('good')) {
    if (ways.websocket.state === 'failed') return 'noSocket';
    return good('udp') ? 'good' : good('tcp') ? 'tcpOnly' : 'turnOnly';
  }
  // A way that was not tried may still lead there.
  return media.includes('untried') ? 'untried' : 'none';
}

/** What the server keeps of a check. */
export function reportOf(found: Findings): CheckReport {
  const way = (one: WayResult): WayCheck => ({ state: one.state, rttMs: one.rttMs });
  const { websocket, udp, tcp, turn } = found.ways;
  return {
    browser: found.browser,
    camera: found.camera,
    microphone: found.microphone,
    speaker: found.speaker,
    websocket: way(websocket),
    udp: way(udp),
    tcp: way(tcp),
    turn: way(turn),
  };
}

/** One hole to be made in the firewall. */
export interface Opening {
  way: WayName;
  transport: 'UDP' | 'TCP';
  port: number;
  hosts: string[];
}

/** Host and port of `192.0.2.7:7882`, `[2001:db8::7]:7882` or `lop.vn`. */
function split(address: string, fallback: number): { host: string; port: number } {
  const found = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/u.exec(address);
  const port = Number(found?.[2] ?? fallback);
  return { host: (found?.[1] ?? address).replace(/^\[|\]$/gu, ''), port };
}

/** Where a relay listens: `turns:turn.lop.vn:443?transport=tcp`. */
export function relayAddress(url: string): { host: string; port: number; transport: 'UDP' | 'TCP' } | null {
  const found = /^(turns?):([^?]+)(?:\?transport=(udp|tcp))?$/u.exec(url);
  if (!found) return null;
  const secure = found[1] === 'turns';
  const { host, port } = split(found[2] ?? '', secure ? 5349 : 3478);
  const tcp = found[3] === undefined ? secure : found[3] === 'tcp';
  return { host, port, transport: tcp ? 'TCP' : 'UDP' };
}

function opened(way: WayName, result: WayResult, page: { host: string; secure: boolean }): Opening[] {
  const list: Opening[] = [];
  const add = (transport: 'UDP' | 'TCP', host: string, port: number) => {
    const same = list.find((one) => one.transport === transport && one.port === port);
    if (!same) list.push({ way, transport, port, hosts: [host] });
    else if (!same.hosts.includes(host)) same.hosts.push(host);
  };
  if (way === 'websocket') {
    const { host, port } = split(page.host, page.secure ? 443 : 80);
    add('TCP', host, port);
  } else if (way === 'turn') {
    for (const url of result.addresses) {
      const at = relayAddress(url);
      if (at) add(at.transport, at.host, at.port);
    }
  } else {
    for (const address of result.addresses) {
      const { host, port } = split(address, 0);
      if (port > 0) add(way === 'udp' ? 'UDP' : 'TCP', host, port);
    }
  }
  return list;
}

/** What has to be opened: every way of the server that does not lead there. */
export function openings(ways: Record<WayName, WayResult>, page: { host: string; secure: boolean }): Opening[] {
  return (['udp', 'tcp', 'turn', 'websocket'] as const).flatMap((way) =>
    ways[way].state === 'failed' ? opened(way, ways[way], page) : [],
  );
}
