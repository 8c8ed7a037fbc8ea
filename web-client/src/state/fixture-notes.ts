// Shared notes of a made-up room: what is written stays on this page.
import type { Action, NoteEdit, PersonId, ServerFrame } from '../core/proto';
import { apply } from '../core/notes/op';
import { Notes } from './notes.svelte';

interface Host {
  self(): PersonId;
  perms(): ReadonlySet<Action>;
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

export function fixtureNotes(host: Host): Notes {
  let text = TEXT;
  let rev = 1;
  const by = [{ who: 'p1' as PersonId, name: 'Nguyễn Thị Minh Hằng', at: host.now }];
  const notes = new Notes({
    ...host,
    request: async (msg) => {
      if (msg.t !== 'notesEdit') return null;
      text = apply(msg.op, text);
      rev += 1;
      const edit: NoteEdit = { rev, who: host.self(), name: 'Tôi', cid: msg.cid, at: host.now, op: msg.op };
      notes.take({ t: 'notes', edit, seq: rev } as ServerFrame);
      return null;
    },
    fetch: async () => ({ rev, text, by }),
    refused: () => undefined,
  });
  notes.latest = rev;
  return notes;
}
