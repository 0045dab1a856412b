/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256_shani.c: SHA-256 with the SHA extensions, and HMAC of up to four messages side by side;
 * built with -msha -msse4.1.
 *
 * A message alone waits four cycles for each of its 32 pairs of rounds; others fill that. Four
 * messages have 24 vectors, of which some wait in memory here; with more registers
 * (sha256_upper.S) none does.
 */
#include "load_part.h"
#include "sha256_kernel.h"
#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define LANES  4u

/* Unrolled, so that each lane has its registers. */
#define EACH_LANE(i, count) _Pragma("GCC unroll 4") for (uint32_t i = 0; i < (count); i++)

/* A message: states as the instructions want them, highest word first, and sixteen words. */
struct lane {
    __m128i abef, cdgh;
    __m128i outer_abef, outer_cdgh; /* the outer hash behind its key, for `finish` */
    __m128i w[4];
};
_Static_assert(sizeof(struct lane) == 128, "as in sha256_upper.S");

/*
 * Adds the block in w to the state, in as many lanes as the function is for; to finish, hashes the
 * digest then with the outer state, and the MAC is in abef and cdgh.
 */
typedef void run_lanes(struct lane *lanes, uint32_t finish);

/* sha256_upper.S */
extern run_lanes csn_sha256_upper_3;
extern run_lanes csn_sha256_upper_4;

INLINE __m128i load(const void *bytes)
{
    return _mm_loadu_si128((const __m128i *)bytes);
}

INLINE void load_state(const uint32_t state[8], __m128i *abef, __m128i *cdgh)
{
    __m128i dcba = load(state);
    __m128i hgfe = load(state + 4);
    __m128i badc = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    *abef = _mm_alignr_epi8(badc, efgh, 8);
    *cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
}

/* The words of the state in their order. */
INLINE void read_state(const struct lane *lane, __m128i *dcba, __m128i *hgfe)
{
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
    *dcba = _mm_blend_epi16(feba, dchg, 0xf0);
    *hgfe = _mm_alignr_epi8(dchg, feba, 8);
}

INLINE void store_vector(void *bytes, __m128i value)
{
    _mm_storeu_si128((__m128i *)bytes, value);
}

INLINE __m128i swap_words(__m128i words)
{
    const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(words, order);
}

