/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tra_fpe.c: FF1 of a text over an alphabet.
 *
 * Characters become numerals by runs of neighbours (the digits are one), all of which are looked at
 * for each character: which alphabet it is is public, which character is not.
 */
#include "crypto/ff1.h"
#include "tra_state.h"

#define ALPHABET_MAX 94u

struct run {
    uint32_t low;   /* first character */
    uint32_t count; /* characters */
    uint32_t first; /* numeral of low */
};

struct alphabet {
    uint32_t radix;
    uint32_t run_count;
    struct run runs[ALPHABET_MAX];
};

static bool build(const uint8_t *characters, uint32_t size, struct alphabet *alphabet)
{
    bool seen[128] = {false};
    if (size < 2 || size > ALPHABET_MAX) {
        return false;
    }
    *alphabet = (struct alphabet){.radix = size};
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t character = characters[i];
        struct run *last = &alphabet->runs[alphabet->run_count - (alphabet->run_count != 0)];
        if (character < 0x20 || character > 0x7e || seen[character]) {
            return false;
        }
        seen[character] = true;
        if (alphabet->run_count != 0 && character == last->low + last->count) {
            last->count++;
        } else {
            alphabet->runs[alphabet->run_count++] = (struct run){character, 1, i};
        }
    }
    return true;
}

/* All ones if value is below limit; both below 2^31. */
static uint32_t below(uint32_t value, uint32_t limit)
{
    return 0u - ((value - limit) >> 31);
}

/* False: a character that is not of the alphabet. */
static bool to_numerals(const struct alphabet *alphabet, const struct tra_item *item,
                        uint16_t *numerals)
{
    uint32_t all = UINT32_MAX;
    for (uint32_t i = 0; i < item->input_size; i++) {
        uint32_t numeral = 0;
        uint32_t found = 0;
        for (uint32_t k = 0; k < alphabet->run_count; k++) {
            const struct run *run = &alphabet->runs[k];
            const uint32_t at = (item->input[i] - run->low) & 0x7fffffffu;
            const uint32_t hit = below(at, run->count);
            numeral |= hit & (run->first + at);
            found |= hit;
        }
        numerals[i] = (uint16_t)numeral;
        all &= found;
    }
    return all != 0;
}

static void from_numerals(const struct alphabet *alphabet, const uint16_t *numerals, uint32_t count,
                          uint8_t *text)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t character = 0;
        for (uint32_t k = 0; k < alphabet->run_count; k++) {
            const struct run *run = &alphabet->runs[k];
            const uint32_t at = (numerals[i] - run->first) & 0x7fffffffu;
            character |= below(at, run->count) & (run->low + at);
        }
        text[i] = (uint8_t)character;
    }
}

static csn_err cipher(const struct tra_work *work, const struct tra_version *version,
                      const struct tra_item *item, uint32_t radix, uint16_t *numerals)
{
    struct csn_aes_key aes;
    struct csn_ff1_plan plan;
    struct csn_ff1_item step = {
        .plan = &plan, .tweak = item->extra, .input = numerals, .output = numerals};
    csn_err result = csn_aes_key_init(&aes, version->secret, version->secret_size);
    if (result == CSN_OK) {
        result = csn_ff1_plan_init(&plan, &aes, radix, item->input_size, item->extra_size);
    }
    if (result == CSN_OK) {
        if (work->operation == CSN_WIRE_TRANSIT_FPE_ENCRYPT) {
            csn_ff1_encrypt_batch(&step, 1);
        } else {
            csn_ff1_decrypt_batch(&step, 1);
        }
        result = step.result;
    }
    csn_wipe(&aes, sizeof aes);
    csn_wipe(&plan, sizeof plan);
    return result;
}

cse_status tra_fpe_item(struct tra_work *work, struct tra_item *item)
{
    struct alphabet alphabet;
    uint16_t numerals[CSN_FF1_COUNT_MAX];
    struct tra_version *version = tra_pick(work, item->version);
    if (version == NULL) {
        return CSN_WIRE_STATUS_NOT_FOUND;
    }
    if (item->input_size < 2 || item->input_size > CSN_FF1_COUNT_MAX ||
        item->extra_size > CSN_FF1_TWEAK_SIZE_MAX ||
        !build(item->context, item->context_size, &alphabet) ||
        !to_numerals(&alphabet, item, numerals)) {
        return CSN_WIRE_STATUS_MALFORMED;
    }
    cse_status status = tra_take_use(work, version);
    if (status != CSN_WIRE_STATUS_OK) {
        return status;
    }
    const csn_err result = cipher(work, version, item, alphabet.radix, numerals);
    if (result == CSN_OK) {
        from_numerals(&alphabet, numerals, item->input_size, item->output);
        item->output_size = item->input_size;
        item->version = version->number;
    }
    csn_wipe(numerals, sizeof numerals);
    return result == CSN_OK ? CSN_WIRE_STATUS_OK : CSN_WIRE_STATUS_MALFORMED;
}
