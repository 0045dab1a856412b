/* SPDX-License-Identifier: Apache-2.0 */
/* weights_made.c: seals as a packer does. */
#include "weights_made.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

void weights_fill(uint8_t *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 56);
    }
}

static void seal(struct weights_made *made, uint64_t content_size, uint32_t kind,
                 const uint8_t hash[32])
{
    struct csn_weights_writer writer;
    uint8_t salt[32];
    weights_fill(made->ref.key, 32);
    weights_fill(salt, sizeof salt);
    made->ref.kind = kind;
    const struct csn_weights_new wanted = {made->ref.key, salt, hash, content_size, kind};
    if (csn_weights_write_begin(&writer, &wanted) != CSN_OK) {
        abort();
    }
    made->header = writer.header;
    made->size = csn_weights_file_size(&writer.header);
    made->file = malloc(made->size);
    if (made->file == NULL) {
        abort();
    }
    memcpy(made->file, &writer.header, sizeof writer.header);
    uint8_t *target = made->file + sizeof writer.header;
    for (uint64_t at = 0; at < content_size; at += CSN_WIRE_WEIGHTS_CHUNK_SIZE) {
        const uint64_t left = content_size - at;
        csn_weights_write_chunk(
            &writer, made->content + at,
            (uint32_t)(left < CSN_WIRE_WEIGHTS_CHUNK_SIZE ? left : CSN_WIRE_WEIGHTS_CHUNK_SIZE),
            target);
        target += CSN_WIRE_WEIGHTS_PIECE_SIZE;
    }
    csn_weights_write_end(&writer, made->ref.digest);
}

static void begin(struct weights_made *made, const void *content, uint64_t content_size)
{
    *made = (struct weights_made){.content = malloc(content_size)};
    if (made->content == NULL) {
        abort();
    }
    if (content != NULL) {
        memcpy(made->content, content, content_size);
    } else {
        weights_fill(made->content, content_size);
    }
}

void weights_make(struct weights_made *made, const void *content, uint64_t content_size,
                  uint32_t kind)
{
    uint8_t hash[32];
    begin(made, content, content_size);
    csn_sha256(made->content, content_size, hash);
    seal(made, content_size, kind, hash);
}

void weights_make_lie(struct weights_made *made, uint64_t content_size, uint32_t kind)
{
    uint8_t hash[32];
    begin(made, NULL, content_size);
    csn_sha256(made->content, content_size - 1, hash);
    seal(made, content_size, kind, hash);
}

void weights_discard(struct weights_made *made)
{
    free(made->content);
    free(made->file);
}
