/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dcap_bits.c: every single bit of genuine quotes, flipped: refused, or one that no signature
 * covers. Usage: test_dcap_bits [STEP]: each STEP-th bit (default 1: all of them).
 */
#include "published.h"
#include <stdio.h>

static size_t step = 1;

struct subject {
    const char *quote;
    const char *set;
    const char *at;
};

static const struct subject subjects[] = {
    {"sgx/v3-phala-00a067110000.quote.bin", "sgx-00a067110000-2025-06", "2025-07-01"},
    {"tdx/v4-phala-b0c06f000000.quote.bin", "tdx-b0c06f000000-2025-06", "2025-07-01"},
    {"tdx/v5-alibaba-90c06f000000.quote.bin", "tdx-90c06f000000-2026-02", "2026-03-01"},
};

/*
 * The quote carries its certificates as PEM text. Signatures cover what the text stands for, not
 * how it is written; these are the bits of it that stand for nothing.
 */
static const char *uncovered(const uint8_t *quote, size_t size, size_t at, uint8_t was)
{
    static const char end[] = "\n-----END CERTIFICATE-----\n";
    const size_t length = sizeof end - 1;
    for (size_t i = at + 1; i <= at + 4 && i + length <= size; i++) {
        if (memcmp(quote + i, end, length) == 0) {
            return "padding of a certificate's last base64 digits";
        }
    }
    return was == 0 && at > length && memcmp(quote + at - length, end, length) == 0
               ? "the NUL behind the last certificate"
               : NULL;
}

static void flip(const struct subject *subject)
{
    struct csv_input *input = NULL;
    struct csv_policy *any = NULL;
    struct table_file quote = table_file(subject->quote);
    assert_non_null(quote.bytes);
    assert_int_equal(csv_policy_create_insecure_any(&any), CSN_OK);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, quote.bytes, quote.size),
                     CSN_OK);
    published_set(input, subject->set, NULL);
    csv_input_set_time(input, table_time(subject->at));
    uint32_t format = published_format(subject->quote);
    size_t passed = 0;
    size_t count = 0;
    for (size_t bit = 0; bit < quote.size * 8; bit += step) {
        struct csv_verdict *verdict = NULL;
        uint8_t was = quote.bytes[bit / 8];
        quote.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        csn_err result = csv_appraise(any, input, format, &verdict);
        if (result == CSN_OK) {
            const char *name = uncovered(quote.bytes, quote.size, bit / 8, was);
            if (name == NULL) {
                fail_msg("%s: bit %zu of byte %zu (%02x) is under no check", subject->quote,
                         bit % 8, bit / 8, was);
            }
            printf("# %s: bit %zu of byte %zu: %s\n", subject->quote, bit % 8, bit / 8, name);
            passed++;
        }
        csv_verdict_free(verdict);
        quote.bytes[bit / 8] = was;
        count++;
    }
    printf("# %s: %zu of %zu flips refused, the others named\n", subject->quote, count - passed,
           count);
    csv_policy_free(any);
    csv_input_free(input);
    table_forget();
    free(quote.bytes);
}

static void bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        flip(&subjects[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bits)};
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    return table_skip() ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
