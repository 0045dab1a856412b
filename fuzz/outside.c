/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.c: a host that answers anything to an enclave that keeps a journal outside.
 *
 * First byte, modulo 3: 0: the rest is answers in turn, each u16 size, u8 what is added to its tag,
 * bytes; behind the last one the host fails. 1: edits (offset u16, value u8, xor) of a genuine
 * folder, log and snapshot. 2: responses of a TPM in turn, each u16 size and bytes, over a genuine
 * empty folder. Oracle: nothing is applied but what was written, in order, from the first on; no
 * made-up TPM opens a journal.
 */
#include "../tests/enclave/store_double.c"
#undef CHECK
#include "../tests/enclave/store_rig.c"
#include "check.h"

#define WRITTEN 24u

struct script {
    const uint8_t *data;
    size_t size;
};

static struct store_rig rig;
static struct store_double genuine;
static struct store_double store;
static const uint32_t sizes[] = {1, 40, 300};
static uint64_t asked;
static uint64_t answered;

/* ---- answers in turn ---- */

static csn_err script_put(void *state, uint64_t tag, const struct csn_ring_piece pieces[2])
{
    (void)state, (void)pieces;
    CHECK(tag == ++asked);
    return CSN_OK;
}

static csn_err script_take(void *state, uint8_t *target, struct csn_ring_message *message)
{
    struct script *script = state;
    const struct csn_wire_outside_answer failed = {.status = CSN_WIRE_OUTSIDE_FAILED};
    *message = (struct csn_ring_message){.tag = ++answered, .size = sizeof failed};
    CHECK(answered <= asked); /* nothing is waited for that was not asked */
    memcpy(target, &failed, sizeof failed);
    if (script->size >= 3) {
        uint32_t size = script->data[0] | (uint32_t)script->data[1] << 8;
        message->tag += script->data[2];
        size = size < script->size - 3 ? size : (uint32_t)(script->size - 3);
        size = size < rig.manifest.input_size_max ? size : rig.manifest.input_size_max;
        memcpy(target, script->data + 3, size);
        message->size = size;
        script->data += 3 + size;
        script->size -= 3 + size;
    }
    return CSN_OK;
}

static void answers(const uint8_t *data, size_t size)
{
    struct script script = {data, size};
    asked = answered = 0;
    rig_begin(&rig, &store);
    rig.outside->options.port =
        (struct cse_outside_port){.put = script_put, .take = script_take, .state = &script};
    csn_err err = rig_open(&rig);
    CHECK(rig.count == 0 && (err == CSN_OK) == cse_journal_is_good(rig.journal));
    for (uint32_t i = 0; i < 4; i++) {
        err = rig_write(&rig, sizes[i % 3]);
        err = err != CSN_OK ? cse_journal_reopen(rig.journal) : err;
        CHECK(err != CSN_OK || cse_journal_is_good(rig.journal));
    }
    rig_end(&rig);
}

/* ---- a genuine folder, edited ---- */

static void edits(const uint8_t *data, size_t size)
{
    store_double_copy(&store, &genuine);
    for (; size >= 3; data += 3, size -= 3) {
        uint64_t offset = data[0] | (uint64_t)data[1] << 8;
        for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
            struct store_object *object = &store.objects[i];
            if (object->bytes != NULL && offset < object->size) {
                object->bytes[offset] ^= data[2];
                break;
            }
            offset -= object->bytes != NULL ? object->size : 0;
        }
    }
    rig_begin(&rig, &store);
    if (rig_open(&rig) == CSN_OK) {
        CHECK(rig.count <= WRITTEN && rig_is(&rig, sizes, 3, rig.count));
    } else {
        CHECK(rig.count == 0);
    }
    rig_end(&rig);
}

/* ---- a TPM that somebody made up ---- */

static uint32_t respond(void *state, const uint8_t *command, uint32_t size, uint8_t *response,
                        uint32_t *response_size)
{
    struct script *script = state;
    (void)command, (void)size;
    if (script->size < 2) {
        return CSN_WIRE_OUTSIDE_FAILED;
    }
    uint32_t count = script->data[0] | (uint32_t)script->data[1] << 8;
    count = count < script->size - 2 ? count : (uint32_t)(script->size - 2);
    count = count < CSN_WIRE_OUTSIDE_TPM_SIZE ? count : CSN_WIRE_OUTSIDE_TPM_SIZE;
    memcpy(response, script->data + 2, count);
    script->data += 2 + count;
    script->size -= 2 + count;
    *response_size = count;
    return CSN_WIRE_OUTSIDE_OK;
}

/* Names of areas that the script may show: what they hash to is the first two responses' areas. */
static void responses(const uint8_t *data, size_t size)
{
    struct script script = {data, size};
    static struct csn_wire_counter counter = {
        .key_handle = 0x81010002, .index = 0x01800100, .mark_index = 0x01800101, .base = 1};
    static const uint8_t areas[2][14] = {
        {0x01, 0x80, 0x01, 0x00, 0, 0x0b, 0x22, 0x04, 0x00, 0x14, 0, 0, 0, 8},
        {0x01, 0x80, 0x01, 0x01, 0, 0x0b, 0x22, 0x04, 0x00, 0x44, 0, 0, 0, 32}};
    counter.name[1] = counter.mark_name[1] = 0x0b;
    csn_sha256(areas[0], sizeof areas[0], counter.name + 2);
    csn_sha256(areas[1], sizeof areas[1], counter.mark_name + 2);
    memcpy(counter.key, (const uint8_t[]){0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8,
                                          0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03,
                                          0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
                                          0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2,
                                          0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
                                          0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
                                          0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
                                          0xf5}, /* the base point */
           64);
    struct store_double nothing;
    store_double_start(&nothing);
    nothing.tpm = respond;
    nothing.tpm_state = &script;
    rig_begin(&rig, &nothing);
    rig.counter = &counter;
    CHECK(rig_open(&rig) != CSN_OK);
    rig_end(&rig);
    store_double_stop(&nothing);
}

static void start(void)
{
    store_double_start(&genuine);
    rig_begin(&rig, &genuine);
    rig.snapshot_after = 3000;
    CHECK(rig_open(&rig) == CSN_OK);
    while (rig.count < WRITTEN) {
        CHECK(rig_write(&rig, sizes[rig.count % 3]) == CSN_OK);
    }
    CHECK(cse_writing_of(rig.journal)->acked.generation != 0);
    rig_end(&rig);
    genuine.manifest = NULL;
    store_double_start(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static void (*const modes[])(const uint8_t *, size_t) = {answers, edits, responses};
    if (!started) {
        started = true;
        start();
    }
    if (size != 0) {
        modes[data[0] % 3](data + 1, size - 1);
    }
    return 0;
}
