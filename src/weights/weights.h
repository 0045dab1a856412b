/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights.h: sealed weights (caisson/wire/weights.h), written and read chunk by chunk.
 *
 * Who reads or writes the file is the caller. A reader is given the header, then each chunk with
 * its tag in the order of the file, and opens it to where the content belongs.
 *
 * Trust:    the file is anybody's, in private memory. Content is to be used only after
 *           csn_weights_read_end() said CSN_OK: until then each chunk is genuine, but which file it
 *           is of has not been held to the digest.
 * Threads:  a reader or writer belongs to one thread.
 * Memory:   no allocation. Reader and writer are wiped by their ends, whatever the result.
 * Builds:   freestanding and hosted, same source.
 */
#ifndef CSN_WEIGHTS_WEIGHTS_H
#define CSN_WEIGHTS_WEIGHTS_H

#include "crypto/aead.h"
#include "crypto/sha2.h"
#include <caisson/base.h>
#include <caisson/wire/weights.h>
#include <stdbool.h>

#define CSN_WEIGHTS_KEY_SIZE 32u

/* ---- weights_keys.c ---- */

/* CSN_ERR_FORMAT: not a header of this version. Anybody could have made it all the same. */
CSN_MUST_USE csn_err csn_weights_check(const struct csn_wire_weights *header);
/* Of a checked header. */
uint64_t csn_weights_chunk_count(const struct csn_wire_weights *header);
uint64_t csn_weights_file_size(const struct csn_wire_weights *header);

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

/* Makes writer->header. CSN_ERR_ARGUMENT for a size or kind that no file has. */
CSN_MUST_USE csn_err csn_weights_write_begin(struct csn_weights_writer *writer,
                                             const struct csn_weights_new *wanted);
/*
 * The next chunk to size + TAG_SIZE bytes of output: all of the content in order, each CHUNK_SIZE
 * bytes but for the last.
 */
void csn_weights_write_chunk(struct csn_weights_writer *writer, const uint8_t *content,
                             uint32_t size, uint8_t *output);
/* The file's digest; wipes the writer. */
void csn_weights_write_end(struct csn_weights_writer *writer, uint8_t digest[32]);

/* ---- weights_read.c ---- */

struct csn_weights_reader {
    struct csn_gcm_key key;
    struct csn_wire_weights header;
    struct csn_wire_weights_ref ref;
    uint8_t mac_key[32];
    struct csn_sha256 digest;
    struct csn_sha256 content_hash;
    uint8_t *memory;
    uint64_t size;  /* of the content opened so far */
    csn_err result; /* the first failure; it stays */
};

/*
 * Of the first sizeof(struct csn_wire_weights) bytes of the file; memory: private, of the caller,
 * for the content, and nothing in it is read. CSN_ERR_FORMAT: no such file; CSN_ERR_POLICY: of
 * another kind than ref says; CSN_ERR_SPACE: larger than memory; CSN_ERR_AUTH: of another key.
 * csn_weights_read_end() is due even so.
 */
CSN_MUST_USE csn_err csn_weights_read_begin(struct csn_weights_reader *reader,
                                            const struct csn_wire_weights_ref *ref,
                                            const uint8_t *header, void *memory,
                                            uint64_t memory_size);
/* Bytes of the next chunk with its tag; 0: there is none, or reading has failed. */
uint32_t csn_weights_read_next(const struct csn_weights_reader *reader);
/* The next chunk with its tag. CSN_ERR_AUTH: not what was sealed. The first failure stays. */
CSN_MUST_USE csn_err csn_weights_read_chunk(struct csn_weights_reader *reader,
                                            const uint8_t *bytes);
/*
 * CSN_OK: all was read, it is the file of that digest, and *size bytes of content are there. Else
 * the failure (CSN_ERR_STATE: chunks are missing, CSN_ERR_AUTH: another file), and what was opened
 * has been wiped. Wipes the reader in any case.
 */
CSN_MUST_USE csn_err csn_weights_read_end(struct csn_weights_reader *reader, uint64_t *size);

#endif
