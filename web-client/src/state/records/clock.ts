/** The time pages go by; the fixture puts its own there. */
export const clock = { now: (): number => Date.now() };
