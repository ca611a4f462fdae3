// A stand-in for the daemon: recorded answers, an event stream and terminals that echo. It knows only what the page asks.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';

const MIME = { html: 'text/html; charset=utf-8', js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
const COOKIE = 'ao_session';
const CODE = 'one-time-code';

/**
 * @param {object} options
 * @param {string} options.web the directory crates/web
 * @param {string} [options.role]
 * @param {string} [options.cast] a recording that terminals show
 * @param {string} [options.drawn] what terminals show instead, 120 × 40
 * @param {number} [options.part] how much of it, 1 being all
 * @param {boolean} [options.empty] nothing was ever started
 */
export async function startFixture({ web, role = 'operator', cast, drawn, part = 1, empty = false }) {
  const state = shifted(JSON.parse(readFileSync(join(web, 'test/fixtures/board.json'), 'utf8')));
  const explain = shifted(JSON.parse(readFileSync(join(web, 'test/fixtures/explain.json'), 'utf8')), state.shift);
  if (empty) {
    for (const [name, list] of [['sessions', 'sessions'], ['runs', 'runs'], ['queues', 'queues'], ['events', 'events']]) state[name][list] = [];
  }
  const asked = [];
  const codes = new Set([CODE]);
  const streams = new Set();
  const terminals = [];
  const policy = contentSecurityPolicy(web);
  const screen = cast ? screenOf(cast, part) : drawn ? { bytes: Buffer.from(drawn), cols: 120, rows: 40 } : null;
  let streamsOpened = 0;

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://fixture');
    response.setHeader('content-security-policy', policy);
    response.setHeader('cache-control', 'no-cache');
    if (!url.pathname.startsWith('/api/')) return file(response, web, url.pathname);
    const body = await read(request);
    asked.push({ method: request.method, path: url.pathname, query: url.search, body, key: request.headers['idempotency-key'] });
    const json = (status, value, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    const refuse = (status, code, message, hint) => json(status, { error: { code, message, hint } });
    if (url.pathname === '/api/sign-in' && request.method === 'POST') {
      if (!codes.delete(body.code)) return refuse(403, 'denied', 'this sign-in link was used already or is older than a minute', '`ao open` makes a new one');
      return json(200, { role, name: 'the page' }, { 'set-cookie': `${COOKIE}=yes; Path=/; HttpOnly; SameSite=Strict` });
    }
    if (!isSignedIn(request)) return refuse(401, 'denied', 'who are you?', '`ao open` signs a browser in');
    const [, , kind, id, rest] = url.pathname.split('/').map(decodeURIComponent);
    const route = `${request.method} ${kind}${id ? '/id' : ''}${rest ? `/${rest}` : ''}`;
    const session = () => state.sessions.sessions.find((one) => one.id === id);
    switch (route) {
      case 'GET whoami': return json(200, { role, name: 'the page' });
      case 'GET sessions': return json(200, state.sessions);
      case 'GET runs': return json(200, state.runs);
      case 'GET merge-queue': return json(200, state.queues);
      case 'GET projects': return json(200, state.projects);
      case 'GET sessions/id/explain': return json(200, { ...explain, session: session() });
      case 'GET sessions/id/logs': return json(200, { session: id, lines: ['first line', 'second <b>line</b>'], earlier: 3, live: true });
      case 'POST sessions/id/message': {
        const delivery = { id: `${id}-d9`, state: 'queued', sha256: '00'.repeat(32), held: 'waits until the agent takes a prompt' };
        json(202, { delivery });
        return publish({ type: 'message_sent', session: id, summary: `message: ${body.content}`, sessions: [{ ...session(), delivery, promptsWaiting: 1 }] });
      }
      case 'DELETE sessions/id':
        json(202, {});
        return publish({ type: 'stop_requested', session: id, summary: 'stop asked for', sessions: [{ ...session(), status: 'cleanup', why: 'stopped from the page' }] });
      case 'GET events':
        if (url.searchParams.get('follow') === 'false') return json(200, state.events);
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        response.write(': from here\nretry: 200\n\n');
        streamsOpened += 1;
        streams.add(response);
        return response.on('close', () => streams.delete(response));
      default: return refuse(404, 'not_found', `there is no ${url.pathname}`);
    }
  });

  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!isSignedIn(request)) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const url = new URL(request.url, 'http://fixture');
      const id = decodeURIComponent(url.pathname.split('/')[3]);
      const session = state.sessions.sessions.find((one) => one.id === id);
      terminals.push(terminal(ws, id, url.searchParams, screen, session?.ended));
    });
  });

  function publish(event) {
    const seq = ++state.sessions.seq;
    const view = { seq, at: Date.now(), project: 'billing', ...event };
    for (const one of event.sessions ?? []) {
      const at = state.sessions.sessions.findIndex(({ id }) => id === one.id);
      if (at < 0) state.sessions.sessions.push(one);
      else state.sessions.sessions[at] = one;
    }
    state.events.events.push(view);
    for (const stream of streams) stream.write(`id: ${seq}\ndata: ${JSON.stringify(view)}\n\n`);
  }

  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    signInUrl: `http://127.0.0.1:${port}/#sign-in=${CODE}`,
    state, asked, streams, terminals, publish,
    opened: () => streamsOpened,
    session: (id) => structuredClone(state.sessions.sessions.find((one) => one.id === id)),
    newCode(code) { codes.add(code); },
    /** The daemon goes away: every connection is cut and nobody listens. */
    async goAway() {
      sockets.clients.forEach((ws) => ws.terminate());
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
    comeBack: () => listen(server, port),
    async close() {
      sockets.clients.forEach((ws) => ws.terminate());
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Recorded times are moved so that they are as old now as they were then. */
function shifted(value, shift = Date.now() - value.now) {
  const move = (node) => {
    if (Array.isArray(node)) return node.map(move);
    if (node === null || typeof node !== 'object') return node;
    return Object.fromEntries(Object.entries(node).map(([name, inner]) =>
      [name, ['since', 'at', 'createdAt', 'changedAt', 'startedAt', 'endedAt'].includes(name) ? inner + shift : move(inner)]));
  };
  return { ...move(value), shift };
}

function listen(server, port) {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => done(server.address().port));
  });
}

