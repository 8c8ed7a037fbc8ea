// Icons of the library and the player; their sprite comes with them.
import archive from 'lucide-static/icons/archive.svg?raw';
import captions from 'lucide-static/icons/captions.svg?raw';
import full from 'lucide-static/icons/maximize.svg?raw';
import fullOff from 'lucide-static/icons/minimize.svg?raw';
import headphones from 'lucide-static/icons/headphones.svg?raw';
import keyboard from 'lucide-static/icons/keyboard.svg?raw';
import link from 'lucide-static/icons/link.svg?raw';
import list from 'lucide-static/icons/list.svg?raw';
import message from 'lucide-static/icons/message-square.svg?raw';
import onward from 'lucide-static/icons/rotate-cw.svg?raw';
import pause from 'lucide-static/icons/pause.svg?raw';
import play from 'lucide-static/icons/play.svg?raw';
import radio from 'lucide-static/icons/radio.svg?raw';
import rewind from 'lucide-static/icons/rotate-ccw.svg?raw';
import scissors from 'lucide-static/icons/scissors.svg?raw';
import search from 'lucide-static/icons/search.svg?raw';
import swap from 'lucide-static/icons/arrow-left-right.svg?raw';
import volume from 'lucide-static/icons/volume-2.svg?raw';
import volumeOff from 'lucide-static/icons/volume-x.svg?raw';
import download from 'lucide-static/icons/download.svg?raw';
import { installSprite } from '../../ui/icons';

const playbackIcons = {
  recArchive: archive,
  recCaptions: captions,
  recFull: full,
  recFullOff: fullOff,
  recSoundOnly: headphones,
  recKeyboard: keyboard,
  recLink: link,
  recList: list,
  recTalk: message,
  recOn: onward,
  recPause: pause,
  recPlay: play,
  recLive: radio,
  recBack: rewind,
  recCut: scissors,
  recSearch: search,
  recSwap: swap,
  recVolume: volume,
  recVolumeOff: volumeOff,
  recDownload: download,
} as const;

export type PlaybackIcon = keyof typeof playbackIcons;

export function installPlaybackIcons(): void {
  installSprite('playback-icons', playbackIcons);
}
