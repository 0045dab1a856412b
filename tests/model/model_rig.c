/* SPDX-License-Identifier: Apache-2.0 */
/* model_rig.c: see model_rig.h. */
#include "model_rig.h"
#include "../../src/crypto/cpu.h"
#include "../../src/enclave/state.h"
#include "../../src/import/import.h"
#include "../../src/weights/weights_load.h"
#include "../trees/trees_made.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rig rig;
static uint64_t next_tag;

static void read_file(const char *path, uint8_t **bytes, uint64_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (uint64_t)ftell(file);
    rewind(file);
    *bytes = malloc(*size);
    assert_non_null(*bytes);
    assert_int_equal(fread(*bytes, 1, *size, file), *size);
    fclose(file);
}

struct csn_wire_model_policy rig_policy(uint32_t flags)
{
    struct csn_wire_model_policy policy = {.magic = CSN_WIRE_MODEL_MAGIC,
                                           .version = CSN_WIRE_MODEL_VERSION,
                                           .flags = CSN_WIRE_MODEL_LANGUAGE | flags,
                                           .session_max = MOD_SESSION_MAX,
                                           .language = rig.language.ref};
    if ((flags & CSN_WIRE_MODEL_LANGUAGE_KEY) == 0) {
        memset(policy.language.key, 0, sizeof policy.language.key);
    }
    return policy;
}

struct csn_wire_model_policy rig_tree_policy(uint32_t flags)
{
    struct csn_wire_model_policy policy = {.magic = CSN_WIRE_MODEL_MAGIC,
                                           .version = CSN_WIRE_MODEL_VERSION,
                                           .flags = CSN_WIRE_MODEL_TREES | flags,
                                           .trees = rig.trees.ref};
    if ((flags & CSN_WIRE_MODEL_TREES_KEY) == 0) {
        memset(policy.trees.key, 0, sizeof policy.trees.key);
    }
    return policy;
}

static void put(const struct weights_made *made)
{
    char name[65];
    cse_weights_name(made->ref.digest, name);
    store_double_put(&rig.store, name, made->file, made->size);
}

static void make_trees(void)
{
    struct csn_import_fault fault = {0};
    void *image;
    size_t size;
    assert_int_equal(csn_import_xgboost_json(MODEL_BOTH, strlen(MODEL_BOTH), &image, &size, &fault),
                     CSN_OK);
    weights_make(&rig.trees, image, size, CSN_WIRE_WEIGHTS_TREES);
    free(image);
}

bool rig_grant(uint32_t who, const struct csn_wire_model_policy *policy)
{
    static uint64_t version;
    struct fake_tenant *whose = &rig.tenants[who];
    rig.policies[who] = *policy;
    whose->policy = &rig.policies[who];
    whose->policy_size = sizeof rig.policies[who];
    fake_grant_build(&fake, whose, ++version);
    fake.tag_base = UINT64_MAX; /* of no call */
    const struct fake_answer *answer = fake_one(&fake, whose->message, whose->message_size);
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    assert_int_equal(answer->code, CSN_WIRE_GRANTED);
    assert_int_equal(csv_receipt_open(&whose->grant, answer->body, answer->size, &result, &receipt),
                     CSN_OK);
    fake.answer_count = 0;
    fake.answer_bytes = 0;
    return result.status == CSN_WIRE_STATUS_OK;
}

void rig_start(const char *path)
{
    extern const struct cse_service cse_service;
    uint64_t size;
    uint8_t *bytes;
    uint64_t features = 0;
    memset(&rig, 0, sizeof rig);
    read_file(path, &bytes, &size);
    weights_make(&rig.language, bytes, size, CSN_WIRE_WEIGHTS_GGUF);
    free(bytes);
    store_double_start(&rig.store);
    rig.port = store_double_port(&rig.store);
    make_trees();
    put(&rig.language);
    put(&rig.trees);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .service = &cse_service,
                                             .store = &rig.port,
                                             .tenant_state_size = 64,
                                             .scratch_size = 4u << 20,
                                             .worker_state_size = (uint32_t)MOD_WORKER_SIZE,
                                             .held_max = MOD_SESSION_MAX,
                                             .output_scale = 128,
                                             .output_extra = 512});
    assert_int_equal(csn_cpu_features(&features), CSN_OK);
    fake.instance.given.features = features;
    for (uint32_t i = 0; i < RIG_TENANTS; i++) {
        fake_tenant_new(&rig.tenants[i]);
    }
}

