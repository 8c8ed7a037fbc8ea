// Who is signed in.
import type { ApiError } from '../../core/records/http';
import type { SignedIn } from '../../core/records/gen';
import { api } from './client';
import { noteSignedIn } from './known';

class Me {
  /** `null`: nobody, or not known yet. */
  now = $state.raw<SignedIn | null>(null);
  /** The server was asked. */
  known = $state(false);
  /** Why it is not known who is signed in. */
  problem = $state.raw<ApiError | null>(null);

  get admin(): boolean {
    return this.now?.account.admin ?? false;
  }

  /** May create classes. */
  get mayHost(): boolean {
    return this.admin || (this.now?.hosts.length ?? 0) > 0;
  }

  /** May look after people and units: administrators, and organisers of a unit. */
  get managesPeople(): boolean {
    return this.admin || (this.now?.account.units.some((one) => one.role === 'organiser') ?? false);
  }

  /** Units whose classes may be reported on: of organisers and inspectors. */
  get reportUnits(): string[] {
    const roles = this.now?.account.units ?? [];
    return [...new Set(roles.filter((one) => one.role !== 'contact').map((one) => one.unit))];
  }

  async load(): Promise<void> {
    const result = await api().me();
    this.problem = null;
    if (result.ok) this.set(result.value);
    else if (result.error.code === 'signIn') this.clear();
    else {
      this.problem = result.error;
      this.known = true;
    }
  }

  set(signedIn: SignedIn): void {
    this.now = signedIn;
    this.known = true;
    noteSignedIn(true);
  }

  clear(): void {
    this.now = null;
    this.known = true;
    noteSignedIn(false);
  }

  async signOut(): Promise<void> {
    await api().signOut();
    this.clear();
  }
}

export const me = new Me();
