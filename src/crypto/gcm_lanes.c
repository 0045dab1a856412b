/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm_lanes.c: the GCM kernel, for registers of CSN_GCM_VECTOR, a header that the build names: one
 * block a register (AES-NI) or two (VAES). Eight registers are the lanes of AES; a chunk of text
 * fills them. Lengths are public and decide about every branch; keys and texts about none.
 *
 * AES of a chunk and GHASH of another fill each other's waits. Sealing hashes the chunk before, be
 * it of the record before; opening hashes the chunk itself. A tail, less than a chunk, takes as
 * many lanes as it needs; if it does not fill the last one, it goes through a buffer of ours, so
 * that nothing beyond a text is read or written.
 */
#include "../core/xcopy.h"
#include "gcm_kernel.h"
#include CSN_GCM_VECTOR

#define LANES  8u
#define VECTOR ((uint32_t)sizeof(csn_vector))
#define CHUNK  (LANES * VECTOR)
#define GROUP  8u  /* records whose masks are made side by side */
#define SMALL  80u /* bytes of text in the smallest class of sealed records */
#define LINE   64u
#define INLINE static inline __attribute__((always_inline)) /* a body for each use */

/* A sum of products of blocks and powers. Karatsuba: middle has low and high in it. */
struct sum {
    csn_vector low, middle, high;
};

/* A chunk of ciphertext that is to be hashed. */
struct work {
    struct csn_gcm_item *item;
    const uint8_t *bytes; /* NULL: there is none */
    __m128i hash;         /* of what comes before it */
    __m128i mask;
    uint32_t behind; /* 1: the last one, so that the lengths go into its sum */
};

/* What the lengths of a record add to its sum: often the same as for the record before. */
struct lengths {
    const struct csn_gcm_key *key;
    uint32_t aad_size, size;
    struct sum sum;
};

struct scratch {
    _Alignas(32) uint8_t tail[CHUNK];
    uint8_t masks[GROUP][VECTOR]; /* counter block 1 encrypted; and 2, where a vector has both */
    struct lengths lengths;
    bool buffered; /* something of a text was in tail */
};

/* ---- hash ---- */

INLINE csn_vector zero(void)
{
    return csn_vector_first(_mm_setzero_si128());
}

/* Where in the table, in bytes, the power for the first of some blocks stands. */
INLINE uint32_t first_row(uint32_t blocks)
{
    return 16 * (CSN_GCM_POWERS - blocks);
}

INLINE void absorb(struct sum *sum, csn_vector block, const struct csn_gcm_key *key, uint32_t row)
{
    /* From the whole table: a place counted from its first row would lie beyond that row. */
    csn_vector power = csn_vector_load((const uint8_t *)key->hash_powers + row);
    csn_vector halves = csn_vector_load((const uint8_t *)key->hash_halves + row);
    __asm__("" : "+x"(power)); /* used twice, loaded once */
    sum->low = csn_vector_xor(sum->low, csn_vector_low(block, power));
    sum->high = csn_vector_xor(sum->high, csn_vector_high(block, power));
    block = csn_vector_xor(block, csn_vector_swap(block));
    sum->middle = csn_vector_xor(sum->middle, csn_vector_low(block, halves));
    /* Else gcc keeps the products of a chunk, more than there are registers, to add them later. */
    __asm__("" : "+x"(sum->low), "+x"(sum->high), "+x"(sum->middle));
}

/* A vector of ciphertext, and what is added to its first block: the hash so far, or zero. */
INLINE csn_vector hashable(csn_vector text, __m128i hash)
{
    return csn_vector_xor(csn_vector_shuffle(text, csn_gcm_reversed()), csn_vector_first(hash));
}

INLINE __m128i reduce(const struct sum *sum)
{
    csn_vector outer = csn_vector_xor(sum->low, sum->high);
    struct csn_gcm_product product = {csn_vector_fold(sum->low),
                                      csn_vector_fold(csn_vector_xor(sum->middle, outer)),
                                      csn_vector_fold(sum->high)};
    return csn_gcm_reduce(&product);
}

