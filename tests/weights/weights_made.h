/* SPDX-License-Identifier: Apache-2.0 */
/* weights_made.h: sealed files in memory, under keys and salts that a test draws. */
#ifndef TESTS_WEIGHTS_MADE_H
#define TESTS_WEIGHTS_MADE_H

#include <weights/weights.h>

struct weights_made {
    uint8_t *content;
    uint8_t *file;
    uint64_t size; /* of the file */
    struct csn_wire_weights header;
    struct csn_wire_weights_ref ref; /* flags 0 */
};

/* Bytes that differ from call to call and not from run to run. */
void weights_fill(uint8_t *bytes, uint64_t size);
/* Seals content, or random bytes where it is NULL. */
void weights_make(struct weights_made *made, const void *content, uint64_t content_size,
                  uint32_t kind);
/* The same by a packer who says of another content that it is this. */
void weights_make_lie(struct weights_made *made, uint64_t content_size, uint32_t kind);
void weights_discard(struct weights_made *made);

#endif
