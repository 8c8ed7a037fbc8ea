// A person as a form holds it.
import type { Person, PersonForm } from '../../core/records/gen';
import { tidyOwn } from '../../ui/own';

export function emptyPerson(): PersonForm {
  return {
    name: '',
    sort: null,
    born: null,
    gender: null,
    position: '',
    unit: null,
    unitText: '',
    phone: '',
    email: '',
    pupil: false,
    guardian: '',
    degree: '',
    identifiers: [],
    custom: [],
  };
}

export function formOf(person: Person): PersonForm {
  const { id: _id, unitName: _unit, ...form } = person;
  return structuredClone(form);
}

/** The form as it is sent: composed, one space between words, empty identifiers left out. */
export function tidyPerson(form: PersonForm): PersonForm {
  const tidy = (text: string) => text.normalize('NFC').trim().replaceAll(/\s+/gu, ' ');
  return {
    ...form,
    name: tidy(form.name),
    sort: form.sort === null || tidy(form.sort) === '' ? null : tidy(form.sort),
    position: tidy(form.position),
    unitText: tidy(form.unitText),
    phone: tidy(form.phone),
    email: form.email.trim(),
    guardian: form.pupil ? tidy(form.guardian) : '',
    degree: tidy(form.degree),
    custom: tidyOwn(form.custom),
    identifiers: form.identifiers.map((one) => ({ ...one, value: one.value.trim() })).filter((one) => one.value !== ''),
  };
}
