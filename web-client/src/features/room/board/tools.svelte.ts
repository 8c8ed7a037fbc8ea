// What one draws with. Kept while the page is open, so that it is the same on every board.
import type { FigureKind, Ink } from '../../../core/proto';

export type Tool = FigureKind | 'eraser' | 'laser';

class Tools {
  /** Slides are drawn on; a blank board always is. */
  on = $state(false);
  tool = $state<Tool>('pen');
  ink = $state<Ink>('red');
  /** 1, 2 or 3. */
  w = $state(2);
  /** Grows when a text is wanted without pointing at a place. */
  asked = $state(0);
}

export const tools = new Tools();
