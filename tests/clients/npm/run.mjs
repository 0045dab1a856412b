// SPDX-License-Identifier: Apache-2.0
// One job (JSON) a line in, one result a line out; jobs run one after the other.
//   versions                                          of what is used here
//   request   {library, aead, config, url, transport, message, spoil}   an oblivious request
//   plain     {transport, url, method, headers, body}                   an ordinary one
//   serve     {library}                               a gateway on loopback that echoes
// A result has "error" if the client found something wrong; what the relay would see is in "outer",
// what was inside the seal in "inner".
import http2 from "node:http2";
import http from "node:http";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { BHttpDecoder, BHttpEncoder } from "bhttp-js";
import * as undici from "undici";
import { libraries } from "./libraries.mjs";
import { receive, seal, writeConfig } from "./oblivious.mjs";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const unhex = (string) => Buffer.from(string, "hex");

async function overUndici({ url, method, headers, body }) {
  const answer = await undici.request(url, { method, headers, body });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.from(await answer.body.arrayBuffer()),
  };
}

async function overFetch({ url, method, headers, body }) {
  const answer = await fetch(url, { method, headers, body });
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

const sessions = new Map();

function session(url, ca) {
  const { origin } = new URL(url);
  if (!sessions.has(origin) || sessions.get(origin).destroyed) {
    const made = http2.connect(origin, ca === undefined ? {} : { ca: readFileSync(ca) });
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
      resolve({ status: answer[":status"], headers: { ...answer }, body: Buffer.concat(pieces) });
    });
    stream.end(body);
  });
}

const transports = { undici: overUndici, fetch: overFetch, http2: overHttp2 };

async function send(job) {
  const answer = await transports[job.transport ?? "undici"](job);
  return { ...answer, type: String(answer.headers["content-type"] ?? "") };
}

// What the client seals. With raw, the bytes of the message are given (bhttp-js leaves queries out).
async function encode({ method, url, headers, body }) {
  const message = new Request(url, { method, headers, body: body === undefined ? body : unhex(body) });
  return new BHttpEncoder().encodeRequest(message);
}

async function decode(bytes) {
  const answer = new BHttpDecoder().decodeResponse(new Uint8Array(bytes).buffer);
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: hex(await answer.arrayBuffer()),
  };
}

const jobs = {
  async versions() {
    const names = ["hpke", "@hpke/core", "@panva/hpke-noble", "bhttp-js", "undici"];
    const of = (name) => JSON.parse(readFileSync(
      new URL(`./node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
    return { node: process.version, ...Object.fromEntries(names.map((name) => [name, of(name)])) };
  },

  async request(job) {
    const sealed = await seal(libraries[job.library], unhex(job.config), job.aead,
      await encode(job.message));
    const outer = await send({
      ...job, method: "POST", body: sealed.body,
      headers: { "content-type": "message/ohttp-req", ...job.headers },
    });
    const seen = { status: outer.status, type: outer.type, size: outer.body.length };
    if (outer.status !== 200 || outer.type !== "message/ohttp-res") {
      return { outer: { ...seen, body: outer.body.toString() } };
    }
    return { outer: seen, inner: await decode(await sealed.open(outer.body)) };
  },

  async plain(job) {
    const answer = await send({ ...job, body: job.body === undefined ? undefined : unhex(job.body) });
    return { status: answer.status, type: answer.type, headers: answer.headers, body: hex(answer.body) };
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
        const received = await receive(library, keyId, pair, Buffer.concat(pieces));
        const asked = new BHttpDecoder().decodeRequest(new Uint8Array(received.message).buffer);
        const echoed = new Response(await asked.arrayBuffer(), {
          status: asked.headers.get("x-status") ?? 200,
          headers: { "content-type": asked.headers.get("content-type") ?? "", "x-asked": asked.url },
        });
        const body = await received.seal(await new BHttpEncoder().encodeResponse(echoed));
        answer.writeHead(200, { "content-type": "message/ohttp-res" }).end(body);
      } catch (error) {
        answer.writeHead(400, { "content-type": "text/plain" }).end(String(error));
      }
    });
    await new Promise((resolve) => gateway.listen(0, "127.0.0.1", resolve));
    return { port: gateway.address().port, config: hex(writeConfig(keyId, await library.publicBytes(pair))) };
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
