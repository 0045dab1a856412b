/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h: sealed records, full and short form (docs/WIRE.md has the prose).
 *
 * Full form: header (176 bytes, all of it associated data), route (route_size bytes, associated
 * data too), ciphertext (cipher_size bytes), tag (16). Self-contained: for brokers and files.
 * Short form: header (16 bytes), ciphertext, tag. Only on a live channel, after the answer to a
 * hello gave the handle. Integers are little-endian.
 *
 * Key schedule (suite 0x00200102 = DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM):
 *   info      = "caisson-record-v1" | direction u8 | mode u8 | tenant 32 | credential u64 |
 *               key_id 8 | challenge 32 (struct csn_wire_challenge in window mode, else zeros)
 *   context   = HPKE SetupPSK(recipient public key, info, psk = credential secret (32 bytes),
 *               psk_id = "caisson-credential" | tenant 32 | credential u64)
 *   commitment = context.Export("caisson-commit", 32)     compared before the tag
 *   base      = context.Export("caisson-record-key", 32)
 *   key|iv    = HKDF-SHA256(salt = salt 16, ikm = base, info = "caisson-salt-v1", 32 + 12)
 *   nonce     = iv XOR (0^4 | sequence big-endian u64)
 *   record id = SHA-256("caisson-record-id-v1" | tenant | credential u64 | encapsulation |
 *               sequence u64 | grant version of the serving grant u64)
 * Reply (direction REPLY or RECEIPT): encapsulation holds the fresh 32-byte response nonce,
 *   base      = context.Export("caisson-reply", 32)   (the request's or the grant's context)
 *   key|iv    = HKDF-SHA256(salt = response nonce, ikm = base,
 *               info = "caisson-reply-v1" | sequence u64, 32 + 12), nonce = iv
 *   commitment = HKDF-SHA256(same salt and ikm, info = "caisson-reply-commit" | sequence u64, 32)
 * Reply in the short form: one key for 2^20 answers, from the salt in the answer to the hello,
 *   key|iv    = HKDF-SHA256(salt = that salt 16, ikm = context.Export("caisson-reply", 32),
 *               info = "caisson-short-reply-v2" | reply id 32 | grant version u64 |
 *               grant digest 32 | epoch u64, 32 + 12)
 *   nonce     = iv XOR (0^4 | counter big-endian u64), epoch = counter / 2^20
 */
#ifndef CAISSON_WIRE_RECORD_H
#define CAISSON_WIRE_RECORD_H

#include <caisson/wire/manifest.h>
#include <stddef.h>
#include <stdint.h>

#define CSN_WIRE_RECORD_VERSION 1u
#define CSN_WIRE_SUITE          UINT32_C(0x00200102) /* KEM id << 16 | KDF id << 8 | AEAD id */
#define CSN_WIRE_TAG_SIZE       16u
#define CSN_WIRE_ROUTE_SIZE_MAX 256u

#define CSN_WIRE_DIRECTION_REQUEST 1u /* producer to enclave */
#define CSN_WIRE_DIRECTION_OUTPUT  2u /* enclave to a consumer */
#define CSN_WIRE_DIRECTION_REPLY   3u /* enclave back to the producer */
#define CSN_WIRE_DIRECTION_RECEIPT 4u /* enclave to the granter */
#define CSN_WIRE_DIRECTION_FIELD   5u /* one value, enclave to a consumer (`encrypt`) */

#define CSN_WIRE_MODE_IDEMPOTENT 1u
#define CSN_WIRE_MODE_WINDOW     2u

/*
 * A hello opens a context and asks for its short-form handle: no operation runs, nothing goes to a
 * consumer, and the answer is a reply to the producer, in the full form, with struct csn_wire_hello
 * as its payload. Request only; empty payload; its sequence
 * numbers count from CSN_WIRE_SEQUENCE_HELLO, so that data records are numbered without gaps.
 */
#define CSN_WIRE_FLAG_HELLO 1u

/* Data records: 0 .. HELLO - 1. Above LAST a record is refused, far below any AEAD limit. */
#define CSN_WIRE_SEQUENCE_HELLO (UINT64_C(1) << 47)
#define CSN_WIRE_SEQUENCE_LAST  ((UINT64_C(1) << 48) - 1)
/* A sender takes a new salt, hence a new key and iv, after so many records at the latest. */
#define CSN_WIRE_SALT_RECORDS_MAX (UINT64_C(1) << 20)
/* Window mode: how far behind the highest sequence number a record may come. */
#define CSN_WIRE_WINDOW_SIZE 1024u

