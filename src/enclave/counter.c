/* SPDX-License-Identifier: Apache-2.0 */
/* counter.c: which index it is, what it says, and one step of it. */
#include "counter.h"
#include "../core/bytes.h"
#include "../crypto/ecdsa.h"
#include "../crypto/sha2.h"

#define GUARD_LABEL "caisson-journal-guard-v1"

#define TPM_NV_INCREMENT   UINT32_C(0x134)
#define TPM_NV_READ        UINT32_C(0x14e)
#define TPM_NV_READ_PUBLIC UINT32_C(0x169)
#define TPM_NV_EXTEND      UINT32_C(0x136)
#define TPM_SHA256         UINT32_C(0x000b)
#define TPM_PERSISTENT     UINT32_C(0x81)
#define TPM_NV             UINT32_C(0x01)

/* Of an index: its type; used with its own, empty, authorization; written once. */
#define NV_TYPE(attributes) ((attributes) >> 4 & 15)
#define NV_COUNTER          1u
#define NV_EXTEND           4u
#define NV_AUTHWRITE        (UINT32_C(1) << 2)
#define NV_AUTHREAD         (UINT32_C(1) << 18)
#define NV_ORDERLY          (UINT32_C(1) << 26)
#define NV_CLEAR_STCLEAR    (UINT32_C(1) << 27)
#define NV_WRITTEN          (UINT32_C(1) << 29)

void cse_counter_guard(const struct cse_counter *counter, uint8_t guard[32])
{
    struct csn_sha256 hash;
    __builtin_memset(guard, 0, 32);
    if (counter->used) {
        csn_sha256_init(&hash);
        csn_sha256_update(&hash, GUARD_LABEL, sizeof GUARD_LABEL - 1);
        csn_sha256_update(&hash, &counter->pin, sizeof counter->pin);
        csn_sha256_final(&hash, guard);
    }
}

/* A hash by SHA-256. */
static bool is_name(const uint8_t name[34])
{
    return name[0] == TPM_SHA256 >> 8 && name[1] == (TPM_SHA256 & 0xff);
}

csn_err cse_counter_begin(struct cse_counter *counter, const struct csn_wire_counter *pin)
{
    if (pin == NULL) {
        counter->used = false;
        return CSN_OK;
    }
    if (pin->key_handle >> 24 != TPM_PERSISTENT || pin->index >> 24 != TPM_NV || pin->base == 0 ||
        pin->mark_index >> 24 != TPM_NV || !is_name(pin->name) || !is_name(pin->mark_name) ||
        pin->reserved != 0 || !csn_is_zero_ct(pin->reserved2, sizeof pin->reserved2)) {
        return CSN_ERR_POLICY;
    }
    CSN_TRY(csn_ecdsa_self_test()); /* the curve's arithmetic is what the session rests on */
    if (!counter->used || __builtin_memcmp(&counter->pin, pin, sizeof *pin) != 0) {
        csn_wipe(counter, sizeof *counter); /* a session of before is the store's to end */
        counter->pin = *pin;
        counter->used = true;
    }
    return CSN_OK;
}

/* ---- what an index is ---- */

/* The name is a hash over it, so that nothing of it has to be believed. */
static csn_err read_area(struct cse_outside *outside, uint32_t index, const uint8_t name[34],
                         struct cse_tpm_bytes *area)
{
    uint8_t room[4];
    struct cse_tpm_bytes body = {.bytes = room, .size = sizeof room};
    struct cse_tpm_bytes response;
    uint8_t digest[32];
    cse_tpm_put_number(&body, index, 4);
    CSN_TRY(cse_tpm_plain(outside, TPM_NV_READ_PUBLIC, &body, &response));
    const uint32_t size = (uint32_t)cse_tpm_take_number(&response, 2);
    const uint8_t *bytes = cse_tpm_take(&response, size);
    if (bytes == NULL) {
        return CSN_ERR_AUTH;
    }
    csn_sha256(bytes, size, digest);
    *area = (struct cse_tpm_bytes){.bytes = (uint8_t *)(uintptr_t)bytes, .size = size};
    return csn_equal_ct(digest, name + 2, sizeof digest) ? CSN_OK : CSN_ERR_POLICY;
}

static csn_err check_index(struct cse_outside *outside, uint32_t index, const uint8_t name[34],
                           uint32_t type, uint32_t value_size)
{
    struct cse_tpm_bytes area;
    CSN_TRY(read_area(outside, index, name, &area));
    const uint64_t shown = cse_tpm_take_number(&area, 4);
    const uint64_t hash = cse_tpm_take_number(&area, 2);
    const uint32_t attributes = (uint32_t)cse_tpm_take_number(&area, 4);
    (void)cse_tpm_take(&area, (uint32_t)cse_tpm_take_number(&area, 2)); /* its policy */
    const uint64_t data_size = cse_tpm_take_number(&area, 2);
    const uint32_t needed = NV_AUTHWRITE | NV_AUTHREAD | NV_WRITTEN;
    const bool is_it =
        !area.failed && area.at == area.size && shown == index && hash == TPM_SHA256 &&
        NV_TYPE(attributes) == type && (attributes & needed) == needed &&
        (attributes & (NV_ORDERLY | NV_CLEAR_STCLEAR)) == 0 && data_size == value_size;
    return is_it ? CSN_OK : CSN_ERR_POLICY;
}

