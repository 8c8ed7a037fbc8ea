// Small things kept in the browser. Storage may be full, blocked or foreign-written:
// reading never throws and writing may silently not happen.

export interface Stored<T> {
  read(): T;
  write(value: T): void;
  clear(): void;
}

export function stored<T>(area: () => Storage, key: string, parse: (value: unknown) => T): Stored<T> {
  return {
    read() {
      try {
        return parse(JSON.parse(area().getItem(key) ?? 'null'));
      } catch {
        return parse(null);
      }
    },
    write(value) {
      try {
        area().setItem(key, JSON.stringify(value));
      } catch {
        // Private mode or a full store: the choice lives as long as the page.
      }
    },
    clear() {
      try {
        area().removeItem(key);
      } catch {
        // See above.
      }
    },
  };
}

/** Random text of `bytes` bytes, hexadecimal. */
export function randomKey(bytes = 16): string {
  const data = crypto.getRandomValues(new Uint8Array(bytes));
  return [...data].map((b) => b.toString(16).padStart(2, '0')).join('');
}
