// Shared notes: fetched when their panel is opened.
export { default as NotesPanel } from './NotesPanel.svelte';
