/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenize.c: any bytes as a record, through both operations with a policy that has every action.
 * An output is JSON again, and the same record gives the same output.
 */
#include "check.h"
#include "tokenize/fake.h"
#include "json/json.h"
#include <string.h>

#define RECORD_MAX 65536u

static const char policy[] =
    "{\"version\":1,\"default\":\"redact\",\"domains\":{\"d\":{\"version\":1}},\"fields\":["
    "{\"path\":\"f\",\"action\":\"fpe\",\"alphabet\":\"digits\",\"luhn\":true,\"domain\":\"d\","
    "\"short\":\"mask\"},"
    "{\"path\":\"g\",\"action\":\"fpe\",\"alphabet\":\"alnum\",\"domain\":\"d\",\"keep_first\":1,"
    "\"short\":\"drop\"},"
    "{\"path\":\"t\",\"action\":\"token\",\"domain\":\"d\",\"keep_last\":4},"
    "{\"path\":\"m\",\"action\":\"mask\",\"keep_first\":2},"
    "{\"path\":\"x\",\"action\":\"detect\",\"kinds\":[\"card\",\"iban\",\"email\",\"phone\",\"id\"]"
    ",\"then\":\"token\",\"domain\":\"d\"},"
    "{\"path\":\"b\",\"action\":\"shift\",\"days\":180,\"subject\":\"s.id\",\"domain\":\"d\"},"
    "{\"path\":\"h\",\"action\":\"hash\",\"domain\":\"d\"},"
    "{\"path\":\"e\",\"action\":\"encrypt\",\"consumer\":\"fraud\"},"
    "{\"path\":\"a[*].k\",\"action\":\"keep\"},{\"path\":\"d\",\"action\":\"drop\"}]}";

static void check_output(const uint8_t *bytes, uint32_t size)
{
    static struct csn_json_node nodes[FAKE_OUTPUT_MAX + 1];
    static uint32_t tables[2][FAKE_OUTPUT_MAX + 1];
    struct csn_json json = {.text = bytes,
                            .size = size,
                            .lines = true,
                            .nodes = nodes,
                            .hashes = tables[0],
                            .owners = tables[1],
                            .node_max = csn_json_bound(bytes, size)};
    CHECK(csn_json_scan(&json) == CSN_JSON_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t outputs[3][FAKE_OUTPUT_MAX];
    static struct cse_call *call;
    struct csv_policy_error why;
    uint32_t sizes[3] = {0};
    if (size > RECORD_MAX) {
        return 0;
    }
    if (call == NULL) {
        call = fake_new(1, 2);
        CHECK(call != NULL && fake_grant(call, policy, &why) == CSN_OK);
    }
    uint32_t room = size % 5 == 0 ? (uint32_t)size : FAKE_OUTPUT_MAX;
    cse_status status = fake_run(call, 1, bytes, (uint32_t)size, outputs[0], room, &sizes[0]);
    CHECK(fake_run(call, 1, bytes, (uint32_t)size, outputs[1], room, &sizes[1]) == status);
    CHECK(sizes[0] == sizes[1] && memcmp(outputs[0], outputs[1], sizes[0]) == 0);
    if (status == CSN_WIRE_STATUS_OK) {
        check_output(outputs[0], sizes[0]);
        if (fake_run(call, 2, outputs[0], sizes[0], outputs[2], FAKE_OUTPUT_MAX, &sizes[2]) ==
            CSN_WIRE_STATUS_OK) {
            check_output(outputs[2], sizes[2]);
        }
    }
    if (fake_run(call, 2, bytes, (uint32_t)size, outputs[2], room, &sizes[2]) ==
        CSN_WIRE_STATUS_OK) {
        check_output(outputs[2], sizes[2]);
    }
    return 0;
}
