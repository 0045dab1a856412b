/* SPDX-License-Identifier: Apache-2.0 */
/* weights_read.c: a header, chunks in order, and at the end whether it was the right file. */
#include "core/bytes.h"
#include "weights.h"

static csn_err take_header(struct csn_weights_reader *reader, uint64_t memory_size)
{
    uint8_t commitment[32];
    CSN_TRY(csn_weights_check(&reader->header));
    if (reader->header.kind != reader->ref.kind) {
        return CSN_ERR_POLICY;
    }
    if (reader->header.content_size > memory_size) {
        return CSN_ERR_SPACE;
    }
    csn_weights_keys(&reader->header, reader->ref.key, NULL, &reader->key, reader->mac_key,
                     commitment);
    return csn_equal_ct(commitment, reader->header.commitment, sizeof commitment) ? CSN_OK
                                                                                  : CSN_ERR_AUTH;
}

csn_err csn_weights_read_begin(struct csn_weights_reader *reader,
                               const struct csn_wire_weights_ref *ref, const uint8_t *header,
                               void *memory, uint64_t memory_size)
{
    reader->ref = *ref;
    reader->memory = memory;
    reader->size = 0;
    __builtin_memcpy(&reader->header, header, sizeof reader->header);
    csn_sha256_init(&reader->digest);
    csn_sha256_update(&reader->digest, &reader->header, sizeof reader->header);
    csn_sha256_init(&reader->content_hash);
    reader->result = take_header(reader, memory_size);
    return reader->result;
}

uint32_t csn_weights_read_next(const struct csn_weights_reader *reader)
{
    if (reader->result != CSN_OK || reader->size == reader->header.content_size) {
        return 0;
    }
    const uint64_t left = reader->header.content_size - reader->size;
    return (uint32_t)(left < CSN_WIRE_WEIGHTS_CHUNK_SIZE ? left : CSN_WIRE_WEIGHTS_CHUNK_SIZE) +
           CSN_WIRE_WEIGHTS_TAG_SIZE;
}

static csn_err open_chunk(struct csn_weights_reader *reader, const uint8_t *bytes, uint32_t size)
{
    uint8_t tag[CSN_WIRE_WEIGHTS_TAG_SIZE];
    uint8_t *target = reader->memory + reader->size;
    __builtin_memcpy(tag, bytes + size, sizeof tag);
    csn_sha256_update(&reader->digest, tag, sizeof tag);
    struct csn_gcm_item item = {
        .key = &reader->key, .size = size, .input = bytes, .output = target, .tag = tag};
    csn_store_u64(item.nonce, reader->size / CSN_WIRE_WEIGHTS_CHUNK_SIZE);
    csn_gcm_open_batch(&item, 1);
    CSN_TRY(item.result);
    if ((reader->ref.flags & CSN_WIRE_WEIGHTS_CHECK) != 0) {
        csn_sha256_update(&reader->content_hash, target, size);
    }
    reader->size += size;
    return CSN_OK;
}

csn_err csn_weights_read_chunk(struct csn_weights_reader *reader, const uint8_t *bytes)
{
    const uint32_t size = csn_weights_read_next(reader);
    if (reader->result == CSN_OK) {
        reader->result =
            size == 0 ? CSN_ERR_STATE : open_chunk(reader, bytes, size - CSN_WIRE_WEIGHTS_TAG_SIZE);
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
    if (reader->size != reader->header.content_size) {
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
    } else {
        csn_wipe(reader->memory, reader->size);
    }
    csn_wipe(reader, sizeof *reader);
    return err;
}
