/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_lanes.c: the GCM kernel, for registers of CSN_GCM_VECTOR, a header that the build names: one
 * block a register (AES-NI) or two (VAES). Eight registers are the lanes of AES; a chunk of text
 * fills them. Lengths are public and decide about every branch; keys and texts about none.
 *
 * AES of a chunk and GHASH of another fill each other's waits. Sealing hashes the chunk before, be
 * it of the record before; opening hashes the chunk itself. What is less than a chunk, the tail,
 * goes through a buffer of ours, so that nothing beyond a text is read or written.
 */
#include "gcm_kernel.h"
#include CSN_GCM_VECTOR

#define LANES  8u
#define VECTOR ((uint32_t)sizeof(csn_vector))
#define CHUNK  (LANES * VECTOR)
#define GROUP  8u /* records whose masks are made side by side */
#define INLINE static inline __attribute__((always_inline)) /* a body for each use */

/* A sum of products of blocks and powers. Karatsuba: middle has low and high in it. */
struct sum {
    csn_vector low, middle, high;
};

/* A chunk of ciphertext that is to be hashed. */
struct work {
    const struct csn_gcm_key *key;
    const uint8_t *bytes;
    __m128i hash;    /* of what comes before it */
    uint32_t behind; /* 1: the last one, so that the lengths go into its sum */
};

struct scratch {
    _Alignas(32) uint8_t tail[CHUNK + VECTOR];
    __m128i masks[GROUP];
};

/* ---- hash ---- */

INLINE struct sum sum_start(void)
{
    csn_vector zero = csn_vector_first(_mm_setzero_si128());
    return (struct sum){zero, zero, zero};
}

/* first is what goes into the block before it is multiplied: the hash so far, or zero. */
INLINE void absorb(struct sum *sum, const uint8_t *bytes, csn_vector first,
                   const struct csn_gcm_key *key, uint32_t row)
{
    csn_vector power = csn_vector_load(key->hash_powers[0] + row);
    csn_vector halves = csn_vector_load(key->hash_halves[0] + row);
    csn_vector block = csn_vector_shuffle(csn_vector_load(bytes), csn_gcm_reversed());
    block = csn_vector_xor(block, first);
    sum->low = csn_vector_xor(sum->low, csn_vector_low(block, power));
    sum->high = csn_vector_xor(sum->high, csn_vector_high(block, power));
    block = csn_vector_xor(block, csn_vector_swap(block));
    sum->middle = csn_vector_xor(sum->middle, csn_vector_low(block, halves));
}

INLINE struct csn_gcm_product sum_fold(const struct sum *sum)
{
    csn_vector outer = csn_vector_xor(sum->low, sum->high);
    return (struct csn_gcm_product){csn_vector_fold(sum->low),
                                    csn_vector_fold(csn_vector_xor(sum->middle, outer)),
                                    csn_vector_fold(sum->high)};
}

INLINE __m128i sum_reduce(const struct sum *sum)
{
    struct csn_gcm_product product = sum_fold(sum);
    return csn_gcm_reduce(&product);
}

/* Where in the table, in bytes, the power for the first of some blocks stands. */
INLINE uint32_t first_row(uint32_t blocks)
{
    return 16 * (CSN_GCM_POWERS - blocks);
}

/* `blocks` blocks; where the last vector is half filled, the other half must be zeros. */
INLINE struct sum hash_blocks(const struct work *work, uint32_t blocks)
{
    struct sum sum = sum_start();
    csn_vector first = csn_vector_first(work->hash);
    uint32_t row = first_row(blocks + work->behind);
    for (uint32_t at = 0; at < 16 * blocks; at += VECTOR) {
        absorb(&sum, work->bytes + at, first, work->key, row + at);
        first = csn_vector_first(_mm_setzero_si128());
    }
    return sum;
}

/* ---- the tail's buffer ---- */

/* size bytes, at most a chunk; a store may repeat what the one before it wrote. */
INLINE void copy(uint8_t *to, const uint8_t *from, uint32_t size)
{
    if (size >= 16) {
        for (uint32_t at = 0; at + 16 < size; at += 16) {
            csn_gcm_store(to + at, csn_gcm_load(from + at));
        }
        csn_gcm_store(to + size - 16, csn_gcm_load(from + size - 16));
    } else if (size >= 8) {
        uint64_t begin = csn_load_u64(from);
        csn_store_u64(to + size - 8, csn_load_u64(from + size - 8));
        csn_store_u64(to, begin);
    } else {
        for (uint32_t at = 0; at < size; at++) {
            to[at] = from[at];
        }
    }
}

/* Zeros after size bytes, to the end of their vector at least. */
INLINE void pad(struct scratch *scratch, uint32_t size)
{
    csn_vector_store(scratch->tail + size, csn_vector_first(_mm_setzero_si128()));
}

