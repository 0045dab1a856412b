/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_weights_load.c: does an enclave get the file that its grant names from a host that gives
 * anything, and nothing else?
 *
 * The host is a store in memory that changes, cuts, exchanges and refuses. After each failure the
 * memory holds nothing of the content, and the store is still of use. Seeded bugs: mutant_load_*.
 */
#include "../enclave/store_double.h"
#include "../skip.h"
#include "weights_made.h"
#include <crypto/cpu.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <weights/weights_load.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define CHUNK ((uint64_t)CSN_WIRE_WEIGHTS_CHUNK_SIZE)
#define POOL  UINT64_C(0x40000)

static struct {
    struct store_double store;
    struct csn_wire_manifest manifest;
    struct csn_pool pool;
    struct cse_outside *outside;
    uint8_t *memory;
} rig;

static int begin(uint32_t input_size_max)
{
    store_double_start(&rig.store);
    rig.manifest = (struct csn_wire_manifest){.flags = CSN_WIRE_FLAG_STORE,
                                              .input_line_count = 16384,
                                              .output_line_count = 256,
                                              .input_size_max = input_size_max,
                                              .output_size_max = 4096};
    rig.store.manifest = &rig.manifest;
    rig.memory = aligned_alloc(64, POOL);
    csn_pool_init(&rig.pool, rig.memory, POOL);
    const struct cse_outside_options options = {.manifest = &rig.manifest,
                                                .port = store_double_port(&rig.store)};
    return cse_outside_init(&rig.outside, &rig.pool, &options);
}

static void end(void)
{
    store_double_stop(&rig.store);
    free(rig.memory);
}

static void put(const struct weights_made *made, uint64_t size)
{
    char name[65];
    cse_weights_name(made->ref.digest, name);
    store_double_put(&rig.store, name, made->file, size);
}

/* Refused, with nothing left in memory, and the store answers as before. */
static void expect(const struct weights_made *made, csn_err wanted)
{
    const uint64_t size = made->header.content_size;
    uint8_t *memory = calloc(1, size);
    uint64_t loaded = 7;
    uint8_t *bytes;
    uint32_t got;
    csn_err err = cse_weights_load(rig.outside, &made->ref, memory, size, &loaded);
    assert_int_equal(err, wanted);
    assert_int_equal(loaded, 7);
    for (uint64_t i = 0; i < size; i++) {
        assert_int_equal(memory[i], 0);
    }
    free(memory);
    rig.store.lie = NULL;
    rig.store.fail_at = 0;
    store_double_put(&rig.store, "other", "abc", 3);
    if (wanted != CSN_ERR_PEER) {
        assert_int_equal(cse_outside_read(rig.outside, "other", 0, 8, &bytes, &got), CSN_OK);
        assert_int_equal(got, 3);
    }
}

static void test_loads(void **state)
{
    (void)state;
    const uint64_t sizes[] = {1, CHUNK - 1, CHUNK, CHUNK + 1, 20 * CHUNK + 300};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct weights_made made;
        uint64_t loaded = 0;
        uint8_t *memory = malloc(sizes[i] + 1);
        assert_int_equal(begin(CSE_WEIGHTS_INPUT_MIN), CSN_OK);
        weights_make(&made, NULL, sizes[i], CSN_WIRE_WEIGHTS_GGUF);
        put(&made, made.size);
        memory[sizes[i]] = 0xa5;
        csn_err err = cse_weights_load(rig.outside, &made.ref, memory, sizes[i], &loaded);
        assert_int_equal(err, CSN_OK);
        assert_int_equal(loaded, sizes[i]);
        assert_memory_equal(memory, made.content, sizes[i]);
        assert_int_equal(memory[sizes[i]], 0xa5);
        /* The header, and each byte behind it once. */
        assert_int_equal(rig.store.asks, 1 + csn_weights_chunk_count(&made.header));
        assert_true(sizes[i] < 4 * CHUNK || rig.store.in_flight_max > 4);
        free(memory);
        weights_discard(&made);
        end();
    }
}

