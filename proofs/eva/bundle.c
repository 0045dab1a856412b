/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.c: framing of Caisson's own evidence: a head of any content but its counts, which go up to
 * 2 each; sizes about what head and counts add up to.
 */
#include "verify/caisson/bundle.h"
#include "foreign.h"

static void put(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

int main(void)
{
    struct csv_bundle bundle;
    const char *what = NULL;
    uint32_t depth = Frama_C_unsigned_int_interval(0, 2);
    uint32_t keys = Frama_C_unsigned_int_interval(0, 2);
    size_t sum = sizeof bundle.head;
    /*@ split depth; */
    /*@ split keys; */
    sum += depth * 32 + keys * sizeof(struct csn_wire_boot_key);
    struct csv_bytes bytes = foreign_bytes(sum - 2, sum + 4);
    uint8_t *head = foreign_memory + sizeof foreign_memory - bytes.size;
    if (bytes.size >= sizeof bundle.head) {
        put(head + offsetof(struct csn_wire_evidence, path_depth), depth);
        put(head + offsetof(struct csn_wire_evidence, key_count), keys);
    }
    if (csv_evidence_parse(bytes.at, bytes.size, &bundle, &what) != CSN_OK) {
        foreign_touch((const uint8_t *)what, 1);
        return 0;
    }
    foreign_touch(bundle.path, (size_t)depth * 32);
    foreign_touch(bundle.keys, keys * sizeof(struct csn_wire_boot_key));
    foreign_touch(bundle.platform, bundle.head.platform_size);
    return 0;
}
