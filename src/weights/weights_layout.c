/* SPDX-License-Identifier: Apache-2.0 */
/* weights_layout.c: the form of a header, and where its file has what. */
#include "weights.h"

#define CHUNK ((uint64_t)CSN_WIRE_WEIGHTS_CHUNK_SIZE)
#define GROUP ((uint64_t)CSN_WIRE_WEIGHTS_GROUP_COUNT)
#define TAG   ((uint64_t)CSN_WIRE_WEIGHTS_TAG_SIZE)

csn_err csn_weights_check(const struct csn_wire_weights *header)
{
    bool is_sound =
        __builtin_memcmp(header->magic, CSN_WIRE_WEIGHTS_MAGIC, sizeof header->magic) == 0 &&
        (header->kind == CSN_WIRE_WEIGHTS_TREES || header->kind == CSN_WIRE_WEIGHTS_GGUF) &&
        header->chunk_size == CSN_WIRE_WEIGHTS_CHUNK_SIZE && header->content_size > 0 &&
        header->content_size <= CSN_WIRE_WEIGHTS_SIZE_MAX && header->reserved == 0;
    return is_sound ? CSN_OK : CSN_ERR_FORMAT;
}

uint64_t csn_weights_chunk_count(const struct csn_wire_weights *header)
{
    return (header->content_size + CHUNK - 1) / CHUNK;
}

uint64_t csn_weights_file_size(const struct csn_wire_weights *header)
{
    return sizeof *header + csn_weights_chunk_count(header) * TAG + header->content_size;
}

uint64_t csn_weights_piece_count(const struct csn_wire_weights *header)
{
    const uint64_t chunks = csn_weights_chunk_count(header);
    return chunks + (chunks + GROUP - 1) / GROUP;
}

void csn_weights_piece(const struct csn_wire_weights *header, uint64_t index,
                       struct csn_weights_piece *piece)
{
    const uint64_t group = index / (GROUP + 1);
    const uint64_t place = index % (GROUP + 1); /* 0: the tags */
    const uint64_t first = group * GROUP;
    const uint64_t left = csn_weights_chunk_count(header) - first;
    const uint64_t count = left < GROUP ? left : GROUP;
    const uint64_t start = sizeof *header + first * (CHUNK + TAG);
    if (place == 0) {
        *piece = (struct csn_weights_piece){
            .offset = start, .size = (uint32_t)(count * TAG), .is_tags = true, .chunk = first};
        return;
    }
    const uint64_t chunk = first + place - 1;
    const uint64_t rest = header->content_size - chunk * CHUNK;
    *piece = (struct csn_weights_piece){
        .offset = start + count * TAG + (place - 1) * CHUNK,
        .size = (uint32_t)(rest < CHUNK ? rest : CHUNK),
        .chunk = chunk,
        .content = chunk * CHUNK,
    };
}
