// What can be told about a fault of the program: a short code that is the same for
// the same fault, and details for support. Never an address: it may hold a personal link.

interface Fault {
  name: string;
  message: string;
  stack: string;
}

function fault(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: 'Unknown', message: '', stack: '' };
  // Of a line of the stack the file's own name and position are enough.
  const stack = (error.stack ?? '').replace(/https?:\/\/[^\s)]*\/([^\s)/]*)/gu, '$1');
  return { name: error.name, message: error.message.replace(/https?:\/\/\S+/gu, '…'), stack: stack.slice(0, 2_000) };
}

/** A code such as `3F9A-01C7`: a number made of kind, words and first place of the fault (FNV-1a). */
export function crashCode(error: unknown): string {
  const { name, message, stack } = fault(error);
  const place = stack.split('\n').find((line) => /:\d+:\d+/u.test(line)) ?? '';
  let hash = 0x811c9dc5;
  for (const letter of `${name}|${message}|${place.trim()}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  const code = hash.toString(16).toUpperCase().padStart(8, '0');
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** The code with everything support can use. */
export function crashReport(error: unknown, at: Date, agent: string): string {
  const { name, message, stack } = fault(error);
  return [crashCode(error), at.toISOString(), agent, `${name}: ${message}`, stack].filter(Boolean).join('\n');
}
