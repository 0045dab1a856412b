/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h: a model from the file of another program to a sealed file, and back; for hosts.
 *
 * Trust:    models to be packed are anybody's, and so are sealed files.
 * Threads:  no state. csn_cpu_begin() first (csv_client_init()).
 */
#ifndef CSN_PACK_PACK_H
#define CSN_PACK_PACK_H

#include "import/import.h"
#include "weights/weights.h"
#include <caisson/base.h>

enum csn_pack_format {
    CSN_PACK_GGUF,
    CSN_PACK_TREES, /* a packed image, as src/import makes it */
    CSN_PACK_XGBOOST_JSON,
    CSN_PACK_XGBOOST_UBJSON,
    CSN_PACK_LIGHTGBM,
    CSN_PACK_FORMAT_COUNT, /* also: none of them */
};

/* By its first bytes; whether the rest is sound is for who reads it. */
enum csn_pack_format csn_pack_format_of(const void *bytes, size_t size);
const char *csn_pack_format_name(enum csn_pack_format format);

/* What is sealed: bytes of the model as it came, or what was made of it. */
struct csn_pack_content {
    const uint8_t *bytes;
    uint64_t size;
    uint32_t kind; /* CSN_WIRE_WEIGHTS_* */
    void *made;    /* NULL, or bytes; from malloc() */
};
/*
 * CSN_ERR_UNKNOWN: of no known format, or not supported; else as the importer has it, with the
 * fault. Whatever passes, an enclave takes that has room for it.
 */
CSN_MUST_USE csn_err csn_pack_content(const void *bytes, size_t size,
                                      struct csn_pack_content *content,
                                      struct csn_import_fault *fault);
/*
 * The part of it for a GGUF. *made, from malloc(), is a copy that csn_llm_open() and
 * csn_vocab_open() have passed, of the same size, with its matrices arranged; they may have been
 * before.
 */
CSN_MUST_USE csn_err csn_pack_gguf(const void *bytes, size_t size, void **made,
                                   struct csn_import_fault *fault);

/*
 * Seals to a file descriptor, from where it stands, under a salt of its own. CSN_ERR_SYSTEM:
 * writing failed, errno says why; CSN_ERR_ENTROPY: no salt.
 */
CSN_MUST_USE csn_err csn_pack_seal(const struct csn_pack_content *content,
                                   const uint8_t key[CSN_WEIGHTS_KEY_SIZE], int fd,
                                   uint8_t digest[32]);

/* A name of the key that tells nothing else about it. */
void csn_pack_key_id(const uint8_t key[CSN_WEIGHTS_KEY_SIZE], uint8_t id[32]);

/* Header and digest of a sealed file, as far as they can be had without the key: by reading all. */
CSN_MUST_USE csn_err csn_pack_digest(int fd, struct csn_wire_weights *header, uint8_t digest[32]);

/* Opens a sealed file to memory; results as those of weights.h. CSN_ERR_SYSTEM: reading failed. */
CSN_MUST_USE csn_err csn_pack_open(int fd, const struct csn_wire_weights_ref *ref, void *memory,
                                   uint64_t memory_size, uint64_t *size);

#endif
