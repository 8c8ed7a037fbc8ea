// Why an effect ended by itself, in words.
import { t } from '../../i18n/index.svelte';
import type { EffectsModel } from '../../state/contract';

export function faultText(fault: NonNullable<EffectsModel['fault']>): string {
  if (fault.effect === 'filter') return t('effect.filterBroken');
  return fault.why === 'slow' ? t('effect.blurSlow') : t('effect.blurBroken');
}
