// Notices of sessions by e-mail, in English.
import type { Shape } from '../records-vi';
import type { noticesVi } from './notices-vi';

export const noticesEn: Shape<typeof noticesVi> = {
  'notice.open': 'Notice by e-mail',
  'notice.title': (no) => `Notice by e-mail, session ${no}`,
  'notice.off':
    'This server is not set up to send e-mail. You can copy the text below and send it yourself, or ask the administrator.',
  'notice.with': 'Learners with an e-mail address',
  'notice.without': 'Learners without one',
  'notice.withoutNames': 'Who has no address?',
  'notice.now': (what) => `To be sent now: ${what}`,
  'notice.nothing': 'There is nothing left to tell',
  'notice.send': 'Send notice',
  'notice.queued': 'The mails are being sent.',
  'notice.text': 'Text for Zalo or e-mail',
  'notice.copy': 'Copy text',
  'notice.links': 'Personal links and QR codes',
  'notice.past': 'Sent so far',
  'notice.invite': 'Invitation',
  'notice.update': 'Change',
  'notice.cancel': 'Cancellation',
  'notice.counts': (sent, queued, failed) => `Sent ${sent}, waiting ${queued}, failed ${failed}`,
  'notice.undelivered': 'Not delivered',
  'notice.refused': (code) => `The mail server refused this address (code ${code}).`,
  'notice.unreachable': 'The mail server cannot be reached.',
  'notice.tls': 'The encrypted connection to the mail server failed.',
  'notice.signIn': 'The mail server does not accept the sender’s account.',
  'notice.address': 'The address is not valid.',
  'notice.noPlace': 'No longer on the roster.',
  'notice.superseded': 'A newer notice took its place.',
  'notice.over': 'The session is over or was cancelled.',
  'notice.failed': 'It could not be sent.',
  'notice.again': 'It will be tried again.',
};
