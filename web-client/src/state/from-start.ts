// What is recorded of the class so far, asked for from inside the room by its token: it
// needs no account. Loaded when there is something to ask.
import { RecordingsApi } from '../core/playback/api';
import { Http } from '../core/records/http';
import type { FromStartModel } from './contract';

export interface FromStartAccess {
  recording: string;
  token(): string;
}

function api(token: () => string): RecordingsApi {
  return new RecordingsApi(
    new Http({
      fetch: (address, init) =>
        fetch(address, {
          ...init,
          headers: { ...(init?.headers as Record<string, string>), authorization: `Bearer ${token()}` },
          // The answer sets the cookie that goes with its addresses.
          credentials: 'same-origin',
        }),
    }),
  );
}

/** Whether it may be watched now; null: there was no answer. */
export async function mayFromStart({ recording, token }: FromStartAccess): Promise<boolean | null> {
  const answer = await api(token).fromStart(recording);
  if (answer.ok) return answer.value.may;
  return answer.error.code === 'network' || answer.error.code === 'timeout' ? null : false;
}

export function fromStartModel({ recording, token }: FromStartAccess): FromStartModel {
  const calls = api(token);
  return {
    playback: async () => {
      const answer = await calls.playback(recording);
      return answer.ok ? answer.value : null;
    },
    watched: async (form, leaving) => (await calls.watched(recording, form, leaving)).ok,
  };
}
