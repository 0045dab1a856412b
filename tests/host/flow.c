/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c: see flow.h. */
#include "flow.h"
#include <caisson/wire/message.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RECORD_MAX 4096u

struct site site;
struct party party;
struct flow flow;

int flow_start(void **state)
{
    (void)state;
    site_start(&site);
    party_new(&party);
    party_grant(&party, &site, 1);
    flow = (struct flow){.site = &site, .party = &party};
    return 0;
}

int flow_stop(void **state)
{
    (void)state;
    party_free(&party);
    site_stop(&site);
    return 0;
}

csn_err flow_take(struct flow *f)
{
    struct answer answer;
    struct csn_wire_result header;
    csn_err result = site_receive(f->site, &answer);
    if (result == CSN_OK) {
        assert_int_equal(answer.tag, f->answered);
        assert_int_equal(answer.code, CSN_WIRE_DONE);
        assert_int_equal(party_open(f->party, 1, &answer, &header), CSN_OK);
        assert_int_equal(header.sequence, f->answered);
        f->refused += (header.flags & CSN_WIRE_RESULT_TOMBSTONE) != 0;
        f->answered++;
    }
    return result;
}

csn_err flow_feed(struct flow *f, uint64_t until)
{
    static uint8_t record[RECORD_MAX];
    struct csn_enclave *enclave = f->site->enclave;
    while (f->next < until) {
        uint32_t size = party_seal(f->party, 1, record, sizeof record);
        csn_err result = csn_enclave_submit(enclave, 0, f->next, record, size);
        while (result == CSN_AGAIN) {
            assert_int_equal(flow_take(f), CSN_OK);
            result = csn_enclave_submit(enclave, 0, f->next, record, size);
        }
        assert_int_equal(result, CSN_OK);
        f->next++;
    }
    return csn_enclave_flush(enclave, 0);
}

void flow_drain(struct flow *f)
{
    csn_err result = CSN_OK;
    while (result == CSN_OK) {
        result = flow_take(f);
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

uint64_t flow_check_unfinished(const struct flow *f)
{
    struct expected expected = {f, 0};
    assert_int_equal(csn_enclave_unfinished(f->site->enclave, 0, expect, &expected), CSN_OK);
    assert_int_equal(expected.seen, f->next - f->answered);
    return expected.seen;
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void flow_recover(struct flow *f, uint64_t version)
{
    struct csn_detail detail = {""};
    struct csn_enclave_report report;
    double begin = milliseconds();
    if (csn_enclave_restart(f->site->enclave, &detail) != CSN_OK) {
        fail_msg("restart: %s", detail.text);
    }
    double started = milliseconds();
    party_grant(f->party, f->site, version);
    double granted = milliseconds();
    csn_enclave_report(f->site->enclave, &report);
    printf("# %s: restart %.2f ms, verify and re-grant %.2f ms\n", report.backend, started - begin,
           granted - started);
}

csn_err flow_resubmit(struct flow *f)
{
    csn_err result;
    while ((result = csn_enclave_resubmit(f->site->enclave, 0)) == CSN_AGAIN) {
        result = csn_enclave_resubmit(f->site->enclave, 0); /* no second one meanwhile */
        assert_int_not_equal(result, CSN_OK);
        result = flow_take(f);
        if (result != CSN_OK) {
            break;
        }
    }
    return result;
}

void flow_finish(struct flow *f, uint64_t missing)
{
    static uint8_t record[RECORD_MAX];
    uint32_t size = 0;
    struct csn_wire_result header;
    struct csv_stream stream;
    assert_int_equal(csv_seal_fin(f->party->sealer, record, sizeof record, &size), CSN_OK);
    struct answer answer = site_ask(f->site, record, size);
    assert_int_equal(answer.code, CSN_WIRE_DONE);
    assert_int_equal(party_open(f->party, 1, &answer, &header), CSN_OK);
    assert_int_equal(csv_opener_stream_count(f->party->opener), 1);
    csv_opener_stream(f->party->opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.sent, f->next);
    assert_int_equal(stream.missing, missing);
    assert_int_equal(stream.refused, f->refused);
    assert_int_equal(stream.served, f->next - missing - f->refused);
    assert_int_equal(stream.repeats, 0);
}