void rig_forget_calls(void)
{
    for (uint32_t i = 0; i < rig.call_count; i++) {
        csv_sealer_destroy(rig.calls[i].sealer);
    }
    memset(rig.calls, 0, sizeof rig.calls);
    rig.call_count = 0;
}

void rig_stop(void)
{
    rig_forget_calls();
    fake_stop(&fake);
    store_double_stop(&rig.store);
    weights_discard(&rig.language);
    weights_discard(&rig.trees);
}

struct mod_worker *rig_worker(void)
{
    return fake.session->worker_state;
}

/* ---- calls ---- */

static void take_answer(const struct fake_answer *answer)
{
    static uint8_t payload[FAKE_RECORD_MAX];
    struct csn_wire_result result;
    uint32_t size = 0;
    struct rig_call *call = NULL;
    for (uint32_t i = 0; i < rig.call_count; i++) {
        call = rig.calls[i].tag == answer->tag ? &rig.calls[i] : call;
    }
    assert_non_null(call);
    if (answer->code == CSN_WIRE_HELD) {
        return;
    }
    if (answer->code != CSN_WIRE_DONE) { /* cancelled */
        call->is_over = true;
        call->status = UINT32_MAX;
        return;
    }
    assert_int_equal(
        csv_reply_open(call->sealer, answer->body, answer->size, &result, payload, &size), CSN_OK);
    assert_true(call->size + size < RIG_TEXT);
    memcpy(call->text + call->size, payload, size);
    call->size += size;
    call->status = result.status;
    call->detail = result.detail;
    call->is_over = answer->final;
    if (!answer->final) {
        call->part_size = call->parts == 0 ? answer->size : call->part_size;
        call->same_sizes =
            (call->parts == 0 || call->same_sizes) && answer->size == call->part_size;
        call->parts++;
    }
}

/* All that has come, for whose it is. */
static void take_answers(void)
{
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        take_answer(&fake.answers[i]);
    }
    fake.answer_count = 0;
    fake.answer_bytes = 0;
}

struct rig_call *rig_send(uint32_t who, uint16_t operation, const char *json)
{
    assert_true(rig.call_count < RIG_CALLS);
    struct rig_call *call = &rig.calls[rig.call_count++];
    call->tag = ++next_tag;
    call->sealer = solo_sealer(&rig.tenants[who], &rig.tenants[who].replier, NULL);
    const uint32_t size = solo_seal(call->sealer, operation, json, (uint32_t)strlen(json));
    fake.tag_base = call->tag;
    fake_send(&fake, &(struct fake_message){record, size}, 1);
    take_answers();
    return call;
}

bool rig_step(void)
{
    const bool more = fake_step(&fake);
    take_answers();
    return more;
}

void rig_run(void)
{
    for (uint32_t i = 0; i < 5000 && rig_step(); i++) {
    }
}

struct rig_call *rig_ask(uint32_t who, uint16_t operation, const char *json)
{
    struct rig_call *call = rig_send(who, operation, json);
    rig_run();
    assert_true(call->is_over);
    return call;
}

void rig_cancel(const struct rig_call *call)
{
    const struct csn_wire_cancel cancel = {.kind = CSN_WIRE_CANCEL, .tag = call->tag};
    fake.tag_base = UINT64_MAX;
    fake_send(&fake, &(struct fake_message){&cancel, sizeof cancel}, 1);
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        if (fake.answers[i].tag != UINT64_MAX) {
            take_answer(&fake.answers[i]);
        }
    }
    fake.answer_count = 0;
    fake.answer_bytes = 0;
}

/* ---- JSON ---- */

static uint32_t take_string(const char *at, char *text)
{
    uint32_t end = 0;
    while (at[end] != '"') {
        end += at[end] == '\\' ? 2 : 1;
    }
    return csn_json_decode((const uint8_t *)at, end, (uint8_t *)text);
}

bool rig_text(const struct rig_call *call, const char *name, char *text)
{
    char wanted[64];
    uint32_t used = 0;
    bool any = false;
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    for (const char *at = strstr(call->text, wanted); at != NULL; at = strstr(at, wanted)) {
        at += strlen(wanted);
        used += take_string(at, text + used);
        any = true;
    }
    text[used] = 0;
    return any;
}
