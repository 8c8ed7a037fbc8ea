// Who may act upon whom, as the server decides it: organisers and chairs yield to each
// other only.
import type { Role } from '../proto';

const leads = (role: Role): boolean => role === 'organiser' || role === 'chair';

/** Whether `actor` may mute or remove somebody of role `target`, or take the floor from him. */
export function mayActOn(actor: Role, target: Role): boolean {
  return leads(actor) || !leads(target);
}

/** Whether `actor` may hand the role over: only organisers make organisers, and only those who lead make chairs. */
export function mayGive(actor: Role, role: Role): boolean {
  if (role === 'organiser') return actor === 'organiser';
  return role !== 'chair' || leads(actor);
}