/* Words i..i+3 of the schedule are in w[at]; at is a constant, so that w stays in registers. */
INLINE void four_rounds(struct lane *lane, const uint32_t *k, int at)
{
    __m128i sum = _mm_add_epi32(lane->w[at], load(k + 4 * at));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The words 16 rounds on: sigma0 part, the word seven back, then the sigma1 part. */
INLINE void four_words(struct lane *lane, int at)
{
    __m128i *w = lane->w;
    __m128i next = _mm_sha256msg1_epu32(w[at], w[(at + 1) & 3]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(w[(at + 3) & 3], w[(at + 2) & 3], 4));
    w[at] = _mm_sha256msg2_epu32(next, w[(at + 3) & 3]);
}

/* Sixteen rounds of all lanes; last: no further words are needed. */
INLINE void sixteen(struct lane *lanes, uint32_t count, const uint32_t *k, bool last){
#define STEP(at)                                                                                   \
    EACH_LANE(i, count)                                                                            \
    {                                                                                              \
        four_rounds(&lanes[i], k, at);                                                             \
        if (!last) {                                                                               \
            four_words(&lanes[i], at);                                                             \
        }                                                                                          \
    }
    STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
}

INLINE void run_block(struct lane *lanes, uint32_t count)
{
    struct lane now[LANES];
    EACH_LANE(i, count)
    {
        now[i] = lanes[i];
    }
    for (uint32_t round = 0; round < 48; round += 16) {
        sixteen(now, count, csn_sha256_constants + round, false);
    }
    sixteen(now, count, csn_sha256_constants + 48, true);
    EACH_LANE(i, count)
    {
        lanes[i].abef = _mm_add_epi32(lanes[i].abef, now[i].abef);
        lanes[i].cdgh = _mm_add_epi32(lanes[i].cdgh, now[i].cdgh);
    }
}

/* The digest becomes the words of the outer message: 32 bytes behind one block, padded. */
INLINE void turn(struct lane *lane)
{
    read_state(lane, &lane->w[0], &lane->w[1]);
    lane->abef = lane->outer_abef;
    lane->cdgh = lane->outer_cdgh;
    lane->w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
    lane->w[3] = _mm_set_epi32(8 * 96, 0, 0, 0);
}

INLINE void run_some(struct lane *lanes, uint32_t count, uint32_t finish)
{
    run_block(lanes, count);
    if (finish != 0) {
        for (uint32_t i = 0; i < count; i++) {
            turn(&lanes[i]);
        }
        run_block(lanes, count);
    }
}

static void run_1(struct lane *lanes, uint32_t finish)
{
    run_some(lanes, 1, finish);
}

static void run_2(struct lane *lanes, uint32_t finish)
{
    run_some(lanes, 2, finish);
}

static void run_3(struct lane *lanes, uint32_t finish)
{
    run_some(lanes, 3, finish);
}

static void run_4(struct lane *lanes, uint32_t finish)
{
    run_some(lanes, 4, finish);
}

static void compress(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    struct lane one;
    __m128i dcba, hgfe;
    load_state(state, &one.abef, &one.cdgh);
    for (; count > 0; count--, blocks += 64) {
        for (uint32_t i = 0; i < 4; i++) {
            one.w[i] = swap_words(load(blocks + 16 * i));
        }
        run_block(&one, 1);
    }
    read_state(&one, &dcba, &hgfe);
    store_vector(state, dcba);
    store_vector(state + 4, hgfe);
}

/* 1 to 15 bytes and the mark of the end. */
static __m128i last_words(const uint8_t *bytes, uint32_t size)
{
    static const uint8_t marks[32] = {[16] = 0x80};
    return swap_words(_mm_or_si128(csn_load_part(bytes, size), load(marks + 16 - size)));
}

/* The words of a block, with what pads the message. */
INLINE void set_words(struct lane *lane, const struct csn_hmac_item *item, uint32_t block,
                      bool last)
{
    const uint8_t *bytes = item->bytes + 64 * block;
    int left = (int)item->size - (int)(64 * block); /* below 0: the mark was in the block before */
    EACH_LANE(i, 4)
    {
        if (left >= 16) {
            lane->w[i] = swap_words(load(bytes));
            bytes += 16;
        } else if (left > 0) {
            lane->w[i] = last_words(bytes, (uint32_t)left);
        } else {
            lane->w[i] = _mm_set_epi32(0, 0, 0, left == 0 ? (int)0x80000000u : 0);
        }
        left -= 16;
    }
    if (last) { /* the key's block is a part of what was hashed */
        lane->w[3] = _mm_insert_epi32(lane->w[3], (int)(8 * (64 + item->size)), 3);
    }
}

/* The same key is the usual case: its states are put in order once. */
INLINE void set_keys(struct lane *lanes, const struct csn_hmac_item *const *items, uint32_t count)
{
    const struct csn_hmac_key *key = NULL;
    struct lane keyed = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (items[i]->key != key) {
            key = items[i]->key;
            load_state(key->inner, &keyed.abef, &keyed.cdgh);
            load_state(key->outer, &keyed.outer_abef, &keyed.outer_cdgh);
        }
        lanes[i].abef = keyed.abef;
        lanes[i].cdgh = keyed.cdgh;
        lanes[i].outer_abef = keyed.outer_abef;
        lanes[i].outer_cdgh = keyed.outer_cdgh;
    }
}

INLINE void run_group(struct lane *lanes, const struct csn_hmac_item *const *items, uint32_t count,
                      uint32_t blocks, run_lanes *run)
{
    set_keys(lanes, items, count);
    for (uint32_t block = 0; block < blocks; block++) {
        const bool last = block + 1 == blocks;
        for (uint32_t i = 0; i < count; i++) {
            set_words(&lanes[i], items[i], block, last);
        }
        run(lanes, last);
    }
    for (uint32_t i = 0; i < count; i++) {
        __m128i dcba, hgfe;
        read_state(&lanes[i], &dcba, &hgfe);
        store_vector(items[i]->tag, swap_words(dcba));
        store_vector(items[i]->tag + 16, swap_words(hgfe));
    }
}

/* Groups of about one size: nine are three times three, not four, four and one. */
INLINE void run_groups(const struct csn_hmac_item *const *items, uint32_t count, uint32_t blocks,
                       run_lanes *const *runs)
{
    struct lane lanes[LANES];
    for (uint32_t groups = (count + LANES - 1) / LANES; groups > 0; groups--) {
        const uint32_t size = (count + groups - 1) / groups;
        run_group(lanes, items, size, blocks, runs[size - 1]);
        items += size;
        count -= size;
    }
    csn_wipe(lanes, sizeof lanes);
}

static void macs(const struct csn_hmac_item *const *items, uint32_t count, uint32_t blocks)
{
    static run_lanes *const runs[LANES] = {run_1, run_2, run_3, run_4};
    run_groups(items, count, blocks, runs);
}

static void macs_upper(const struct csn_hmac_item *const *items, uint32_t count, uint32_t blocks)
{
    static run_lanes *const runs[LANES] = {run_1, run_2, csn_sha256_upper_3, csn_sha256_upper_4};
    run_groups(items, count, blocks, runs);
}

const struct csn_sha256_kernel csn_sha256_shani = {.compress = compress, .macs = macs};
const struct csn_sha256_kernel csn_sha256_shani_upper = {.compress = compress, .macs = macs_upper};
