// Ticking people in at a site from inside the room: by the token of the room, so that a
// hall needs no account. Loaded only when the dialog is opened.
import { RecordsApi } from '../core/records/api';
import type { HallModel } from './contract';

export interface HallAccess {
  session: string;
  /** Person of the site; null: the hall of the trainer. */
  site: string | null;
  token(): string;
}

export function hallModel({ session, site, token }: HallAccess): HallModel {
  const api = new RecordsApi({
    fetch: (address, init) =>
      fetch(address, {
        ...init,
        headers: { ...(init?.headers as Record<string, string>), authorization: `Bearer ${token()}` },
        credentials: 'omit',
      }),
  });
  return {
    people: async (q, from) => {
      const answer = await api.hallPeople(session, site, { q, from });
      return answer.ok ? answer.value : null;
    },
    tick: async (people, on) => (await api.tick(session, site, { people, on, how: 'contact', atMs: null })).ok,
    code: async () => {
      const answer = await api.hallCode(session, site);
      return answer.ok ? answer.value : null;
    },
  };
}
