/* SPDX-License-Identifier: Apache-2.0 */
/* store_rig.c: an enclave's end of a store, and a journal whose state is a list. */
#include "store_rig.h"
#include <stdlib.h>
#include <string.h>

#define POOL_SIZE UINT64_C(65536)

/* What would stop an image stops a test; weak: a fake session brings its own. */
__attribute__((weak)) void cse_panic(uint32_t code)
{
    (void)code;
    abort();
}

/* Its health checks take longer than most boots here. */
static struct csn_random *shared_random(void)
{
    static struct csn_random random;
    if (random.source == NULL && csn_random_init(&random, csn_random_system, NULL) != CSN_OK) {
        abort();
    }
    return &random;
}

void rig_begin(struct store_rig *rig, struct store_double *store)
{
    memset(rig, 0, sizeof *rig);
    rig->store = store;
    rig->manifest = (struct csn_wire_manifest){.flags = CSN_WIRE_FLAG_STORE,
                                               .input_line_count = 256,
                                               .output_line_count = 256,
                                               .input_size_max = 4096 + 16,
                                               .output_size_max = 4096 + 80};
    store->manifest = &rig->manifest;
    rig->memory = aligned_alloc(64, POOL_SIZE);
    rig->journal = aligned_alloc(64, CSE_JOURNAL_SIZE);
    if (rig->memory == NULL || rig->journal == NULL ||
        csn_random_fill(shared_random(), rig->boot_id, sizeof rig->boot_id) != CSN_OK) {
        abort();
    }
    memset(rig->journal, 0, CSE_JOURNAL_SIZE);
    csn_pool_init(&rig->pool, rig->memory, POOL_SIZE);
    const struct cse_outside_options options = {.manifest = &rig->manifest,
                                                .port = store_double_port(store),
                                                .random = shared_random(),
                                                .boot_id = rig->boot_id};
    if (cse_outside_init(&rig->outside, &rig->pool, &options) != CSN_OK) {
        abort();
    }
    memset(rig->tenant, 0x71, sizeof rig->tenant);
    memset(rig->secret, 0x72, sizeof rig->secret);
    rig->name = "keys";
    rig->saves = true;
}

void rig_end(struct store_rig *rig)
{
    free(rig->memory);
    free(rig->journal);
    rig->memory = NULL;
    rig->journal = NULL;
    rig->store->manifest = NULL;
}

/* ---- the state ---- */

static void clear(void *state)
{
    struct store_rig *rig = state;
    rig->count = 0;
    rig->clears++;
}

static csn_err apply(void *state, uint8_t *bytes, uint32_t size)
{
    struct store_rig *rig = state;
    for (uint32_t i = 0; i < size; i++) {
        if (bytes[i] != (uint8_t)(bytes[0] + i)) {
            return CSN_ERR_FORMAT;
        }
    }
    if (rig->count == RIG_RECORDS_MAX) {
        return CSN_ERR_LIMIT;
    }
    rig->records[rig->count++] = (struct rig_record){.size = size, .first = bytes[0]};
    return CSN_OK;
}

static void fill(uint8_t *bytes, const struct rig_record *record)
{
    for (uint32_t i = 0; i < record->size; i++) {
        bytes[i] = (uint8_t)(record->first + i);
    }
}

static csn_err save(void *state, struct cse_journal *journal)
{
    struct store_rig *rig = state;
    uint8_t bytes[4096];
    for (uint32_t i = 0; i < rig->count; i++) {
        fill(bytes, &rig->records[i]);
        CSN_TRY(cse_journal_save(journal, bytes, rig->records[i].size));
    }
    return CSN_OK;
}

/* ---- the journal ---- */

csn_err rig_open(struct store_rig *rig)
{
    const struct cse_journal_options options = {
        .outside = rig->outside,
        .tenant = rig->tenant,
        .secret = rig->secret,
        .name = rig->name,
        .counter = rig->counter,
        .snapshot_after = rig->snapshot_after,
        .hooks = {.clear = clear, .apply = apply, .save = rig->saves ? save : NULL, .state = rig}};
    return cse_journal_open(rig->journal, &options);
}

csn_err rig_write(struct store_rig *rig, uint32_t size)
{
    uint8_t bytes[4096];
    const struct rig_record record = {.size = size, .first = (uint8_t)(rig->count * 7)};
    fill(bytes, &record);
    CSN_TRY(cse_journal_write(rig->journal, bytes, size));
    rig->records[rig->count++] = record;
    if (rig->outside->tend != NULL) {
        rig->outside->tend(rig->outside);
    }
    return CSN_OK;
}

bool rig_is(const struct store_rig *rig, const uint32_t *sizes, uint32_t size_count, uint32_t count)
{
    for (uint32_t i = 0; i < rig->count; i++) {
        if (rig->records[i].size != sizes[i % size_count] ||
            rig->records[i].first != (uint8_t)(i * 7)) {
            return false;
        }
    }
    return rig->count == count;
}
