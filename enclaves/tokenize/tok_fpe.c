/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_fpe.c: format-preserving encryption of the symbols of a value; separators stay in place.
 *
 * Constant time in the numerals. Which characters are symbols and how many there are shows.
 * The rule of a million values is enforced for each value by csn_ff1_*, whatever the policy said.
 */
#include "core/bytes.h"
#include "crypto/ff1.h"
#include "tok_state.h"
#include <string.h>

static bool is_separator(uint8_t byte)
{
    return byte == ' ' || byte == '-' || byte == '.' || byte == '/' || byte == '(' || byte == ')' ||
           byte == '+';
}

/* False: another character, or more than 256 symbols. */
static bool read_symbols(struct tok_fpe_job *job, const struct tok_field *field,
                         const struct tok_value *value)
{
    job->field = field;
    job->count = 0;
    for (uint32_t i = 0; i < value->size; i++) {
        uint16_t numeral = tok_numeral(&field->alphabet, value->bytes[i]);
        if (numeral == TOK_NONE) {
            if (!is_separator(value->bytes[i])) {
                return false;
            }
        } else if (job->count == TOK_SYMBOL_MAX) {
            return false;
        } else {
            job->numerals[job->count++] = numeral;
        }
    }
    return true;
}

static void hash_kept(struct csn_sha256 *hash, const struct tok_field *field,
                      const uint16_t *numerals, uint32_t count)
{
    uint8_t kept[4 + UINT8_MAX];
    csn_store_u32(kept, count);
    for (uint32_t i = 0; i < count; i++) {
        kept[4 + i] = tok_character(&field->alphabet, numerals[i]);
    }
    csn_sha256_update(hash, kept, 4 + count);
}

static void make_tweak(struct tok_fpe_job *job)
{
    const struct tok_field *field = job->field;
    if (field->keep_first == 0 && field->keep_last == 0) {
        memcpy(job->tweak, field->plain_tweak, sizeof job->tweak);
        return;
    }
    uint8_t digest[32];
    struct csn_sha256 hash = field->tweak;
    hash_kept(&hash, field, job->numerals, field->keep_first);
    hash_kept(&hash, field, job->numerals + job->count - field->keep_last, field->keep_last);
    csn_sha256_final(&hash, digest);
    memcpy(job->tweak, digest, sizeof job->tweak);
}

/* The plan for that many free symbols, made anew if the field's last value had another count. */
static const struct csn_ff1_plan *plan_for(struct tok_queue *queue, struct tok_field *field,
                                           uint32_t free_count)
{
    struct csn_ff1_plan *plan = &field->plans[free_count & 1];
    if (free_count > 0 && plan->count == free_count) { /* 0: no plan yet */
        return plan;
    }
    tok_queue_complete(queue); /* jobs that wait may want the plan that goes */
    plan->count = 0;
    if (csn_ff1_plan_init(plan, &field->aes, field->alphabet.radix, free_count, TOK_TWEAK_SIZE) !=
        CSN_OK) {
        return NULL; /* fewer than a million values, or nothing free at all */
    }
    return plan;
}

/* The value with another symbol for each of its own: what is secret comes later. */
static void write_places(uint8_t *target, const struct tok_field *field,
                         const struct tok_value *value)
{
    const uint8_t place = tok_character(&field->alphabet, 0);
    for (uint32_t i = 0; i < value->size; i++) {
        bool symbol = tok_numeral(&field->alphabet, value->bytes[i]) != TOK_NONE;
        target[i] = symbol ? place : value->bytes[i];
    }
}

/* Some symbols grow when they are written as JSON: these must be known first. */
static void put_escaped(struct tok_job *job, struct tok_fpe_job *fpe,
                        const struct csn_ff1_plan *plan, const struct tok_value *value,
                        bool inverse)
{
    fpe->target = cse_scratch(job->call, value->size);
    if (fpe->target == NULL) {
        tok_fail(job, CSN_WIRE_STATUS_LIMIT);
        return;
    }
    write_places(fpe->target, fpe->field, value);
    tok_fpe_now(fpe, plan, inverse);
    tok_put_text(&job->out, fpe->target, value->size);
}

static void put_symbols(struct tok_job *job, struct tok_fpe_job *fpe,
                        const struct csn_ff1_plan *plan, const struct tok_value *value,
                        bool inverse)
{
    fpe->target = tok_take(&job->out, value->size);
    if (fpe->target == NULL) {
        return;
    }
    write_places(fpe->target, fpe->field, value);
    if (inverse) {
        tok_fpe_now(fpe, plan, true);
    } else {
        tok_queue_fpe(job->queue, fpe, plan);
    }
}

bool tok_put_fpe(struct tok_job *job, struct tok_field *field, const struct tok_value *value,
                 bool inverse)
{
    struct tok_fpe_job fpe;
    uint32_t kept = (uint32_t)field->keep_first + field->keep_last;
    if (!read_symbols(&fpe, field, value) || fpe.count < kept + 1) {
        return false;
    }
    if (field->luhn != 0 && !tok_luhn_holds(fpe.numerals, fpe.count)) {
        return false;
    }
    const struct csn_ff1_plan *plan = plan_for(job->queue, field, fpe.count - kept - field->luhn);
    if (plan == NULL) {
        return false;
    }
    make_tweak(&fpe);
    fpe.size = value->size;
    tok_put_byte(&job->out, '"');
    if (field->alphabet.escapes) {
        put_escaped(job, &fpe, plan, value, inverse);
    } else {
        put_symbols(job, &fpe, plan, value, inverse);
    }
    tok_put_byte(&job->out, '"');
    return true;
}