/* What is left of a text after its whole vectors: 1 to VECTOR - 1 bytes, zeros behind them. */
static csn_vector load_rest(const uint8_t *bytes, uint32_t size)
{
    if (size < 16) {
        return csn_vector_first(csn_load_part(bytes, size));
    }
    __m128i second = size == 16 ? _mm_setzero_si128() : csn_load_part(bytes + 16, size - 16);
    return csn_vector_pair(csn_gcm_load(bytes), second);
}

/* size bytes, and `behind` blocks after them in the sum. */
INLINE struct sum hash_bytes(const struct csn_gcm_key *key, __m128i hash, const uint8_t *bytes,
                             uint32_t size, uint32_t behind)
{
    struct sum sum = {zero(), zero(), zero()};
    const uint32_t row = first_row((size + 15) / 16 + behind);
    uint32_t at = 0;
    for (; at + VECTOR <= size; at += VECTOR) {
        absorb(&sum, hashable(csn_vector_load(bytes + at), hash), key, row + at);
        hash = _mm_setzero_si128();
    }
    if (at < size) {
        absorb(&sum, hashable(load_rest(bytes + at, size - at), hash), key, row + at);
    }
    return sum;
}

static __m128i hash_aad(const struct csn_gcm_item *item)
{
    __m128i hash = _mm_setzero_si128();
    for (uint32_t done = 0; done < item->aad_size; done += CHUNK) {
        uint32_t size = item->aad_size - done < CHUNK ? item->aad_size - done : CHUNK;
        struct sum sum = hash_bytes(item->key, hash, item->aad + done, size, 0);
        hash = reduce(&sum);
    }
    return hash;
}

INLINE __m128i start_hash(const struct csn_gcm_item *item)
{
    return item->aad_size == 0 ? _mm_setzero_si128() : hash_aad(item);
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

/*
 * A chunk of text, and meanwhile a chunk into the hash, which is read before the text is written.
 * The first vector to hash, which waits for the hash so far, comes last.
 */
INLINE struct sum crypt_and_hash(const struct csn_gcm_item *item, uint32_t done,
                                 const struct work *work)
{
    csn_vector blocks[LANES];
    struct sum sum = {zero(), zero(), zero()};
    const uint32_t row = first_row(CHUNK / 16 + work->behind);
    start_lanes(item, done, blocks, LANES);
#pragma GCC unroll 16
    for (uint32_t round = 1; round < 14; round++) {
        rounds(blocks, LANES, round_key(item->key, round));
        if (round > 2 && round <= 2 + LANES) {
            const uint32_t at = (round - 2) % LANES * VECTOR;
            __m128i hash = at == 0 ? work->hash : _mm_setzero_si128();
            csn_vector text = csn_vector_load(work->bytes + at);
            absorb(&sum, hashable(text, hash), work->item->key, row + at);
        }
    }
    const uint8_t *input = item->input + done;
    __asm__("" : "+r"(input)); /* loaded again: what was hashed is in no register */
    finish_lanes(item->key, blocks, LANES, input, item->output + done);
    return sum;
}

INLINE void copy_vectors(uint8_t *to, const uint8_t *from, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += VECTOR) {
        csn_vector_store(to + at, csn_vector_load(from + at));
    }
}

INLINE void store_rest(uint8_t *to, const uint8_t *from, uint32_t size)
{
    uint32_t at = 0;
    if (size >= 16) {
        csn_gcm_store(to, csn_gcm_load(from));
        at = 16;
    }
    if (at < size) {
        csn_gcm_store_part(to + at, size - at, from + at);
    }
}

static void crypt_chunk(const struct csn_gcm_item *item, uint32_t done)
{
    crypt_lanes(item, done, LANES, item->input + done, item->output + done);
}

