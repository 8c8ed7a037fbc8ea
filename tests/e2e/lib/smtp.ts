// A mail server of its own for a spec: takes every mail and keeps it.
import { createServer, type Server as NetServer, type Socket } from 'node:net';

export interface Arrived {
  to: string;
  text: string;
}

/** The parts of a mail: kind and content, decoded. */
function parts(text: string): { kind: string; body: string }[] {
  return text.split('\r\n--').flatMap((piece) => {
    const at = piece.indexOf('\r\n\r\n');
    if (at < 0) return [];
    const head = piece.slice(0, at).replaceAll(/\r\n[ \t]/gu, ' ');
    const kind = /^Content-Type: (.*)$/mu.exec(head)?.[1] ?? '';
    const body = piece.slice(at + 4);
    const how = /^Content-Transfer-Encoding: (.*)$/mu.exec(head)?.[1]?.trim();
    if (how === 'base64') return [{ kind, body: Buffer.from(body, 'base64').toString('utf8') }];
    if (how !== 'quoted-printable') return [{ kind, body }];
    const bytes = body
      .replaceAll('=\r\n', '')
      .replaceAll(/=([0-9A-F]{2})/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return [{ kind, body: Buffer.from(bytes, 'latin1').toString('utf8') }];
  });
}

/** The part of a mail whose kind begins so. */
export function part(mail: Arrived, kind: string): string {
  return parts(mail.text).find((one) => one.kind.startsWith(kind))?.body ?? '';
}

export class MailSink {
  readonly mails: Arrived[] = [];
  private constructor(
    private readonly net: NetServer,
    readonly port: number,
  ) {}

  static async open(): Promise<MailSink> {
    const net = createServer();
    await new Promise<void>((done) => net.listen(0, '127.0.0.1', done));
    const address = net.address();
    const sink = new MailSink(net, typeof address === 'object' && address ? address.port : 0);
    net.on('connection', (socket) => sink.talk(socket));
    return sink;
  }

  private talk(socket: Socket): void {
    let rest = '';
    let to = '';
    let data = false;
    socket.setEncoding('latin1').on('error', () => socket.destroy());
    socket.write('220 test\r\n');
    socket.on('data', (piece: string) => {
      rest += piece;
      for (;;) {
        const end = rest.indexOf(data ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + (data ? 5 : 2));
        if (data) {
          data = false;
          this.mails.push({ to, text: line.replaceAll('\r\n..', '\r\n.') });
          socket.write('250 taken\r\n');
        } else if (/^DATA/iu.test(line)) {
          data = true;
          socket.write('354 go on\r\n');
        } else if (/^QUIT/iu.test(line)) {
          socket.end('221 bye\r\n');
        } else {
          if (/^RCPT TO:/iu.test(line)) to = /<(.*)>/u.exec(line)?.[1] ?? '';
          socket.write('250 ok\r\n');
        }
      }
    });
  }

  close(): void {
    this.net.close();
  }
}
