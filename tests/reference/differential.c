/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differential.c: does the tokenize enclave produce what the reference produces, byte for byte?
 *
 * The handlers run hosted, on a small stand-in for the calls of enclave.h. Inputs: generated card
 * records, mutations of them, and the FHIR files and sentences under $CAISSON_SHARED.
 * usage: differential [RECORDS], default 10000; a tenth as many mutations of each kind of record.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/generator.h"
#include "reference/reference.h"

#include <caisson/enclave.h>
#include <caisson/policy.h>
#include <caisson/wire/policy.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX   65536u
#define OUTPUT_MAX  98480u /* room of the largest class: 65536 * 24 / 16 + 176 */
#define SCRATCH_MAX (16u << 20)
#define STATE_MAX   (1u << 20)

static unsigned long record_count = 10000;

/* ---- the stand-in ---- */
struct cse_call {
    void *state;
    void *batch;
    uint8_t *scratch;
    size_t scratch_used;
    uint64_t field_mask;
};

void *cse_state(struct cse_call *call)
{
    return call->state;
}
const uint8_t *cse_tenant(const struct cse_call *call)
{
    static const uint8_t tenant[32] = {7, 7, 7};
    (void)call;
    return tenant;
}
uint32_t cse_rights(const struct cse_call *call)
{
    (void)call;
    return CSN_WIRE_RIGHT_SUBMIT | CSN_WIRE_RIGHT_DETOKENIZE;
}
uint64_t cse_field_mask(const struct cse_call *call)
{
    return call->field_mask;
}
uint32_t cse_purpose(const struct cse_call *call)
{
    (void)call;
    return 0;
}
bool cse_budget_take(struct cse_call *call, uint64_t count)
{
    (void)call;
    (void)count;
    return true;
}
void *cse_batch(struct cse_call *call)
{
    return call->batch;
}
void *cse_scratch(struct cse_call *call, uint32_t size)
{
    size_t begin = (call->scratch_used + 63) / 64 * 64;
    if (size > SCRATCH_MAX - begin) {
        return NULL;
    }
    call->scratch_used = begin + size;
    return call->scratch + begin;
}
bool cse_random(struct cse_call *call, void *bytes, uint32_t size)
{
    (void)call;
    memset(bytes, 4, size);
    return true;
}
void cse_fail_at(struct cse_call *call, uint32_t offset)
{
    (void)call;
    (void)offset;
}
void cse_panic(uint32_t code)
{
    fprintf(stderr, "panic %u\n", code);
    abort();
}

/* "Sealing" is a header of zeros, the value in clear and a tag of zeros: enough to be opened. */
csn_err cse_field_seal(struct cse_call *call, uint32_t consumer, uint64_t place,
                       const uint8_t *value, uint32_t size, uint8_t *output,
                       uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    (void)consumer;
    (void)place;
    if (output_size_max < CSE_FIELD_OVERHEAD + size) {
        return CSN_ERR_SPACE;
    }
    memset(output, 0, CSE_FIELD_OVERHEAD + size);
    memcpy(output + sizeof(struct csn_wire_record), value, size);
    *output_size = (uint32_t)CSE_FIELD_OVERHEAD + size;
    return CSN_OK;
}
csn_err cse_field_open(struct cse_call *call, uint64_t place, const uint8_t *sealed, uint32_t size,
                       uint8_t *output, uint32_t output_size_max, uint32_t *output_size)
{
    (void)call;
    (void)place;
    if (size < CSE_FIELD_OVERHEAD || size - CSE_FIELD_OVERHEAD > output_size_max) {
        return CSN_ERR_AUTH;
    }
    *output_size = size - (uint32_t)CSE_FIELD_OVERHEAD;
    memcpy(output, sealed + sizeof(struct csn_wire_record), *output_size);
    return CSN_OK;
}

static bool open_field(void *context, const char *sealed, size_t size, char *plain, size_t capacity,
                       size_t *plain_size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static uint8_t bytes[OUTPUT_MAX];
    size_t count = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    (void)context;
    for (size_t index = 4; index < size; index++) {
        const char *digit = sealed[index] == 0 ? NULL : strchr(digits, sealed[index]);
        if (digit == NULL || count == sizeof bytes) {
            return false;
        }
        held = held << 6 | (uint32_t)(digit - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (uint8_t)(held >> bits);
        }
    }
    if (count < CSE_FIELD_OVERHEAD || count - CSE_FIELD_OVERHEAD > capacity) {
        return false;
    }
    *plain_size = count - CSE_FIELD_OVERHEAD;
    memcpy(plain, bytes + sizeof(struct csn_wire_record), *plain_size);
    return true;
}

/* ---- one policy on both sides ---- */
struct pair {
    struct csr_policy *policy;
    struct cse_call call;
    unsigned long compared;
    unsigned long refused; /* records that both refuse */
    uint8_t expected[OUTPUT_MAX];
    uint8_t actual[OUTPUT_MAX];
};

