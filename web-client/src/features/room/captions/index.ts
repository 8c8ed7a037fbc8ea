// Captions: fetched when they are turned on or their panel is opened.
export { default as CaptionsPanel } from './CaptionsPanel.svelte';
export { default as CaptionsShown } from './CaptionsShown.svelte';
