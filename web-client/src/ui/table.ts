/** A column of a table, and where it goes when the table reads as cards. */
export interface Column {
  id: string;
  label: string;
  align?: 'right';
  width?: string;
  /** The heading is for screen readers only. */
  quiet?: boolean;
  /** On a phone: `title` the first line, `corner` top right, `foot` below, `hide` left out. */
  card?: 'title' | 'corner' | 'foot' | 'hide';
}
