// What staff do to the arrangement of a room.
import type { ClientFrame, ErrorCode, Permits, PersonId, Role } from '../core/proto';
import { MAX_SPOTLIGHT } from '../core/proto';
import type { ArrangeModel } from './arrange-model';

export interface ArrangeDeps {
  act(msg: ClientFrame): Promise<ErrorCode | null>;
  spotlight(): readonly PersonId[];
  present(who: PersonId): boolean;
}

export class Arrange implements ArrangeModel {
  readonly #deps: ArrangeDeps;

  constructor(deps: ArrangeDeps) {
    this.#deps = deps;
  }

  permits(permits: Permits): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'modPermits', permits });
  }

  async spotlight(who: PersonId, on: boolean): Promise<ErrorCode | null> {
    const { act, present } = this.#deps;
    // Who has left gives his place up.
    const others = this.#deps.spotlight().filter((id) => id !== who && present(id));
    if (on && others.length >= MAX_SPOTLIGHT) return 'full';
    return act({ t: 'modSpot', who: on ? [...others, who] : others });
  }

  clearSpotlight(): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'modSpot', who: [] });
  }

  role(who: PersonId, role: Role): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'modRole', who, role });
  }

  substitute(who: PersonId, instead: string): Promise<ErrorCode | null> {
    return this.#deps.act({ t: 'modSubstitute', who, instead: instead.normalize('NFC').trim() });
  }
}