/* Whole vectors, fewer than LANES: as many lanes as that. */
static void crypt_vectors(const struct csn_gcm_item *item, uint32_t done, uint32_t count,
                          const uint8_t *input, uint8_t *output)
{
    switch (count) {
    case 1:
        crypt_lanes(item, done, 1, input, output);
        break;
    case 2:
        crypt_lanes(item, done, 2, input, output);
        break;
    case 3:
        crypt_lanes(item, done, 3, input, output);
        break;
    case 4:
        crypt_lanes(item, done, 4, input, output);
        break;
    case 5:
        crypt_lanes(item, done, 5, input, output);
        break;
    case 6:
        crypt_lanes(item, done, 6, input, output);
        break;
    case 7:
        crypt_lanes(item, done, 7, input, output);
        break;
    default:
        crypt_lanes(item, done, LANES, input, output);
        break;
    }
}

/* What is less than a chunk; in the buffer, if it does not fill its last vector. */
INLINE void crypt_tail(const struct csn_gcm_item *item, uint32_t done, struct scratch *scratch)
{
    const uint32_t size = item->size - done;
    uint8_t *buffer = scratch->tail;
    const uint8_t *input = item->input + done;
    uint8_t *output = item->output + done;
    if (size % VECTOR == 0 && size != 0) {
        crypt_vectors(item, done, size / VECTOR, input, output);
    } else if (size != 0) {
        uint32_t at = size - size % VECTOR;
        scratch->buffered = true;
        copy_vectors(buffer, input, at);
        csn_vector_store(buffer + at, load_rest(input + at, size - at));
        crypt_vectors(item, done, size / VECTOR + 1, buffer, buffer);
        copy_vectors(output, buffer, at);
        store_rest(output + at, buffer + at, size - at);
    }
}

/* Counter block 1 of up to GROUP records, encrypted: it covers the tag. */
INLINE void mask_lanes(const struct csn_gcm_item *items, uint32_t count, uint32_t lanes,
                       uint8_t masks[GROUP][VECTOR])
{
    const struct csn_gcm_key *keys[GROUP];
    csn_vector blocks[GROUP];
    for (uint32_t i = 0; i < lanes; i++) {
        const struct csn_gcm_item *item = &items[i < count ? i : 0];
        csn_vector counters = csn_vector_counters(csn_gcm_counter(item->nonce, 1));
        keys[i] = item->key;
        blocks[i] = csn_vector_shuffle(counters, csn_gcm_counter_order());
        blocks[i] = csn_vector_xor(blocks[i], round_key(keys[i], 0));
    }
    for (uint32_t round = 1; round < 14; round++) {
        for (uint32_t i = 0; i < lanes; i++) {
            blocks[i] = csn_vector_round(blocks[i], round_key(keys[i], round));
        }
    }
    for (uint32_t i = 0; i < lanes; i++) {
        csn_vector_store(masks[i], csn_vector_last_round(blocks[i], round_key(keys[i], 14)));
    }
}

/* Of two records under one key a vector: where the mask is all that is wanted. */
INLINE void mask_pairs(const struct csn_gcm_item *items, uint32_t count,
                       uint8_t masks[GROUP][VECTOR])
{
    const struct csn_gcm_key *key = items->key;
    csn_vector blocks[GROUP / 2];
    for (uint32_t i = 0; i < GROUP / 2; i++) {
        const struct csn_gcm_item *first = &items[2 * i < count ? 2 * i : 0];
        const struct csn_gcm_item *second = &items[2 * i + 1 < count ? 2 * i + 1 : 0];
        csn_vector counters =
            csn_vector_pair(csn_gcm_counter(first->nonce, 1), csn_gcm_counter(second->nonce, 1));
        counters = csn_vector_shuffle(counters, csn_gcm_counter_order());
        blocks[i] = csn_vector_xor(counters, round_key(key, 0));
    }
    for (uint32_t round = 1; round < 14; round++) {
        rounds(blocks, GROUP / 2, round_key(key, round));
    }
    for (uint32_t i = 0; i < GROUP / 2; i++) {
        blocks[i] = csn_vector_last_round(blocks[i], round_key(key, 14));
        csn_gcm_store(masks[2 * i], csn_vector_block(blocks[i], 0));
        csn_gcm_store(masks[2 * i + 1], csn_vector_block(blocks[i], 1));
    }
}

