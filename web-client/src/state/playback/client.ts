import { RecordingsApi } from '../../core/playback/api';
import { api } from '../records/client';

/** Calls about recordings, through the one client of the pages. */
export const recordings = (): RecordingsApi => new RecordingsApi(api().http);
