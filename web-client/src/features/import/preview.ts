// What of an import's preview is shown and sent.
import type { ImportAction, ImportPreview, ImportRow } from '../../core/records/gen';

export const ACTIONS = ['bad', 'ask', 'new', 'add', 'change', 'same'] as const satisfies ImportAction[];

export function countOf(preview: ImportPreview, action: ImportAction): number {
  const { counts } = preview;
  return {
    new: counts.new,
    add: counts.added,
    change: counts.changed,
    same: counts.same,
    ask: counts.ask,
    bad: counts.bad,
  }[action];
}

export function filtered(rows: readonly ImportRow[], action: ImportAction | null): ImportRow[] {
  return action === null ? [...rows] : rows.filter((row) => row.action === action);
}

/** Questions nobody answered. */
export function unanswered(rows: readonly ImportRow[], answers: Readonly<Record<number, boolean>>): number {
  return rows.filter((row) => row.action === 'ask' && answers[row.line] === undefined).length;
}

/** How many are added and changed when it is applied with these answers. */
export function outcome(
  preview: ImportPreview,
  answers: Readonly<Record<number, boolean>>,
): { added: number; changed: number } {
  const asked = preview.rows.filter((row) => row.action === 'ask' && answers[row.line] !== undefined).length;
  return { added: preview.counts.new + preview.counts.added + asked, changed: preview.counts.changed };
}
