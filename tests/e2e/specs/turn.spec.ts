// An office whose firewall lets nothing but TLS on port 443 through: sound and picture
// by Debian's coturn, with the credentials the server hands out.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { audioEnergy, launch, showsPattern } from '../lib/browser.ts';
import { enter } from '../lib/room.ts';
import { Server } from '../lib/server.ts';

const SECRET = 'a-secret-shared-with-the-relay-only';
/** An address of this machine that nothing else listens on. */
const RELAY = '127.0.0.5';
/** Port 443 needs root, as the tests on a fresh machine have it. */
const PORT = process.getuid?.() === 0 ? 443 : 8443;

class Relay {
  private constructor(
    private readonly child: ChildProcess,
    readonly folder: string,
  ) {}

  static async start(): Promise<Relay> {
    const folder = mkdtempSync(join(tmpdir(), 'lophoc-turn-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=lophoc-turn', '-addext', `subjectAltName=IP:${RELAY}`];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    const child = spawn(
      'turnserver',
      [
        ...['-n', '--listening-ip', RELAY, '--relay-ip', '127.0.0.1', '--tls-listening-port', String(PORT)],
        ...['--no-udp', '--no-tcp', '--no-cli', '--cert', cert, '--pkey', key, '--realm', 'lophoc.test'],
        ...['--use-auth-secret', '--static-auth-secret', SECRET, '--allow-loopback-peers'],
        // Nobody aims the relay at anything but the server.
        ...['--denied-peer-ip', '0.0.0.0-255.255.255.255', '--allowed-peer-ip', '127.0.0.1'],
        ...['--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'db'), '--log-file', join(folder, 'log'), '--simple-log'],
      ],
      { stdio: 'ignore' },
    );
    const deadline = Date.now() + 20_000;
    for (;;) {
      const open = await new Promise<boolean>((done) => {
        const socket = connect(PORT, RELAY, () => {
          socket.destroy();
          done(true);
        });
        socket.once('error', () => done(false));
      });
      if (open) return new Relay(child, folder);
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('the relay did not start');
      await new Promise((next) => setTimeout(next, 100));
    }
  }

  close(): void {
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A page that may use nothing but relays, as behind a closed firewall. */
async function closedOffice(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'vi-VN', viewport: { width: 1280, height: 720 } });
  await context.addInitScript(() => {
    const Native = RTCPeerConnection;
    const made: RTCPeerConnection[] = [];
    (window as unknown as { peers: RTCPeerConnection[] }).peers = made;
    window.RTCPeerConnection = class extends Native {
      constructor(config?: RTCConfiguration) {
        super({ ...config, iceTransportPolicy: 'relay' });
        made.push(this);
      }
    };
  });
  return context;
}

/** How the chosen pair of the newest connection leaves this machine. */
async function way(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const pc = (window as unknown as { peers: RTCPeerConnection[] }).peers.at(-1);
    if (!pc) return 'none';
    const stats = await pc.getStats();
    const entries = [...stats.values()] as (Record<string, unknown> & { id: string; type: string })[];
    const transport = entries.find((one) => one.type === 'transport');
    const pair = entries.find((one) => one.id === transport?.['selectedCandidatePairId']);
    const local = entries.find((one) => one.id === pair?.['localCandidateId']);
    return local ? `${String(local['candidateType'])} ${String(local['relayProtocol'])}` : 'none';
  });
}

test('an office behind a closed firewall hears and sees by a relay on port 443', async () => {
  const relay = await Relay.start();
  const turn = ['[turn]', `urls = ["turns:${RELAY}:${PORT}?transport=tcp"]`, `secret = "${SECRET}"`];
  const server = await Server.start({ config: turn });
  const trainers = await launch({ pattern: true });
  // Chromium looks at the relay's certificate as at any other.
  const learners = await launch({ args: ['--ignore-certificate-errors'] });
  try {
    const room = server.newClass('Lớp qua tường lửa');
    await enter(await trainers.newContext({ locale: 'vi-VN' }), server.link(room, 'trainer'), {
      name: 'Nguyễn Thị Hạnh',
      mic: true,
      camera: true,
    });
    const learner = await enter(await closedOffice(learners), server.link(room, 'learner'), { name: 'Trần Văn An' });
    await expect.poll(() => showsPattern(learner), { timeout: 60_000 }).toBe(true);
    await expect.poll(() => audioEnergy(learner), { timeout: 45_000 }).toBeGreaterThan(0.001);
    expect(await way(learner)).toBe('relay tls');
  } finally {
    await trainers.close();
    await learners.close();
    await server.close();
    relay.close();
  }
});
