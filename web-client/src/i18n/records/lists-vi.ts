// Home, calendar, people, units, accounts, import.

export const listsVi = {};
