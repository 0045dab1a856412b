// SPDX-License-Identifier: Apache-2.0
// Two HPKE libraries behind one face, for oblivious.mjs. Each gives
//   make()                              {publicKey, privateKey}, of which publicBytes() has 32
//   sender(publicBytes, aead, info)     {enc, seal(bytes), export(label, size)}
//   receiver(pair, enc, aead, info)     {open(bytes), export(label, size)}
import * as hpke from "hpke";
import * as noble from "@panva/hpke-noble";
import { Aes128Gcm, Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";

const bytes = (buffer) => new Uint8Array(buffer);

const panvaSuite = (aead) => new hpke.CipherSuite(
  hpke.KEM_DHKEM_X25519_HKDF_SHA256, hpke.KDF_HKDF_SHA256,
  { 1: hpke.AEAD_AES_128_GCM, 2: hpke.AEAD_AES_256_GCM, 3: noble.AEAD_ChaCha20Poly1305 }[aead]);

const panva = {
  make: () => panvaSuite(1).GenerateKeyPair(),
  publicBytes: (pair) => panvaSuite(1).SerializePublicKey(pair.publicKey),
  async sender(publicBytes, aead, info) {
    const suite = panvaSuite(aead);
    const key = await suite.DeserializePublicKey(publicBytes);
    const { encapsulatedSecret, ctx } = await suite.SetupSender(key, { info });
    return {
      enc: encapsulatedSecret,
      seal: (plain) => ctx.Seal(plain),
      export: (label, size) => ctx.Export(label, size),
    };
  },
  async receiver(pair, enc, aead, info) {
    const ctx = await panvaSuite(aead).SetupRecipient(pair, enc, { info });
    return {
      open: (sealed) => ctx.Open(sealed),
      export: (label, size) => ctx.Export(label, size),
    };
  },
};

const dajiajiSuite = (aead) => new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: { 1: () => new Aes128Gcm(), 2: () => new Aes256Gcm(), 3: () => new Chacha20Poly1305() }[aead](),
});

const dajiaji = {
  make: () => dajiajiSuite(1).kem.generateKeyPair(),
  publicBytes: async (pair) => bytes(await dajiajiSuite(1).kem.serializePublicKey(pair.publicKey)),
  async sender(publicBytes, aead, info) {
    const suite = dajiajiSuite(aead);
    const recipientPublicKey = await suite.kem.deserializePublicKey(publicBytes);
    const context = await suite.createSenderContext({ recipientPublicKey, info });
    return {
      enc: bytes(context.enc),
      seal: async (plain) => bytes(await context.seal(plain)),
      export: async (label, size) => bytes(await context.export(label, size)),
    };
  },
  async receiver(pair, enc, aead, info) {
    const context = await dajiajiSuite(aead).createRecipientContext(
      { recipientKey: pair.privateKey, enc, info });
    return {
      open: async (sealed) => bytes(await context.open(sealed)),
      export: async (label, size) => bytes(await context.export(label, size)),
    };
  },
};

export const libraries = { "hpke": panva, "@hpke/core": dajiaji };
