// Shared notes of a made-up room: what is written stays on this page.
import type { Action, NoteEdit, NotesId, PersonId, Role, ServerFrame } from '../core/proto';
import { apply } from '../core/notes/op';
import { NotesShelf } from './notes-shelf.svelte';

interface Host {
  self(): PersonId;
  perms(): ReadonlySet<Action>;
  role(): Role;
  /** Name of the own group. */
  group(): string;
  now: number;
}

const TEXT = [
  '# Buổi 3: Kiểm tra, đánh giá',
  '',
  'Ba ý chính:',
  '- **Câu hỏi mở** trong đề Ngữ văn',
  '- Ma trận đề, trang 12',
  '- Nhận xét thay cho điểm số',
  '',
  '## Việc cần làm',
  '1. Mỗi trường nộp một đề trước thứ Sáu',
  '2. Đọc công văn hướng dẫn',
].join('\n');

export function fixtureNotes(host: Host): NotesShelf {
  const by = [{ who: 'p1' as PersonId, name: 'Nguyễn Thị Minh Hằng', at: host.now }];
  const sheets = new Map<NotesId | undefined, { text: string; rev: number }>([[undefined, { text: TEXT, rev: 1 }]]);
  const sheet = (of: NotesId | undefined) => {
    const known = sheets.get(of) ?? { text: '', rev: 0 };
    sheets.set(of, known);
    return known;
  };
  const notes = new NotesShelf(
    {
      request: async (msg) => {
        if (msg.t !== 'notesEdit') return null;
        const { of, cid, op } = msg;
        const now = sheet(of);
        now.text = apply(op, now.text);
        now.rev += 1;
        const edit: NoteEdit = { rev: now.rev, who: host.self(), name: 'Tôi', cid, at: host.now, op };
        notes.take({ t: 'notes', edit, ...(of === undefined ? { seq: now.rev } : { of }) } as ServerFrame);
        return null;
      },
      fetch: async ({ of }) => ({ ...sheet(of), by: sheet(of).rev > 0 ? by : [] }),
      may: () => host.perms().has('notes'),
      staff: () => host.perms().has('moderate'),
      role: () => host.role(),
      self: () => host.self(),
      group: () => host.group(),
      refused: () => undefined,
    },
    undefined,
  );
  notes.whole.latest = 1;
  return notes;
}
