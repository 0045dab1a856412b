/* SPDX-License-Identifier: Apache-2.0 */
/* weights_write.c: sealing, chunk by chunk. */
#include "core/bytes.h"
#include "weights.h"

csn_err csn_weights_write_begin(struct csn_weights_writer *writer,
                                const struct csn_weights_new *wanted)
{
    struct csn_wire_weights *header = &writer->header;
    uint8_t mac_key[32];
    *header = (struct csn_wire_weights){.kind = wanted->kind,
                                        .chunk_size = CSN_WIRE_WEIGHTS_CHUNK_SIZE,
                                        .content_size = wanted->content_size};
    __builtin_memcpy(header->magic, CSN_WIRE_WEIGHTS_MAGIC, sizeof header->magic);
    __builtin_memcpy(header->salt, wanted->salt, sizeof header->salt);
    if (csn_weights_check(header) != CSN_OK) {
        return CSN_ERR_ARGUMENT;
    }
    csn_weights_keys(header, wanted->key, wanted->content_digest, &writer->key, mac_key,
                     header->commitment);
    csn_wipe(mac_key, sizeof mac_key);
    csn_sha256_init(&writer->digest);
    csn_sha256_update(&writer->digest, header, sizeof *header);
    writer->chunk = 0;
    return CSN_OK;
}

void csn_weights_write_chunk(struct csn_weights_writer *writer, const uint8_t *content,
                             uint32_t size, uint8_t *output)
{
    struct csn_gcm_item item = {.key = &writer->key,
                                .size = size,
                                .input = content,
                                .output = output,
                                .tag = output + size};
    csn_store_u64(item.nonce, writer->chunk++);
    csn_gcm_seal_batch(&item, 1);
    csn_sha256_update(&writer->digest, item.tag, CSN_WIRE_WEIGHTS_TAG_SIZE);
}

void csn_weights_write_end(struct csn_weights_writer *writer, uint8_t digest[32])
{
    csn_sha256_final(&writer->digest, digest);
    csn_wipe(writer, sizeof *writer);
}
