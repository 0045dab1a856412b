/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.c: reading what an enclave sealed (docs/WIRE.md sections 3, 6 and 9). */
#include "sealed.h"
#include "../crypto/cpu.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

csn_err csv_client_init(void)
{
    uint64_t features;
    CSN_TRY(csn_cpu_features(&features));
    return csn_cpu_select(features);
}

csn_err csv_random(void *bytes, size_t size)
{
    uint8_t *at = bytes;
    while (size != 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return CSN_ERR_ENTROPY;
        }
        at += got;
        size -= (size_t)got;
    }
    return CSN_OK;
}

csn_err csv_plain_reserve(struct csv_plain *plain, const struct csv_open_item *items,
                          uint32_t count)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += items[i].size;
    }
    if (plain->bytes != NULL && size <= plain->size) {
        return CSN_OK;
    }
    uint8_t *bytes = malloc(size != 0 ? size : 1); /* places are counted from it even of nothing */
    if (bytes == NULL) {
        return CSN_ERR_MEMORY;
    }
    csv_plain_wipe(plain);
    plain->bytes = bytes;
    plain->size = size;
    return CSN_OK;
}

void csv_plain_wipe(struct csv_plain *plain)
{
    if (plain->bytes != NULL) {
        csn_wipe(plain->bytes, plain->size);
        free(plain->bytes);
    }
    *plain = (struct csv_plain){.size = 0};
}

csn_err csv_sealed_parse(const void *record, uint32_t size, uint8_t direction,
                         struct csv_sealed *sealed)
{
    struct csn_wire_record *header = &sealed->header;
    if (size < CSV_RECORD_SIZE) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(header, record, sizeof *header);
    if (header->kind != CSN_WIRE_RECORD || header->version != CSN_WIRE_RECORD_VERSION ||
        header->direction != direction || header->flags != 0 || header->reserved2 != 0 ||
        header->route_size > CSN_WIRE_ROUTE_SIZE_MAX) {
        return CSN_ERR_FORMAT;
    }
    if (header->suite != CSN_WIRE_SUITE || header->encapsulation_size != 32) {
        return CSN_ERR_SUITE;
    }
    sealed->aad_size = CSV_RECORD_SIZE + header->route_size;
    if ((uint64_t)size != (uint64_t)sealed->aad_size + header->cipher_size + CSN_WIRE_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    sealed->bytes = record;
    sealed->cipher = sealed->bytes + sealed->aad_size;
    return CSN_OK;
}

csn_err csv_result_read(const uint8_t *plain, uint32_t size, struct csn_wire_result *result)
{
    if (size < CSV_RESULT_SIZE) {
        return CSN_ERR_FORMAT;
    }
    __builtin_memcpy(result, plain, sizeof *result);
    uint32_t room = size - CSV_RESULT_SIZE;
    if (result->version != 1 || result->payload_size > room ||
        (result->part_count != 0 && result->part >= result->part_count)) {
        return CSN_ERR_FORMAT;
    }
    const uint8_t *padding = plain + CSV_RESULT_SIZE + result->payload_size;
    return csn_is_zero_ct(padding, room - result->payload_size) ? CSN_OK : CSN_ERR_FORMAT;
}

csn_err csv_answer_open(const struct csv_sealed *sealed, const uint8_t reply[32], uint8_t *plain)
{
    struct csn_record_key key;
    uint8_t commitment[32];
    const struct csn_wire_record *header = &sealed->header;
    uint8_t tag[CSN_WIRE_TAG_SIZE];
    __builtin_memcpy(tag, sealed->cipher + header->cipher_size, sizeof tag);
    csn_reply_key(reply, header->encapsulation, header->sequence, &key, commitment);
    struct csn_gcm_item item = {.key = &key.key,
                                .aad = sealed->bytes,
                                .aad_size = sealed->aad_size,
                                .size = header->cipher_size,
                                .input = sealed->cipher,
                                .output = plain,
                                .tag = tag,
                                .result = CSN_ERR_AUTH};
    __builtin_memcpy(item.nonce, key.iv, sizeof item.nonce);
    if (csn_equal_ct(commitment, header->commitment, 32)) {
        csn_gcm_open_batch(&item, 1);
    }
    csn_wipe(&key, sizeof key);
    return item.result;
}