/*
 * Where the first block of text shares a vector with the mask, and another with the last block of
 * associated data, what is left of text and data is whole vectors: sealed records are such (a
 * header of 16 bytes and 32, or of 176; a text of 16 bytes and a power of two).
 */
INLINE bool is_joined(const struct csn_gcm_item *item)
{
    return VECTOR == 32 && item->size % 32 == 16 && item->aad_size % 32 == 16 &&
           item->aad_size < CHUNK;
}

INLINE bool are_pairs(const struct csn_gcm_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < GROUP; i++) {
        if (items[i].key != items->key || is_joined(&items[i])) {
            return false;
        }
    }
    return VECTOR == 32;
}

static void make_masks(const struct csn_gcm_item *items, uint32_t count,
                       uint8_t masks[GROUP][VECTOR])
{
    if (count == 1) {
        mask_lanes(items, 1, 1, masks);
    } else if (are_pairs(items, count)) {
        mask_pairs(items, count, masks);
    } else {
        mask_lanes(items, count, GROUP, masks);
    }
}

/* ---- records ---- */

INLINE void absorb_lengths(const struct csn_gcm_item *item, struct sum *sum)
{
    __m128i bits = _mm_set_epi64x((long long)item->aad_size * 8, (long long)item->size * 8);
    absorb(sum, csn_vector_first(bits), item->key, first_row(1));
}

INLINE void add_lengths(const struct csn_gcm_item *item, struct sum *sum, struct lengths *before)
{
    if (before->key != item->key || before->size != item->size ||
        before->aad_size != item->aad_size) {
        struct sum made = {zero(), zero(), zero()};
        absorb_lengths(item, &made);
        *before = (struct lengths){item->key, item->aad_size, item->size, made};
    }
    sum->low = csn_vector_xor(sum->low, before->sum.low);
    sum->middle = csn_vector_xor(sum->middle, before->sum.middle);
    sum->high = csn_vector_xor(sum->high, before->sum.high);
}

/* The tag of a whole sum: written, or compared, without leaving a register. */
INLINE void finish(struct csn_gcm_item *item, bool opening, struct sum *sum, __m128i mask)
{
    __m128i tag = _mm_xor_si128(csn_gcm_reverse(reduce(sum)), mask);
    item->result = CSN_OK;
    if (!opening) {
        csn_gcm_store(item->tag, tag);
    } else if (_mm_movemask_epi8(_mm_cmpeq_epi8(tag, csn_gcm_load(item->tag))) != 0xffff) {
        item->result = CSN_ERR_AUTH;
    }
}

/* What follows when the chunk is in the sum: the tag, or the hash for the next chunk. */
INLINE __m128i settle(const struct work *work, bool opening, struct sum *sum,
                      struct lengths *lengths)
{
    if (work->behind != 0) {
        add_lengths(work->item, sum, lengths);
        finish(work->item, opening, sum, work->mask);
        return _mm_setzero_si128();
    }
    return reduce(sum);
}

/* The text from done on, less than a chunk, and the tag. */
INLINE void tail(struct csn_gcm_item *item, bool opening, uint32_t done, __m128i hash, __m128i mask,
                 struct scratch *scratch)
{
    const uint32_t size = item->size - done;
    const uint8_t *cipher = (opening ? item->input : item->output) + done;
    if (!opening) {
        crypt_tail(item, done, scratch);
    }
    struct sum sum = hash_bytes(item->key, hash, cipher, size, 1);
    if (size == 0) { /* nothing took the hash of the additional data along */
        absorb(&sum, csn_vector_first(hash), item->key, first_row(1));
    }
    add_lengths(item, &sum, &scratch->lengths);
    finish(item, opening, &sum, mask);
    if (opening) { /* in place: the ciphertext is gone now */
        crypt_tail(item, done, scratch);
    }
}

