// The client's development server: pages on made-up records, no server behind them.
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLIENT = resolve(dirname(fileURLToPath(import.meta.url)), '../../../web-client');

async function freePort(): Promise<number> {
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

export class DevServer {
  private constructor(
    readonly origin: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<DevServer> {
    const port = await freePort();
    const vite = join(CLIENT, 'node_modules/vite/bin/vite.js');
    const child = spawn(process.execPath, [vite, '--host', '127.0.0.1', '--port', String(port), '--strictPort'], {
      cwd: CLIENT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (text: Buffer) => (output += text.toString()));
    const origin = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + 120_000;
    for (;;) {
      const there = await fetch(origin).then(
        (answer) => answer.ok,
        () => false,
      );
      if (there) return new DevServer(origin, child);
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill();
        throw new Error(`no development server\n${output}`);
      }
      await new Promise((next) => setTimeout(next, 200));
    }
  }

  /** Sound and pictures of the made-up recording, made before anybody waits for them. */
  async media(): Promise<void> {
    for (const name of ['sound', 'cam-1', 'cam-2', 'guest', 'screen']) {
      const answer = await fetch(`${this.origin}/media/fixture/${name}.webm`);
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill();
    await ended;
  }
}
