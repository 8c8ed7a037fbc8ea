// The life of a class as people see it: which steps come one after another, where a step
// leads, and which of them turn aside.
import type { ClassState, ClassStep } from '../../core/records/gen';

/** The straight way, in order. */
export const WAY: readonly ClassState[] = [
  'draft',
  'submitted',
  'approved',
  'preparing',
  'open',
  'announced',
  'running',
  'finished',
  'grading',
  'published',
  'materialsOpen',
  'archived',
];

const LEADS: Partial<Record<ClassStep, ClassState>> = {
  submit: 'submitted',
  return: 'draft',
  approve: 'approved',
  prepare: 'preparing',
  open: 'open',
  announce: 'announced',
  run: 'running',
  finish: 'finished',
  grade: 'grading',
  publish: 'published',
  openMaterials: 'materialsOpen',
  archive: 'archived',
  destroy: 'destroyed',
  postpone: 'postponed',
  cancel: 'cancelled',
};

/** State a step leads to; unknown for one that goes back to where it was. */
export const leadsTo = (step: ClassStep): ClassState | null => LEADS[step] ?? null;

const ASIDE: readonly ClassStep[] = ['return', 'postpone', 'cancel', 'destroy'];

/** The step that goes on, and the ones that turn aside. */
export function sortSteps(steps: readonly ClassStep[]): { next: ClassStep[]; aside: ClassStep[] } {
  return {
    next: steps.filter((step) => !ASIDE.includes(step)),
    aside: steps.filter((step) => ASIDE.includes(step)),
  };
}

/** What a step asks for: a document's number, a reason. */
export function asksFor(step: ClassStep): { document: boolean; needDocument: boolean; reason: boolean } {
  return {
    document: step === 'approve' || step === 'destroy',
    needDocument: step === 'destroy',
    reason: step === 'postpone' || step === 'cancel' || step === 'return',
  };
}

/** The states around the present one: at most one before and two after it on the way. */
export function around(state: ClassState): { state: ClassState; when: 'past' | 'now' | 'later' }[] {
  const at = WAY.indexOf(state);
  if (at < 0) return [{ state, when: 'now' }];
  const from = Math.max(0, Math.min(at - 1, WAY.length - 4));
  return WAY.slice(from, from + 4).map((one, n) => ({
    state: one,
    when: from + n < at ? 'past' : from + n === at ? 'now' : 'later',
  }));
}
