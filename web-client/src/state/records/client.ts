// The one client of /api/v1 that pages use. Development puts a fixture in its place.
import { RecordsApi } from '../../core/records/api';
import { needPassword, needSignIn } from './gate';

let client = new RecordsApi({ onSignIn: needSignIn, onMustChange: needPassword });

export function api(): RecordsApi {
  return client;
}

/** Puts another client in its place: the fixture of development and tests. */
export function useApi(other: RecordsApi): void {
  client = other;
}
