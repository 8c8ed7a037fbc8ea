// Pictures and words of pages, kept while the room is open, also when the stage shows something else.
import { PageCache } from '../../../core/slides/pages';
import { PageTexts } from '../../../core/slides/text';

export const pictures = new PageCache();
export const texts = new PageTexts();
