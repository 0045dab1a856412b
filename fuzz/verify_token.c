/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_token.c: hostile Nitro documents, CCA tokens and wrappers against the verifier.
 *
 * First byte: 0 Nitro, 1 CCA, 2 whatever it looks like, 3 a wrapper to be opened. The rest is the
 * evidence. Oracle: nothing here is signed by anybody known, so nothing is valid; every verdict can
 * be explained; what a wrapper holds can be wrapped and opened again.
 */
#include "check.h"
#include <caisson/verify.h>
#include <stdlib.h>
#include <string.h>

/* A P-384 key that nobody has. */
static const char platform_key[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEd7Wr8TYO3YPq/UWOFpbWP3zBlpgHi5Gr\n"
    "Bd3NtmmyHprNoV/2S67xA3T5HL4TdcaGTAdkQxo5M0sZmyt0Or1TbZdtK+5XYiYn\n"
    "yxoV1OgOGGbf0zHIVLRpxAdXqnvte7iY\n"
    "-----END PUBLIC KEY-----\n";

static void explain(const struct csv_verdict *verdict)
{
    static char text[1 << 20];
    CHECK(csv_verdict_text(verdict, true, text, sizeof text) < sizeof text);
    CHECK(csv_verdict_json(verdict, text, sizeof text) < sizeof text);
}

static void appraise(uint32_t format, const uint8_t *bytes, size_t size)
{
    static struct csv_policy *any;
    struct csv_verdict *verdict = NULL;
    struct csv_input *input = NULL;
    if (any == NULL) {
        CHECK(csv_policy_create_insecure_any(&any) == CSN_OK);
    }
    CHECK(csv_input_create(&input) == CSN_OK);
    CHECK(csv_input_add(input, CSV_PART_EVIDENCE, NULL, bytes, size) == CSN_OK);
    CHECK(csv_input_add(input, CSV_PART_AK, NULL, platform_key, sizeof platform_key - 1) == CSN_OK);
    csv_input_set_time(input, 1700000000);
    CHECK(csv_appraise(any, input, format, &verdict) != CSN_OK && verdict != NULL);
    explain(verdict);
    csv_verdict_free(verdict);
    csv_input_free(input);
}

static void unwrap(const uint8_t *bytes, size_t size)
{
    static uint8_t target[65536];
    static uint8_t wrapped[3 * sizeof target];
    static uint8_t again[sizeof target];
    size_t target_size = 0;
    size_t wrapped_size = 0;
    size_t again_size = 0;
    uint32_t format = 0;
    if (csv_cmw_open(bytes, size, target, sizeof target, &target_size, &format) != CSN_OK ||
        target_size > sizeof target) {
        return;
    }
    for (uint32_t form = CSV_CMW_JSON; form <= CSV_CMW_CBOR; form++) {
        CHECK(csv_cmw_wrap(CSV_FORMAT_CCA, form, target, target_size, wrapped, sizeof wrapped,
                           &wrapped_size) == CSN_OK &&
              wrapped_size <= sizeof wrapped);
        CHECK(csv_cmw_open(wrapped, wrapped_size, again, sizeof again, &again_size, &format) ==
              CSN_OK);
        CHECK(again_size == target_size && memcmp(again, target, again_size) == 0);
        CHECK(format == CSV_FORMAT_CCA);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t formats[] = {CSV_FORMAT_NITRO, CSV_FORMAT_CCA, CSV_FORMAT_AUTO};
    if (size == 0 || size > 65536) {
        return 0;
    }
    /* A copy of its own, so that a read past its end is seen. */
    uint8_t *copy = malloc(size);
    CHECK(copy != NULL);
    memcpy(copy, data, size);
    if (data[0] % 4 == 3) {
        unwrap(copy + 1, size - 1);
    } else {
        appraise(formats[data[0] % 4], copy + 1, size - 1);
    }
    free(copy);
    return 0;
}
