// What happens when a call answers that somebody has to sign in, or to change the password
// first. The shell of the pages says where that leads.

interface Gate {
  signIn: () => void;
  password: () => void;
}

let gate: Gate | null = null;

export function setGate(next: Gate | null): void {
  gate = next;
}

export function needSignIn(): void {
  gate?.signIn();
}

export function needPassword(): void {
  gate?.password();
}
