// Watching from the start, fetched when it is opened first, with the words of the player.
export { default as InRoom } from '../recordings/InRoom.svelte';
export { installPlaybackIcons } from '../recordings/icons';
