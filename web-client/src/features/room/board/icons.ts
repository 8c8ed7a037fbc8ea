// The icons of boards; they come with their code.
import arrow from 'lucide-static/icons/move-up-right.svg?raw';
import circle from 'lucide-static/icons/circle.svg?raw';
import download from 'lucide-static/icons/download.svg?raw';
import eraser from 'lucide-static/icons/eraser.svg?raw';
import line from 'lucide-static/icons/slash.svg?raw';
import marker from 'lucide-static/icons/highlighter.svg?raw';
import redo from 'lucide-static/icons/redo.svg?raw';
import square from 'lucide-static/icons/square.svg?raw';
import type from 'lucide-static/icons/type.svg?raw';
import undo from 'lucide-static/icons/undo.svg?raw';
import { installSprite } from '../../../ui/icons';

const boardIcons = { arrow, circle, download, eraser, line, marker, redo, square, type, undo } as const;

export type BoardIcon = keyof typeof boardIcons;

export function installBoardIcons(): void {
  installSprite('board-icons', boardIcons);
}
