import { t } from '../i18n/index.svelte';
import { announce } from './announce.svelte';

/** Copies text and says whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    announce(t('common.copied'));
    return true;
  } catch {
    announce(t('common.copyFailed'));
    return false;
  }
}
