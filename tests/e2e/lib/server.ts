// A Lophoc server of its own for a spec: free ports, a temporary data folder.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { front } from './front.ts';

const REPO = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const BINARY = process.env.E2E_SERVER ?? join(REPO, 'target/debug/lophoc');

/** A newly built client to try in place of the one inside the server. */
const CLIENT = process.env.E2E_CLIENT;

export type RoleName = 'organiser' | 'chair' | 'trainer' | 'adviser' | 'technician' | 'learner' | 'guest';

export async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => done(port));
    });
  });
}

/** Whether the server says it is ready; its own certificate is signed by nobody. */
async function isReady(url: string): Promise<boolean> {
  if (url.startsWith('http:')) {
    return fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
  }
  return new Promise((done) => {
    get(url, { rejectUnauthorized: false }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    }).once('error', () => done(false));
  });
}

/** An address of this machine that others could reach, or none. */
export function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find((one) => one.family === 'IPv4' && !one.internal)?.address;
}

interface StartOptions {
  shards?: number;
  https?: boolean;
  demo?: boolean;
  /** Where media is received and what is announced: the loopback interface unless told. */
  address?: string;
  /** Further lines of the configuration. */
  config?: string[];
}

export class Server {
  readonly origin: string;
  readonly folder: string;
  /** Port of sound and picture. */
  readonly mediaPort: number;
  private child: ChildProcess | null = null;
  private output = '';
  private readonly demo: boolean;
  private readonly front: HttpServer | null;

  private constructor(port: number, mediaPort: number, back: number, options: StartOptions) {
    const { shards = 1, https = false, demo = false, address = '127.0.0.1', config: more = [] } = options;
    this.demo = demo;
    this.mediaPort = mediaPort;
    const fronted = CLIENT !== undefined && !https;
    this.front = fronted ? front(CLIENT, port, back) : null;
    this.origin = `${https ? 'https' : 'http'}://localhost:${port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'lophoc-e2e-'));
    writeFileSync(
      this.config,
      [
        '[server]',
        `listen = ["127.0.0.1:${fronted ? back : port}"]`,
        `public_url = "${this.origin}"`,
        '[tls]',
        `mode = "${https ? 'generated' : 'off'}"`,
        '[data]',
        `folder = "${join(this.folder, 'data')}"`,
        '[media]',
        `port = ${mediaPort}`,
        `listen = ["${address}"]`,
        `announce = ["${address}"]`,
        `shards = ${shards}`,
        '[limits]',
        'api_per_minute = 6000',
        'api_burst = 1000',
        ...more,
        '',
      ].join('\n'),
    );
  }

  /** Starts a server and waits until it is ready. */
  static async start(options: StartOptions = {}): Promise<Server> {
    const server = new Server(await freePort(), await freePort(), await freePort(), options);
    await server.up();
    return server;
  }

  private get config(): string {
    return join(this.folder, 'lophoc.toml');
  }

  /** Process id of the running server. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  async up(): Promise<void> {
    const child = spawn(BINARY, ['serve', ...(this.demo ? ['--demo'] : []), '--config', this.config], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    child.stdout.on('data', (text: Buffer) => (this.output += text.toString()));
    child.stderr.on('data', (text: Buffer) => (this.output += text.toString()));
    const deadline = Date.now() + 60_000;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`server ended with ${child.exitCode}\n${this.output}`);
      // The account of the demo class is printed after the server answers.
      const told = !this.demo || this.output.includes('demo account');
      if (told && (await isReady(`${this.origin}/readyz`))) return;
      if (Date.now() > deadline) throw new Error(`server not ready\n${this.output}`);
      await new Promise((next) => setTimeout(next, 100));
    }
  }

  /** Ends the server with the signal and waits for its end. */
  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  }

  /** From the next start on with this line about media. */
  setMedia(line: string): void {
    writeFileSync(this.config, readFileSync(this.config, 'utf8').replace('[media]', `[media]\n${line}`));
  }

  /** Ends the server and removes its folder; with `E2E_KEEP` it stays to be looked at. */
  async close(): Promise<void> {
    await this.down();
    this.front?.closeAllConnections();
    this.front?.close();
    if (!process.env.E2E_KEEP) rmSync(this.folder, { recursive: true, force: true });
  }

  /** On a busy disk the running server may hold its storage longer than a command waits: then once more. */
  private cli(...args: string[]): string {
    for (let left = 5; ; left -= 1) {
      const { status, stdout, stderr } = spawnSync(BINARY, [...args, '--config', this.config], { encoding: 'utf8' });
      if (status === 0) return stdout;
      if (left === 0 || !stderr.includes('storage is busy')) throw new Error(`${args.join(' ')}: ${status}\n${stderr}`);
    }
  }

  /** Creates a class with one session and gives its room id. */
  newClass(title: string, mode: 'discussion' | 'training' | 'conference' = 'discussion'): string {
    const output = this.cli('class', 'new', '--title', title, '--host', 'Sở GDĐT Thử nghiệm', '--mode', mode);
    const found = /\br[0-9A-Za-z_-]{4,}/.exec(output);
    if (!found) throw new Error(`no room id in: ${output}`);
    return found[0];
  }

  /** A join link of the room. With a name it is personal. */
  link(room: string, role: RoleName, name?: string, hours = 1): string {
    const args = ['link', '--room', room, '--role', role, '--hours', String(hours)];
    if (name) args.push('--name', name);
    const output = this.cli(...args);
    const found = /https?:\/\/\S+\/j\/\S+/.exec(output);
    if (!found) throw new Error(`no link in: ${output}`);
    return `${found[0]}`;
  }

  /** Password of the organiser of the demo class; its login is `demo`. */
  get demoPassword(): string {
    const found = /demo account demo (\S+)/.exec(this.output)?.[1];
    if (!found) throw new Error(`no demo account in: ${this.output}`);
    return found;
  }

  /** What the server has printed so far. */
  log(): string {
    return this.output;
  }
}
