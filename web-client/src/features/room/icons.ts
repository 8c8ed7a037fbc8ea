// The icons only the room needs; they come with its code.
import activity from 'lucide-static/icons/activity.svg?raw';
import arrowDown from 'lucide-static/icons/arrow-down.svg?raw';
import captions from 'lucide-static/icons/captions.svg?raw';
import captionsList from 'lucide-static/icons/scroll-text.svg?raw';
import chat from 'lucide-static/icons/message-square-text.svg?raw';
import chevronLeft from 'lucide-static/icons/chevron-left.svg?raw';
import chevronRight from 'lucide-static/icons/chevron-right.svg?raw';
import chevronUp from 'lucide-static/icons/chevron-up.svg?raw';
import data from 'lucide-static/icons/leaf.svg?raw';
import docs from 'lucide-static/icons/folder-open.svg?raw';
import download from 'lucide-static/icons/download.svg?raw';
import fromStart from 'lucide-static/icons/history.svg?raw';
import floor from 'lucide-static/icons/mic-vocal.svg?raw';
import fullscreen from 'lucide-static/icons/maximize.svg?raw';
import fullscreenExit from 'lucide-static/icons/minimize.svg?raw';
import hand from 'lucide-static/icons/hand.svg?raw';
import info from 'lucide-static/icons/info.svg?raw';
import keyboard from 'lucide-static/icons/keyboard.svg?raw';
import layout from 'lucide-static/icons/layout-template.svg?raw';
import leave from 'lucide-static/icons/log-out.svg?raw';
import lockOpen from 'lucide-static/icons/lock-open.svg?raw';
import mini from 'lucide-static/icons/picture-in-picture-2.svg?raw';
import moon from 'lucide-static/icons/moon.svg?raw';
import more from 'lucide-static/icons/ellipsis.svg?raw';
import moreVertical from 'lucide-static/icons/ellipsis-vertical.svg?raw';
import people from 'lucide-static/icons/users.svg?raw';
import notes from 'lucide-static/icons/notebook-pen.svg?raw';
import pin from 'lucide-static/icons/pin.svg?raw';
import pinOff from 'lucide-static/icons/pin-off.svg?raw';
import roleOf from 'lucide-static/icons/user-round-cog.svg?raw';
import screen from 'lucide-static/icons/screen-share.svg?raw';
import screenOff from 'lucide-static/icons/screen-share-off.svg?raw';
import search from 'lucide-static/icons/search.svg?raw';
import send from 'lucide-static/icons/send-horizontal.svg?raw';
import sliders from 'lucide-static/icons/sliders-horizontal.svg?raw';
import record from 'lucide-static/icons/circle-dot.svg?raw';
import split from 'lucide-static/icons/network.svg?raw';
import spotlight from 'lucide-static/icons/spotlight.svg?raw';
import stop from 'lucide-static/icons/circle-stop.svg?raw';
import sun from 'lucide-static/icons/sun.svg?raw';
import add from 'lucide-static/icons/plus.svg?raw';
import chevronDown from 'lucide-static/icons/chevron-down.svg?raw';
import circleCheck from 'lucide-static/icons/circle-check.svg?raw';
import poll from 'lucide-static/icons/chart-column.svg?raw';
import question from 'lucide-static/icons/message-circle-question-mark.svg?raw';
import react from 'lucide-static/icons/smile-plus.svg?raw';
import reply from 'lucide-static/icons/reply.svg?raw';
import thumbsUp from 'lucide-static/icons/thumbs-up.svg?raw';
import timer from 'lucide-static/icons/timer.svg?raw';
import trash from 'lucide-static/icons/trash-2.svg?raw';
import { installSprite } from '../../ui/icons';

const roomIcons = {
  activity,
  arrowDown,
  captions,
  captionsList,
  chat,
  chevronLeft,
  chevronRight,
  chevronUp,
  data,
  docs,
  download,
  fromStart,
  floor,
  fullscreen,
  fullscreenExit,
  hand,
  info,
  keyboard,
  layout,
  leave,
  lockOpen,
  mini,
  moon,
  more,
  moreVertical,
  notes,
  people,
  pin,
  pinOff,
  roleOf,
  screen,
  screenOff,
  search,
  send,
  sliders,
  split,
  spotlight,
  stop,
  sun,
  add,
  chevronDown,
  circleCheck,
  poll,
  question,
  record,
  react,
  reply,
  thumbsUp,
  timer,
  trash,
} as const;

export type RoomIcon = keyof typeof roomIcons;

export function installRoomIcons(): void {
  installSprite('room-icons', roomIcons);
}
