/* SPDX-License-Identifier: Apache-2.0 */
/* published.c: see published.h. */
#include "published.h"
#include <stdio.h>

static const char *const names[] = {
    "tcb_info.json", "qe_identity.json", "tcb_signing_chain.pem",
    "pck_crl.der",   "root_ca_crl.der",  "pck_crl_issuer_chain.pem",
};

size_t published_set(struct csv_input *input, const char *set, const char *but)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static char paths[sizeof names / sizeof names[0]][256]; /* names of parts are borrowed */
        char *path = paths[i];
        snprintf(path, sizeof paths[i], "dcap-collateral/%s/%s", set, names[i]);
        struct table_file file = table_file(path);
        bool wanted = file.bytes != NULL && (but == NULL || strstr(names[i], but) == NULL);
        free(file.bytes);
        if (wanted) {
            table_add(input, CSV_PART_COLLATERAL, path);
            count++;
        }
    }
    return count;
}

uint32_t published_format(const char *quote)
{
    struct table_file file = table_file(quote);
    assert_non_null(file.bytes);
    uint32_t format = file.bytes[4] == 0x81 ? CSV_FORMAT_TDX : CSV_FORMAT_SGX;
    free(file.bytes);
    return format;
}

csn_err published_appraise(const char *quote, const char *set, int64_t at,
                           const struct csv_policy *policy, struct csv_verdict **verdict)
{
    struct csv_input *input = NULL;
    struct csv_policy *any = NULL;
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    table_add(input, CSV_PART_EVIDENCE, quote);
    if (set != NULL) {
        published_set(input, set, NULL);
    }
    csv_input_set_time(input, at);
    csn_err result =
        csv_appraise(policy != NULL ? policy : any, input, published_format(quote), verdict);
    csv_policy_free(any);
    csv_input_free(input);
    table_forget();
    return result;
}
