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
#include <string.h>
#include <tmmintrin.h>

#define HEAD_SIZE    5u /* the length of the typed value, and its type */
#define STOP_NUMERAL 1u

/* For what shuffles bytes: the cryptography cannot do without it either (crypto/cpu.h). */
#define SSSE3 __attribute__((target("ssse3")))

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

/*
 * Eight digits of five bytes: each digit lies in two neighbours, the more significant one first; a
 * product moves it to the upper half. pairs: where the neighbours are.
 */
SSSE3 static inline __m128i eight_fives(__m128i bytes, __m128i pairs)
{
    const __m128i shifts = _mm_setr_epi16(32, 1024, 128, 4096, 512, 64, 2048, 256);
    const __m128i fives = _mm_mulhi_epu16(_mm_shuffle_epi8(bytes, pairs), shifts);
    return _mm_and_si128(fives, _mm_set1_epi16(31));
}

/* The first size bytes of a MAC; what is behind them counts as zero. */
SSSE3 static void write_base32(uint8_t *target, const uint8_t mac[TOK_TAG_ROOM], uint32_t size)
{
    const __m128i pairs = _mm_setr_epi8(1, 0, 1, 0, 2, 1, 2, 1, 3, 2, 4, 3, 4, 3, 5, 4);
    const __m128i places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t left = tok_mac_size(size);
    for (uint32_t at = 0; at < size; at += 10, target += 16, left -= 16) {
        const __m128i used = _mm_cmplt_epi8(places, _mm_set1_epi8((char)(size - at)));
        const __m128i bytes =
            _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)(mac + at)), used);
        const __m128i low = eight_fives(bytes, pairs);
        const __m128i high = eight_fives(bytes, _mm_add_epi8(pairs, _mm_set1_epi8(5)));
        const __m128i digits = base32_digits(_mm_packus_epi16(low, high));
        if (left < 16) {
            uint8_t last[16];
            _mm_storeu_si128((__m128i *)(void *)last, digits);
            csn_copy_short(target, last, left);
            return; /* the last one: size is at most at + 10 */
        }
        _mm_storeu_si128((__m128i *)(void *)target, digits);
    }
}

/* mac: 32 bytes, and room behind them for the last load. */
static void write_mac(uint8_t *target, const uint8_t mac[TOK_TAG_ROOM], uint32_t size)
{
    if (size == 0) {
        write_hex(target, mac);
    } else {
        write_base32(target, mac, size);
    }
}

static void run_macs(struct tok_queue *queue)
{
    csn_hmac_batch(queue->mac_items, queue->mac_count);
    for (uint32_t i = 0; i < queue->mac_count; i++) {
        const struct tok_mac_job *mac = &queue->macs[i];
        if (mac->days != 0) {
            tok_shift_finish(mac);
        } else {
            write_mac(mac->target, mac->tag, mac->size);
        }
    }
    csn_wipe(queue->macs, queue->mac_count * sizeof queue->macs[0]);
    queue->mac_count = 0;
    queue->mac_first = 0;
}

static void mac_now(const struct csn_hmac_key *key, const struct tok_value *value, uint8_t *target,
                    uint32_t size)
{
    struct csn_hmac state;
    uint8_t head[HEAD_SIZE];
    uint8_t mac[TOK_TAG_ROOM] = {0};
    csn_store_u32(head, value->size + 1);
    head[4] = value->type;
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
    __m128i *last = (__m128i *)(void *)(target + size - 16);
    if (size > 32) {
        memset(target, '*', size);
        return;
    }
    _mm_storeu_si128((__m128i *)(void *)target, places); /* 16 digits are the least */
    _mm_storeu_si128(last, places);
}

/* LP(typed value) with room for `more` bytes behind it; NULL: too long for the queue. */
static struct tok_mac_job *next_mac(struct tok_queue *queue, const struct csn_hmac_key *key,
                                    const struct tok_value *value, uint32_t more)
{
    if (value->size > TOK_MESSAGE_MAX - HEAD_SIZE - more) {
        return NULL;
    }
    if (queue->mac_count == TOK_MAC_MAX) {
        run_macs(queue);
    }
    struct tok_mac_job *mac = &queue->macs[queue->mac_count];
    csn_store_u32(mac->message, value->size + 1);
    mac->message[4] = value->type;
    csn_copy(mac->message + HEAD_SIZE, value->bytes, value->size);
    mac->message_size = HEAD_SIZE + value->size + more;
    queue->mac_items[queue->mac_count++] = (struct csn_hmac_item){
        .key = key, .bytes = mac->message, .size = mac->message_size, .tag = mac->tag};
    return mac;
}

void tok_queue_mac(struct tok_queue *queue, const struct csn_hmac_key *key,
                   const struct tok_value *value, uint8_t *target, uint32_t size)
{
    struct tok_mac_job *mac = next_mac(queue, key, value, 0);
    if (mac == NULL) {
        mac_now(key, value, target, size);
        return;
    }
    put_places(target, tok_mac_size(size));
    mac->target = target;
    mac->size = size;
    mac->days = 0;
}

bool tok_queue_date(struct tok_queue *queue, const struct tok_field *field,
                    const struct tok_value *subject, uint8_t *target, uint32_t day)
{
    struct tok_mac_job *mac = next_mac(queue, &field->mac, subject, TOK_COUNTER_SIZE);
    if (mac == NULL) {
        return false;
    }
    memset(mac->message + mac->message_size - TOK_COUNTER_SIZE, 0, TOK_COUNTER_SIZE);
    mac->target = target;
    mac->key = &field->mac;
    mac->day = day;
    mac->days = field->days;
    return true;
}

/* ---- encryptions ---- */

static struct csn_ff1_item item_of(struct tok_fpe_job *job, const struct csn_ff1_plan *plan)
{
    uint16_t *middle = job->numerals + job->field->keep_first;
    return (struct csn_ff1_item){
        .plan = plan, .tweak = job->tweak, .input = middle, .output = middle};
}

/* Up to sixteen digits and nothing else: all of the target. */
static void write_digits(struct tok_fpe_job *job)
{
    uint8_t text[TOK_DIGITS_MAX];
    const __m128i *numerals = (const __m128i *)(const void *)job->numerals;
    const __m128i digits =
        _mm_packus_epi16(_mm_loadu_si128(numerals), _mm_loadu_si128(numerals + 1));
    _mm_storeu_si128((__m128i *)(void *)text, _mm_add_epi8(digits, _mm_set1_epi8('0')));
    csn_copy_short(job->target, text, job->count);
    csn_wipe(text, sizeof text);
    csn_wipe(job->numerals, TOK_DIGITS_MAX * sizeof job->numerals[0]);
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
    if (job->plain) {
        write_digits(job);
        return;
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
    if (job->plain) {
        memcpy(copy, job, offsetof(struct tok_fpe_job, numerals[TOK_DIGITS_MAX]));
    } else {
        memcpy(copy, job, offsetof(struct tok_fpe_job, numerals[job->count]));
    }
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

void tok_queue_run(struct tok_queue *queue)
{
    run_macs(queue);
    run_fpes(queue);
}

void tok_queue_complete(void *batch)
{
    struct tok_queue *queue = batch;
    tok_queue_run(queue);
    csn_wipe(queue->shape.guesses, queue->shape.count * sizeof queue->shape.guesses[0]);
    queue->shape.count = 0;
}