const isSignedIn = (request) => (request.headers.cookie ?? '').split('; ').includes(`${COOKIE}=yes`);

async function read(request) {
  let text = '';
  for await (const part of request) text += part;
  return text ? JSON.parse(text) : null;
}

function file(response, web, path) {
  const name = path.includes('.') ? path.slice(1) : 'index.html';
  try {
    const bytes = readFileSync(join(web, 'ui', name));
    response.writeHead(200, { 'content-type': MIME[name.split('.').at(-1)] ?? 'text/plain' });
    response.end(bytes);
  } catch {
    response.writeHead(404).end('There is no such page.');
  }
}

/** The very policy that the daemon sends. */
function contentSecurityPolicy(web) {
  const source = readFileSync(join(web, 'src/lib.rs'), 'utf8');
  const [, text] = /CONTENT_SECURITY_POLICY: &str =\s*"([^"]+)"/.exec(source);
  return text.replace(/\\\n\s*/g, '');
}

/** The screen after a part of a recording, as the bytes that drew it. */
function screenOf(path, part) {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  let { width: cols, height: rows } = head;
  const bytes = [];
  for (const [, kind, data] of lines.slice(0, Math.ceil(lines.length * part))) {
    if (kind === 'o') bytes.push(data);
    if (kind === 'r') [cols, rows] = data.split('x').map(Number);
  }
  return { cols, rows, bytes: Buffer.from(bytes.join('')) };
}

/** A terminal that shows a screen and echoes what is typed, as a shell's line does. */
function terminal(ws, id, query, recorded, ended) {
  const own = { cols: Number(query.get('cols') ?? 120), rows: Number(query.get('rows') ?? 40) };
  const readOnly = query.get('readOnly') === 'true';
  const shown = { id, readOnly, size: readOnly || recorded ? { cols: recorded?.cols ?? 120, rows: recorded?.rows ?? 40 } : own, keys: '', seen: 0, ws };
  let offset = 0;
  const sendScreen = () => {
    const bytes = recorded?.bytes ?? Buffer.from(`\x1b[1;32m${id}\x1b[0m$ ${shown.keys.replaceAll('\r', '\r\n')}`);
    const head = Buffer.alloc(21);
    head.writeUInt8(0, 0);
    head.writeUInt16BE(shown.size.cols, 1);
    head.writeUInt16BE(shown.size.rows, 3);
    head.writeBigUInt64BE(128n, 5);
    head.writeBigUInt64BE(BigInt(offset), 13);
    ws.send(Buffer.concat([head, bytes]));
  };
  shown.output = (text) => {
    const bytes = Buffer.from(text);
    offset += bytes.length;
    const head = Buffer.alloc(9);
    head.writeUInt8(1, 0);
    head.writeBigUInt64BE(BigInt(offset), 1);
    ws.send(Buffer.concat([head, bytes]));
  };
  ws.on('message', (data) => {
    const rest = data.subarray(1).toString();
    if (data[0] === 16) {
      if (readOnly) return;
      shown.keys += rest;
      shown.output(rest.replaceAll('\r', '\r\n'));
    } else if (data[0] === 17 && !readOnly) {
      shown.size = JSON.parse(rest);
      sendScreen();
    } else if (data[0] === 18) {
      shown.seen = JSON.parse(rest).offset;
    }
  });
  sendScreen();
  if (ended) {
    ws.send(Buffer.concat([Buffer.from([3]), Buffer.from(JSON.stringify({ code: 0, signal: null, why: null }))]));
    ws.close(1000);
  }
  return shown;
}