struct csn_wire_record {
    uint32_t kind;   /* CSN_WIRE_RECORD */
    uint8_t version; /* CSN_WIRE_RECORD_VERSION */
    uint8_t direction;
    uint8_t mode;
    uint8_t flags; /* CSN_WIRE_FLAG_HELLO or 0 */
    uint32_t suite;
    uint16_t encapsulation_size; /* 32 for this suite */
    uint16_t route_size;         /* bytes, at most 256 */
    uint32_t cipher_size;        /* bytes without the tag: a size class (see below) */
    uint32_t reserved2;          /* zero */
    uint64_t credential;         /* whose secret is the PSK */
    uint8_t tenant[32];
    uint8_t key_id[8]; /* first 8 bytes of SHA-256("caisson-key-id-v1" | suite u32 | public key) */
    uint64_t grant_version; /* request: lowest accepted; from the enclave: the grant that made it */
    uint8_t salt[16];
    uint64_t sequence;
    uint64_t challenge; /* window mode: the counter of the challenge; field: its place; else 0 */
    uint8_t encapsulation[32];
    uint8_t commitment[32];
};
_Static_assert(sizeof(struct csn_wire_record) == 176, "size");
_Static_assert(offsetof(struct csn_wire_record, suite) == 8, "offset");
_Static_assert(offsetof(struct csn_wire_record, cipher_size) == 16, "offset");
_Static_assert(offsetof(struct csn_wire_record, credential) == 24, "offset");
_Static_assert(offsetof(struct csn_wire_record, tenant) == 32, "offset");
_Static_assert(offsetof(struct csn_wire_record, key_id) == 64, "offset");
_Static_assert(offsetof(struct csn_wire_record, grant_version) == 72, "offset");
_Static_assert(offsetof(struct csn_wire_record, salt) == 80, "offset");
_Static_assert(offsetof(struct csn_wire_record, sequence) == 96, "offset");
_Static_assert(offsetof(struct csn_wire_record, challenge) == 104, "offset");
_Static_assert(offsetof(struct csn_wire_record, encapsulation) == 112, "offset");
_Static_assert(offsetof(struct csn_wire_record, commitment) == 144, "offset");

struct csn_wire_short {
    uint32_t handle;      /* CSN_WIRE_SHORT | index of the context */
    uint32_t cipher_size; /* bytes without the tag: a size class; answer: what follows from it */
    uint64_t sequence;    /* request: its number; answer: the enclave's counter under the salt */
};
_Static_assert(sizeof(struct csn_wire_short) == 16, "size");
_Static_assert(offsetof(struct csn_wire_short, cipher_size) == 4, "offset");
_Static_assert(offsetof(struct csn_wire_short, sequence) == 8, "offset");

/* Its first eight bytes as a number. */
static inline uint64_t csn_wire_short_first(uint32_t handle, uint32_t cipher_size)
{
    return (uint64_t)cipher_size << 32 | handle;
}

/*
 * Associated data of the short form: the 16 header bytes, then the context id. The handle is only
 * an index; the id says which context the sender meant.
 *   context id = SHA-256("caisson-context-v1" | direction u8 | mode u8 | tenant 32 |
 *                credential u64 | key_id 8 | challenge u64 | encapsulation 32 | salt 16)
 * An answer has the reply id there: the same hash with direction REPLY and the salt of the hello's
 * answer.
 */
struct csn_wire_short_aad {
    struct csn_wire_short header;
    uint8_t context_id[32];
};
_Static_assert(sizeof(struct csn_wire_short_aad) == 48, "size");

/*
 * What is sealed. Request plaintext: prelude, payload, zeros up to the size class. A payload has at
 * most 16 bytes less than its class.
 */
#define CSN_WIRE_PRELUDE_FIN                                                                       \
    UINT32_C(1) /* end of the stream; payload: u64 count of records sent                           \
                 */

/* The payload is a request, and the answer's a response, as Binary HTTP (RFC 9292). */
#define CSN_WIRE_OPERATION_HTTP 0xffffu

