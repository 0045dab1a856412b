/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.c: opening a journal: replay, judgement, and the record that says who writes now.
 *
 * Judgement: the host may have given any older or newer copy. While this enclave lives it must hold
 * the very record that was acknowledged last. With a counter its last record must be the one that
 * the counter stands at, or the one after it, which nobody was told of: that one is then counted.
 */
#include "journal.h"
#include "../core/bytes.h"

#define KEY_LABEL      "caisson-journal-key-v1"
#define MARK_LABEL     "caisson-journal-mark-v1"
#define CHAIN_LABEL    "caisson-journal-chain-v1"
#define LABEL_SIZE_MAX 32u
#define ID_SIZE        12u /* bytes of the tenant's id in a name: as long as the name allows */

/* ---- names ---- */

static char hex_digit(uint64_t value)
{
    return (char)((value & 15) < 10 ? '0' + (value & 15) : 'a' + (value & 15) - 10);
}

const char *cse_journal_object(struct cse_writing *writing, uint32_t kind, uint64_t generation)
{
    char *at = writing->object;
    for (uint32_t i = 0; writing->name[i] != 0; i++) {
        *at++ = writing->name[i];
    }
    *at++ = '-';
    for (uint32_t i = 0; i < ID_SIZE; i++) {
        *at++ = hex_digit(writing->tenant[i] >> 4);
        *at++ = hex_digit(writing->tenant[i]);
    }
    *at++ = '-';
    *at++ = kind == CSN_WIRE_JOURNAL_HEAD ? 's' : 'l';
    for (uint32_t i = 0; kind != CSN_WIRE_JOURNAL_HEAD && i < 16; i++) {
        *at++ = hex_digit(generation >> (60 - 4 * i));
    }
    *at = 0;
    return writing->object;
}

static uint32_t name_size(const struct cse_writing *writing)
{
    uint32_t size = 0;
    while (writing->name[size] != 0) {
        size++;
    }
    return size;
}

void cse_journal_chain(const struct cse_writing *writing, uint32_t kind, uint64_t generation,
                       uint8_t chain[32])
{
    struct csn_sha256 hash;
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, CHAIN_LABEL, sizeof CHAIN_LABEL - 1);
    csn_sha256_update(&hash, writing->tenant, sizeof writing->tenant);
    csn_sha256_update(&hash, writing->name, name_size(writing));
    csn_sha256_update(&hash, &kind, sizeof kind);
    csn_sha256_update(&hash, &generation, sizeof generation);
    csn_sha256_final(&hash, chain);
}

/* label: as many characters as the others. */
static csn_err derive(const struct cse_writing *writing, const char *label,
                      const uint8_t secret[32], uint8_t key[32])
{
    uint8_t info[LABEL_SIZE_MAX + sizeof writing->tenant + CSE_JOURNAL_NAME_MAX];
    const uint32_t size = name_size(writing);
    uint32_t at = 0;
    for (; label[at] != 0; at++) {
        info[at] = (uint8_t)label[at];
    }
    __builtin_memcpy(info + at, writing->tenant, sizeof writing->tenant);
    at += sizeof writing->tenant;
    __builtin_memcpy(info + at, writing->name, size);
    return csn_hkdf(NULL, 0, secret, 32, info, at + size, key, 32);
}

static csn_err make_keys(struct cse_writing *writing, const uint8_t secret[32])
{
    uint8_t key[CSN_GCM_SIV_KEY_SIZE];
    CSN_TRY(derive(writing, KEY_LABEL, secret, key));
    csn_gcm_siv_key_init(&writing->key, key);
    csn_wipe(key, sizeof key);
    return derive(writing, MARK_LABEL, secret, writing->mark_key);
}

void cse_journal_step(const struct cse_writing *writing, const struct cse_position *position,
                      struct cse_counter_step *step)
{
    struct csn_hmac_key key;
    step->wanted = position->counter;
    __builtin_memcpy(step->mark, position->mark, sizeof step->mark);
    csn_hmac_key_init(&key, writing->mark_key, sizeof writing->mark_key);
    csn_hmac(&key, position->chain, sizeof position->chain, step->data);
    csn_wipe(&key, sizeof key);
}

