// A verdict in plain words and its tone.
import type { Verdict } from '../../core/records/gen';
import { r, type RecordsKey } from '../../i18n/records.svelte';
import type { IconName } from '../../ui/icons';

export type VerdictTone = 'good' | 'warn' | 'bad';

interface Words {
  tone: VerdictTone;
  icon: IconName;
  title: string;
  text: string;
}

const KINDS = {
  genuine: ['good', 'shield', 'verify.genuine', 'verify.genuineText'],
  signed: ['good', 'shield', 'verify.signed', 'verify.signedText'],
  resaved: ['warn', 'warnCircle', 'verify.resaved', 'verify.resavedText'],
  altered: ['bad', 'alert', 'verify.altered', 'verify.alteredText'],
  unknown: ['bad', 'ban', 'verify.unknown', 'verify.unknownText'],
} as const satisfies Record<Verdict['kind'], readonly [VerdictTone, IconName, RecordsKey, RecordsKey]>;

/** By its number alone only that such a sheet exists is known, nothing of the paper in hand. */
export function verdictWords(verdict: Verdict, byId: boolean): Words {
  if (byId && verdict.kind === 'genuine') {
    return { tone: 'good', icon: 'okCircle', title: r('verify.exists'), text: r('verify.existsText') };
  }
  const [tone, icon, title, text] = KINDS[verdict.kind];
  if (byId && verdict.kind === 'unknown') return { tone, icon, title: r(title), text: r('verify.noSuchId') };
  return { tone, icon, title: r(title), text: r(text) };
}

/** Whether it still stands; `null` when that means nothing. */
export function standsWords(verdict: Verdict): { tone: VerdictTone; text: string } | null {
  if (verdict.kind === 'unknown') return null;
  // Of an altered sheet nothing stands, whatever became of its original.
  if (verdict.kind === 'altered' && verdict.current) return null;
  if (verdict.current) return { tone: 'good', text: r('verify.current') };
  return {
    tone: 'warn',
    text: verdict.latest > verdict.version ? r('verify.newer', String(verdict.latest)) : r('verify.changed'),
  };
}
