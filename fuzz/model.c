/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c: one byte of operation, then a request's JSON to the model enclave, whose calls into the
 * runtime and into the model are the target's own: logits come from the request's bytes. Every
 * answer ends, is JSON, or events of JSON that are all of one size; nothing of it is left.
 */
#include "../enclaves/model/mod_state.h"
#include "check.h"
#include "weights/weights_load.h"
#include <caisson/vouch.h>
#include <string.h>

#define SCRATCH  0x800000u
#define PART_MAX 4096u
#define PIECES   300u

static struct {
    struct mod_worker worker;
    struct mod_tenant tenant;
    uint8_t scratch[SCRATCH] __attribute__((aligned(64)));
    uint32_t used;
    const uint8_t *bytes; /* the request */
    uint32_t size;
    bool held;
    uint32_t parts;
    uint32_t evaluations;
    float logits[PIECES];
    uint32_t weights[PIECES];
} rig;
static uint8_t vocab_memory[0x10000] __attribute__((aligned(64)));

/* ---- the model: a vocabulary, and logits of no meaning ---- */

static void begin(void)
{
    static uint8_t strings[PIECES * 64];
    static float scores[PIECES];
    static uint32_t types[PIECES];
    struct csn_vocab_source source = {.kind = CSN_VOCAB_SPM,
                                      .tokens = {strings, 0, PIECES},
                                      .scores = (const uint8_t *)scores,
                                      .types = (const uint8_t *)types,
                                      .begin = 256,
                                      .ends = {257, CSN_VOCAB_NONE, CSN_VOCAB_NONE},
                                      .add_begin = true,
                                      .add_space = true};
    uint32_t index;
    for (uint32_t i = 0; i < PIECES; i++) {
        char text[56];
        static const char *const marks[] = {"<s>", "</s>", "<|im_start|>", "<|im_end|>"};
        snprintf(text, sizeof text, i < 256 ? "<0x%02X>" : "x%u", i);
        if (i >= 256 && i < 260) {
            snprintf(text, sizeof text, "%s", marks[i - 256]);
        }
        if (i >= 298) { /* long ones, of what has long escapes */
            memset(text, 1, sizeof text - 1);
            text[sizeof text - 1] = 0;
            text[0] = (char)i;
        }
        types[i] = i < 256 ? CSN_VOCAB_BYTE : i < 260 ? CSN_VOCAB_CONTROL : CSN_VOCAB_NORMAL;
        const uint64_t size = strlen(text);
        memcpy(strings + source.tokens.size, &size, 8);
        memcpy(strings + source.tokens.size + 8, text, size);
        source.tokens.size += 8 + size;
    }
    CHECK(csn_vocab_memory(&source) <= sizeof vocab_memory);
    CHECK(csn_vocab_open(&rig.worker.vocab, &source, vocab_memory, sizeof vocab_memory, &index) ==
          CSN_OK);
    rig.worker.language.ready = true;
    rig.worker.model.config.vocab_count = PIECES;
    rig.worker.slot_count = 1;
    rig.worker.position_max = 96;
    rig.worker.weights = rig.weights;
    rig.worker.talk = MOD_TALK_CHATML;
    memcpy(rig.worker.talk_marks, (const uint32_t[3]){258, 259, 259}, 12);
    rig.worker.name_size = 4;
    memcpy(rig.worker.name, "fuzz", 4);
    rig.tenant = (struct mod_tenant){.ready = 1, .session_max = 1, .language = {true, true}};
}

csn_err csn_llm_eval(struct csn_llm *llm, const struct csn_llm_item *items, uint32_t count)
{
    (void)llm;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(items[i].slot == 0 && items[i].token < PIECES);
        CHECK(items[i].position < rig.worker.position_max);
    }
    rig.evaluations++;
    return CSN_OK;
}

const float *csn_llm_logits(const struct csn_llm *llm, uint32_t item)
{
    /* Bytes that make characters and spoil them, what JSON escapes, a long piece, ends. */
    static const uint16_t wanted[24] = {0xe0, 0x80, 0xed, 0xa0, 0xf0, 0x8f, 0xf4, 0x90,
                                        0xbf, 0xc2, 0xc3, 0xe2, 0x82, 0xac, 0xff, '"',
                                        '\\', 1,    'a',  298,  298,  299,  257,  260};
    (void)llm, (void)item;
    for (uint32_t i = 0; i < PIECES; i++) {
        rig.logits[i] = (float)(rig.bytes[(i * 7 + rig.evaluations * 13) % rig.size] % 16);
    }
    uint32_t hash = rig.evaluations; /* of all of the request: each has an answer of its own */
    for (uint32_t i = 0; i < rig.size; i++) {
        hash = (hash ^ rig.bytes[i]) * 16777619u;
    }
    rig.logits[wanted[(hash >> 16) % 24]] += 30;
    return rig.logits;
}

void csn_llm_forget(struct csn_llm *llm, uint32_t slot)
{
    (void)llm;
    CHECK(slot == 0);
}

/* ---- the runtime ---- */

void *cse_state(struct cse_call *call)
{
    (void)call;
    return &rig.tenant;
}