static const uint8_t secret[32] = {1, 2, 3, 4};

static struct pair *open_pair(const char *name)
{
    static const char *const names[] = {"registry"};
    static const struct csv_policy_consumers consumers = {.names = names, .count = 1};
    static const struct csn_wire_consumer grant_consumers[1] = {{.name = "registry"}};
    static char text[CSV_POLICY_TEXT_SIZE_MAX];
    static uint8_t binary[CSN_WIRE_POLICY_SIZE_MAX];
    char path[512];
    char reason[CSR_ERROR_SIZE];
    struct csv_policy_error error = {0};
    size_t binary_size = 0;
    const char *root = getenv("CAISSON_SOURCE");
    snprintf(path, sizeof path, "%s/examples/policies/%s.json", root == NULL ? "." : root, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->call.state = calloc(1, STATE_MAX);
    pair->call.batch = calloc(1, cse_service.batch_size);
    pair->call.scratch = malloc(SCRATCH_MAX);
    assert_true(pair->call.state != NULL && pair->call.batch != NULL && pair->call.scratch != NULL);
    pair->policy = csr_policy_load(text, size, cse_tenant(&pair->call), secret, reason);
    assert_non_null(pair->policy);
    assert_int_equal(
        csv_policy_compile(text, size, &consumers, binary, sizeof binary, &binary_size, &error),
        CSN_OK);
    struct cse_grant_view view = {.tenant = cse_tenant(&pair->call),
                                  .secret = secret,
                                  .policy = binary,
                                  .policy_size = (uint32_t)binary_size,
                                  .consumer_count = 1,
                                  .consumers = grant_consumers};
    assert_int_equal(cse_service.grant(pair->call.state, &view), CSN_OK);
    return pair;
}

static void close_pair(struct pair *pair, const char *name)
{
    print_message("# %s: %lu compared, %lu of them refused by both\n", name, pair->compared,
                  pair->refused);
    csr_policy_free(pair->policy);
    free(pair->call.state);
    free(pair->call.batch);
    free(pair->call.scratch);
    free(pair);
}

static cse_status run_enclave(struct pair *pair, uint16_t operation, const uint8_t *input,
                              size_t size, size_t capacity, size_t *output_size)
{
    uint32_t written = 0;
    pair->call.scratch_used = 0;
    for (uint32_t index = 0; index < cse_service.operation_count; index++) {
        if (cse_service.operations[index].id == operation) {
            cse_status status = cse_service.operations[index].handler(
                &pair->call, input, (uint32_t)size, pair->actual, (uint32_t)capacity, &written);
            cse_service.complete(pair->call.batch);
            *output_size = written;
            return status;
        }
    }
    return CSN_WIRE_STATUS_OPERATION;
}

static void compare_one(struct pair *pair, const void *input, size_t size, size_t capacity)
{
    static const struct csr_opener opener = {open_field, NULL};
    size_t expected_size = 0;
    size_t actual_size = 0;
    enum csn_wire_status expected =
        csr_tokenize(pair->policy, input, size, pair->expected, capacity, &expected_size);
    cse_status actual = run_enclave(pair, 1, input, size, capacity, &actual_size);
    pair->compared++;
    if (expected != actual) {
        fail_msg("status %d, the reference says %d: %.*s", (int)actual, (int)expected, (int)size,
                 (const char *)input);
    }
    if (expected != CSN_WIRE_STATUS_OK) {
        pair->refused++;
        return;
    }
    if (!csr_compare(pair->expected, expected_size, pair->actual, actual_size, &opener)) {
        fail_msg("input %.*s\nreference %.*s\nenclave %.*s", (int)size, (const char *)input,
                 (int)expected_size, (const char *)pair->expected, (int)actual_size,
                 (const char *)pair->actual);
    }
}

/* ---- inputs ---- */
static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % limit);
}

/* Changes that mostly keep it JSON, and some that do not. */
static size_t mutate(uint64_t *state, uint8_t *text, size_t size)
{
    static const char pool[] = "0123456789{}[]\",:\\ueE+-. \n\tantfls@/()é\xf0";
    for (unsigned count = 1 + draw(state, 3); count > 0 && size > 1; count--) {
        size_t at = draw(state, (uint32_t)size);
        switch (draw(state, 4)) {
        case 0:
            text[at] = (uint8_t)pool[draw(state, sizeof pool - 1)];
            break;
        case 1: /* a digit or a letter becomes another one */
            text[at] =
                text[at] >= '0' && text[at] <= '9' ? (uint8_t)('0' + draw(state, 10)) : text[at];
            break;
        case 2:
            memmove(text + at, text + at + 1, size - at - 1);
            size--;
            break;
        default:
            memmove(text + at + 1, text + at, size - at);
            text[at] = (uint8_t)pool[draw(state, sizeof pool - 1)];
            size++;
            break;
        }
    }
    return size;
}

