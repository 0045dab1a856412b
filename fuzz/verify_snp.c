/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_snp.c: a hostile SEV-SNP report with hostile certificates and lists.
 *
 * Input: three sizes (u16) of VEK, chain and list, these parts, and the report with what is left;
 * a part of size 0 is not supplied. Oracle: no root is trusted that could have signed any of it, so
 * that nothing is valid, and every verdict can be printed.
 */
#include "check.h"
#include <caisson/verify.h>
#include <string.h>

static void add(struct csv_input *input, uint32_t kind, const uint8_t **at, size_t *left,
                size_t size)
{
    size = size < *left ? size : *left;
    if (size != 0) {
        CHECK(csv_input_add(input, kind, NULL, *at, size) == CSN_OK);
    }
    *at += size;
    *left -= size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t kinds[] = {CSV_PART_VEK, CSV_PART_CHAIN, CSV_PART_CRL};
    static struct csv_policy *any;
    static char text[1 << 17];
    struct csv_input *input = NULL;
    struct csv_verdict *verdict = NULL;
    if (size < 7 || size > UINT16_MAX) {
        return 0;
    }
    if (any == NULL) {
        CHECK(csv_policy_create_insecure_any(&any) == CSN_OK);
    }
    CHECK(csv_input_create(&input) == CSN_OK);
    csv_input_set_time(input, 1760000000);
    const uint8_t *at = data + 6;
    size_t left = size - 6;
    for (size_t i = 0; i < 3; i++) {
        add(input, kinds[i], &at, &left, (size_t)data[2 * i] | (size_t)data[2 * i + 1] << 8);
    }
    CHECK(csv_input_add(input, CSV_PART_EVIDENCE, NULL, at, left) == CSN_OK);
    csn_err result = csv_appraise(any, input, CSV_FORMAT_SNP, &verdict);
    CHECK(result == CSN_ERR_EVIDENCE || result == CSN_ERR_UNVERIFIED);
    CHECK(csv_verdict_result(verdict) != CSV_VALID);
    CHECK(csv_verdict_text(verdict, true, text, sizeof text) < sizeof text);
    CHECK(csv_verdict_json(verdict, text, sizeof text) < sizeof text);
    csv_verdict_free(verdict);
    csv_input_free(input);
    return 0;
}
