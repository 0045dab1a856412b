/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tok_queue.c: keyed work whose result has a size that is known before, put off until there is
 * enough of it to be done side by side, over the records of a batch.
 *
 * The output holds placeholders meanwhile, never plaintext. Base32 and hex are written by
 * arithmetic: the MAC is no secret once it is a token, but before it is cut it is.
 */
#include "core/bytes.h"
#include "tok_state.h"
#include <emmintrin.h>
#include <string.h>

#define HEAD_SIZE    5u /* the length of the typed value, and its type */
#define STOP_NUMERAL 1u

void tok_queue_begin(struct tok_queue *queue)
{
    queue->mac_first = queue->mac_count;
    queue->fpe_first = queue->fpe_count;
}

void tok_queue_take_back(struct tok_queue *queue)
{
    queue->mac_count = queue->mac_first;
    queue->fpe_count = queue->fpe_first;
}

/* ---- MACs ---- */

/* For each byte: add, if it is above last, else nothing. Bytes are below 0x80. */
static inline __m128i add_above(__m128i bytes, char last, char add)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8(last)), _mm_set1_epi8(add));
}

/* Numbers below 32: a-z, then 2-7. */
static inline __m128i base32_digits(__m128i fives)
{
    const __m128i letters = _mm_add_epi8(fives, _mm_set1_epi8('a'));
    return _mm_sub_epi8(letters, add_above(fives, 25, 'a' + 26 - '2'));
}

/* Numbers below 16. */
static inline __m128i hex_digits(__m128i fours)
{
    const __m128i digits = _mm_add_epi8(fours, _mm_set1_epi8('0'));
    return _mm_add_epi8(digits, add_above(fours, 9, 'a' - 10 - '0'));
}

static inline uint32_t text_size(uint32_t size)
{
    return size == 0 ? 64 : (8 * size + 4) / 5;
}

/* The upper `width` bits of each piece of 2 * width bits to the low end of the piece, the lower
 * ones to its middle; mask: the lower ones. */
#define HALVE(pieces, width, shift, mask)                                                          \
    _mm_or_si128(_mm_and_si128(_mm_srli_epi64(pieces, width), mask),                               \
                 _mm_slli_epi64(_mm_and_si128(pieces, mask), shift))

/* Cuts two numbers of 40 bits into eight digits of five bits each, the first one in byte 0. */
static inline __m128i spread(__m128i numbers)
{
    numbers = HALVE(numbers, 20, 32, _mm_set1_epi64x(0xfffff));
    numbers = HALVE(numbers, 10, 16, _mm_set1_epi32(0x3ff));
    return HALVE(numbers, 5, 8, _mm_set1_epi16(0x1f));
}

/* Five bytes at `at` as a number, what is cut off counts as zero. */
static inline uint64_t five_bytes(const uint8_t *mac, uint32_t at, uint32_t size)
{
    const uint64_t bits = __builtin_bswap64(csn_load_u64(mac + at)) >> 24;
    const uint32_t left = at < size ? size - at : 0;
    return left >= 5 ? bits : bits & ~UINT64_C(0) << (40 - 8 * left);
}

static void write_hex(uint8_t *target, const uint8_t *mac)
{
    const __m128i low = _mm_set1_epi8(15);
    for (uint32_t at = 0; at < 32; at += 16, target += 32) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(mac + at));
        const __m128i first = hex_digits(_mm_and_si128(_mm_srli_epi16(bytes, 4), low));
        const __m128i second = hex_digits(_mm_and_si128(bytes, low));
        __m128i *words = (__m128i *)(void *)target;
        _mm_storeu_si128(words, _mm_unpacklo_epi8(first, second));
        _mm_storeu_si128(words + 1, _mm_unpackhi_epi8(first, second));
    }
}

/* mac: 32 bytes, and room behind them for the last load. */
static void write_mac(uint8_t *target, const uint8_t mac[TOK_TAG_ROOM], uint32_t size)
{
    if (size == 0) {
        write_hex(target, mac);
        return;
    }
    uint32_t left = text_size(size);
    for (uint32_t at = 0; at < size; at += 10) {
        const uint64_t low = five_bytes(mac, at, size);
        const uint64_t high = five_bytes(mac, at + 5, size);
        const __m128i digits =
            base32_digits(spread(_mm_set_epi64x((long long)high, (long long)low)));
        if (left < 16) {
            uint8_t last[16];
            _mm_storeu_si128((__m128i *)(void *)last, digits);
            csn_copy(target, last, left);
            return; /* the last one: size is at most at + 10 */
        }
        _mm_storeu_si128((__m128i *)(void *)target, digits);
        target += 16;
        left -= 16;
    }
}

static void run_macs(struct tok_queue *queue)
{
    csn_hmac_batch(queue->mac_items, queue->mac_count);
    for (uint32_t i = 0; i < queue->mac_count; i++) {
        const struct tok_mac_job *mac = &queue->macs[i];
        write_mac(mac->target, mac->tag, mac->size);
    }
    csn_wipe(queue->macs, queue->mac_count * sizeof queue->macs[0]);
    queue->mac_count = 0;
    queue->mac_first = 0;
}

