// What the page can tell about a new password before it is sent; the server decides.

/** Letters a password must have. */
export const MIN_PASSWORD = 10;

export interface PasswordRules {
  length: boolean;
  other: boolean;
  same: boolean;
}

export function passwordRules(o: { old: string; fresh: string; again: string; login: string }): PasswordRules {
  const length = [...o.fresh].length >= MIN_PASSWORD;
  return {
    length,
    other: o.fresh !== '' && o.fresh !== o.old && o.fresh.toLowerCase() !== o.login.toLowerCase(),
    same: o.fresh !== '' && o.fresh === o.again,
  };
}
