/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_chunk.c: where a chunk begins and ends (draft-ietf-ohai-chunked-ohttp-08 section 3). */
#include "ohttp.h"
#include "varint.h"

/* All that is left of the body. */
static csn_err find_final(uint32_t size, uint32_t start, bool is_whole, uint32_t size_max,
                          struct csn_ohttp_chunk *chunk)
{
    if (size - start > size_max) {
        return CSN_ERR_LIMIT;
    }
    if (!is_whole) {
        return CSN_AGAIN;
    }
    if (size - start < CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    *chunk =
        (struct csn_ohttp_chunk){.offset = start, .size = size - start, .end = size, .final = true};
    return CSN_OK;
}

csn_err csn_ohttp_chunk_find(const uint8_t *bytes, uint32_t size, uint32_t offset, bool is_whole,
                             uint32_t size_max, struct csn_ohttp_chunk *chunk)
{
    uint32_t start = offset;
    uint64_t length;
    if (!csn_varint_read(bytes, size, &start, &length)) {
        return is_whole ? CSN_ERR_FORMAT : CSN_AGAIN;
    }
    if (length == 0) {
        return find_final(size, start, is_whole, size_max, chunk);
    }
    if (length < CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    if (length > size_max) {
        return CSN_ERR_LIMIT;
    }
    if (length > size - start) {
        return is_whole ? CSN_ERR_FORMAT : CSN_AGAIN;
    }
    *chunk = (struct csn_ohttp_chunk){
        .offset = start, .size = (uint32_t)length, .end = start + (uint32_t)length};
    return CSN_OK;
}

uint32_t csn_ohttp_chunk_head(uint32_t sealed_size, bool final, uint8_t bytes[8])
{
    return csn_varint_write(bytes, final ? 0 : sealed_size);
}