static void mac_now(const struct csn_hmac_key *key, const uint8_t head[HEAD_SIZE],
                    const struct tok_value *value, uint8_t *target, uint32_t size)
{
    struct csn_hmac state;
    uint8_t mac[TOK_TAG_ROOM] = {0};
    csn_hmac_init(&state, key);
    csn_hmac_update(&state, head, HEAD_SIZE);
    csn_hmac_update(&state, value->bytes, value->size);
    csn_hmac_final(&state, mac);
    write_mac(target, mac, size);
    csn_wipe(mac, sizeof mac);
}

/* What stands there until the batch is done. */
static inline void put_places(uint8_t *target, uint32_t size)
{
    const __m128i places = _mm_set1_epi8('*');
    if (size < 16) {
        memset(target, '*', size);
        return;
    }
    for (uint32_t at = 0; at < size - 16; at += 16) {
        _mm_storeu_si128((__m128i *)(void *)(target + at), places);
    }
    _mm_storeu_si128((__m128i *)(void *)(target + size - 16), places);
}

void tok_put_mac(struct tok_job *job, const struct csn_hmac_key *key, const struct tok_value *value,
                 uint32_t size)
{
    struct tok_queue *queue = job->queue;
    uint8_t *target = tok_take(&job->out, text_size(size));
    if (target == NULL) {
        return;
    }
    if (queue->mac_count == TOK_MAC_MAX) {
        run_macs(queue);
    }
    struct tok_mac_job *mac = &queue->macs[queue->mac_count];
    csn_store_u32(mac->message, value->size + 1);
    mac->message[4] = value->type;
    if (value->size > TOK_MESSAGE_MAX - HEAD_SIZE) {
        mac_now(key, mac->message, value, target, size);
        return;
    }
    csn_copy(mac->message + HEAD_SIZE, value->bytes, value->size);
    put_places(target, text_size(size));
    mac->target = target;
    mac->size = size;
    queue->mac_items[queue->mac_count++] = (struct csn_hmac_item){
        .key = key, .bytes = mac->message, .size = HEAD_SIZE + value->size, .tag = mac->tag};
}

/* ---- encryptions ---- */

static struct csn_ff1_item item_of(struct tok_fpe_job *job, const struct csn_ff1_plan *plan)
{
    uint16_t *middle = job->numerals + job->field->keep_first;
    return (struct csn_ff1_item){
        .plan = plan, .tweak = job->tweak, .input = middle, .output = middle};
}

/* The check digit, then all symbols to where they belong. */
static void write_symbols(struct tok_fpe_job *job, const struct csn_ff1_item *item)
{
    const struct tok_field *field = job->field;
    uint32_t next = 0;
    if (item->result != CSN_OK) {
        cse_panic(STOP_NUMERAL); /* they come from the alphabet: our own bug */
    }
    if (field->luhn != 0) {
        uint32_t at = field->keep_first + item->plan->count;
        job->numerals[at] = tok_luhn_digit(job->numerals, job->count, at);
    }
    for (uint32_t i = 0; i < job->size && next < job->count; i++) {
        if (tok_numeral(&field->alphabet, job->target[i]) != TOK_NONE) {
            job->target[i] = tok_character(&field->alphabet, job->numerals[next++]);
        }
    }
    csn_wipe(job->numerals, job->count * sizeof job->numerals[0]);
}

static void run_fpes(struct tok_queue *queue)
{
    csn_ff1_encrypt_batch(queue->fpe_items, queue->fpe_count);
    for (uint32_t i = 0; i < queue->fpe_count; i++) {
        write_symbols(&queue->fpes[i], &queue->fpe_items[i]);
    }
    queue->fpe_count = 0;
    queue->fpe_first = 0;
}

void tok_queue_fpe(struct tok_queue *queue, const struct tok_fpe_job *job,
                   const struct csn_ff1_plan *plan)
{
    if (queue->fpe_count == TOK_FPE_MAX) {
        run_fpes(queue);
    }
    struct tok_fpe_job *copy = &queue->fpes[queue->fpe_count];
    memcpy(copy, job, offsetof(struct tok_fpe_job, numerals[job->count]));
    queue->fpe_items[queue->fpe_count++] = item_of(copy, plan);
}

void tok_fpe_now(struct tok_fpe_job *job, const struct csn_ff1_plan *plan, bool inverse)
{
    struct csn_ff1_item item = item_of(job, plan);
    if (inverse) {
        csn_ff1_decrypt_batch(&item, 1);
    } else {
        csn_ff1_encrypt_batch(&item, 1);
    }
    write_symbols(job, &item);
}

void tok_queue_complete(void *batch)
{
    struct tok_queue *queue = batch;
    run_macs(queue);
    run_fpes(queue);
    csn_wipe(queue->shape.guesses, queue->shape.count * sizeof queue->shape.guesses[0]);
    queue->shape.count = 0;
}
