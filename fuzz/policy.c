/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c: any bytes as a compiled policy; one that the grant hook takes then serves a record.
 */
#include "check.h"
#include "tokenize/fake.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char record[] =
        "{\"id\":\"a\",\"card\":{\"pan\":\"4111111111111111\",\"holder\":\"J\\u00e9\"},\"memo\":"
        "[\"mail a@b.cc\",1,null],\"customer\":{\"id\":7,\"birthDate\":\"2024-02-29\"}}";
    static _Alignas(8) uint8_t policy[CSN_WIRE_POLICY_SIZE_MAX + 8];
    static uint8_t output[FAKE_OUTPUT_MAX];
    static struct cse_call *call;
    uint32_t output_size = 0;
    if (call == NULL) {
        call = fake_new(1, 2);
    }
    if (call == NULL || size > sizeof policy) {
        return 0;
    }
    memcpy(policy, bytes, size);
    csn_err err = fake_grant_binary(call, policy, (uint32_t)size);
    cse_status status =
        fake_run(call, 1, record, sizeof record - 1, output, sizeof output, &output_size);
    CHECK((err == CSN_OK) == (status == CSN_WIRE_STATUS_OK));
    return 0;
}
