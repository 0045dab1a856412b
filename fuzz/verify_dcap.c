/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_dcap.c: hostile quotes, collateral and event logs.
 *
 * The first byte says what the rest is. 0: five sizes (u16) of PCK chain, revocation list, signers'
 * chain, TCB info and QE identity, these parts, and the quote with what is left (no root is trusted
 * that could have signed any of it, so that nothing is valid); 1, 2: TCB info, QE identity, as if
 * Intel had signed it (a status comes out, or a finding says why not); 3: an event log (the
 * registers are never those). Every verdict can be printed.
 */
#include "check.h"
#include "verify/dcap/qe_identity.h"
#include "verify/tcg/ccel.h"
#include <stdlib.h>
#include <string.h>

#define PART_COUNT 5

static char text[1 << 19];

static void print(const struct csv_verdict *verdict)
{
    CHECK(csv_verdict_text(verdict, true, text, sizeof text) < sizeof text);
    CHECK(csv_verdict_json(verdict, text, sizeof text) < sizeof text);
}

/* ---- everything at once ---- */

static void appraise(const uint8_t *data, size_t size)
{
    static const uint32_t kinds[PART_COUNT] = {CSV_PART_CHAIN, CSV_PART_CRL, CSV_PART_COLLATERAL,
                                               CSV_PART_COLLATERAL, CSV_PART_COLLATERAL};
    static const char *const names[PART_COUNT] = {NULL, NULL, "tcb_signing_chain", "tcb_info",
                                                  "qe_identity"};
    static struct csv_policy *any;
    struct csv_input *input = NULL;
    struct csv_verdict *verdict = NULL;
    if (size < 2 * PART_COUNT + 1) {
        return;
    }
    if (any == NULL) {
        CHECK(csv_policy_create_insecure_any(&any) == CSN_OK);
    }
    CHECK(csv_input_create(&input) == CSN_OK);
    csv_input_set_time(input, 1767225600);
    const uint8_t *at = data + 2 * PART_COUNT;
    size_t left = size - 2 * PART_COUNT;
    for (size_t i = 0; i < PART_COUNT; i++) {
        size_t part = (size_t)data[2 * i] | (size_t)data[2 * i + 1] << 8;
        part = part < left ? part : left;
        if (part != 0) {
            CHECK(csv_input_add(input, kinds[i], names[i], at, part) == CSN_OK);
        }
        at += part;
        left -= part;
    }
    CHECK(csv_input_add(input, CSV_PART_EVIDENCE, NULL, at, left) == CSN_OK);
    uint32_t format = csv_quote_tee((struct csv_bytes){at, left}) == CSV_TEE_TDX ? CSV_FORMAT_TDX
                                                                                 : CSV_FORMAT_SGX;
    csn_err result = csv_appraise(any, input, format, &verdict);
    CHECK(result == CSN_ERR_EVIDENCE || result == CSN_ERR_UNVERIFIED);
    print(verdict);
    csv_verdict_free(verdict);
    csv_input_free(input);
}

/* ---- one parser ---- */

struct bench {
    struct csv_verdict verdict;
    struct csv_input input;
    struct csv_case appraisal;
    struct csv_quote quote;
    uint8_t body[CSV_TD15_BODY_SIZE];
    uint8_t qe_report[CSV_SGX_BODY_SIZE];
    struct csv_pck pck;
};

static struct bench *bench_new(bool tdx)
{
    static struct bench bench;
    static uint8_t memory[CSV_ARENA_SIZE];
    bench = (struct bench){.input = {.time_given = true, .time = 1767225600}};
    bench.verdict.arena = (struct csv_arena){.base = memory, .size = sizeof memory};
    bench.appraisal = (struct csv_case){
        .input = &bench.input, .verdict = &bench.verdict, .arena = &bench.verdict.arena};
    bench.body[0] = 5; /* TEE_TCB_SVN, then TEE_TCB_SVN_2 */
    bench.body[1] = 1;
    bench.body[2] = 3;
    memcpy(bench.body + 584, "\6\1\3", 3);
    bench.quote = (struct csv_quote){.tee_type = tdx ? CSV_TEE_TDX : CSV_TEE_SGX,
                                     .body_type = tdx ? CSV_QUOTE_BODY_TD15 : CSV_QUOTE_BODY_SGX,
                                     .body = {bench.body, sizeof bench.body},
                                     .qe_report = bench.qe_report};
    memcpy(bench.pck.fmspc, "\x90\xc0\x6f", 3);
    memset(bench.pck.comp, 4, sizeof bench.pck.comp);
    bench.pck.pcesvn = 13;
    return &bench;
}

