// Words for where a recording is, and for what went wrong with it.

import type { RecordAlarm, Recording } from '../../core/proto';
import { a } from '../../i18n/arrange.svelte';
import { t } from '../../i18n/index.svelte';
import { exactTime } from '../../ui/dates';
import { decimal } from '../../ui/formats';

/** Short, for the mark in the header and the list of people. */
export function stateLabel(now: Recording): string {
  switch (now.state ?? 'on') {
    case 'paused':
      return a('record.paused');
    case 'failed':
      return a('record.failed');
    case 'starting':
      return a('record.starting');
    case 'on':
      return t('room.recording');
  }
}

/** A sentence, for the banner. */
export function stateText(now: Recording): string {
  return (now.state ?? 'on') === 'on' ? a('record.banner') : stateLabel(now);
}

const GB = 1024 ** 3;

export function alarmText(alarm: RecordAlarm): string {
  switch (alarm.what) {
    case 'gap':
      return a('record.alarm.gap', exactTime(alarm.from ?? alarm.at), exactTime(alarm.to ?? alarm.at));
    case 'diskLow':
      return a('record.alarm.diskLow', `${decimal((alarm.left ?? 0) / GB, 1)} GB`);
    case 'diskSlow':
      return a('record.alarm.diskSlow');
    case 'noRecorder':
      return a('record.alarm.noRecorder');
    case 'failed':
      return a('record.alarm.failed');
    case 'diskFull':
      return a('record.alarm.diskFull');
    case 'ended':
      return a('record.alarm.ended');
  }
}
