/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front_clients.mjs: Node's HTTP/2 and its fetch against front_server, many requests at once, each
 * answer compared. With a folder as last argument: the undici that is installed there, too.
 *
 * usage: node front_clients.mjs CLEARTEXT_PORT TLS_PORT CERTIFICATE [NODE_MODULES]
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, constants } from "node:http2";
import { randomBytes } from "node:crypto";

const [cleartext, tls, certificate, modules] = process.argv.slice(2);
const ca = readFileSync(certificate);
let count = 0;

function check(good, name) {
  count += 1;
  console.log(`${good ? "ok" : "not ok"} node ${name}`);
}

/* One request; resolves to its status, body and the error that ended it. */
function ask(session, headers, body) {
  return new Promise((resolve) => {
    const stream = session.request(headers);
    const parts = [];
    let status = 0;
    stream.on("response", (fields) => { status = fields[":status"]; });
    stream.on("data", (part) => parts.push(part));
    stream.on("error", (error) => resolve({ status, error }));
    stream.on("close", () => resolve({ status, body: Buffer.concat(parts), code: stream.rstCode }));
    stream.end(body);
  });
}

function closed(session) {
  return new Promise((resolve) => session.close(resolve));
}

async function http2(url, options) {
  const session = connect(url, options);
  let wrong = 0;
  for (let round = 0; round < 3; round += 1) {
    const bodies = [];
    for (let i = 0; i < 100; i += 1) {
      bodies.push(randomBytes((i * 997) % 60000));
    }
    const answers = await Promise.all(bodies.map(
      (body) => ask(session, { ":path": "/echo", ":method": "POST" }, body)));
    answers.forEach((answer, i) => {
      wrong += answer.status === 200 && answer.body.equals(bodies[i]) ? 0 : 1;
    });
  }
  check(wrong === 0, `${url.split(":")[0]} http2: 300 echoes, each its own`);
  const streamed = await ask(session, { ":path": "/stream?5500" });
  check(streamed.body.length === 5500, "http2: an answer in pieces");
  const broken = await ask(session, { ":path": "/broken?3000" });
  check(broken.error !== undefined && broken.status === 200, "http2: an answer that breaks off");
  const stream = session.request({ ":path": "/never" });
  stream.on("error", () => {});
  setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 50);
  await new Promise((resolve) => stream.on("close", resolve));
  const after = await ask(session, { ":path": "/bytes?3" });
  check(after.body.toString() === "abc", "http2: a request after one that was cancelled");
  await closed(session);
}

async function fetches(name, get) {
  const bodies = Array.from({ length: 200 }, (_, i) => randomBytes((i * 331) % 40000));
  const url = `http://127.0.0.1:${cleartext}`;
  const results = await Promise.all(bodies.map(async (body) => {
    const answer = await get(`${url}/echo`, { method: "POST", body });
    return answer.status === 200 && Buffer.from(await answer.arrayBuffer()).equals(body);
  }));
  check(results.every((good) => good), `${name}: 200 echoes, each its own`);
  const streamed = await get(`${url}/stream?5500`);
  check((await streamed.text()).length === 5500, `${name}: an answer in pieces`);
  let failed = false;
  try {
    await (await get(`${url}/broken?3000`)).text();
  } catch {
    failed = true;
  }
  check(failed, `${name}: an answer that breaks off is an error`);
  const refused = await get(`${url}/none`);
  const problem = await refused.json();
  check(refused.status === 404 && problem.status === 404, `${name}: a problem`);
}

await http2(`http://127.0.0.1:${cleartext}`, {});
await http2(`https://127.0.0.1:${tls}`, { ca, servername: "localhost" });
await fetches("fetch", fetch);
if (modules) {
  const undici = createRequire(`${modules}/x.js`)("undici");
  const agent = new undici.Agent({ connections: 4, pipelining: 4 });
  await fetches("undici", (url, options) => undici.fetch(url, { ...options, dispatcher: agent }));
  const secure = new undici.Agent({ allowH2: true, connect: { ca, servername: "localhost" } });
  const answer = await undici.request(`https://127.0.0.1:${tls}/fields`, { dispatcher: secure });
  const text = await answer.body.text();
  check(text.includes("http 2 tls 1"), "undici: HTTP/2 over TLS");
  await agent.close();
  await secure.close();
}
console.log(`${count} checks`);
