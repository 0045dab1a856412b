/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weights_read.c: what to read next, and what has arrived.
 *
 * The two tables of tags take turns. AHEAD_MAX is the chunks of a group, so that the tags of a
 * group are never asked for before those of the group before the last have been used.
 */
#include "core/bytes.h"
#include "weights.h"

enum { WAITS_TO_ASK, WAITS_FOR_HEADER, HAS_HEADER };

void csn_weights_read_begin(struct csn_weights_reader *reader,
                            const struct csn_wire_weights_ref *ref, void *memory,
                            uint64_t memory_size)
{
    reader->ref = *ref;
    reader->memory = memory;
    reader->memory_size = memory_size;
    reader->wanted = 0;
    reader->taken = 0;
    reader->piece_count = 0;
    reader->state = WAITS_TO_ASK;
    reader->result = CSN_OK;
    reader->header.content_size = 0;
    csn_sha256_init(&reader->digest);
    csn_sha256_init(&reader->content_hash);
}

static uint8_t *target_of(struct csn_weights_reader *reader, const struct csn_weights_piece *piece)
{
    return piece->is_tags ? reader->tags[piece->chunk / CSN_WIRE_WEIGHTS_GROUP_COUNT % 2][0]
                          : reader->memory + piece->content;
}

bool csn_weights_read_want(struct csn_weights_reader *reader, struct csn_weights_want *want)
{
    if (reader->result != CSN_OK || reader->state == WAITS_FOR_HEADER) {
        return false;
    }
    if (reader->state == WAITS_TO_ASK) {
        reader->state = WAITS_FOR_HEADER;
        *want = (struct csn_weights_want){.target = (uint8_t *)&reader->header,
                                          .size = sizeof reader->header};
        return true;
    }
    if (reader->wanted == reader->piece_count ||
        reader->wanted - reader->taken == CSN_WEIGHTS_AHEAD_MAX) {
        return false;
    }
    struct csn_weights_piece piece;
    csn_weights_piece(&reader->header, reader->wanted++, &piece);
    *want = (struct csn_weights_want){piece.offset, target_of(reader, &piece), piece.size};
    return true;
}

static csn_err take_header(struct csn_weights_reader *reader)
{
    uint8_t commitment[32];
    CSN_TRY(csn_weights_check(&reader->header));
    if (reader->header.kind != reader->ref.kind) {
        return CSN_ERR_POLICY;
    }
    if (reader->header.content_size > reader->memory_size) {
        return CSN_ERR_SPACE;
    }
    csn_weights_keys(&reader->header, reader->ref.key, NULL, &reader->key, reader->mac_key,
                     commitment);
    if (!csn_equal_ct(commitment, reader->header.commitment, sizeof commitment)) {
        return CSN_ERR_AUTH;
    }
    csn_sha256_update(&reader->digest, &reader->header, sizeof reader->header);
    reader->piece_count = csn_weights_piece_count(&reader->header);
    reader->state = HAS_HEADER;
    return CSN_OK;
}

static csn_err take_piece(struct csn_weights_reader *reader)
{
    struct csn_weights_piece piece;
    csn_weights_piece(&reader->header, reader->taken, &piece);
    uint8_t *target = target_of(reader, &piece);
    if (piece.is_tags) {
        csn_sha256_update(&reader->digest, target, piece.size);
        reader->taken++;
        return CSN_OK;
    }
    const uint64_t group = piece.chunk / CSN_WIRE_WEIGHTS_GROUP_COUNT;
    struct csn_gcm_item item = {
        .key = &reader->key,
        .size = piece.size,
        .input = target,
        .output = target,
        .tag = reader->tags[group % 2][piece.chunk % CSN_WIRE_WEIGHTS_GROUP_COUNT]};
    csn_store_u64(item.nonce, piece.chunk);
    csn_gcm_open_batch(&item, 1);
    CSN_TRY(item.result);
    if ((reader->ref.flags & CSN_WIRE_WEIGHTS_CHECK) != 0) {
        csn_sha256_update(&reader->content_hash, target, piece.size);
    }
    reader->taken++;
    return CSN_OK;
}

csn_err csn_weights_read_take(struct csn_weights_reader *reader)
{
    if (reader->result == CSN_OK) {
        bool is_header = reader->state == WAITS_FOR_HEADER;
        reader->result = is_header                        ? take_header(reader)
                         : reader->taken < reader->wanted ? take_piece(reader)
                                                          : CSN_ERR_STATE;
    }
    return reader->result;
}

/* For who holds the key, the tags are no name of the content; this is. */
static csn_err check_content(struct csn_weights_reader *reader)
{
    uint8_t hash[32];
    uint8_t tag[32];
    struct csn_hmac_key mac;
    csn_sha256_final(&reader->content_hash, hash);
    csn_hmac_key_init(&mac, reader->mac_key, sizeof reader->mac_key);
    csn_hmac(&mac, hash, sizeof hash, tag);
    csn_wipe(&mac, sizeof mac);
    return csn_equal_ct(tag, reader->header.content_mac, sizeof tag) ? CSN_OK : CSN_ERR_AUTH;
}

static csn_err check_whole(struct csn_weights_reader *reader)
{
    uint8_t digest[32];
    CSN_TRY(reader->result);
    if (reader->state != HAS_HEADER || reader->taken != reader->piece_count) {
        return CSN_ERR_STATE;
    }
    csn_sha256_final(&reader->digest, digest);
    if (!csn_equal_ct(digest, reader->ref.digest, sizeof digest)) {
        return CSN_ERR_AUTH;
    }
    return (reader->ref.flags & CSN_WIRE_WEIGHTS_CHECK) != 0 ? check_content(reader) : CSN_OK;
}

csn_err csn_weights_read_end(struct csn_weights_reader *reader, uint64_t *size)
{
    csn_err err = check_whole(reader);
    if (err == CSN_OK) {
        *size = reader->header.content_size;
    } else if (reader->state == HAS_HEADER) {
        csn_wipe(reader->memory, reader->header.content_size);
    }
    csn_wipe(reader, sizeof *reader);
    return err;
}
