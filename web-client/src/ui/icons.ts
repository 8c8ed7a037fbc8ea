// The icons in use, taken from lucide-static (ISC) as text at build time and put into
// the page once as one sprite of symbols.
import activity from 'lucide-static/icons/activity.svg?raw';
import alert from 'lucide-static/icons/triangle-alert.svg?raw';
import arrowDown from 'lucide-static/icons/arrow-down.svg?raw';
import ban from 'lucide-static/icons/ban.svg?raw';
import camera from 'lucide-static/icons/video.svg?raw';
import cameraOff from 'lucide-static/icons/video-off.svg?raw';
import chat from 'lucide-static/icons/message-square-text.svg?raw';
import check from 'lucide-static/icons/check.svg?raw';
import chevronDown from 'lucide-static/icons/chevron-down.svg?raw';
import chevronLeft from 'lucide-static/icons/chevron-left.svg?raw';
import chevronRight from 'lucide-static/icons/chevron-right.svg?raw';
import chevronUp from 'lucide-static/icons/chevron-up.svg?raw';
import clock from 'lucide-static/icons/clock.svg?raw';
import close from 'lucide-static/icons/x.svg?raw';
import copy from 'lucide-static/icons/copy.svg?raw';
import data from 'lucide-static/icons/leaf.svg?raw';
import doorClosed from 'lucide-static/icons/door-closed.svg?raw';
import download from 'lucide-static/icons/download.svg?raw';
import external from 'lucide-static/icons/external-link.svg?raw';
import floor from 'lucide-static/icons/mic-vocal.svg?raw';
import fullscreen from 'lucide-static/icons/maximize.svg?raw';
import fullscreenExit from 'lucide-static/icons/minimize.svg?raw';
import globe from 'lucide-static/icons/globe.svg?raw';
import grid from 'lucide-static/icons/layout-grid.svg?raw';
import hand from 'lucide-static/icons/hand.svg?raw';
import headphones from 'lucide-static/icons/headphones.svg?raw';
import help from 'lucide-static/icons/circle-question-mark.svg?raw';
import info from 'lucide-static/icons/info.svg?raw';
import keyboard from 'lucide-static/icons/keyboard.svg?raw';
import layout from 'lucide-static/icons/layout-template.svg?raw';
import leave from 'lucide-static/icons/log-out.svg?raw';
import link from 'lucide-static/icons/link.svg?raw';
import lock from 'lucide-static/icons/lock.svg?raw';
import lockOpen from 'lucide-static/icons/lock-open.svg?raw';
import mic from 'lucide-static/icons/mic.svg?raw';
import micOff from 'lucide-static/icons/mic-off.svg?raw';
import moon from 'lucide-static/icons/moon.svg?raw';
import more from 'lucide-static/icons/ellipsis.svg?raw';
import moreVertical from 'lucide-static/icons/ellipsis-vertical.svg?raw';
import people from 'lucide-static/icons/users.svg?raw';
import pin from 'lucide-static/icons/pin.svg?raw';
import pinOff from 'lucide-static/icons/pin-off.svg?raw';
import refresh from 'lucide-static/icons/rotate-cw.svg?raw';
import screen from 'lucide-static/icons/screen-share.svg?raw';
import screenOff from 'lucide-static/icons/screen-share-off.svg?raw';
import search from 'lucide-static/icons/search.svg?raw';
import send from 'lucide-static/icons/send-horizontal.svg?raw';
import settings from 'lucide-static/icons/settings-2.svg?raw';
import speaker from 'lucide-static/icons/volume-2.svg?raw';
import speakerLayout from 'lucide-static/icons/layout-panel-top.svg?raw';
import stop from 'lucide-static/icons/circle-stop.svg?raw';
import sun from 'lucide-static/icons/sun.svg?raw';
import unlink from 'lucide-static/icons/unlink.svg?raw';
import userMinus from 'lucide-static/icons/user-minus.svg?raw';
import users from 'lucide-static/icons/users-round.svg?raw';
import wifiOff from 'lucide-static/icons/wifi-off.svg?raw';

const sources = {
  activity,
  alert,
  arrowDown,
  ban,
  camera,
  cameraOff,
  chat,
  check,
  chevronDown,
  chevronLeft,
  chevronRight,
  chevronUp,
  clock,
  close,
  copy,
  data,
  doorClosed,
  download,
  external,
  floor,
  fullscreen,
  fullscreenExit,
  globe,
  grid,
  hand,
  headphones,
  help,
  info,
  keyboard,
  layout,
  leave,
  link,
  lock,
  lockOpen,
  mic,
  micOff,
  moon,
  more,
  moreVertical,
  people,
  pin,
  pinOff,
  refresh,
  screen,
  screenOff,
  search,
  send,
  settings,
  speaker,
  speakerLayout,
  stop,
  sun,
  unlink,
  userMinus,
  users,
  wifiOff,
} as const;

export type IconName = keyof typeof sources;

/** The drawing inside an SVG file, without the file's own root element. */
function drawing(svg: string): string {
  const start = svg.indexOf('>', svg.indexOf('<svg')) + 1;
  return svg.slice(start, svg.lastIndexOf('</svg>'));
}

/** Puts the sprite into the page; calling it again does nothing. */
export function installIcons(): void {
  if (document.getElementById('icons')) return;
  const symbols = Object.entries(sources)
    .map(([name, svg]) => `<symbol id="i-${name}" viewBox="0 0 24 24">${drawing(svg)}</symbol>`)
    .join('');
  const text = `<svg xmlns="http://www.w3.org/2000/svg" id="icons" width="0" height="0" aria-hidden="true" display="none">${symbols}</svg>`;
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
  document.body.append(document.importNode(parsed.documentElement, true));
}
