/** The names for so many groups: those there are, filled up or cut. */
export function resize(names: readonly string[], count: number, fallback: (n: number) => string): string[] {
  return Array.from({ length: Math.max(1, count) }, (_, i) => names[i] ?? fallback(i + 1));
}