struct csn_wire_prelude {
    uint16_t version;      /* 1 */
    uint16_t operation;    /* id in the enclave's service table */
    uint32_t payload_size; /* bytes */
    uint32_t flags;
    uint32_t purpose; /* why: a number that the credential must list, 0 = general */
};
_Static_assert(sizeof(struct csn_wire_prelude) == 16, "size");
_Static_assert(offsetof(struct csn_wire_prelude, payload_size) == 4, "offset");

/* Its first eight bytes as a number. */
static inline uint64_t csn_wire_prelude_first(uint16_t operation, uint32_t payload_size)
{
    return (uint64_t)payload_size << 32 | (uint64_t)operation << 16 | 1;
}

#define CSN_WIRE_RESULT_FIN       UINT32_C(1) /* payload: struct csn_wire_fin */
#define CSN_WIRE_RESULT_TOMBSTONE UINT32_C(2) /* the record was refused: status says why */
#define CSN_WIRE_RESULT_SHORT     UINT32_C(4) /* handle is valid for short form records */

/*
 * sent is the producer's count. served and refused are what this instance counted in this context
 * in window mode; zero in idempotent mode, where a repeated FIN must give the same answer.
 */
struct csn_wire_fin {
    uint64_t sent;
    uint64_t served;
    uint64_t refused;
};
_Static_assert(sizeof(struct csn_wire_fin) == 24, "size");

/* Payload of a receipt whose status is OK. */
struct csn_wire_receipt {
    uint32_t worker; /* which worker took the grant */
    uint32_t worker_count;
    uint8_t boot_id[16];
};
_Static_assert(sizeof(struct csn_wire_receipt) == 24, "size");

/* Payload of the answer to a hello: the salt of all short answers until the next hello. */
struct csn_wire_hello {
    uint8_t salt[16];
};
_Static_assert(sizeof(struct csn_wire_hello) == 16, "size");

/* Full form: output, reply and receipt plaintext: result, payload, zeros up to the room. */
struct csn_wire_result {
    uint16_t version;      /* 1 */
    uint16_t status;       /* enum csn_wire_status */
    uint32_t payload_size; /* bytes */
    uint32_t flags;
    uint32_t handle;     /* index for the short form where RESULT_SHORT is set */
    uint64_t sequence;   /* of the request */
    uint64_t credential; /* of the request */
    uint64_t grant_version;
    uint16_t part;       /* 0-based index among the outputs of one input */
    uint16_t part_count; /* 0: more are to come, and the last one says how many there were */
    uint32_t detail;     /* status-specific: byte offset in the payload, or 0 */
    uint8_t stream[16];  /* first 16 bytes of SHA-256(encapsulation of the request) */
    uint8_t record_id[32];
    uint8_t grant_digest[32];
};
_Static_assert(sizeof(struct csn_wire_result) == 128, "size");

/*
 * Short form: a reply's plaintext: this, payload, zeros up to the room. Who, under which grant, in
 * which stream: all that the answer to the hello said, and the key is bound to it. So is the layout
 * ("v2"): there is no version in it.
 */
struct csn_wire_short_result {
    uint64_t word; /* csn_wire_short_word() */
    uint32_t size; /* payload bytes; a tombstone has no payload, and its detail here */
    uint16_t part;
    uint16_t part_count;
};
_Static_assert(sizeof(struct csn_wire_short_result) == 16, "size");
_Static_assert(offsetof(struct csn_wire_short_result, size) == 8, "offset");
_Static_assert(offsetof(struct csn_wire_short_result, part_count) == 14, "offset");

/* Bits 0..47: sequence of the request; 48..55: status; 56..63: flags, FIN and TOMBSTONE alone. */
#define CSN_WIRE_SHORT_STATUS_SHIFT 48
#define CSN_WIRE_SHORT_FLAGS_SHIFT  56

static inline uint64_t csn_wire_short_word(uint64_t sequence, uint32_t status, uint32_t flags)
{
    return (sequence & CSN_WIRE_SEQUENCE_LAST) |
           (uint64_t)(status & 0xff) << CSN_WIRE_SHORT_STATUS_SHIFT |
           (uint64_t)(flags & 0xff) << CSN_WIRE_SHORT_FLAGS_SHIFT;
}

