/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_nonces.c: one report for many waiting nonces. The tree is computed a second time here; each
 * nonce has its place, and no other.
 */
#include "rig.h"
#include <openssl/evp.h>
#include <stdio.h>

#define FIELD(name) offsetof(struct csn_wire_evidence, name)
#define NONCES_MAX  65536u

static struct rig rig;
static uint8_t nonces[NONCES_MAX][32];
static uint8_t level[NONCES_MAX][32];

static int fresh(void **state)
{
    (void)state;
    rig_init(&rig);
    for (uint32_t i = 0; i < NONCES_MAX; i++) {
        memset(nonces[i], 0x3c, 32);
        memcpy(nonces[i], &i, sizeof i);
    }
    return 0;
}

static void node(const uint8_t left[32], const uint8_t right[32], uint8_t target[32])
{
    uint8_t bytes[65] = {1};
    memcpy(bytes + 1, left, 32);
    memcpy(bytes + 33, right, 32);
    EVP_Digest(bytes, sizeof bytes, target, NULL, EVP_sha256(), NULL);
}

static uint32_t tree(uint32_t count, uint8_t root[32])
{
    uint32_t width = 1;
    uint32_t depth = 0;
    while (width < count) {
        width *= 2;
        depth++;
    }
    memset(level, 0, sizeof level);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[33] = {0};
        memcpy(bytes + 1, nonces[i], 32);
        EVP_Digest(bytes, sizeof bytes, level[i], NULL, EVP_sha256(), NULL);
    }
    for (; width > 1; width /= 2) {
        for (uint32_t i = 0; i < width / 2; i++) {
            uint8_t joined[32];
            node(level[2 * i], level[2 * i + 1], joined);
            memcpy(level[i], joined, 32);
        }
    }
    memcpy(root, level[0], 32);
    return depth;
}

static csn_err report(uint32_t count)
{
    return csn_evidence_report(&rig.batch, &csn_evidence_software, rig.root_seed, &rig.subject,
                               (const uint8_t(*)[32])nonces, count);
}

static void bundle(uint32_t index)
{
    assert_int_equal(csn_evidence_bundle(&rig.batch, index, rig.bytes, sizeof rig.bytes, &rig.size),
                     CSN_OK);
    memcpy(rig.nonce[0], nonces[index], 32);
}

static void start(uint32_t count)
{
    struct csn_wire_evidence head;
    uint8_t root[32];
    uint32_t depth = tree(count, root);
    assert_int_equal(report(count), CSN_OK);
    bundle(0);
    memcpy(&head, rig.bytes, sizeof head);
    assert_int_equal(head.path_depth, depth);
    assert_memory_equal(head.nonce_root, root, 32);
    assert_int_equal(rig.size, csn_evidence_size(&rig.batch));
}

static void wrong_index(uint32_t index, uint32_t depth)
{
    for (uint32_t bit = 0; bit < depth; bit++) {
        uint32_t other = index ^ 1u << bit;
        rig_patch(&rig, FIELD(leaf_index), &other, 4);
        rig_expect(&rig, CSV_INVALID, "nonce.path", CSV_FAILED);
    }
    rig_patch(&rig, FIELD(leaf_index), &index, 4);
}

static void each_place(void **state)
{
    (void)state;
    const uint32_t counts[] = {1, 2, 3, 5, 16};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        start(counts[c]);
        for (uint32_t i = 0; i < counts[c]; i++) {
            bundle(i);
            rig_expect(&rig, CSV_VALID, "nonce.path", CSV_PASSED);
            wrong_index(i, rig.batch.head.path_depth);
            /* Another's nonce with this path. */
            uint32_t other = (i + 1) % counts[c];
            rig_patch(&rig, FIELD(nonce), nonces[other], 32);
            if (other != i) {
                rig_expect(&rig, CSV_INVALID, "nonce.path", CSV_FAILED);
            }
        }
    }
}

static void many(void **state)
{
    (void)state;
    const struct {
        uint32_t count;
        uint32_t index;
    } places[] = {{1000, 0},      {1000, 511},    {1000, 999},    {65536, 0},
                  {65536, 32768}, {65536, 40001}, {65536, 65535}, {65535, 65534}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        start(places[i].count);
        bundle(places[i].index);
        rig_expect(&rig, CSV_VALID, "nonce.path", CSV_PASSED);
        wrong_index(places[i].index, rig.batch.head.path_depth);
    }
}

/* An inner node is no leaf: half a path, with the node's two children in place of a nonce. */
static void node_as_leaf(void **state)
{
    (void)state;
    start(4);
    bundle(0);
    struct csn_wire_evidence head;
    uint8_t leaf[33] = {0};
    uint8_t hashed[32];
    memcpy(&head, rig.bytes, sizeof head);
    memcpy(leaf + 1, nonces[0], 32);
    EVP_Digest(leaf, sizeof leaf, hashed, NULL, EVP_sha256(), NULL);
    /* The leaf's own hash given out as a nonce, one step further up. */
    const uint32_t depth = 1;
    const uint32_t index = 0;
    uint8_t inner[32];
    const uint8_t *path = rig.bytes + sizeof head;
    node(hashed, path, inner);
    const uint8_t *fakes[] = {hashed, inner};
    for (size_t i = 0; i < 2; i++) {
        bundle(0);
        memmove(rig.bytes + sizeof head, rig.bytes + sizeof head + 32, rig.size - sizeof head - 32);
        rig.size -= 32;
        rig_patch(&rig, FIELD(path_depth), &depth, 4);
        rig_patch(&rig, FIELD(leaf_index), &index, 4);
        rig_patch(&rig, FIELD(nonce), fakes[i], 32);
        memcpy(rig.nonce[0], fakes[i], 32);
        rig_expect(&rig, CSV_INVALID, "nonce.path", CSV_FAILED);
    }
}

/* The last of three nonces has a padding leaf beside it. */
static void each_bit_of_a_path(void **state)
{
    (void)state;
    start(3);
    bundle(2);
    size_t first = FIELD(leaf_index);
    size_t last = sizeof(struct csn_wire_evidence) + 64;
    for (size_t bit = first * 8; bit < last * 8; bit++) {
        struct csv_verdict *verdict = NULL;
        rig.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (rig_appraise(&rig, rig.nonce[0], &verdict) == CSN_OK) {
            fail_msg("bit %zu of byte %zu is under no check", bit % 8, bit / 8);
        }
        csv_verdict_free(verdict);
        rig.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void producer_limits(void **state)
{
    (void)state;
    size_t size = 0;
    assert_int_equal(report(0), CSN_ERR_ARGUMENT);
    assert_int_equal(report(NONCES_MAX + 1), CSN_ERR_ARGUMENT);
    start(5);
    assert_int_equal(csn_evidence_bundle(&rig.batch, 5, rig.bytes, sizeof rig.bytes, &size),
                     CSN_ERR_ARGUMENT);
    assert_int_equal(csn_evidence_bundle(&rig.batch, 4, rig.bytes, 100, &size), CSN_ERR_SPACE);
    assert_int_equal(size, rig.size);
    rig.made.state = CSN_WIRE_STATE_REFUSED;
    assert_int_equal(report(1), CSN_ERR_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_place, fresh),
        cmocka_unit_test_setup(many, fresh),
        cmocka_unit_test_setup(node_as_leaf, fresh),
        cmocka_unit_test_setup(each_bit_of_a_path, fresh),
        cmocka_unit_test_setup(producer_limits, fresh),
    };
    return cmocka_run_group_tests_name("nonces of evidence", tests, NULL, NULL);
}
