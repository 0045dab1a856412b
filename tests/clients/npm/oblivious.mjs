// SPDX-License-Identifier: Apache-2.0
// Oblivious HTTP (RFC 9458) on top of somebody else's HPKE (libraries.mjs) and Binary HTTP
// (bhttp-js); the AEAD and HKDF of answers are Node's own. Nothing of src/ohttp is in here.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const text = new TextEncoder();
const CIPHERS = {
  1: { name: "aes-128-gcm", keySize: 16 },
  2: { name: "aes-256-gcm", keySize: 32 },
  3: { name: "chacha20-poly1305", keySize: 32 },
};
const KEM = 0x0020;
const KDF = 0x0001;
const HEAD_SIZE = 7;
const ENC_SIZE = 32;

const info = (head) => Buffer.concat([text.encode("message/bhttp request"), Buffer.of(0), head]);

// One configuration, without a length in front: {keyId, publicKey, aeads}.
export function readConfig(bytes) {
  const config = Buffer.from(bytes);
  if (config.readUInt16BE(1) !== KEM) {
    throw new Error("another KEM");
  }
  const aeads = [];
  for (let at = 37; at < config.length; at += 4) {
    if (config.readUInt16BE(at) === KDF) {
      aeads.push(config.readUInt16BE(at + 2));
    }
  }
  return { keyId: config[0], publicKey: config.subarray(3, 35), aeads };
}

export function writeConfig(keyId, publicKey) {
  return Buffer.concat([Buffer.of(keyId, 0, KEM), publicKey,
    Buffer.of(0, 12, 0, KDF, 0, 1, 0, KDF, 0, 2, 0, KDF, 0, 3)]);
}

// Both ends of an answer: its key and nonce come from what the request's context exports.
async function answerKey(context, enc, responseNonce, aead) {
  const { keySize } = CIPHERS[aead];
  const size = Math.max(keySize, 12);
  const secret = await context.export(text.encode("message/bhttp response"), size);
  const salt = Buffer.concat([enc, responseNonce]);
  const derive = (label, length) => Buffer.from(hkdfSync("sha256", secret, salt, label, length));
  return { key: derive("key", keySize), nonce: derive("nonce", 12), size };
}

// {body, open(answer)}: the encapsulated request, and what its answer is opened with.
export async function seal(library, config, aead, message) {
  const { keyId, publicKey, aeads } = readConfig(config);
  if (!aeads.includes(aead)) {
    throw new Error("the configuration does not offer it");
  }
  const head = Buffer.of(keyId, 0, KEM, 0, KDF, 0, aead);
  const context = await library.sender(new Uint8Array(publicKey), aead, new Uint8Array(info(head)));
  const body = Buffer.concat([head, context.enc, await context.seal(message)]);
  const open = async (answer) => {
    const size = Math.max(CIPHERS[aead].keySize, 12);
    const { key, nonce } = await answerKey(context, context.enc, answer.subarray(0, size), aead);
    const cipher = createDecipheriv(CIPHERS[aead].name, key, nonce, { authTagLength: 16 });
    cipher.setAuthTag(answer.subarray(answer.length - 16));
    return Buffer.concat([cipher.update(answer.subarray(size, answer.length - 16)), cipher.final()]);
  };
  return { body, open };
}

// A gateway: {message, seal(response)}.
export async function receive(library, keyId, pair, body) {
  const head = body.subarray(0, HEAD_SIZE);
  const aead = head.readUInt16BE(5);
  if (head[0] !== keyId || head.readUInt16BE(1) !== KEM || head.readUInt16BE(3) !== KDF ||
      !(aead in CIPHERS)) {
    throw new Error("another key or suite");
  }
  const enc = body.subarray(HEAD_SIZE, HEAD_SIZE + ENC_SIZE);
  const context = await library.receiver(pair, new Uint8Array(enc), aead, new Uint8Array(info(head)));
  const message = await context.open(new Uint8Array(body.subarray(HEAD_SIZE + ENC_SIZE)));
  const sealAnswer = async (response) => {
    const responseNonce = randomBytes(Math.max(CIPHERS[aead].keySize, 12));
    const { key, nonce } = await answerKey(context, enc, responseNonce, aead);
    const cipher = createCipheriv(CIPHERS[aead].name, key, nonce, { authTagLength: 16 });
    return Buffer.concat([responseNonce, cipher.update(response), cipher.final(),
      cipher.getAuthTag()]);
  };
  return { message, seal: sealAnswer };
}