/* The first block of text, from `masks`, and it and the associated data in the sum from row on. */
INLINE struct sum join(const struct csn_gcm_item *item, bool opening, const uint8_t *masks,
                       uint32_t row)
{
    struct sum sum = {zero(), zero(), zero()};
    __m128i text = csn_gcm_load(item->input);
    __m128i other = _mm_xor_si128(text, csn_gcm_load(masks + VECTOR - 16));
    uint32_t at = 0;
    csn_gcm_store(item->output, other);
    for (; at + VECTOR <= item->aad_size; at += VECTOR) {
        csn_vector data = csn_vector_load(item->aad + at);
        absorb(&sum, hashable(data, _mm_setzero_si128()), item->key, row + at);
    }
    csn_vector both = csn_vector_pair(csn_gcm_load(item->aad + at), opening ? text : other);
    absorb(&sum, hashable(both, _mm_setzero_si128()), item->key, row + at);
    return sum;
}

/* The smallest class of sealed records: mask and text are three vectors, and one sum hashes all. */
INLINE bool is_small(const struct csn_gcm_item *item)
{
    return VECTOR == 32 && item->size == SMALL && item->aad_size % 32 == 16 &&
           (item->aad_size + SMALL) / 16 < CSN_GCM_POWERS;
}

/* What was just stored in pieces of 16 bytes: a load across two of them would wait for both. */
INLINE csn_vector load_halves(const uint8_t *bytes)
{
    return csn_vector_pair(csn_gcm_load(bytes), csn_gcm_load(bytes + 16));
}

/*
 * One of them often comes alone, and then counts how soon it is done: nothing of it goes through
 * memory on the way. Opening needs both at once, and sealing hashes what comes before the text
 * meanwhile.
 */
INLINE void small_item(struct csn_gcm_item *item, bool opening)
{
    const struct csn_gcm_key *key = item->key;
    const uint32_t row = first_row((item->aad_size + SMALL) / 16 + 1);
    struct sum sum = {zero(), zero(), zero()};
    csn_vector counters = csn_vector_counters(csn_gcm_counter(item->nonce, 1));
    csn_vector blocks[3];
    csn_vector text[3];
    uint32_t at = 0;
    for (uint32_t i = 0; i < 3; i++) {
        blocks[i] = csn_vector_shuffle(counters, csn_gcm_counter_order());
        blocks[i] = csn_vector_xor(blocks[i], round_key(key, 0));
        counters = csn_vector_next(counters);
    }
    for (uint32_t round = 1; round < 14; round++) {
        rounds(blocks, 3, round_key(key, round));
    }
    for (uint32_t i = 0; i < 3; i++) {
        blocks[i] = csn_vector_last_round(blocks[i], round_key(key, 14));
    }
    for (; at + VECTOR <= item->aad_size; at += VECTOR) {
        csn_vector data = load_halves(item->aad + at);
        absorb(&sum, hashable(data, _mm_setzero_si128()), key, row + at);
    }
    const __m128i mask = csn_vector_block(blocks[0], 0);
    text[0] = csn_vector_pair(csn_gcm_load(item->aad + at), csn_gcm_load(item->input));
    text[1] = load_halves(item->input + 16);
    text[2] = load_halves(item->input + 48);
    blocks[0] = csn_vector_pair(_mm_setzero_si128(), csn_vector_block(blocks[0], 1));
    for (uint32_t i = 0; i < 3; i++) {
        blocks[i] = csn_vector_xor(blocks[i], text[i]);
        csn_vector cipher = opening ? text[i] : blocks[i];
        absorb(&sum, hashable(cipher, _mm_setzero_si128()), key, row + at + VECTOR * i);
    }
    absorb_lengths(item, &sum);
    finish(item, opening, &sum, mask);
    csn_gcm_store(item->output, csn_vector_block(blocks[0], 1));
    csn_vector_store(item->output + 16, blocks[1]);
    csn_vector_store(item->output + 48, blocks[2]);
}

/* The hash of what comes before byte *done of the text, which is where whole chunks begin. */
INLINE __m128i begin_item(const struct csn_gcm_item *item, bool opening, const uint8_t *masks,
                          uint32_t *done)
{
    if (!is_joined(item)) {
        *done = 0;
        return start_hash(item);
    }
    struct sum sum = join(item, opening, masks, first_row(item->aad_size / 16 + 1));
    *done = 16;
    return reduce(&sum);
}

