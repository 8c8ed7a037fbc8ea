// Icons of the organisers' pages: their sprite comes with the shell of these pages.
import add from 'lucide-static/icons/plus.svg?raw';
import arrowRight from 'lucide-static/icons/arrow-right.svg?raw';
import back from 'lucide-static/icons/arrow-left.svg?raw';
import building from 'lucide-static/icons/landmark.svg?raw';
import calendar from 'lucide-static/icons/calendar-days.svg?raw';
import chevronDown from 'lucide-static/icons/chevron-down.svg?raw';
import chevronLeft from 'lucide-static/icons/chevron-left.svg?raw';
import chevronRight from 'lucide-static/icons/chevron-right.svg?raw';
import circle from 'lucide-static/icons/circle.svg?raw';
import classes from 'lucide-static/icons/graduation-cap.svg?raw';
import clipboard from 'lucide-static/icons/clipboard-check.svg?raw';
import copy from 'lucide-static/icons/copy.svg?raw';
import dots from 'lucide-static/icons/ellipsis.svg?raw';
import download from 'lucide-static/icons/download.svg?raw';
import mail from 'lucide-static/icons/mail.svg?raw';
import tools from 'lucide-static/icons/wrench.svg?raw';
import edit from 'lucide-static/icons/pencil.svg?raw';
import eye from 'lucide-static/icons/eye.svg?raw';
import eyeOff from 'lucide-static/icons/eye-off.svg?raw';
import file from 'lucide-static/icons/file-text.svg?raw';
import film from 'lucide-static/icons/film.svg?raw';
import filter from 'lucide-static/icons/funnel.svg?raw';
import flag from 'lucide-static/icons/flag.svg?raw';
import fork from 'lucide-static/icons/split.svg?raw';
import hall from 'lucide-static/icons/presentation.svg?raw';
import history from 'lucide-static/icons/history.svg?raw';
import home from 'lucide-static/icons/house.svg?raw';
import info from 'lucide-static/icons/info.svg?raw';
import key from 'lucide-static/icons/key-round.svg?raw';
import menu from 'lucide-static/icons/menu.svg?raw';
import minus from 'lucide-static/icons/minus.svg?raw';
import monitor from 'lucide-static/icons/gauge.svg?raw';
import mine from 'lucide-static/icons/book-open.svg?raw';
import okCircle from 'lucide-static/icons/circle-check.svg?raw';
import pause from 'lucide-static/icons/circle-pause.svg?raw';
import pin from 'lucide-static/icons/map-pin.svg?raw';
import play from 'lucide-static/icons/circle-play.svg?raw';
import printer from 'lucide-static/icons/printer.svg?raw';
import qr from 'lucide-static/icons/qr-code.svg?raw';
import search from 'lucide-static/icons/search.svg?raw';
import send from 'lucide-static/icons/send.svg?raw';
import sheet from 'lucide-static/icons/file-spreadsheet.svg?raw';
import shield from 'lucide-static/icons/shield-check.svg?raw';
import signIn from 'lucide-static/icons/log-in.svg?raw';
import signOut from 'lucide-static/icons/log-out.svg?raw';
import trash from 'lucide-static/icons/trash-2.svg?raw';
import upload from 'lucide-static/icons/upload.svg?raw';
import user from 'lucide-static/icons/user-round.svg?raw';
import userAdd from 'lucide-static/icons/user-round-plus.svg?raw';
import warnCircle from 'lucide-static/icons/circle-alert.svg?raw';
import { installSprite } from './icons';

const recordsIcons = {
  add,
  arrowRight,
  back,
  building,
  calendar,
  chevronDown,
  chevronLeft,
  chevronRight,
  circle,
  classes,
  clipboard,
  copy,
  dots,
  download,
  edit,
  mail,
  tools,
  eye,
  eyeOff,
  file,
  film,
  filter,
  flag,
  fork,
  hall,
  history,
  home,
  info,
  key,
  menu,
  minus,
  monitor,
  mine,
  okCircle,
  pause,
  pin,
  play,
  printer,
  qr,
  search,
  send,
  sheet,
  shield,
  signIn,
  signOut,
  trash,
  upload,
  user,
  userAdd,
  warnCircle,
} as const;

export type RecordsIcon = keyof typeof recordsIcons;

export function installRecordsIcons(): void {
  installSprite('records-icons', recordsIcons);
}