static void compare_mutants(struct pair *pair, const void *input, size_t size, unsigned count,
                            uint64_t *state)
{
    static uint8_t text[INPUT_MAX + 16];
    for (unsigned index = 0; index < count && size <= INPUT_MAX; index++) {
        memcpy(text, input, size);
        compare_one(pair, text, mutate(state, text, size), OUTPUT_MAX);
    }
}

static void test_generated(void **state)
{
    (void)state;
    uint64_t random = 5;
    struct pair *pair = open_pair("card");
    for (unsigned long index = 0; index < record_count; index++) {
        struct csr_record record;
        csr_generate(2026, index, &record);
        compare_one(pair, record.text, record.size, index % 16 == 0 ? 700 : OUTPUT_MAX);
        if (index % 4 == 0) {
            compare_mutants(pair, record.text, record.size, 4, &random);
        }
    }
    assert_true(pair->refused > 0 && pair->refused < pair->compared);
    close_pair(pair, "card");
}

static void test_reveal(void **state)
{
    (void)state;
    struct pair *pair = open_pair("card");
    static uint8_t sealed[OUTPUT_MAX];
    pair->call.field_mask = UINT64_MAX;
    for (unsigned long index = 0; index < record_count / 10; index++) {
        struct csr_record record;
        size_t size = 0;
        size_t expected_size = 0;
        size_t actual_size = 0;
        csr_generate(2027, index, &record);
        assert_int_equal(
            run_enclave(pair, 1, (const uint8_t *)record.text, record.size, OUTPUT_MAX, &size),
            CSN_WIRE_STATUS_OK);
        memcpy(sealed, pair->actual, size);
        assert_int_equal(csr_detokenize(pair->policy, UINT64_MAX, NULL, sealed, size,
                                        pair->expected, OUTPUT_MAX, &expected_size),
                         CSN_WIRE_STATUS_OK);
        assert_int_equal(run_enclave(pair, 2, sealed, size, OUTPUT_MAX, &actual_size),
                         CSN_WIRE_STATUS_OK);
        assert_int_equal(actual_size, expected_size);
        assert_memory_equal(pair->actual, pair->expected, actual_size);
        /* And it is the card number that went in. */
        assert_non_null(memmem(pair->actual, actual_size, record.secrets[0].text, 16));
        pair->compared++;
    }
    close_pair(pair, "card, back again");
}

static FILE *open_data(const char *name)
{
    char path[512];
    const char *shared = getenv("CAISSON_SHARED");
    snprintf(path, sizeof path, "%s/data-pii/%s", shared == NULL ? "../shared" : shared, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_message("# skipped: no %s\n", path);
    }
    return file;
}

static void run_lines(const char *policy, const char *name)
{
    static char line[INPUT_MAX];
    uint64_t random = 6;
    FILE *file = open_data(name);
    if (file == NULL) {
        skip();
    }
    struct pair *pair = open_pair(policy);
    while (fgets(line, sizeof line, file) != NULL) {
        compare_one(pair, line, strlen(line), OUTPUT_MAX);
        compare_mutants(pair, line, strlen(line), 10, &random);
    }
    fclose(file);
    assert_true(pair->compared >= 100 && pair->refused < pair->compared);
    close_pair(pair, name);
}

static void test_patients(void **state)
{
    (void)state;
    run_lines("fhir-patient", "fhir-synthea/Patient.100p.ndjson");
}

static void test_encounters(void **state)
{
    (void)state;
    run_lines("fhir-encounter", "fhir-synthea/Encounter.10p.ndjson");
}

static void test_sentences(void **state)
{
    (void)state;
    uint64_t random = 8;
    FILE *file = open_data("presidio-synth_dataset_v2.json");
    if (file == NULL) {
        skip();
    }
    char *text = malloc(4u << 20);
    assert_non_null(text);
    size_t size = fread(text, 1, 4u << 20, file);
    fclose(file);
    cJSON *root = cJSON_ParseWithLength(text, size);
    assert_non_null(root);
    struct pair *pair = open_pair("pii-sentences");
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, root)
    {
        cJSON *record = cJSON_CreateObject();
        cJSON_AddStringToObject(record, "text",
                                cJSON_GetObjectItem(item, "full_text")->valuestring);
        char *line = cJSON_PrintUnformatted(record);
        compare_one(pair, line, strlen(line), OUTPUT_MAX);
        compare_mutants(pair, line, strlen(line), 10, &random);
        cJSON_free(line);
        cJSON_Delete(record);
    }
    assert_true(pair->compared >= 1000);
    close_pair(pair, "sentences");
    cJSON_Delete(root);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated), cmocka_unit_test(test_reveal),
        cmocka_unit_test(test_patients),  cmocka_unit_test(test_encounters),
        cmocka_unit_test(test_sentences),
    };
    record_count = argc > 1 ? strtoul(argv[1], NULL, 10) : record_count;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
