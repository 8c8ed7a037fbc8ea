// Slides and files: fetched when there is something to show or the panel is opened.
import { installSharingIcons } from './icons';

export { default as DocsPanel } from '../docs/DocsPanel.svelte';
export { default as DropZone } from '../docs/DropZone.svelte';
export { deckNews } from './news';
export { default as SlidesStage } from './SlidesStage.svelte';

installSharingIcons();
