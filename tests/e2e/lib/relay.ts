// The bad network of the load generator, between browsers and the server's media port.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from '@playwright/test';
import { freePort } from './server.ts';

const REPO = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const BINARY = process.env.E2E_LOADTESTS ?? join(REPO, 'target/debug/loadtests');

/** How bad it is, each way; kbit/s of all together, 0 = without limit. */
export interface Link {
  downKbit?: number;
  loss?: number;
  rtt?: number;
}

const flags = ({ downKbit = 0, loss = 0, rtt = 20 }: Link) =>
  `--down-kbit ${downKbit} --up-kbit 0 --loss ${loss} --rtt ${rtt} --jitter 2 --queue 400`.split(' ');

export class Relay {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly from: string;
  private readonly to: string;

  private constructor(child: ChildProcessWithoutNullStreams, from: string, to: string) {
    this.child = child;
    this.from = from;
    this.to = to;
  }

  /** Stands before the media port at `address`. */
  static async start(address: string, mediaPort: number, link: Link): Promise<Relay> {
    const port = await freePort();
    const child = spawn(BINARY, ['impair', '--listen', `${address}:${port}`, '--to', `${address}:${mediaPort}`, ...flags(link)]);
    const relay = new Relay(child, `${address} ${mediaPort} `, `${address} ${port} `);
    await relay.told('relaying');
    return relay;
  }

  /** The pages of the context find the relay where the server names itself. */
  async between(context: BrowserContext): Promise<BrowserContext> {
    await context.addInitScript(
      ([from, to]) => {
        const set = RTCPeerConnection.prototype.setRemoteDescription as (this: RTCPeerConnection, description: RTCSessionDescriptionInit) => Promise<void>;
        RTCPeerConnection.prototype.setRemoteDescription = function (this: RTCPeerConnection, description: RTCSessionDescriptionInit) {
          return set.call(this, { type: description.type, sdp: description.sdp?.replaceAll(from, to) });
        } as typeof set;
      },
      [this.from, this.to] as const,
    );
    return context;
  }

  private told(word: string): Promise<void> {
    return new Promise((done, fail) => {
      this.child.once('exit', (code) => fail(new Error(`relay ended with ${code}`)));
      this.child.stderr.on('data', (text: Buffer) => console.log(text.toString()));
      this.child.stdout.once('data', (text: Buffer) => (text.toString().includes(word) ? done() : fail(new Error(text.toString()))));
    });
  }

  /** The link is like this from now on. */
  async become(link: Link): Promise<void> {
    const told = this.told('changed');
    this.child.stdin.write(`${flags(link).join(' ')}\n`);
    await told;
  }

  close(): void {
    this.child.removeAllListeners('exit');
    this.child.kill();
  }
}
