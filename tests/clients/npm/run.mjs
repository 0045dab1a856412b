// SPDX-License-Identifier: Apache-2.0
// In Node. One job (JSON) a line in, one result a line out; they run one after the other.
//   versions                                                        of what is used here
//   request   {library, config, aead, message, url, transport, ca}  an oblivious request
//   flood     {the same, count}                                     so many of them at once
//   echoes    {transport, url, count}                               so many ordinary ones at once
//   plain     {transport, url, method, headers, body, ca}           an ordinary one
//   serve     {library}                                             a gateway that echoes
// A result has "error" if the client found something wrong.
import http from "node:http";
import http2 from "node:http2";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { BHttpDecoder, BHttpEncoder } from "bhttp-js";
import * as undici from "undici";
import { libraries } from "./libraries.mjs";
import { ask, hex, receive, unhex, writeConfig } from "./oblivious.mjs";

async function overUndici({ url, method, headers, body }) {
  const answer = await undici.request(url, { method, headers, body });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: new Uint8Array(await answer.body.arrayBuffer()),
  };
}

async function overFetch({ url, method, headers, body }) {
  const answer = await fetch(url, { method, headers, body });
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: new Uint8Array(await answer.arrayBuffer()),
  };
}

const sessions = new Map();

function session(url, ca) {
  const { origin } = new URL(url);
  if (!sessions.has(origin) || sessions.get(origin).destroyed) {
    const made = http2.connect(origin, ca === undefined ? {} : { ca: readFileSync(ca) });
    made.setMaxListeners(0);
    made.on("error", () => made.destroy());
    sessions.set(origin, made);
  }
  return sessions.get(origin);
}

function overHttp2({ url, method, headers, body, ca }) {
  const { pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const connection = session(url, ca);
    connection.once("error", reject);
    const stream = connection.request({ ":method": method, ":path": pathname + search, ...headers });
    const pieces = [];
    let answer = {};
    stream.setTimeout(10000, () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on("response", (head) => { answer = head; });
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("error", reject);
    stream.on("close", () => {
      connection.off("error", reject);
      if (stream.rstCode !== 0) {
        reject(new Error(`stream closed with ${stream.rstCode}`));
        return;
      }
      resolve({
        status: answer[":status"], headers: { ...answer }, body: new Uint8Array(Buffer.concat(pieces)),
      });
    });
    stream.end(body);
  });
}

const transports = { undici: overUndici, fetch: overFetch, http2: overHttp2 };

async function send(job) {
  const answer = await transports[job.transport ?? "undici"](job);
  return { ...answer, type: String(answer.headers["content-type"] ?? "") };
}

const jobs = {
  async versions() {
    const names = ["hpke", "@hpke/core", "@panva/hpke-noble", "bhttp-js", "undici"];
    const of = (name) => JSON.parse(readFileSync(
      new URL(`./node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
    return { node: process.version, ...Object.fromEntries(names.map((name) => [name, of(name)])) };
  },

  async request({ library, url, transport, ca, ...job }) {
    return ask(libraries[library], job, (what) => send({ ...what, url, transport, ca }));
  },

  // Many at once, with contents of their own: how many got back what they sent.
  async flood({ library, transport, url, ca, count, message, ...job }) {
    const bodies = Array.from({ length: count }, (_, i) => hex(new TextEncoder().encode(`number ${i}`)));
    const answers = await Promise.all(bodies.map((body) => ask(
      libraries[library], { ...job, message: { ...message, body } },
      (what) => send({ ...what, url, transport, ca }))));
    return { right: answers.filter((answer, i) => answer.inner?.body === bodies[i]).length };
  },

  // The same without a seal.
  async echoes({ transport, url, count }) {
    const bodies = Array.from({ length: count }, (_, i) => `number ${i}`);
    const answers = await Promise.all(bodies.map((body) => send(
      { transport, url, method: "POST", headers: { "content-type": "text/plain" }, body })));
    return { right: answers.filter((answer, i) => new TextDecoder().decode(answer.body) === bodies[i]).length };
  },

  async plain(job) {
    const answer = await send({ ...job, body: job.body && unhex(job.body) });
    return { ...answer, body: hex(answer.body) };
  },

  async serve(job) {
    const library = libraries[job.library];
    const pair = await library.make();
    const keyId = 42;
    const gateway = http.createServer(async (request, answer) => {
      try {
        const pieces = [];
        for await (const piece of request) {
          pieces.push(piece);
        }
        const body = new Uint8Array(Buffer.concat(pieces));
        const received = await receive(library, keyId, pair, body);
        const asked = new BHttpDecoder().decodeRequest(new Uint8Array(received.message).buffer);
        const echoed = new Response(await asked.arrayBuffer(), {
          status: asked.headers.get("x-status") ?? 200,
          headers: { "content-type": asked.headers.get("content-type") ?? "", "x-asked": asked.url },
        });
        answer.writeHead(200, { "content-type": "message/ohttp-res" });
        answer.end(await received.seal(await new BHttpEncoder().encodeResponse(echoed)));
      } catch (error) {
        answer.writeHead(400, { "content-type": "text/plain" }).end(String(error));
      }
    });
    await new Promise((resolve) => gateway.listen(0, "127.0.0.1", resolve));
    const config = writeConfig(keyId, await library.publicBytes(pair));
    return { port: gateway.address().port, config: hex(config) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  let result;
  try {
    result = await jobs[job.op](job);
  } catch (error) {
    result = { error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exit(0);