static void test_names(void **state)
{
    (void)state;
    char name[65];
    uint8_t digest[32] = {0x0f, 0xa9};
    digest[31] = 0x10;
    cse_weights_name(digest, name);
    assert_string_equal(name, "0fa9000000000000000000000000000000000000000000000000000000000010");
}

static void test_refused(void **state)
{
    (void)state;
    struct weights_made made, other;
    assert_int_equal(begin(CSE_WEIGHTS_INPUT_MIN), CSN_OK);
    weights_make(&made, NULL, 12 * CHUNK + 5, CSN_WIRE_WEIGHTS_TREES);
    weights_make(&other, made.content, 12 * CHUNK + 5, CSN_WIRE_WEIGHTS_TREES);
    expect(&made, CSN_ERR_UNKNOWN); /* no such object */
    put(&made, 100);
    expect(&made, CSN_ERR_FORMAT); /* not even a header */
    put(&made, made.size - 1);
    expect(&made, CSN_ERR_FORMAT); /* ends too early */
    put(&made, 128 + 5 * (CHUNK + 16));
    expect(&made, CSN_ERR_FORMAT);
    made.file[128 + 7 * (CHUNK + 16)] ^= 1;
    put(&made, made.size);
    expect(&made, CSN_ERR_AUTH);
    made.file[128 + 7 * (CHUNK + 16)] ^= 1;
    /* Another file under the same key, given for this one. */
    memcpy(other.ref.key, made.ref.key, 32);
    uint8_t digest[32];
    memcpy(digest, made.ref.digest, 32);
    memcpy(made.ref.digest, other.ref.digest, 32);
    put(&made, made.size);
    expect(&made, CSN_ERR_AUTH);
    memcpy(made.ref.digest, digest, 32);
    put(&made, made.size);
    made.ref.kind = CSN_WIRE_WEIGHTS_GGUF;
    expect(&made, CSN_ERR_POLICY);
    made.ref.kind = CSN_WIRE_WEIGHTS_TREES;
    made.header.content_size--; /* of memory */
    expect(&made, CSN_ERR_SPACE);
    weights_discard(&made);
    weights_discard(&other);
    end();
}

/* The ask of that number fails; and a host that answers what was not asked for. */
static void add_a_byte(struct store_double *store, struct store_answer *answer)
{
    if (store->asks == 5) {
        answer->size++; /* there is one more behind each answer of the double */
    }
}

static void test_failures(void **state)
{
    (void)state;
    struct weights_made made;
    weights_make(&made, NULL, 12 * CHUNK, CSN_WIRE_WEIGHTS_GGUF);
    for (uint64_t ask = 1; ask <= 13; ask += 3) {
        assert_int_equal(begin(CSE_WEIGHTS_INPUT_MIN), CSN_OK);
        put(&made, made.size);
        rig.store.fail_at = ask;
        rig.store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
        expect(&made, CSN_ERR_SYSTEM);
        end();
    }
    assert_int_equal(begin(CSE_WEIGHTS_INPUT_MIN), CSN_OK);
    put(&made, made.size);
    rig.store.fail_at = 1;
    rig.store.fail_status = CSN_WIRE_OUTSIDE_NONE;
    expect(&made, CSN_ERR_MISSING);
    rig.store.asks = 0;
    rig.store.lie = add_a_byte;
    expect(&made, CSN_ERR_PEER);
    end();
    assert_int_equal(begin(CSE_WEIGHTS_INPUT_MIN - 1), CSN_OK);
    put(&made, made.size);
    expect(&made, CSN_ERR_ARGUMENT); /* messages are too small for a piece */
    end();
    weights_discard(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_loads),
    };
    uint64_t features;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_begin(features) != CSN_OK) {
        return test_skip("this CPU has no AES-NI");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
