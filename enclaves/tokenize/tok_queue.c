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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* For each byte of bytes (below 0x80): add, if it is at least limit, else nothing. */
static uint64_t add_from(uint64_t bytes, uint8_t limit, uint8_t add)
{
    uint64_t reached = (bytes + EACH(0x80 - limit)) & EACH(0x80);
    return (reached >> 7) * add;
}

/* Eight numbers below 32, first one in the lowest byte: a-z, then 2-7. */
static uint64_t base32_digits(uint64_t fives)
{
    return fives + EACH('a') - add_from(fives, 26, 'a' + 26 - '2');
}

/* Eight numbers below 16. */
static uint64_t hex_digits(uint64_t fours)
{
    return fours + EACH('0') + add_from(fours, 10, 'a' - 10 - '0');
}

static uint32_t text_size(uint32_t size)
{
    return size == 0 ? 64 : (8 * size + 4) / 5;
}

/*
 * Cuts a number of eight equal digits apart, three times in two halves, the first half to the lower
 * end each time: then byte i is digit i. width: of a digit in bits.
 */
static uint64_t spread(uint64_t number, uint32_t width)
{
    const uint64_t half = UINT64_C(1) << 4 * width;
    const uint64_t quarter = UINT64_C(1) << 2 * width;
    const uint64_t eighth = UINT64_C(1) << width;
    number = number >> 4 * width | (number & (half - 1)) << 32;
    number = (number >> 2 * width & UINT64_C(0x100000001) * (quarter - 1)) |
             (number & UINT64_C(0x100000001) * (quarter - 1)) << 16;
    return (number >> width & UINT64_C(0x1000100010001) * (eighth - 1)) |
           (number & UINT64_C(0x1000100010001) * (eighth - 1)) << 8;
}

/* mac: 32 bytes, and room behind them for the last load. */
static void write_mac(uint8_t *target, const uint8_t mac[TOK_TAG_ROOM], uint32_t size)
{
    if (size == 0) {
        for (uint32_t i = 0; i < 8; i++) {
            uint32_t bits = __builtin_bswap32(csn_load_u32(mac + 4 * i));
            csn_store_u64(target + 8 * i, hex_digits(spread(bits, 4)));
        }
        return;
    }
    for (uint32_t at = 0; at < size; at += 5, target += 8) {
        uint64_t bits = __builtin_bswap64(csn_load_u64(mac + at)) >> 24;
        uint32_t left = size - at;
        if (left >= 5) {
            csn_store_u64(target, base32_digits(spread(bits, 5)));
        } else {
            bits &= ~UINT64_C(0) << (40 - 8 * left); /* what is cut off counts as zero */
            bits = base32_digits(spread(bits, 5));
            memcpy(target, &bits, text_size(left));
        }
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
    memcpy(mac->message + HEAD_SIZE, value->bytes, value->size);
    memset(target, '*', text_size(size));
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
}