static __m128i hash_aad(const struct csn_gcm_item *item, struct scratch *scratch)
{
    struct work work = {.key = item->key, .hash = _mm_setzero_si128()};
    for (uint32_t done = 0; done < item->aad_size; done += CHUNK) {
        uint32_t size = item->aad_size - done < CHUNK ? item->aad_size - done : CHUNK;
        copy(scratch->tail, item->aad + done, size);
        pad(scratch, size);
        work.bytes = scratch->tail;
        struct sum sum = hash_blocks(&work, (size + 15) / 16);
        work.hash = sum_reduce(&sum);
    }
    return work.hash;
}

/* ---- AES ---- */

INLINE csn_vector round_key(const struct csn_gcm_key *key, uint32_t round)
{
    return csn_vector_both(csn_gcm_load(key->round_keys[round]));
}

/* The counter blocks of `lanes` lanes from text byte `done` on, round 0 done. */
INLINE void start_lanes(const struct csn_gcm_item *item, uint32_t done, csn_vector *blocks,
                        uint32_t lanes)
{
    csn_vector counters = csn_vector_counters(csn_gcm_counter(item->nonce, 2 + done / 16));
    for (uint32_t i = 0; i < lanes; i++) {
        blocks[i] = csn_vector_shuffle(counters, csn_gcm_counter_order());
        blocks[i] = csn_vector_xor(blocks[i], round_key(item->key, 0));
        counters = csn_vector_next(counters);
    }
}

INLINE void rounds(csn_vector *blocks, uint32_t lanes, csn_vector key)
{
    for (uint32_t i = 0; i < lanes; i++) {
        blocks[i] = csn_vector_round(blocks[i], key);
    }
}

INLINE void finish_lanes(const struct csn_gcm_key *key, csn_vector *blocks, uint32_t lanes,
                         const uint8_t *input, uint8_t *output)
{
    for (uint32_t i = 0; i < lanes; i++) {
        csn_vector text = csn_vector_load(input + VECTOR * i);
        blocks[i] = csn_vector_last_round(blocks[i], csn_vector_xor(round_key(key, 14), text));
    }
    for (uint32_t i = 0; i < lanes; i++) {
        csn_vector_store(output + VECTOR * i, blocks[i]);
    }
}

INLINE void crypt_lanes(const struct csn_gcm_item *item, uint32_t done, uint32_t lanes,
                        const uint8_t *input, uint8_t *output)
{
    csn_vector blocks[LANES];
    start_lanes(item, done, blocks, lanes);
    for (uint32_t round = 1; round < 14; round++) {
        rounds(blocks, lanes, round_key(item->key, round));
    }
    finish_lanes(item->key, blocks, lanes, input, output);
}

/* A chunk of text, and meanwhile a chunk into the hash: it is read before the text is written. */
INLINE struct sum crypt_and_hash(const struct csn_gcm_item *item, uint32_t done,
                                 const struct work *work)
{
    csn_vector blocks[LANES];
    struct sum sum = sum_start();
    csn_vector first = csn_vector_first(work->hash);
    const uint32_t row = first_row(CHUNK / 16 + work->behind);
    start_lanes(item, done, blocks, LANES);
#pragma GCC unroll 16
    for (uint32_t round = 1; round < 14; round++) {
        rounds(blocks, LANES, round_key(item->key, round));
        if (round <= LANES) {
            const uint32_t at = (round - 1) * VECTOR;
            absorb(&sum, work->bytes + at, first, work->key, row + at);
            first = csn_vector_first(_mm_setzero_si128());
        }
    }
    finish_lanes(item->key, blocks, LANES, item->input + done, item->output + done);
    return sum;
}

static void crypt_chunk(const struct csn_gcm_item *item, uint32_t done)
{
    crypt_lanes(item, done, LANES, item->input + done, item->output + done);
}

static void crypt_tail(const struct csn_gcm_item *item, uint32_t done, struct scratch *scratch)
{
    const uint32_t size = item->size - done;
    if (size <= 2 * VECTOR) {
        crypt_lanes(item, done, 2, scratch->tail, scratch->tail);
    } else if (size <= 4 * VECTOR) {
        crypt_lanes(item, done, 4, scratch->tail, scratch->tail);
    } else {
        crypt_lanes(item, done, 8, scratch->tail, scratch->tail);
    }
}

/* Counter block 1 of up to GROUP records, encrypted: it covers the tag. */
static void make_masks(const struct csn_gcm_item *items, uint32_t count, __m128i masks[GROUP])
{
    const struct csn_gcm_key *keys[GROUP];
    __m128i blocks[GROUP];
    for (uint32_t i = 0; i < GROUP; i++) {
        const struct csn_gcm_item *item = &items[i < count ? i : 0];
        keys[i] = item->key;
        blocks[i] = _mm_shuffle_epi8(csn_gcm_counter(item->nonce, 1), csn_gcm_counter_order());
        blocks[i] = _mm_xor_si128(blocks[i], csn_gcm_load(keys[i]->round_keys[0]));
    }
    for (uint32_t round = 1; round < 14; round++) {
        for (uint32_t i = 0; i < GROUP; i++) {
            blocks[i] = _mm_aesenc_si128(blocks[i], csn_gcm_load(keys[i]->round_keys[round]));
        }
    }
    for (uint32_t i = 0; i < GROUP; i++) {
        masks[i] = _mm_aesenclast_si128(blocks[i], csn_gcm_load(keys[i]->round_keys[14]));
    }
}