void *cse_worker_state(struct cse_call *call)
{
    (void)call;
    return &rig.worker;
}

const uint8_t *cse_tenant(const struct cse_call *call)
{
    static const uint8_t tenant[32] = {1};
    (void)call;
    return tenant;
}

void *cse_scratch(struct cse_call *call, uint32_t size)
{
    (void)call;
    const uint32_t rounded = (size + 63) / 64 * 64;
    if (rounded < size || rounded > SCRATCH - rig.used) {
        return NULL;
    }
    rig.used += rounded;
    return rig.scratch + rig.used - rounded;
}

void *cse_step_scratch(struct cse_step *step, uint32_t size)
{
    (void)step;
    return cse_scratch(NULL, size);
}

bool cse_random(struct cse_call *call, void *bytes, uint32_t size)
{
    (void)call;
    memset(bytes, 7, size);
    return true;
}

void cse_fail_at(struct cse_call *call, uint32_t offset)
{
    (void)call;
    CHECK(offset <= rig.size);
}

struct cse_held *cse_hold(struct cse_call *call)
{
    (void)call;
    rig.held = true;
    return (struct cse_held *)&rig;
}

uint32_t cse_held_index(const struct cse_held *held)
{
    (void)held;
    return 0;
}

struct cse_held *cse_held_at(struct cse_step *step, uint32_t index)
{
    (void)step;
    return rig.held && index == 0 ? (struct cse_held *)&rig : NULL;
}

uint32_t cse_held_part_max(const struct cse_held *held)
{
    (void)held;
    return PART_MAX;
}

bool cse_held_room(struct cse_held *held)
{
    (void)held;
    return true;
}

void cse_answer_type(struct cse_call *call, const char *type)
{
    (void)call;
    CHECK(strcmp(type, "text/event-stream") == 0);
}

static void check_json(const uint8_t *bytes, uint32_t size)
{
    static struct csn_json_node nodes[256];
    static uint32_t hashes[256], owners[256];
    struct csn_json json = {.text = bytes,
                            .size = size,
                            .nodes = nodes,
                            .hashes = hashes,
                            .owners = owners,
                            .node_max = 256};
    CHECK(csn_json_scan(&json) == CSN_JSON_OK);
}

/* Lines of JSON behind "data: ", comments, and empty lines. */
static void check_events(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t at = 0; at < size;) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        CHECK(end != NULL);
        const uint32_t line = (uint32_t)(end - bytes) - at;
        if (line > 6 && memcmp(bytes + at, "data: ", 6) == 0) {
            if (line != 12 || memcmp(bytes + at, "data: [DONE]", 12) != 0) {
                check_json(bytes + at + 6, line - 6);
            }
        } else {
            CHECK(line == 0 || bytes[at] == ':');
        }
        at += line + 1;
    }
}

csn_err cse_held_emit(struct cse_held *held, const uint8_t *bytes, uint32_t size)
{
    (void)held;
    CHECK(size == MOD_PART_SIZE && rig.held);
    check_events(bytes, size);
    rig.parts++;
    return CSN_OK;
}

void cse_held_finish(struct cse_held *held, cse_status status, const uint8_t *bytes, uint32_t size)
{
    (void)held;
    CHECK(status == CSN_WIRE_STATUS_OK && size <= PART_MAX && rig.held);
    if (bytes[0] == '{') {
        check_json(bytes, size);
    } else {
        CHECK(size == MOD_LAST_SIZE);
        check_events(bytes, size);
    }
    rig.held = false;
}

void cse_panic(uint32_t code)
{
    CHECK(code == 0);
    abort();
}

csn_err cse_weights_load(struct cse_outside *outside, const struct csn_wire_weights_ref *ref,
                         void *memory, uint64_t memory_size, uint64_t *size)
{
    (void)outside, (void)ref, (void)memory, (void)memory_size, (void)size;
    return CSN_ERR_MISSING;
}

csn_err cse_claim_grant(const struct cse_grant_view *grant, uint32_t label, const uint8_t claim[32])
{
    (void)grant, (void)label, (void)claim;
    return CSN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct mod_session none;
    uint8_t output[1024];
    uint32_t output_size = 0;
    if (size < 2 || size > 4096) {
        return 0;
    }
    begin();
    rig.bytes = bytes + 1;
    rig.size = (uint32_t)size - 1;
    rig.used = rig.evaluations = rig.parts = 0;
    rig.held = false;
    const struct cse_operation *operation = &cse_service.operations[bytes[0] % 2];
    const cse_status status =
        operation->handler(NULL, rig.bytes, rig.size, output, sizeof output, &output_size);
    CHECK(status == CSE_LATER || status <= CSN_WIRE_STATUS_LAST);
    CHECK(rig.held == (status == CSE_LATER));
    const bool streams = rig.worker.sessions[0].is_stream;
    for (uint32_t i = 0; rig.held; i++) {
        CHECK(i < 2000);
        rig.used = 0;
        cse_service.step(&rig.worker, NULL);
    }
    CHECK(streams || rig.parts == 0);
    CHECK(memcmp(&rig.worker.sessions[0], &none, sizeof none) == 0);
    CHECK(rig.worker.session_count == 0);
    return 0;
}
