// SPDX-License-Identifier: Apache-2.0
// Oblivious HTTP (RFC 9458) on top of somebody else's HPKE (libraries.mjs) and Binary HTTP
// (bhttp-js); answers by WebCrypto, which has no ChaCha20, so that one is from @noble/ciphers. Runs
// in Node and in a page. Nothing of src/ohttp is in here.
import { BHttpDecoder, BHttpEncoder } from "bhttp-js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

const KEM = 0x0020;
const KDF = 0x0001;
const HEAD_SIZE = 7;
const ENC_SIZE = 32;
const TAG_SIZE = 16;
const NONCE_SIZE = 12;
const KEY_SIZES = { 1: 16, 2: 32, 3: 32 }; // of the AEADs

const text = new TextEncoder();

export const hex = (bytes) => Array.from(new Uint8Array(bytes),
  (byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (string) => Uint8Array.from(string.match(/../g) ?? [],
  (pair) => parseInt(pair, 16));

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
}

const u16 = (bytes, at) => bytes[at] << 8 | bytes[at + 1];
const info = (head) => join(text.encode("message/bhttp request\0"), head);

// One configuration, without a length in front: {keyId, publicKey, aeads}.
function readConfig(config) {
  if (u16(config, 1) !== KEM) {
    throw new Error("another KEM");
  }
  const aeads = [];
  for (let at = 37; at < config.length; at += 4) {
    if (u16(config, at) === KDF) {
      aeads.push(u16(config, at + 2));
    }
  }
  return { keyId: config[0], publicKey: config.slice(3, 35), aeads };
}

export function writeConfig(keyId, publicKey) {
  const pairs = [1, 2, 3].map((aead) => Uint8Array.of(0, KDF, 0, aead));
  return join(Uint8Array.of(keyId, 0, KEM), publicKey, Uint8Array.of(0, 12), ...pairs);
}

// Both ends of an answer: its cipher comes from what the request's context exports.
async function answerCipher(context, enc, responseNonce, aead) {
  const keySize = KEY_SIZES[aead];
  const secret = await context.export(text.encode("message/bhttp response"), responseNonce.length);
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const derive = async (label, size) => new Uint8Array(await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: join(enc, responseNonce), info: text.encode(label) },
    base, 8 * size));
  const key = await derive("key", keySize);
  const iv = await derive("nonce", NONCE_SIZE);
  if (aead === 3) {
    const cipher = chacha20poly1305(key, iv);
    return { seal: (plain) => cipher.encrypt(plain), open: (sealed) => cipher.decrypt(sealed) };
  }
  const gcm = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const how = { name: "AES-GCM", iv, tagLength: 8 * TAG_SIZE };
  return {
    seal: async (plain) => new Uint8Array(await crypto.subtle.encrypt(how, gcm, plain)),
    open: async (sealed) => new Uint8Array(await crypto.subtle.decrypt(how, gcm, sealed)),
  };
}

const nonceSize = (aead) => Math.max(KEY_SIZES[aead], NONCE_SIZE);

// A client: {body, open(answer)}, the encapsulated request, and what its answer is opened with.
export async function seal(library, config, aead, message) {
  const { keyId, publicKey, aeads } = readConfig(config);
  if (!aeads.includes(aead)) {
    throw new Error("the configuration does not offer it");
  }
  const head = Uint8Array.of(keyId, 0, KEM, 0, KDF, 0, aead);
  const context = await library.sender(publicKey, aead, info(head));
  const body = join(head, context.enc, await context.seal(message));
  const open = async (answer) => {
    const size = nonceSize(aead);
    const cipher = await answerCipher(context, context.enc, answer.slice(0, size), aead);
    return cipher.open(answer.slice(size));
  };
  return { body, open };
}

// A gateway: {message, seal(response)}.
export async function receive(library, keyId, pair, body) {
  const head = body.slice(0, HEAD_SIZE);
  const aead = u16(head, 5);
  if (head[0] !== keyId || u16(head, 1) !== KEM || u16(head, 3) !== KDF || !(aead in KEY_SIZES)) {
    throw new Error("another key or suite");
  }
  const enc = body.slice(HEAD_SIZE, HEAD_SIZE + ENC_SIZE);
  const context = await library.receiver(pair, enc, aead, info(head));
  const message = await context.open(body.slice(HEAD_SIZE + ENC_SIZE));
  const sealAnswer = async (response) => {
    const responseNonce = crypto.getRandomValues(new Uint8Array(nonceSize(aead)));
    const cipher = await answerCipher(context, enc, responseNonce, aead);
    return join(responseNonce, await cipher.seal(response));
  };
  return { message, seal: sealAnswer };
}

async function decode(bytes) {
  const answer = new BHttpDecoder().decodeResponse(new Uint8Array(bytes).buffer);
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: hex(await answer.arrayBuffer()),
  };
}

// One request. send({method, headers, body}) gives {status, type, body}: what a relay sees too
// ("outer"), beside what was inside the seal ("inner").
export async function ask(library, { config, aead, message }, send) {
  const { method, url, headers, body } = message;
  const asked = new Request(url, { method, headers, body: body && unhex(body) });
  const sealed = await seal(library, unhex(config), aead, await new BHttpEncoder().encodeRequest(asked));
  const outer = await send({
    method: "POST", headers: { "content-type": "message/ohttp-req" }, body: sealed.body,
  });
  const seen = { status: outer.status, type: outer.type, size: outer.body.length };
  if (outer.status !== 200 || outer.type !== "message/ohttp-res") {
    return { outer: { ...seen, body: new TextDecoder().decode(outer.body) } };
  }
  return { outer: seen, inner: await decode(await sealed.open(outer.body)) };
}
