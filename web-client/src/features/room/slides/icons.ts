// The icons of slides and files; they come with their code.
import edit from 'lucide-static/icons/pencil.svg?raw';
import eye from 'lucide-static/icons/eye.svg?raw';
import file from 'lucide-static/icons/file-text.svg?raw';
import fit from 'lucide-static/icons/scan.svg?raw';
import follow from 'lucide-static/icons/undo-2.svg?raw';
import handIn from 'lucide-static/icons/file-up.svg?raw';
import laser from 'lucide-static/icons/mouse-pointer-2.svg?raw';
import slides from 'lucide-static/icons/presentation.svg?raw';
import thumbs from 'lucide-static/icons/layout-grid.svg?raw';
import trash from 'lucide-static/icons/trash-2.svg?raw';
import uploadFile from 'lucide-static/icons/upload.svg?raw';
import zoomIn from 'lucide-static/icons/zoom-in.svg?raw';
import zoomOut from 'lucide-static/icons/zoom-out.svg?raw';
import { installSprite } from '../../../ui/icons';

const sharingIcons = {
  edit,
  eye,
  file,
  fit,
  follow,
  handIn,
  laser,
  slides,
  thumbs,
  trash,
  uploadFile,
  zoomIn,
  zoomOut,
} as const;

export type SharingIcon = keyof typeof sharingIcons;

export function installSharingIcons(): void {
  installSprite('sharing-icons', sharingIcons);
}
