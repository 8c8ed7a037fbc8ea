// Keys of the player.
import { SPEEDS, type Player } from '../../state/playback/player.svelte';

export interface KeyActs {
  full: () => void;
  captions: () => void;
  help: () => void;
}

/** Whether somebody is writing or a control takes this key itself. */
function taken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest('dialog, [contenteditable]')) return true;
  if (target instanceof HTMLInputElement) return target.type !== 'range' || target.classList.contains('level');
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return key === ' ' && target.closest('button, a, summary, [role="tab"]') !== null;
}

/** Does what a key asks for; true when it did. `letters`: single letters are shortcuts. */
export function playerKey(event: KeyboardEvent, player: Player, acts: KeyActs, letters: boolean): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || taken(event.target, event.key)) return false;
  const speed = (by: number) => {
    const n = SPEEDS.findIndex((one) => one === player.rate);
    const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, n + by))];
    if (next !== undefined) player.setRate(next);
  };
  const chapter = (by: number) => {
    const to = player.chapters[player.chapter + by];
    if (to) player.seek(to.atMs);
  };
  switch (event.key) {
    case ' ':
      void player.toggle();
      return true;
    case 'ArrowLeft':
    case 'ArrowRight':
      player.step(event.key === 'ArrowLeft' ? -5_000 : 5_000);
      return true;
    case 'ArrowUp':
    case 'ArrowDown':
      // Anywhere else they scroll the page.
      if (!(event.target instanceof Element && event.target.closest('[data-player-keys]'))) return false;
      player.setVolume((player.muted ? 0 : player.volume) + (event.key === 'ArrowUp' ? 0.1 : -0.1));
      return true;
  }
  if (!letters) return false;
  const key = event.key.toLowerCase();
  if (/^[0-9]$/u.test(key)) {
    player.seekNet((Number(key) / 10) * player.line.netMs);
    return true;
  }
  const acting: Record<string, () => void> = {
    k: () => void player.toggle(),
    j: () => player.step(-10_000),
    l: () => player.step(10_000),
    m: () => player.setMuted(!player.muted),
    f: acts.full,
    c: acts.captions,
    '?': acts.help,
    '<': () => speed(-1),
    '>': () => speed(1),
    p: () => chapter(-1),
    n: () => chapter(1),
  };
  const act = acting[key];
  act?.();
  return act !== undefined;
}
