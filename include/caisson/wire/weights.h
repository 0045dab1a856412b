/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.h: the sealed file of a model's weights (docs/WIRE.md, "Sealed weights"), and how a grant
 * names one and gives its key.
 *
 * Layout of the file, without gaps: header, then chunks of 65,536 bytes, each with its tag of 16
 * behind it; the last one may be smaller. A chunk is AES-256-GCM under the file's key, without
 * associated data; its nonce is its number from 0, 64 bits little-endian, and four zeros.
 *
 *   secret  = HKDF-Extract(salt = header.salt, ikm = the weights key)
 *   mac key = HKDF-Expand(secret, "caisson-weights-v1 mac" | header up to and with the salt, 32)
 *   content_mac = HMAC-SHA256(mac key, SHA-256(content))
 *   file key | commitment = HKDF-Expand(secret, "caisson-weights-v1 key" | header up to and with
 *                                       content_mac, 64)
 *   digest  = SHA-256(header | tags of all chunks in order)
 *
 * So every field of the header is part of the key, the file cannot be cut or put together anew, and
 * the digest names it. For who holds the key, content_mac is what binds the content: GCM's tags do
 * not. Little-endian. Changes: version 1, first.
 */
#ifndef CAISSON_WIRE_WEIGHTS_H
#define CAISSON_WIRE_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_WEIGHTS_MAGIC      "CSNWGHT1"
#define CSN_WIRE_WEIGHTS_CHUNK_SIZE 65536u
#define CSN_WIRE_WEIGHTS_TAG_SIZE   16u
#define CSN_WIRE_WEIGHTS_PIECE_SIZE 65552u /* a chunk and its tag */
#define CSN_WIRE_WEIGHTS_SIZE_MAX   (UINT64_C(1) << 40)
#define CSN_WIRE_WEIGHTS_MAC_LABEL  "caisson-weights-v1 mac"
#define CSN_WIRE_WEIGHTS_KEY_LABEL  "caisson-weights-v1 key"

/* What the content is. */
#define CSN_WIRE_WEIGHTS_TREES 1u /* a packed image of boosted trees */
#define CSN_WIRE_WEIGHTS_GGUF  2u /* a GGUF file as it stands */

struct csn_wire_weights {
    uint8_t magic[8];
    uint32_t kind;         /* CSN_WIRE_WEIGHTS_TREES or _GGUF */
    uint32_t chunk_size;   /* CSN_WIRE_WEIGHTS_CHUNK_SIZE */
    uint64_t content_size; /* bytes of plaintext, 1 to CSN_WIRE_WEIGHTS_SIZE_MAX */
    uint8_t salt[32];      /* random: no two files have one key */
    uint8_t content_mac[32];
    uint8_t commitment[32];
    uint64_t reserved; /* zero */
};
_Static_assert(sizeof(struct csn_wire_weights) == 128, "size");
_Static_assert(offsetof(struct csn_wire_weights, content_size) == 16, "offset");
_Static_assert(offsetof(struct csn_wire_weights, content_mac) == 56, "offset");
_Static_assert(offsetof(struct csn_wire_weights, commitment) == 88, "offset");

/* Part of a policy: which file, and its key. The host keeps it as the object of that digest. */
struct csn_wire_weights_ref {
    uint8_t digest[32];
    uint8_t key[32]; /* the weights key */
    uint32_t kind;
    uint32_t flags; /* CSN_WIRE_WEIGHTS_CHECK or 0 */
};
_Static_assert(sizeof(struct csn_wire_weights_ref) == 72, "size");

/* The content is hashed and held to content_mac too, which takes longer. */
#define CSN_WIRE_WEIGHTS_CHECK 1u

#endif
