/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h: hostile parts of an input against one format of the verifier.
 *
 * The bytes are a list of parts: kind (one byte, modulo the number of kinds), size (two, little-
 * endian; cut to what is left), bytes. Oracle: no verdict accepts them, with a policy that lists
 * what nobody has or with none, and every verdict can be explained.
 */
#ifndef FUZZ_PARTS_H
#define FUZZ_PARTS_H

#include "check.h"
#include <caisson/verify.h>
#include <stdlib.h>
#include <string.h>

struct fuzz_parts {
    struct csv_input *input;
    uint8_t *copies[CSV_PART_COUNT_MAX]; /* each of its own, so that a read past its end is seen */
    size_t count;
};

static void fuzz_parts_read(struct fuzz_parts *parts, const uint8_t *data, size_t size)
{
    CHECK(csv_input_create(&parts->input) == CSN_OK);
    while (size >= 3 && parts->count < CSV_PART_COUNT_MAX) {
        uint32_t kind = data[0] % (uint32_t)CSV_PART_TD_QUOTE + 1;
        size_t part = (size_t)data[1] | (size_t)data[2] << 8;
        data += 3;
        size -= 3;
        part = part < size ? part : size;
        uint8_t *copy = malloc(part != 0 ? part : 1);
        CHECK(copy != NULL);
        memcpy(copy, data, part);
        parts->copies[parts->count++] = copy;
        CHECK(csv_input_add(parts->input, kind, "tcb_info.json", copy, part) == CSN_OK);
        data += part;
        size -= part;
    }
    csv_input_set_time(parts->input, 1760000000);
    CHECK(csv_input_set_nonce(parts->input, "nonce-of-ours", 13) == CSN_OK);
}

static void fuzz_appraise(const struct csv_policy *policy, const struct csv_input *input,
                          uint32_t format, bool may_pass)
{
    static char text[1 << 20];
    struct csv_verdict *verdict = NULL;
    csn_err result = csv_appraise(policy, input, format, &verdict);
    CHECK(verdict != NULL && (result != CSN_OK || may_pass));
    CHECK(csv_verdict_text(verdict, true, text, sizeof text) > 0);
    CHECK(csv_verdict_json(verdict, text, sizeof text) > 0);
    csv_verdict_free(verdict);
}

/* may_pass: without a policy, a key that the input brings is enough. */
static int fuzz_parts(uint32_t format, const char *policy_text, bool may_pass, const uint8_t *data,
                      size_t size)
{
    static struct csv_policy *strict;
    static struct csv_policy *any;
    struct fuzz_parts parts = {0};
    if (strict == NULL) {
        CHECK(csv_policy_parse(policy_text, strlen(policy_text), &strict, NULL) == CSN_OK);
        CHECK(csv_policy_create_insecure_any(&any) == CSN_OK);
    }
    fuzz_parts_read(&parts, data, size);
    fuzz_appraise(strict, parts.input, format, false);
    fuzz_appraise(any, parts.input, format, may_pass);
    csv_input_free(parts.input);
    for (size_t i = 0; i < parts.count; i++) {
        free(parts.copies[i]);
    }
    return 0;
}

#endif
