/* SPDX-License-Identifier: Apache-2.0 */
/* weights_load.c: the object of a digest, piece by piece from the store into memory. */
#include "weights_load.h"
#include "core/bytes.h"
#include "weights.h"

void cse_weights_name(const uint8_t digest[32], char name[65])
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < 32; i++) {
        name[2 * i] = digits[digest[i] >> 4];
        name[2 * i + 1] = digits[digest[i] & 15];
    }
    name[64] = '\0';
}

/* As long as the reader wants a chunk: no more of them than the header says. */
static csn_err load_chunks(struct cse_outside *outside, const char *name,
                           struct csn_weights_reader *reader)
{
    const uint64_t left = csn_weights_file_size(&reader->header) - sizeof reader->header;
    csn_err err = cse_outside_stream_begin(outside, name, sizeof reader->header, left,
                                           CSN_WIRE_WEIGHTS_PIECE_SIZE);
    while (err == CSN_OK && csn_weights_read_next(reader) != 0) {
        uint8_t *bytes = NULL;
        uint32_t got = 0;
        err = cse_outside_stream_next(outside, &bytes, &got);
        if (err == CSN_OK) {
            err = csn_weights_read_chunk(reader, bytes);
        }
    }
    cse_outside_stream_end(outside);
    return err;
}

csn_err cse_weights_load(struct cse_outside *outside, const struct csn_wire_weights_ref *ref,
                         void *memory, uint64_t memory_size, uint64_t *size)
{
    struct csn_weights_reader reader;
    char name[65];
    uint8_t *header = NULL;
    uint32_t got = 0;
    uint64_t loaded = 0;
    cse_weights_name(ref->digest, name);
    CSN_TRY(cse_outside_read(outside, name, 0, sizeof(struct csn_wire_weights), &header, &got));
    if (got != sizeof(struct csn_wire_weights)) {
        return CSN_ERR_FORMAT;
    }
    csn_err err = csn_weights_read_begin(&reader, ref, header, memory, memory_size);
    if (err == CSN_OK) {
        err = load_chunks(outside, name, &reader);
    }
    /* Of an end before the last chunk the store says more than the reader. */
    const csn_err end = csn_weights_read_end(&reader, &loaded);
    err = err != CSN_OK ? err : end;
    if (err == CSN_OK) {
        *size = loaded;
    }
    return err;
}
