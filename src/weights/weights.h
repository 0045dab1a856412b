/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.h: sealed weights (caisson/wire/weights.h), written and read in pieces.
 *
 * Who reads or writes the file is the caller: these are steps between its reads. A reader says what
 * to read next and whereto, several pieces ahead, and is told what has arrived. A chunk arrives
 * where the content belongs and is opened in place, so that nothing is kept twice and each byte of
 * the file is read once.
 *
 * Trust:    the file is anybody's, in private memory once it has arrived. Content is to be used
 *           only after csn_weights_read_end() said CSN_OK: until then each chunk is genuine, but
 *           which file it is of has not been held to the digest.
 * Threads:  a reader or writer belongs to one thread.
 * Memory:   no allocation; a reader is some 3.5 KiB. Wiped by its end, whatever the result.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_WEIGHTS_WEIGHTS_H
#define CSN_WEIGHTS_WEIGHTS_H

#include "crypto/aead.h"
#include "crypto/sha2.h"
#include <caisson/base.h>
#include <caisson/wire/weights.h>
#include <stdbool.h>

#define CSN_WEIGHTS_KEY_SIZE  32u
#define CSN_WEIGHTS_AHEAD_MAX CSN_WIRE_WEIGHTS_GROUP_COUNT /* reads under way at a time */

/* ---- weights_layout.c: where things are ---- */

/* CSN_ERR_FORMAT: not a header of this version. Anybody could have made it all the same. */
CSN_MUST_USE csn_err csn_weights_check(const struct csn_wire_weights *header);
uint64_t csn_weights_chunk_count(const struct csn_wire_weights *header);
uint64_t csn_weights_file_size(const struct csn_wire_weights *header);

/* The file behind its header is read in pieces: in turn the tags of a group and its chunks. */
struct csn_weights_piece {
    uint64_t offset;  /* in the file */
    uint32_t size;    /* bytes */
    bool is_tags;     /* else one chunk */
    uint64_t chunk;   /* its number, or the first one of the group */
    uint64_t content; /* of a chunk: offset of its plaintext */
};
uint64_t csn_weights_piece_count(const struct csn_wire_weights *header);
/* index is below that count, the header has been checked. */
void csn_weights_piece(const struct csn_wire_weights *header, uint64_t index,
                       struct csn_weights_piece *piece);

/* ---- weights_keys.c ---- */

/*
 * The key of a file. content_digest: SHA-256 of the content, from which content_mac is set; NULL:
 * content_mac stands in the header already. mac_key and commitment: 32 bytes each.
 */
void csn_weights_keys(struct csn_wire_weights *header, const uint8_t key[CSN_WEIGHTS_KEY_SIZE],
                      const uint8_t *content_digest, struct csn_gcm_key *file_key, uint8_t *mac_key,
                      uint8_t *commitment);

/* ---- weights_write.c ---- */

struct csn_weights_writer {
    struct csn_gcm_key key;
    struct csn_wire_weights header;
    struct csn_sha256 digest;
    uint64_t chunk;
};

struct csn_weights_new {
    const uint8_t *key;            /* CSN_WEIGHTS_KEY_SIZE bytes */
    const uint8_t *salt;           /* 32 random bytes, never used before */
    const uint8_t *content_digest; /* SHA-256 of all of the content */
    uint64_t content_size;
    uint32_t kind;
};

/* Makes the header. CSN_ERR_ARGUMENT for a size or kind that no file has. */
CSN_MUST_USE csn_err csn_weights_write_begin(struct csn_weights_writer *writer,
                                             const struct csn_weights_new *wanted);
/* The next chunk: all of the content in order, each CHUNK_SIZE bytes but for the last. */
void csn_weights_write_chunk(struct csn_weights_writer *writer, const uint8_t *content,
                             uint32_t size, uint8_t *output,
                             uint8_t tag[CSN_WIRE_WEIGHTS_TAG_SIZE]);
/* The file's digest; wipes the writer. */
void csn_weights_write_end(struct csn_weights_writer *writer, uint8_t digest[32]);

/* ---- weights_read.c ---- */

/* Bytes wanted: size of them from that place of the file to target. */
struct csn_weights_want {
    uint64_t offset;
    uint8_t *target;
    uint32_t size;
};

struct csn_weights_reader {
    struct csn_gcm_key key;
    struct csn_wire_weights header;
    struct csn_wire_weights_ref ref;
    uint8_t mac_key[32];
    struct csn_sha256 digest;
    struct csn_sha256 content_hash;
    uint8_t *memory;
    uint64_t memory_size;
    uint64_t wanted; /* pieces that were asked for, the header not among them */
    uint64_t taken;
    uint64_t piece_count;
    uint32_t state;
    csn_err result; /* the first failure; it stays */
    uint8_t tags[2][CSN_WIRE_WEIGHTS_GROUP_COUNT][CSN_WIRE_WEIGHTS_TAG_SIZE];
};

/* memory: private, of the caller, for the content. Nothing in it is read. */
void csn_weights_read_begin(struct csn_weights_reader *reader,
                            const struct csn_wire_weights_ref *ref, void *memory,
                            uint64_t memory_size);
/*
 * The next read to ask for. False: none at the moment (the header has not arrived, or AHEAD_MAX are
 * under way), all were asked for, or reading has failed.
 */
bool csn_weights_read_want(struct csn_weights_reader *reader, struct csn_weights_want *want);
/*
 * The oldest read that was asked for and not yet taken has arrived, whole. CSN_ERR_FORMAT: no such
 * file; CSN_ERR_POLICY: of another kind than the grant says; CSN_ERR_SPACE: larger than memory;
 * CSN_ERR_AUTH: another key, or not what was sealed. The first failure stays.
 */
CSN_MUST_USE csn_err csn_weights_read_take(struct csn_weights_reader *reader);
/*
 * CSN_OK: all has arrived, it is the file of that digest, and *size bytes of content are there.
 * Else the failure (CSN_ERR_STATE: pieces are missing, CSN_ERR_AUTH: another file), and what was
 * opened has been wiped. Wipes the reader in any case.
 */
CSN_MUST_USE csn_err csn_weights_read_end(struct csn_weights_reader *reader, uint64_t *size);

#endif