/* ---- records ---- */

/* The lengths into the sum; then the tag: written, or compared, without leaving a register. */
INLINE void finish(struct csn_gcm_item *item, bool opening, const struct sum *sum, __m128i hash,
                   __m128i mask)
{
    struct csn_gcm_product product = sum_fold(sum);
    __m128i lengths = _mm_set_epi64x((long long)item->aad_size * 8, (long long)item->size * 8);
    csn_gcm_add(&product, _mm_xor_si128(lengths, hash),
                csn_gcm_load(item->key->hash_powers[CSN_GCM_POWERS - 1]));
    __m128i tag = _mm_xor_si128(csn_gcm_reverse(csn_gcm_reduce(&product)), mask);
    item->result = CSN_OK;
    if (!opening) {
        csn_gcm_store(item->tag, tag);
    } else if (_mm_movemask_epi8(_mm_cmpeq_epi8(tag, csn_gcm_load(item->tag))) != 0xffff) {
        item->result = CSN_ERR_AUTH;
    }
}

/* The text from done on, less than a chunk, and the tag. */
INLINE void tail(struct csn_gcm_item *item, bool opening, uint32_t done, __m128i hash, __m128i mask,
                 struct scratch *scratch)
{
    const uint32_t size = item->size - done;
    const uint32_t blocks = (size + 15) / 16;
    const struct work work = {item->key, scratch->tail, hash, 1};
    struct sum sum = sum_start();
    copy(scratch->tail, item->input + done, size);
    if (opening) {
        pad(scratch, size);
        sum = hash_blocks(&work, blocks);
    }
    crypt_tail(item, done, scratch);
    copy(item->output + done, scratch->tail, size);
    if (!opening) {
        pad(scratch, size);
        sum = hash_blocks(&work, blocks);
    }
    finish(item, opening, &sum, blocks == 0 ? hash : _mm_setzero_si128(), mask);
}

static void seal_item(struct csn_gcm_item *item, __m128i mask, struct scratch *scratch)
{
    struct work work = {.key = item->key, .hash = hash_aad(item, scratch)};
    uint32_t done = 0;
    for (; item->size - done >= CHUNK; done += CHUNK) {
        if (done == 0) {
            crypt_chunk(item, done);
        } else {
            struct sum sum = crypt_and_hash(item, done, &work);
            work.hash = sum_reduce(&sum);
        }
        work.bytes = item->output + done;
        work.behind = item->size - done == CHUNK;
    }
    if (done > 0) {
        struct sum sum = hash_blocks(&work, CHUNK / 16);
        if (done == item->size) {
            finish(item, false, &sum, _mm_setzero_si128(), mask);
            return;
        }
        work.hash = sum_reduce(&sum);
    }
    tail(item, false, done, work.hash, mask, scratch);
}

static void open_item(struct csn_gcm_item *item, __m128i mask, struct scratch *scratch)
{
    struct work work = {.key = item->key, .hash = hash_aad(item, scratch)};
    uint32_t done = 0;
    for (; item->size - done >= CHUNK; done += CHUNK) {
        work.bytes = item->input + done;
        work.behind = item->size - done == CHUNK;
        struct sum sum = crypt_and_hash(item, done, &work);
        if (work.behind) {
            finish(item, true, &sum, _mm_setzero_si128(), mask);
            return;
        }
        work.hash = sum_reduce(&sum);
    }
    tail(item, true, done, work.hash, mask, scratch);
}

INLINE void run(struct csn_gcm_item *items, uint32_t count, bool opening)
{
    struct scratch scratch;
    for (uint32_t first = 0; first < count; first += GROUP) {
        uint32_t group = count - first < GROUP ? count - first : GROUP;
        make_masks(items + first, group, scratch.masks);
        for (uint32_t i = 0; i < group; i++) {
            if (opening) {
                open_item(&items[first + i], scratch.masks[i], &scratch);
            } else {
                seal_item(&items[first + i], scratch.masks[i], &scratch);
            }
        }
    }
    csn_wipe(&scratch, sizeof scratch);
}

static void seal(struct csn_gcm_item *items, uint32_t count)
{
    run(items, count, false);
}

static void open(struct csn_gcm_item *items, uint32_t count)
{
    run(items, count, true);
}

const struct csn_gcm_kernel CSN_GCM_KERNEL = {.seal = seal, .open = open};