enum csn_wire_status {
    CSN_WIRE_STATUS_OK = 0,
    CSN_WIRE_STATUS_MALFORMED = 1,    /* payload does not parse; detail = offset */
    CSN_WIRE_STATUS_LIMIT = 2,        /* too deep, too long, too many */
    CSN_WIRE_STATUS_OPERATION = 3,    /* no such operation, or wrong size for it */
    CSN_WIRE_STATUS_RIGHTS = 4,       /* the credential lacks the right, field or purpose */
    CSN_WIRE_STATUS_BUDGET = 5,       /* the credential's budget is used up */
    CSN_WIRE_STATUS_REPLAY = 6,       /* window mode: seen or too old */
    CSN_WIRE_STATUS_TOO_LARGE = 7,    /* the result does not fit the output's size class */
    CSN_WIRE_STATUS_POLICY = 8,       /* the grant's policy does not allow it */
    CSN_WIRE_STATUS_NOT_FOUND = 9,    /* detokenize: not a value of ours */
    CSN_WIRE_STATUS_INTERNAL = 10,    /* also what became of any status above the last one */
    CSN_WIRE_STATUS_BUSY = 11,        /* as much as can be is being served: ask again later */
    CSN_WIRE_STATUS_UNAVAILABLE = 12, /* what the service keeps outside cannot be had now */
};
#define CSN_WIRE_STATUS_LAST CSN_WIRE_STATUS_UNAVAILABLE

/*
 * Size classes: the only plaintext sizes that a request has: 80, 272, 528, 1040, ... 65552. A class
 * holds a payload of a power of two bytes (64, or 256 and up) and 16 beside it, for the prelude
 * here and for the short result in the answer.
 */
#define CSN_WIRE_CLASS_COUNT   10u
#define CSN_WIRE_CLASS_BESIDE  16u
#define CSN_WIRE_PAYLOAD_MAX   65536u
#define CSN_WIRE_CLASS_LARGEST (CSN_WIRE_PAYLOAD_MAX + CSN_WIRE_CLASS_BESIDE)
/* Receipts and answers to a hello: a result and 64 bytes of room, whatever the image. */
#define CSN_WIRE_FIXED_SIZE (128u + 64u)

static inline uint32_t csn_wire_input_class(uint32_t index)
{
    return (index == 0 ? 64u : 128u << index) + CSN_WIRE_CLASS_BESIDE;
}

/* Index of the smallest input class of at least size bytes, or CSN_WIRE_CLASS_COUNT. */
static inline uint32_t csn_wire_class_for(uint32_t size)
{
    if (size <= csn_wire_input_class(0)) {
        return 0;
    }
    /* The power of two that holds the payload: 2^8 is class 1. */
    uint32_t above = (size - CSN_WIRE_CLASS_BESIDE - 1) >> 8;
    uint32_t index = above == 0 ? 1 : 33 - (uint32_t)__builtin_clz(above);
    return index < CSN_WIRE_CLASS_COUNT ? index : CSN_WIRE_CLASS_COUNT;
}

/* Bytes for the payload of each output of an input of this class: a result comes on top. */
static inline uint32_t csn_wire_output_room(const struct csn_wire_manifest *manifest,
                                            uint32_t index)
{
    uint32_t capacity = csn_wire_input_class(index) - CSN_WIRE_CLASS_BESIDE;
    uint32_t room = capacity / 16 * manifest->output_scale + manifest->output_extra;
    return (room + 15) / 16 * 16;
}

/*
 * Plaintext bytes of the largest output of a record with this many bytes of ciphertext: no class
 * above fits into them.
 */
static inline uint32_t csn_wire_output_bound(const struct csn_wire_manifest *manifest,
                                             uint32_t cipher_size)
{
    uint32_t index = csn_wire_class_for(cipher_size);
    if (index == CSN_WIRE_CLASS_COUNT ||
        (index != 0 && csn_wire_input_class(index) != cipher_size)) {
        index--;
    }
    uint32_t size =
        (uint32_t)sizeof(struct csn_wire_result) + csn_wire_output_room(manifest, index);
    return size < CSN_WIRE_FIXED_SIZE ? CSN_WIRE_FIXED_SIZE : size;
}

#endif