/* ---- replay ---- */

/* While this enclave lives: the record that was acknowledged last must be passed. */
struct memory {
    const struct cse_position *acked; /* NULL: none */
    bool passed;
};

static csn_err pass(struct memory *memory, const struct cse_position *position)
{
    if (memory->acked == NULL || position->number < memory->acked->number) {
        return CSN_OK;
    }
    if (position->number == memory->acked->number) {
        memory->passed = __builtin_memcmp(position->chain, memory->acked->chain, 32) == 0;
    }
    return memory->passed ? CSN_OK : CSN_ERR_REPLAY;
}

/* All parts, up to the END; log: where its log goes on. */
static csn_err replay_parts(struct cse_writing *writing, struct cse_reading *reading,
                            struct cse_position *position, struct cse_position *log)
{
    struct csn_wire_journal head;
    struct csn_wire_journal_head about;
    uint8_t *plain = NULL;
    csn_err result = cse_journal_next(writing, reading, position, &head, &plain);
    if (result != CSN_OK || head.kind != CSN_WIRE_JOURNAL_HEAD || head.size != sizeof about) {
        return result == CSN_OK || result == CSN_AGAIN ? CSN_ERR_AUTH : result;
    }
    __builtin_memcpy(&about, plain, sizeof about);
    *log = (struct cse_position){.generation = position->generation,
                                 .number = about.number,
                                 .counter = about.counter,
                                 .synced = about.number};
    __builtin_memcpy(log->chain, about.chain, sizeof log->chain);
    __builtin_memcpy(log->guard, about.guard, sizeof log->guard);
    __builtin_memcpy(log->mark, about.mark, sizeof log->mark);
    while ((result = cse_journal_next(writing, reading, position, &head, &plain)) == CSN_OK) {
        if (head.kind == CSN_WIRE_JOURNAL_END) {
            return CSN_OK;
        }
        if (head.kind != CSN_WIRE_JOURNAL_PART) {
            return CSN_ERR_AUTH;
        }
        CSN_TRY(writing->hooks.apply(writing->hooks.state, plain, head.size));
    }
    return result == CSN_AGAIN ? CSN_ERR_AUTH : result; /* it was replaced whole or not at all */
}

/* Its generation is what its first record says, which then has to be true. */
static csn_err replay_snapshot(struct cse_writing *writing, struct cse_position *log)
{
    struct cse_reading reading = {.bytes = NULL};
    struct csn_wire_journal head;
    uint8_t *bytes = NULL;
    uint32_t got = 0;
    const char *object = cse_journal_object(writing, CSN_WIRE_JOURNAL_HEAD, 0);
    csn_err result =
        cse_outside_read(writing->outside, object, 0, (uint32_t)sizeof head, &bytes, &got);
    if (result == CSN_ERR_UNKNOWN) {
        *log = (struct cse_position){.generation = 0};
        cse_journal_chain(writing, CSN_WIRE_JOURNAL_RECORD, 0, log->chain);
        return CSN_OK;
    }
    CSN_TRY(result);
    if (got != sizeof head) {
        return CSN_ERR_AUTH;
    }
    __builtin_memcpy(&head, bytes, sizeof head);
    struct cse_position position = {.generation = head.generation};
    if (head.generation == 0) {
        return CSN_ERR_AUTH;
    }
    cse_journal_chain(writing, CSN_WIRE_JOURNAL_HEAD, head.generation, position.chain);
    return replay_parts(writing, &reading, &position, log);
}

