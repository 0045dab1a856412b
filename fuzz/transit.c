/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transit.c: requests of the transit enclave from a tenant that sends anything: the first byte
 * chooses the operation in JSON (its number), 64: the binary form, 65: a grant's policy, 66: a
 * record of a journal. Whatever comes of it: an answer is whole, no secret of a key is in it, and
 * the store is one that could be.
 */
#include "../enclaves/transit/tra_log.h"
#include "../src/json/json.h"
#include "../tests/transit/fake.h"
#include "check.h"
#include <stdlib.h>
#include <string.h>

static struct cse_call *call;
static uint8_t secret[32];

/* Keys of every type, in a worker that is as good as new. */
static void begin(void)
{
    static const char *const types[] = {"aes-256", "hmac",  "ff1",    "ed25519",
                                        "p-256",   "p-384", "x25519", "ml-kem-768"};
    char text[100];
    call = fake_new();
    for (uint32_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(0xc3 ^ 5 * i);
    }
    for (uint32_t i = 0; i < 8; i++) {
        snprintf(text, sizeof text, "{\"type\":\"%s\",\"max_uses\":100000000}", types[i]);
        CHECK(fake_json(call, CSN_WIRE_TRANSIT_CREATE, types[i], text) == CSN_WIRE_STATUS_OK);
    }
    CHECK(fake_import(call, "ours", "aes-256", secret, 32, "") == CSN_WIRE_STATUS_OK);
    CHECK(fake_import(call, "ours-mac", "hmac", secret, 32, "") == CSN_WIRE_STATUS_OK);
}

static bool holds(const uint8_t *bytes, uint32_t size, const void *part, uint32_t part_size)
{
    for (uint32_t i = 0; i + part_size <= size; i++) {
        if (memcmp(bytes + i, part, part_size) == 0) {
            return true;
        }
    }
    return false;
}

static void check_answer(bool json)
{
    char text[64];
    fake_base64(secret, 30, text); /* ten groups of three: the same at each offset of three */
    CHECK(call->output_size <= FAKE_OUTPUT_MAX);
    CHECK(!holds(call->output, call->output_size, secret, 12));
    CHECK(!holds(call->output, call->output_size, text, 16));
    if (json) {
        static struct csn_json_node nodes[16384];
        static uint32_t hashes[16384], owners[16384];
        struct csn_json scan = {.text = call->output,
                                .size = call->output_size,
                                .nodes = nodes,
                                .hashes = hashes,
                                .owners = owners,
                                .node_max = 16384};
        CHECK(csn_json_bound(call->output, call->output_size) <= 16384);
        CHECK(csn_json_scan(&scan) == CSN_JSON_OK);
    }
}

/* Every key has its versions, every version its key, and the counts are theirs. */
static void check_store(struct tra_store *store)
{
    uint32_t keys = 0, versions = 0, slots = 0;
    for (uint32_t i = 0; i < TRA_KEY_COUNT; i++) {
        const struct tra_key *key = &store->keys[i];
        uint16_t at = key->newest_at;
        keys += key->used;
        for (uint32_t k = 0; key->used && k < key->count; k++) {
            CHECK(at < TRA_VERSION_COUNT && store->versions[at].number != 0);
            CHECK(k != 0 || store->versions[at].number == key->newest);
            at = store->versions[at].older;
            versions++;
        }
        CHECK(!key->used || (at == TRA_NONE && key->count <= TRA_KEPT_MAX));
    }
    for (uint32_t i = 0; i < TRA_VERSION_COUNT; i++) {
        slots += store->versions[i].number != 0;
        CHECK(store->versions[i].uses <= TRA_USES_MAX || store->versions[i].number != 0);
    }
    CHECK(keys == store->key_count && versions == store->version_count && slots == versions);
}

static void try_entries(const uint8_t *bytes, size_t size)
{
    static struct tra_store store;
    tra_store_clear(&store);
    /* Twice: what was applied meets itself. */
    if (tra_log_apply(&store, bytes, (uint32_t)size) == CSN_OK) {
        check_store(&store);
        (void)!tra_log_apply(&store, bytes, (uint32_t)size);
    }
    check_store(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (call == NULL) {
        begin();
    }
    if (size == 0 || size > FAKE_INPUT_MAX) {
        return 0;
    }
    const uint8_t which = bytes[0];
    if (which == 65) {
        (void)!fake_grant(call, 1, bytes + 1, (uint32_t)size - 1);
        return 0;
    }
    if (which == 66) {
        try_entries(bytes + 1, size - 1);
        return 0;
    }
    const uint16_t operation = which == CSN_WIRE_TRANSIT_OPERATION
                                   ? CSN_WIRE_TRANSIT_OPERATION
                                   : (uint16_t)(129 + which % CSN_WIRE_TRANSIT_OPERATION_LAST);
    call->route = NULL;
    if (fake_run(call, operation, bytes + 1, (uint32_t)size - 1) == CSN_WIRE_STATUS_OK) {
        check_answer(operation != CSN_WIRE_TRANSIT_OPERATION);
    }
    struct tra_grant *grant = call->states[0];
    check_store(grant->store);
    if (grant->store->key_count > 100 || grant->store->version_count > 400) {
        fake_free(call);
        call = NULL;
    }
    return 0;
}