/* work: the last chunk of the record before, or none; what this record leaves in it waits likewise.
 */
INLINE void seal_item(struct csn_gcm_item *item, const uint8_t *masks, struct scratch *scratch,
                      struct work *work)
{
    const __m128i mask = csn_gcm_load(masks);
    uint32_t done;
    __m128i hash = begin_item(item, false, masks, &done);
    const uint32_t begin = done;
    for (; item->size - done >= CHUNK; done += CHUNK) {
        if (work->bytes == NULL) {
            crypt_chunk(item, done);
        } else {
            struct sum sum = crypt_and_hash(item, done, work);
            __m128i next = settle(work, false, &sum, &scratch->lengths);
            hash = done > begin ? next : hash;
        }
        *work = (struct work){item, item->output + done, hash, mask, item->size - done == CHUNK};
    }
    if (done < item->size || done == begin) {
        if (done > begin) {
            struct sum sum = hash_bytes(item->key, work->hash, work->bytes, CHUNK, 0);
            hash = reduce(&sum);
            work->bytes = NULL;
        }
        tail(item, false, done, hash, mask, scratch);
    }
}

/* Spread over the work on the record: of many asked for at once, the processor drops most. */
INLINE void expect(const struct csn_gcm_item *item, uint32_t done, uint32_t size)
{
    for (uint32_t at = 0; item->ahead != NULL && at < size; at += LINE) {
        csn_shared_expect_read(item->ahead, (uint64_t)done + at);
    }
}

INLINE void open_item(struct csn_gcm_item *item, const uint8_t *masks, struct scratch *scratch)
{
    const __m128i mask = csn_gcm_load(masks);
    uint32_t done;
    __m128i hash = begin_item(item, true, masks, &done);
    const uint32_t begin = done;
    for (; item->size - done >= CHUNK; done += CHUNK) {
        expect(item, done, CHUNK);
        const struct work work = {item, item->input + done, hash, mask, item->size - done == CHUNK};
        struct sum sum = crypt_and_hash(item, done, &work);
        hash = settle(&work, true, &sum, &scratch->lengths);
    }
    if (done < item->size || done == begin) {
        expect(item, done, item->size - done);
        tail(item, true, done, hash, mask, scratch);
    }
}

/* Masks, plaintext and products of the hash key are wiped, where there were some; by hand, for a
 * call costs more. */
INLINE void wipe(struct scratch *scratch, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        csn_vector_store(scratch->masks[i], zero());
    }
    for (uint32_t at = 0; at < sizeof scratch->tail && scratch->buffered; at += VECTOR) {
        csn_vector_store(scratch->tail + at, zero());
    }
    if (scratch->lengths.key != NULL) {
        scratch->lengths = (struct lengths){NULL, 0, 0, {zero(), zero(), zero()}};
    }
    __asm__ volatile("" : : "r"(scratch) : "memory");
}

INLINE void run(struct csn_gcm_item *items, uint32_t count, bool opening)
{
    struct scratch scratch;
    struct work work = {0};
    scratch.buffered = false;
    scratch.lengths.key = NULL;
    uint32_t first = 0; /* of those that have masks */
    uint32_t end = 0;
    uint32_t used = 0; /* of the masks' places */
    for (uint32_t i = 0; i < count; i++) {
        if (is_small(&items[i])) {
            small_item(&items[i], opening);
            continue;
        }
        if (i >= end) {
            make_masks(items + i, count - i, scratch.masks);
            first = i;
            end = i + GROUP;
            used = used == 0 && count - i == 1 ? 1 : GROUP;
        }
        if (opening) {
            open_item(&items[i], scratch.masks[i - first], &scratch);
        } else {
            seal_item(&items[i], scratch.masks[i - first], &scratch, &work);
        }
    }
    if (work.bytes != NULL) {
        struct sum sum = hash_bytes(work.item->key, work.hash, work.bytes, CHUNK, work.behind);
        settle(&work, false, &sum, &scratch.lengths);
    }
    wipe(&scratch, used);
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
