// Dialogs of moderation and groups: fetched when the first of them is opened.
export { default as GroupsDialog } from '../groups/GroupsDialog.svelte';
export { default as PickDialog } from '../groups/PickDialog.svelte';
export { default as ModeDialog } from './ModeDialog.svelte';
export { default as MuteAllDialog } from './MuteAllDialog.svelte';
export { default as PermitsDialog } from './PermitsDialog.svelte';
export { default as RoleDialog } from './RoleDialog.svelte';
export { default as SubstituteDialog } from './SubstituteDialog.svelte';
export { default as RecordDialog } from './RecordDialog.svelte';