static csn_err replay_log(struct cse_writing *writing, struct cse_position *log,
                          struct memory *memory)
{
    struct cse_reading reading = {.bytes = NULL};
    struct csn_wire_journal head;
    struct csn_wire_journal_opened opened;
    uint8_t *plain = NULL;
    csn_err result;
    cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD, log->generation);
    CSN_TRY(pass(memory, log));
    while ((result = cse_journal_next(writing, &reading, log, &head, &plain)) == CSN_OK) {
        CSN_TRY(pass(memory, log));
        if (head.kind == CSN_WIRE_JOURNAL_RECORD) {
            CSN_TRY(writing->hooks.apply(writing->hooks.state, plain, head.size));
        } else if (head.kind == CSN_WIRE_JOURNAL_OPENED && head.size == sizeof opened) {
            __builtin_memcpy(&opened, plain, sizeof opened);
            __builtin_memcpy(log->guard, opened.guard, sizeof log->guard);
        } else {
            return CSN_ERR_AUTH;
        }
    }
    if (result == CSN_ERR_UNKNOWN && log->offset == 0) {
        result = CSN_OK; /* nothing was put behind the snapshot */
    } else if (result == CSN_AGAIN) {
        result = cse_journal_check_end(writing, &reading, log);
    }
    CSN_TRY(result);
    return memory->acked == NULL || memory->passed ? CSN_OK : CSN_ERR_REPLAY;
}

static csn_err replay(struct cse_writing *writing)
{
    struct memory memory = {.acked = writing->known ? &writing->acked : NULL};
    struct cse_position log;
    writing->hooks.clear(writing->hooks.state);
    CSN_TRY(replay_snapshot(writing, &log));
    CSN_TRY(replay_log(writing, &log, &memory));
    writing->at = log;
    return CSN_OK;
}

/* ---- judgement ---- */

/*
 * The counter stands where the last record says, and the mark is what that record made of it; or
 * both stand where they did before: it is durable, and nobody was told, so it is counted now. In
 * between only the mark has moved.
 */
static csn_err compare(struct cse_writing *writing)
{
    struct cse_position *at = &writing->at;
    struct cse_counter *counter = &writing->counter;
    struct cse_counter_step step;
    uint64_t value = 0;
    uint8_t guard[32];
    cse_counter_guard(counter, guard);
    CSN_TRY(cse_counter_read(counter, writing->outside, &value));
    if (csn_is_zero_ct(at->guard, sizeof at->guard)) { /* it was kept without one so far */
        at->counter = counter->pin.base;
        return value == at->counter ? CSN_OK : CSN_ERR_REPLAY;
    }
    if (!csn_equal_ct(at->guard, guard, sizeof guard)) {
        return CSN_ERR_POLICY;
    }
    cse_journal_step(writing, at, &step);
    if (value + 1 == at->counter) {
        return cse_counter_step(counter, writing->outside, &step);
    }
    return value == at->counter && cse_counter_is_behind(counter, &step) ? CSN_OK : CSN_ERR_REPLAY;
}

static csn_err judge(struct cse_writing *writing)
{
    struct cse_position *at = &writing->at;
    if (at->offset != 0) { /* what was read may be nowhere but in the host's memory */
        CSN_TRY(
            cse_outside_sync(writing->outside,
                             cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD, at->generation)));
    }
    if (writing->counter.used) {
        CSN_TRY(compare(writing));
    }
    at->synced = at->number;
    writing->acked = *at;
    writing->known = true;
    return CSN_OK;
}

/* A host without space can still be read from. */
static csn_err become_writer(struct cse_writing *writing)
{
    writing->good = true;
    if (writing->writes) {
        return CSN_OK;
    }
    csn_err result = cse_journal_claim(writing);
    if (result == CSN_OK) {
        result = cse_journal_commit(writing);
    }
    if (result == CSN_ERR_SPACE) {
        writing->at = writing->acked;
        writing->good = true;
        return CSN_OK;
    }
    return result;
}

static csn_err take_over(struct cse_writing *writing)
{
    CSN_TRY(replay(writing));
    CSN_TRY(judge(writing));
    CSN_TRY(become_writer(writing));
    const uint64_t generation = writing->at.generation;
    if (generation != 0) { /* a crash may have left the log that the snapshot stands for */
        csn_err removed = cse_outside_remove(
            writing->outside, cse_journal_object(writing, CSN_WIRE_JOURNAL_RECORD, generation - 1));
        (void)removed;
    }
    cse_journal_look(writing);
    return writing->outside->fate;
}

