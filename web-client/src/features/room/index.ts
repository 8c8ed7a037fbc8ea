// What a room needs to its end comes in one piece: a page that stays open over
// an upgrade of the server cannot fetch a part of the old program any more.
export { default as OverPage } from './OverPage.svelte';
export { default as RoomPage } from './RoomPage.svelte';
