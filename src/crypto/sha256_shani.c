/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_shani.c: the SHA-256 compression with the SHA extensions; built with -msha -msse4.1. */
#include "sha256_kernel.h"
#include <immintrin.h>

#define LANES CSN_SHA256_LANES

static inline __m128i load(const void *bytes)
{
    return _mm_loadu_si128((const __m128i *)bytes);
}

/* One message: the state as the instructions want it, highest word first, and 16 schedule words. */
struct lane {
    __m128i abef, cdgh;
    __m128i w[4];
};

static inline void load_state(struct lane *lane, const uint32_t state[8])
{
    __m128i dcba = load(state);
    __m128i hgfe = load(state + 4);
    __m128i badc = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    lane->abef = _mm_alignr_epi8(badc, efgh, 8);
    lane->cdgh = _mm_blend_epi16(efgh, badc, 0xf0);
}

static inline void store_state(const struct lane *lane, uint32_t state[8])
{
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static inline __m128i swap_words(__m128i words)
{
    const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(words, order);
}

static inline void load_words(struct lane *lane, const uint8_t *block)
{
    for (int i = 0; i < 4; i++) {
        lane->w[i] = swap_words(load(block + 16 * i));
    }
}

/* Words i..i+3 of the schedule are in w[at]; at is a constant, so that w stays in registers. */
static inline void four_rounds(struct lane *lane, int i, int at)
{
    __m128i sum = _mm_add_epi32(lane->w[at], load(csn_sha256_constants + i + 4 * at));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, sum);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The words 16 rounds on: sigma0 part, the word seven back, then the sigma1 part. */
static inline void four_words(struct lane *lane, int at)
{
    __m128i *w = lane->w;
    __m128i next = _mm_sha256msg1_epu32(w[at], w[(at + 1) & 3]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(w[(at + 3) & 3], w[(at + 2) & 3], 4));
    w[at] = _mm_sha256msg2_epu32(next, w[(at + 3) & 3]);
}

static inline void rounds_and_words(struct lane *lane, int i, int at)
{
    four_rounds(lane, i, at);
    four_words(lane, at);
}

static void compress(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    struct lane lane;
    load_state(&lane, state);
    for (; count > 0; count--, blocks += 64) {
        __m128i abef = lane.abef;
        __m128i cdgh = lane.cdgh;
        load_words(&lane, blocks);
        for (int i = 0; i < 48; i += 16) {
            rounds_and_words(&lane, i, 0);
            rounds_and_words(&lane, i, 1);
            rounds_and_words(&lane, i, 2);
            rounds_and_words(&lane, i, 3);
        }
        four_rounds(&lane, 48, 0);
        four_rounds(&lane, 48, 1);
        four_rounds(&lane, 48, 2);
        four_rounds(&lane, 48, 3);
        lane.abef = _mm_add_epi32(lane.abef, abef);
        lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
    }
    store_state(&lane, state);
}

/* Sixteen rounds of all lanes; last: no further words are needed. */
static inline void lanes_sixteen(struct lane lanes[LANES], int i, int last)
{
#define STEP(at)                                                                                   \
    for (uint32_t k = 0; k < LANES; k++) {                                                         \
        four_rounds(&lanes[k], i, at);                                                             \
        if (!last) {                                                                               \
            four_words(&lanes[k], at);                                                             \
        }                                                                                          \
    }
    STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
}

static inline void lanes_block(struct lane lanes[LANES])
{
    __m128i before[LANES][2];
    for (uint32_t k = 0; k < LANES; k++) {
        before[k][0] = lanes[k].abef;
        before[k][1] = lanes[k].cdgh;
    }
    for (int i = 0; i < 48; i += 16) {
        lanes_sixteen(lanes, i, 0);
    }
    lanes_sixteen(lanes, 48, 1);
    for (uint32_t k = 0; k < LANES; k++) {
        lanes[k].abef = _mm_add_epi32(lanes[k].abef, before[k][0]);
        lanes[k].cdgh = _mm_add_epi32(lanes[k].cdgh, before[k][1]);
    }
}

/* The digest as the first words of the outer message, padded: 32 bytes behind one block. */
static inline void outer_words(struct lane *lane)
{
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
    lane->w[0] = _mm_blend_epi16(feba, dchg, 0xf0);
    lane->w[1] = _mm_alignr_epi8(dchg, feba, 8);
    lane->w[2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
    lane->w[3] = _mm_set_epi32(8 * 96, 0, 0, 0);
}

static void mac_lanes(const struct csn_sha256_mac macs[LANES], uint32_t count)
{
    struct lane lanes[LANES];
    for (uint32_t k = 0; k < LANES; k++) {
        load_state(&lanes[k], macs[k].key->inner);
    }
    for (uint32_t block = 0; block < count; block++) {
        for (uint32_t k = 0; k < LANES; k++) {
            load_words(&lanes[k], macs[k].blocks + 64 * block);
        }
        lanes_block(lanes);
    }
    for (uint32_t k = 0; k < LANES; k++) {
        outer_words(&lanes[k]);
        load_state(&lanes[k], macs[k].key->outer);
    }
    lanes_block(lanes);
    for (uint32_t k = 0; k < LANES; k++) {
        outer_words(&lanes[k]);
        _mm_storeu_si128((__m128i *)(void *)macs[k].tag, swap_words(lanes[k].w[0]));
        _mm_storeu_si128((__m128i *)(void *)(macs[k].tag + 16), swap_words(lanes[k].w[1]));
    }
}

const struct csn_sha256_kernel csn_sha256_shani = {.compress = compress, .mac_lanes = mac_lanes};