/* ---- what they say ---- */

static csn_err read_index(struct cse_counter *counter, struct cse_outside *outside, uint32_t index,
                          const uint8_t *name, struct cse_tpm_bytes *value, uint32_t size)
{
    uint8_t room[4];
    struct cse_tpm_command command = {
        .code = TPM_NV_READ, .index = index, .name = name, .body = {.bytes = room, .size = 4}};
    cse_tpm_put_number(&command.body, size, 2); /* bytes, */
    cse_tpm_put_number(&command.body, 0, 2);    /* from the first on */
    CSN_TRY(cse_tpm_ask(counter, outside, &command, value));
    const bool is_size = cse_tpm_take_number(value, 2) == size;
    return is_size && value->size - value->at == size ? CSN_OK : CSN_ERR_AUTH;
}

static csn_err read_count(struct cse_counter *counter, struct cse_outside *outside, uint64_t *value)
{
    struct cse_tpm_bytes bytes;
    CSN_TRY(read_index(counter, outside, counter->pin.index, counter->pin.name, &bytes, 8));
    *value = cse_tpm_take_number(&bytes, 8);
    return CSN_OK;
}

static csn_err read_mark(struct cse_counter *counter, struct cse_outside *outside)
{
    struct cse_tpm_bytes bytes;
    CSN_TRY(read_index(counter, outside, counter->pin.mark_index, counter->pin.mark_name, &bytes,
                       CSE_TPM_MARK_SIZE));
    const uint8_t *mark = cse_tpm_take(&bytes, CSE_TPM_MARK_SIZE);
    if (mark == NULL) {
        return CSN_ERR_AUTH;
    }
    __builtin_memcpy(counter->mark, mark, CSE_TPM_MARK_SIZE);
    return CSN_OK;
}

csn_err cse_counter_read(struct cse_counter *counter, struct cse_outside *outside, uint64_t *value)
{
    const struct csn_wire_counter *pin = &counter->pin;
    CSN_TRY(check_index(outside, pin->index, pin->name, NV_COUNTER, 8));
    CSN_TRY(check_index(outside, pin->mark_index, pin->mark_name, NV_EXTEND, CSE_TPM_MARK_SIZE));
    const bool was_open = counter->open;
    csn_err result = read_count(counter, outside, value);
    if (result != CSN_OK && was_open) { /* the session may have gone with a restart of the TPM */
        result = read_count(counter, outside, value);
    }
    CSN_TRY(result);
    return read_mark(counter, outside);
}

/* ---- one step ---- */

bool cse_counter_is_behind(const struct cse_counter *counter, const struct cse_counter_step *step)
{
    struct csn_sha256 hash;
    uint8_t made[CSE_TPM_MARK_SIZE];
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, step->mark, sizeof step->mark);
    csn_sha256_update(&hash, step->data, sizeof step->data);
    csn_sha256_final(&hash, made);
    return csn_equal_ct(made, counter->mark, sizeof made);
}

static csn_err extend(struct cse_counter *counter, struct cse_outside *outside,
                      const struct cse_counter_step *step)
{
    uint8_t room[2 + sizeof step->data];
    struct cse_tpm_command command = {.code = TPM_NV_EXTEND,
                                      .index = counter->pin.mark_index,
                                      .name = counter->pin.mark_name,
                                      .body = {.bytes = room, .size = sizeof room},
                                      .is_secret = true};
    struct cse_tpm_bytes parameters;
    if (!csn_equal_ct(counter->mark, step->mark, sizeof step->mark)) {
        return CSN_ERR_REPLAY;
    }
    cse_tpm_put_number(&command.body, sizeof step->data, 2);
    cse_tpm_put(&command.body, step->data, sizeof step->data);
    CSN_TRY(cse_tpm_ask(counter, outside, &command, &parameters));
    CSN_TRY(read_mark(counter, outside));
    return cse_counter_is_behind(counter, step) ? CSN_OK : CSN_ERR_REPLAY;
}

csn_err cse_counter_step(struct cse_counter *counter, struct cse_outside *outside,
                         const struct cse_counter_step *step)
{
    struct cse_tpm_command command = {
        .code = TPM_NV_INCREMENT, .index = counter->pin.index, .name = counter->pin.name};
    struct cse_tpm_bytes parameters;
    uint64_t value = 0;
    /* Who comes late must not count: it would take the journal from who came first. */
    CSN_TRY(read_mark(counter, outside));
    if (!cse_counter_is_behind(counter, step)) {
        CSN_TRY(extend(counter, outside, step));
    }
    /* Never twice: that it failed is the host's word, and it may have moved. */
    CSN_TRY(cse_tpm_ask(counter, outside, &command, &parameters));
    CSN_TRY(read_count(counter, outside, &value));
    return value == step->wanted ? CSN_OK : CSN_ERR_REPLAY;
}
