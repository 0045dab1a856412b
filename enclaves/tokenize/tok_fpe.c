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
#include <emmintrin.h>
#include <string.h>

static bool is_separator(uint8_t byte)
{
    return byte == ' ' || byte == '-' || byte == '.' || byte == '/' || byte == '(' || byte == ')' ||
           byte == '+';
}

/* True if the value is nothing but a few digits, and they are the alphabet. */
static bool read_digits(struct tok_fpe_job *job, const struct tok_field *field,
                        const struct tok_value *value)
{
    uint8_t text[TOK_DIGITS_MAX] = {0};
    const struct tok_alphabet *alphabet = &field->alphabet;
    if (alphabet->radix != 10 || alphabet->run_count != 1 || alphabet->runs[0].low != '0' ||
        value->size == 0 || value->size > TOK_DIGITS_MAX) {
        return false;
    }
    csn_copy_short(text, value->bytes, value->size);
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    const __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8(9)), distance);
    const uint32_t all = (UINT32_C(1) << value->size) - 1;
    csn_wipe(text, sizeof text);
    if (((uint32_t)_mm_movemask_epi8(digits) & all) != all) {
        return false;
    }
    const __m128i inside = _mm_and_si128(distance, digits);
    __m128i *numerals = (__m128i *)(void *)job->numerals;
    _mm_storeu_si128(numerals, _mm_unpacklo_epi8(inside, _mm_setzero_si128()));
    _mm_storeu_si128(numerals + 1, _mm_unpackhi_epi8(inside, _mm_setzero_si128()));
    job->count = value->size;
    job->plain = true;
    return true;
}

/* False: another character, or more than 256 symbols. */
static bool read_symbols(struct tok_fpe_job *job, const struct tok_field *field,
                         const struct tok_value *value)
{
    job->field = field;
    if (read_digits(job, field, value)) {
        return true;
    }
    job->plain = false;
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
    tok_queue_run(queue); /* jobs that wait may want the plan that goes */
    plan->count = 0;
    if (csn_ff1_plan_init(plan, &field->aes, field->alphabet.radix, free_count, TOK_TWEAK_SIZE) !=
        CSN_OK) {
        return NULL; /* fewer than a million values, or nothing free at all */
    }
    return plan;
}

/* The value with another symbol for each of its own: what is secret comes later. */
static void write_places(uint8_t *target, const struct tok_fpe_job *fpe,
                         const struct tok_value *value)
{
    const struct tok_field *field = fpe->field;
    const uint8_t place = tok_character(&field->alphabet, 0);
    if (fpe->plain) {
        memset(target, place, fpe->count);
        return;
    }
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
    write_places(fpe->target, fpe, value);
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
    write_places(fpe->target, fpe, value);
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
