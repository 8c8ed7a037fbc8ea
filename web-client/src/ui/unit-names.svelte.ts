// Names of units by id, asked for once each.
import { SvelteMap } from 'svelte/reactivity';
import { api } from '../state/records/client';

class UnitNames {
  readonly #names = new SvelteMap<string, string>();
  readonly #asked = new Set<string>();

  /** The name, or an empty text until it is known. */
  of(id: string): string {
    if (!this.#names.has(id) && !this.#asked.has(id)) {
      this.#asked.add(id);
      void api()
        .unitPath(id)
        .then((result) => {
          const name = result.ok ? result.value.names.at(-1) : undefined;
          if (name !== undefined) this.know(id, name);
          else this.#asked.delete(id);
        });
    }
    return this.#names.get(id) ?? '';
  }

  know(id: string, name: string): void {
    this.#names.set(id, name);
  }
}

export const unitNames = new UnitNames();
