/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ohttp.c: strangers' bytes against Binary HTTP, key lists, chunks and encapsulated requests.
 *
 * First byte: which of them. Oracle: what is read can be written and is then read as the same; a
 * key list is walked to an end; chunks lie within the body and do not overlap; what opens without
 * having been sealed does not exist.
 */
#include "check.h"
#include <crypto/cpu.h>
#include <crypto/curve.h>
#include <ohttp/bhttp.h>
#include <ohttp/ohttp.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_TRIED 65536u

static bool same(const struct csn_bhttp_text *left, const struct csn_bhttp_text *right)
{
    return left->size == right->size &&
           (left->size == 0 || memcmp(left->bytes, right->bytes, left->size) == 0);
}

static void check_same(const struct csn_bhttp_message *left, const struct csn_bhttp_message *right)
{
    CHECK(left->is_response == right->is_response && left->status == right->status);
    CHECK(same(&left->method, &right->method) && same(&left->scheme, &right->scheme));
    CHECK(same(&left->authority, &right->authority) && same(&left->path, &right->path));
    CHECK(left->header_count == right->header_count && left->trailer_count == right->trailer_count);
    for (uint32_t i = 0; i < left->header_count + left->trailer_count; i++) {
        CHECK(same(&left->fields[i].name, &right->fields[i].name));
        CHECK(same(&left->fields[i].value, &right->fields[i].value));
    }
    CHECK(same(&left->content, &right->content));
}

static void run_message(uint8_t *bytes, uint32_t size)
{
    static uint8_t written[2 * SIZE_MAX_TRIED];
    struct csn_bhttp_message message, again;
    uint32_t fault = UINT32_MAX, written_size;
    csn_err result = csn_bhttp_read(bytes, size, &message, &fault);
    CHECK(fault <= size);
    if (result != CSN_OK) {
        CHECK(result == CSN_ERR_FORMAT || result == CSN_ERR_LIMIT);
        return;
    }
    CHECK(fault == size);
    CHECK(csn_bhttp_write(&message, written, sizeof written, &written_size) == CSN_OK);
    CHECK(csn_bhttp_read(written, written_size, &again, &fault) == CSN_OK);
    check_same(&message, &again);
}

static void run_keys(uint8_t *bytes, uint32_t size)
{
    struct csn_ohttp_config config;
    uint32_t offset = 0, before = 0, count = 0;
    for (;;) {
        csn_err result = csn_ohttp_keys_next(bytes, size, &offset, &config);
        CHECK(offset <= size && count++ <= size);
        if (result != CSN_OK && result != CSN_ERR_SUITE && offset == before) {
            CHECK((result == CSN_AGAIN) == (offset == size) || result == CSN_ERR_FORMAT);
            return;
        }
        CHECK(offset >= before + 2);
        CHECK(result != CSN_OK || (config.aeads & ~0x0e) == 0);
        before = offset;
    }
}

static void run_chunks(uint8_t *bytes, uint32_t size)
{
    struct csn_ohttp_chunk chunk = {0};
    while (!chunk.final) {
        uint32_t before = chunk.end;
        csn_err whole = csn_ohttp_chunk_find(bytes, size, before, true, 4096, &chunk);
        if (whole != CSN_OK) {
            CHECK(whole == CSN_ERR_FORMAT || whole == CSN_ERR_LIMIT);
            return;
        }
        CHECK(chunk.offset > before && chunk.size >= CSN_OHTTP_TAG_SIZE && chunk.size <= 4096);
        CHECK(chunk.offset <= size && chunk.size <= size - chunk.offset);
        CHECK(chunk.end == chunk.offset + chunk.size && (!chunk.final || chunk.end == size));
    }
}

static void run_request(uint8_t *bytes, uint32_t size, enum csn_ohttp_form form)
{
    static struct csn_ohttp_key key = {.key_id = 1, .secret_key = {1, 2, 3}};
    struct csn_ohttp_exchange exchange;
    if (key.public_key[0] == 0) {
        csn_x25519_public(key.public_key, key.secret_key);
    }
    if (size < CSN_OHTTP_HEAD_SIZE || csn_ohttp_receive(&exchange, &key, form, bytes) != CSN_OK) {
        return;
    }
    uint8_t *sealed = bytes + CSN_OHTTP_HEAD_SIZE;
    size -= CSN_OHTTP_HEAD_SIZE;
    csn_err result = csn_ohttp_open(&exchange, true, sealed, size, sealed);
    CHECK(result == (size < CSN_OHTTP_TAG_SIZE ? CSN_ERR_FORMAT : CSN_ERR_AUTH));
    for (uint32_t i = 0; i + CSN_OHTTP_TAG_SIZE < size; i++) {
        CHECK(sealed[i] == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        uint64_t features = 0;
        CHECK(csn_cpu_features(&features) == CSN_OK && csn_cpu_select(features) == CSN_OK);
        ready = true;
    }
    if (size == 0 || size > SIZE_MAX_TRIED) {
        return 0;
    }
    uint32_t count = (uint32_t)size - 1;
    uint8_t *copy = malloc(count != 0 ? count : 1); /* its end is the allocation's */
    CHECK(copy != NULL);
    memcpy(copy, data + 1, count);
    switch (data[0] % 5) {
    case 0:
        run_message(copy, count);
        break;
    case 1:
        run_keys(copy, count);
        break;
    case 2:
        run_chunks(copy, count);
        break;
    default:
        run_request(copy, count, data[0] % 5 == 3 ? CSN_OHTTP_WHOLE : CSN_OHTTP_CHUNKED);
        break;
    }
    free(copy);
    return 0;
}
