// Icons are taken from lucide-static (ISC) as text at build time, only those in use, and put
// into the page as sprites of symbols: these for every page, the room's own with the room.
import alert from 'lucide-static/icons/triangle-alert.svg?raw';
import ban from 'lucide-static/icons/ban.svg?raw';
import camera from 'lucide-static/icons/video.svg?raw';
import cameraOff from 'lucide-static/icons/video-off.svg?raw';
import check from 'lucide-static/icons/check.svg?raw';
import clock from 'lucide-static/icons/clock.svg?raw';
import close from 'lucide-static/icons/x.svg?raw';
import external from 'lucide-static/icons/external-link.svg?raw';
import globe from 'lucide-static/icons/globe.svg?raw';
import headphones from 'lucide-static/icons/headphones.svg?raw';
import lock from 'lucide-static/icons/lock.svg?raw';
import mic from 'lucide-static/icons/mic.svg?raw';
import micOff from 'lucide-static/icons/mic-off.svg?raw';
import refresh from 'lucide-static/icons/rotate-cw.svg?raw';
import settings from 'lucide-static/icons/settings-2.svg?raw';
import speaker from 'lucide-static/icons/volume-2.svg?raw';
import unlink from 'lucide-static/icons/unlink.svg?raw';
import userMinus from 'lucide-static/icons/user-minus.svg?raw';
import users from 'lucide-static/icons/users-round.svg?raw';
import wifiOff from 'lucide-static/icons/wifi-off.svg?raw';
import type { RoomIcon } from '../features/room/icons';
import type { SharingIcon } from '../features/room/slides/icons';
import type { BoardIcon } from '../features/room/board/icons';
import type { PlaybackIcon } from '../features/recordings/icons';
import type { RecordsIcon } from './records-icons';

const pageIcons = {
  alert,
  ban,
  camera,
  cameraOff,
  check,
  clock,
  close,
  external,
  globe,
  headphones,
  lock,
  mic,
  micOff,
  refresh,
  settings,
  speaker,
  unlink,
  userMinus,
  users,
  wifiOff,
} as const;

export type IconName = keyof typeof pageIcons | RoomIcon | SharingIcon | BoardIcon | PlaybackIcon | RecordsIcon;

/** The drawing inside an SVG file, without the file's own root element. */
function drawing(svg: string): string {
  const start = svg.indexOf('>', svg.indexOf('<svg')) + 1;
  return svg.slice(start, svg.lastIndexOf('</svg>'));
}

/** Puts a sprite into the page; doing it again does nothing. */
export function installSprite(id: string, icons: Readonly<Record<string, string>>): void {
  if (document.getElementById(id)) return;
  const symbols = Object.entries(icons)
    .map(([name, svg]) => `<symbol id="i-${name}" viewBox="0 0 24 24">${drawing(svg)}</symbol>`)
    .join('');
  const text = `<svg xmlns="http://www.w3.org/2000/svg" id="${id}" width="0" height="0" aria-hidden="true" display="none">${symbols}</svg>`;
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
  document.body.append(document.importNode(parsed.documentElement, true));
}

/** The icons of every page. */
export function installPageIcons(): void {
  installSprite('page-icons', pageIcons);
}
