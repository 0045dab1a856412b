/* SPDX-License-Identifier: Apache-2.0 */
/* sha256_shani.c: the SHA-256 compression with the SHA extensions; built with -msha -msse4.1. */
#include "sha256_kernel.h"
#include <immintrin.h>

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

static inline void load_words(struct lane *lane, const uint8_t *block)
{
    const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (int i = 0; i < 4; i++) {
        lane->w[i] = _mm_shuffle_epi8(load(block + 16 * i), order);
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

static inline void two(struct lane *a, struct lane *b, int i, int at)
{
    four_rounds(a, i, at);
    four_rounds(b, i, at);
    if (i < 48) {
        four_words(a, at);
        four_words(b, at);
    }
}

static inline void two_sixteen(struct lane *a, struct lane *b, int i)
{
    two(a, b, i, 0);
    two(a, b, i, 1);
    two(a, b, i, 2);
    two(a, b, i, 3);
}

/* What was in the state before is added from memory: both lanes fill the registers. */
static inline void finish(const struct lane *lane, uint32_t state[8])
{
    struct lane sum = *lane;
    struct lane before;
    load_state(&before, state);
    sum.abef = _mm_add_epi32(sum.abef, before.abef);
    sum.cdgh = _mm_add_epi32(sum.cdgh, before.cdgh);
    store_state(&sum, state);
}

static void compress_two(struct csn_sha256_stream *left, struct csn_sha256_stream *right)
{
    struct lane a, b;
    load_state(&a, left->state);
    load_state(&b, right->state);
    load_words(&a, left->block);
    load_words(&b, right->block);
    for (int i = 0; i < 48; i += 16) {
        two_sixteen(&a, &b, i);
    }
    two_sixteen(&a, &b, 48);
    finish(&a, left->state);
    finish(&b, right->state);
}

const struct csn_sha256_kernel csn_sha256_shani = {.compress = compress,
                                                   .compress_two = compress_two};
