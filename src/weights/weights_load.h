/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights_load.h: sealed weights from the host's store into the enclave's memory.
 *
 * Trust:    the host may give anything; what is in memory after CSN_OK is the file that ref names.
 * Threads:  one worker. Returns when all is loaded: to be called from a grant hook.
 * Memory:   the caller's for the content; besides, a reader on the stack (1.5 KiB).
 */
#ifndef CSE_WEIGHTS_LOAD_H
#define CSE_WEIGHTS_LOAD_H

#include <caisson/enclave_store.h>
#include <caisson/wire/weights.h>

/*
 * Reads the object whose name is ref->digest in hex, in pieces of CSN_WIRE_WEIGHTS_PIECE_SIZE: the
 * manifest's input_size_max must be at least CSE_WEIGHTS_INPUT_MIN (else CSN_ERR_ARGUMENT), and
 * pieces are read ahead as far as input_line_count has lines.
 *
 * CSN_OK: *size bytes of content are at memory. CSN_ERR_UNKNOWN: the host has no such object;
 * CSN_ERR_MISSING: it has no store; CSN_ERR_FORMAT: not such a file, or it ends too early;
 * CSN_ERR_POLICY: of another kind; CSN_ERR_SPACE: larger than memory_size; CSN_ERR_AUTH: of another
 * key, changed, or another file; or what enclave_store.h has. Then nothing of it is left.
 */
#define CSE_WEIGHTS_INPUT_MIN                                                                      \
    ((uint32_t)(CSN_WIRE_WEIGHTS_PIECE_SIZE + sizeof(struct csn_wire_outside_answer)))
CSN_MUST_USE csn_err cse_weights_load(struct cse_outside *outside,
                                      const struct csn_wire_weights_ref *ref, void *memory,
                                      uint64_t memory_size, uint64_t *size);

/* The object's name: 64 digits and a NUL. */
void cse_weights_name(const uint8_t digest[32], char name[65]);

#endif