/* ---- the interface ---- */

/* Records were opened where they lay: what they said is the caller's to keep, or to wipe. */
static void wipe_replayed(struct cse_outside *outside)
{
    csn_wipe(outside->buffer, outside->options.manifest->input_size_max);
    csn_wipe(outside->sealed, outside->options.manifest->output_size_max);
}

static csn_err open_again(struct cse_writing *writing)
{
    writing->good = false;
    csn_err result = take_over(writing);
    wipe_replayed(writing->outside);
    if (result != CSN_OK) {
        writing->good = false;
        writing->hooks.clear(writing->hooks.state); /* no half of it is used */
    }
    return result;
}

static csn_err check_options(const struct cse_writing *writing,
                             const struct cse_journal_options *options)
{
    uint32_t size = 0;
    while (size <= CSE_JOURNAL_NAME_MAX && options->name[size] != 0) {
        size++;
    }
    if (options->outside == NULL) {
        return CSN_ERR_MISSING;
    }
    if (!cse_object_name_is_valid(options->name) || size > CSE_JOURNAL_NAME_MAX ||
        options->hooks.clear == NULL || options->hooks.apply == NULL) {
        return CSN_ERR_ARGUMENT;
    }
    if (writing->known &&
        (__builtin_memcmp(writing->tenant, options->tenant, 32) != 0 ||
         size != name_size(writing) || __builtin_memcmp(writing->name, options->name, size) != 0)) {
        return CSN_ERR_ARGUMENT;
    }
    return writing->dirty || writing->saving ? CSN_ERR_STATE : CSN_OK;
}

csn_err cse_journal_open(struct cse_journal *journal, const struct cse_journal_options *options)
{
    struct cse_writing *writing = cse_writing_of(journal);
    CSN_TRY(check_options(writing, options));
    writing->good = false; /* whatever fails from here on: key and counter may be others by then */
    CSN_TRY(csn_gcm_siv_self_test());
    writing->outside = options->outside;
    writing->hooks = options->hooks;
    writing->snapshot_after =
        options->snapshot_after != 0 ? options->snapshot_after : CSE_JOURNAL_SNAPSHOT;
    writing->snapshot_next = writing->snapshot_after;
    __builtin_memcpy(writing->tenant, options->tenant, sizeof writing->tenant);
    for (uint32_t i = 0; i < sizeof writing->name && (i == 0 || options->name[i - 1] != 0); i++) {
        writing->name[i] = options->name[i];
    }
    CSN_TRY(make_keys(writing, options->secret));
    uint8_t before[32];
    uint8_t now[32];
    cse_counter_guard(&writing->counter, before);
    CSN_TRY(cse_counter_begin(&writing->counter, options->counter));
    cse_counter_guard(&writing->counter, now);
    writing->writes = writing->writes && csn_equal_ct(before, now, sizeof now);
    return open_again(writing);
}

csn_err cse_journal_reopen(struct cse_journal *journal)
{
    struct cse_writing *writing = cse_writing_of(journal);
    /* Without an acknowledged state to be held to, an open says who it is first. */
    return writing->known && !writing->dirty && !writing->saving ? open_again(writing)
                                                                 : CSN_ERR_STATE;
}

bool cse_journal_is_good(const struct cse_journal *journal)
{
    return ((const struct cse_writing *)(const void *)journal)->good;
}

void cse_journal_close(struct cse_journal *journal)
{
    struct cse_writing *writing = cse_writing_of(journal);
    struct cse_outside *outside = writing->outside;
    for (struct cse_writing **at = outside != NULL ? &outside->dirty : NULL;
         at != NULL && *at != NULL;) {
        at = *at == writing ? (*at = writing->next_dirty, at) : &(*at)->next_dirty;
    }
    for (struct cse_writing **at = outside != NULL ? &outside->grown : NULL;
         at != NULL && *at != NULL;) {
        at = *at == writing ? (*at = writing->next_grown, at) : &(*at)->next_grown;
    }
    csn_wipe(writing, sizeof *writing);
}
