// Whiteboards and drawing over slides: fetched when there is something to show or to draw.
import { installBoardIcons } from './icons';

export { default as BoardStage } from './BoardStage.svelte';
export { default as Ink } from './Ink.svelte';
export { default as ToolBar } from './ToolBar.svelte';

installBoardIcons();
