/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c: see flow.h. */
#include "flow.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECORD_MAX 4096u

csn_err flow_take(struct flow *flow)
{
    struct answer answer;
    struct csn_wire_result header;
    csn_err result = site_receive(flow->site, &answer);
    if (result == CSN_OK) {
        assert_int_equal(answer.tag, flow->answered);
        assert_int_equal(answer.code, CSN_WIRE_DONE);
        assert_int_equal(party_open(flow->party, 1, &answer, &header), CSN_OK);
        assert_int_equal(header.sequence, flow->answered);
        flow->refused += (header.flags & CSN_WIRE_RESULT_TOMBSTONE) != 0;
        flow->answered++;
    }
    return result;
}

csn_err flow_feed(struct flow *flow, uint64_t until)
{
    static uint8_t record[RECORD_MAX];
    struct csn_enclave *enclave = flow->site->enclave;
    while (flow->next < until) {
        uint32_t size = party_seal(flow->party, 1, record, sizeof record);
        csn_err result = csn_enclave_submit(enclave, 0, flow->next, record, size);
        while (result == CSN_AGAIN) {
            assert_int_equal(flow_take(flow), CSN_OK);
            result = csn_enclave_submit(enclave, 0, flow->next, record, size);
        }
        assert_int_equal(result, CSN_OK);
        flow->next++;
    }
    return csn_enclave_flush(enclave, 0);
}

void flow_drain(struct flow *flow)
{
    csn_err result = CSN_OK;
    while (result == CSN_OK) {
        result = flow_take(flow);
    }
    assert_int_equal(result, CSN_ERR_CRASHED);
}

struct expected {
    const struct flow *flow;
    uint64_t seen;
};

static void expect(void *state, uint64_t tag, const void *message, uint32_t size)
{
    struct expected *expected = state;
    struct csn_wire_record header;
    assert_true(size > sizeof header);
    memcpy(&header, message, sizeof header);
    assert_int_equal(tag, expected->flow->answered + expected->seen);
    assert_int_equal(header.sequence, tag);
    expected->seen++;
}

uint64_t flow_check_unfinished(const struct flow *flow)
{
    struct expected expected = {flow, 0};
    assert_int_equal(csn_enclave_unfinished(flow->site->enclave, 0, expect, &expected), CSN_OK);
    assert_int_equal(expected.seen, flow->next - flow->answered);
    return expected.seen;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void flow_recover(struct flow *flow, uint64_t version)
{
    struct csn_detail detail = {""};
    struct csn_enclave_report report;
    double begin = milliseconds();
    if (csn_enclave_restart(flow->site->enclave, &detail) != CSN_OK) {
        fail_msg("restart: %s", detail.text);
    }
    double started = milliseconds();
    party_grant(flow->party, flow->site, version);
    double granted = milliseconds();
    csn_enclave_report(flow->site->enclave, &report);
    printf("# %s: restart %.2f ms, verify and re-grant %.2f ms\n", report.backend, started - begin,
           granted - started);
}

csn_err flow_resubmit(struct flow *flow)
{
    csn_err result;
    while ((result = csn_enclave_resubmit(flow->site->enclave, 0)) == CSN_AGAIN) {
        result = csn_enclave_resubmit(flow->site->enclave, 0); /* no second one meanwhile */
        assert_int_not_equal(result, CSN_OK);
        result = flow_take(flow);
        if (result != CSN_OK) {
            break;
        }
    }
    return result;
}

void flow_finish(struct flow *flow, uint64_t missing)
{
    static uint8_t record[RECORD_MAX];
    uint32_t size = 0;
    struct csn_wire_result header;
    struct csv_stream stream;
    assert_int_equal(csv_seal_fin(flow->party->sealer, record, sizeof record, &size), CSN_OK);
    struct answer answer = site_ask(flow->site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(flow->party, 1, &answer, &header), CSN_OK);
    assert_int_equal(csv_opener_stream_count(flow->party->opener), 1);
    csv_opener_stream(flow->party->opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.sent, flow->next);
    assert_int_equal(stream.missing, missing);
    assert_int_equal(stream.refused, flow->refused);
    assert_int_equal(stream.served, flow->next - missing - flow->refused);
    assert_int_equal(stream.repeats, 0);
}