static bool open_text(struct bench *bench, const char *member, const uint8_t *data, size_t size,
                      struct csv_collateral *collateral)
{
    const char *why;
    *collateral = (struct csv_collateral){.body = 0};
    if (!csv_json_open(&collateral->view, (struct csv_bytes){data, size}, bench->appraisal.arena,
                       &why)) {
        return false;
    }
    collateral->body = csv_json_member(&collateral->view, 0, member);
    return csv_json_is(&collateral->view, collateral->body, CSN_JSON_OBJECT);
}

static bool any_failed(const struct csv_verdict *verdict)
{
    return verdict->result != CSV_VALID;
}

static void finish(struct bench *bench)
{
    for (size_t i = 0; i < bench->verdict.claim_count; i++) {
        bench->verdict.claims[i].value =
            csv_claim_value(bench->appraisal.arena, &bench->verdict.claims[i]);
    }
    print(&bench->verdict);
}

static void tcb_info(const uint8_t *data, size_t size, bool tdx)
{
    struct bench *bench = bench_new(tdx);
    struct csv_collateral collateral;
    struct csv_advisories advisories = {.count = 0};
    struct csv_tcb_info info = {.appraisal = &bench->appraisal,
                                .collateral = &collateral,
                                .quote = &bench->quote,
                                .pck = &bench->pck,
                                .advisories = &advisories};
    enum csv_tcb status = CSV_TCB_UNKNOWN;
    if (!open_text(bench, "tcbInfo", data, size, &collateral)) {
        return;
    }
    bool good = csv_tcb_info_fits(&info) && (!tdx || csv_tcb_info_module(&info)) &&
                csv_tcb_info_status(&info, CSV_TCB_UP_TO_DATE, &status);
    CHECK(good == (status != CSV_TCB_UNKNOWN) || any_failed(&bench->verdict));
    CHECK(good != any_failed(&bench->verdict));
    CHECK(status < CSV_TCB_COUNT && advisories.count <= CSV_ADVISORY_COUNT_MAX);
    finish(bench);
}

static void qe_identity(const uint8_t *data, size_t size, bool tdx)
{
    struct bench *bench = bench_new(tdx);
    struct csv_collateral collateral;
    struct csv_advisories advisories = {.count = 0};
    enum csv_tcb status = CSV_TCB_UNKNOWN;
    if (open_text(bench, "enclaveIdentity", data, size, &collateral)) {
        bool good = csv_qe_identity_check(&bench->appraisal, &collateral, &bench->quote,
                                          &advisories, &status);
        CHECK(good != any_failed(&bench->verdict));
        CHECK(!good || status != CSV_TCB_UNKNOWN);
        finish(bench);
    }
}

static void event_log(const uint8_t *data, size_t size)
{
    static const uint8_t never[CSV_RTMR_COUNT * CSV_RTMR_SIZE] = {1};
    struct bench *bench = bench_new(true);
    CHECK(!csv_ccel_check(&bench->appraisal, (struct csv_bytes){data, size}, never));
    CHECK(any_failed(&bench->verdict));
    finish(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > UINT16_MAX) {
        return 0;
    }
    /* A copy of its own, so that a read past its end is seen. */
    uint8_t *copy = malloc(size - 1);
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    bool tdx = (data[0] & 8) != 0;
    switch (data[0] & 3) {
    case 0:
        appraise(copy, size - 1);
        break;
    case 1:
        tcb_info(copy, size - 1, tdx);
        break;
    case 2:
        qe_identity(copy, size - 1, tdx);
        break;
    default:
        event_log(copy, size - 1);
    }
    free(copy);
    return 0;
}
