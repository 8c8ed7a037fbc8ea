// A newly built client in front of a server that holds an older one: pages and
// assets come from the folder, everything else from the server.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request, type Server as HttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** Listens on `port` and asks the server on `back` for what is not in `folder`. */
export function front(folder: string, port: number, back: number): HttpServer {
  const server = createServer((req, res) => {
    const path = new URL(req.url ?? '/', 'http://localhost').pathname;
    const page = req.headers['sec-fetch-dest'] === 'document' && !path.startsWith('/api/');
    const file = join(folder, page ? 'index.html' : path);
    const type = TYPES[extname(file)];
    if (req.method === 'GET' && type !== undefined && existsSync(file)) {
      res.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(readFileSync(file));
      return;
    }
    const onward = request({ host: '127.0.0.1', port: back, path: req.url, method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.on('upgrade', (req, socket: Socket, head) => {
    const onward = connect(back, '127.0.0.1', () => {
      const lines = [`${req.method} ${req.url} HTTP/1.1`];
      for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
      onward.write(`${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  return server.listen(port, '127.0.0.1');
}
