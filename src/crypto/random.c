/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random.c: AES-256-CTR with fast key erasure over a source that is tested first.
 *
 * What the tests find: a source that fails, is stuck, repeats within a window, has stuck, biased or
 * toggling bits, few distinct bytes, or counts in constant steps. What no test can find: a source
 * that is deterministic and well mixed (a cipher under a key that somebody knows). For that there
 * is only the trust in the CPU that the evidence names.
 *
 * Each threshold is over ten standard deviations from what a perfect source gives: a healthy one
 * is refused less than once in 2^40 starts.
 */
#include "random.h"
#include "aes.h"
#include "sha2.h"
#include <core/bytes.h>

#define START_WORDS   1024u /* SP 800-90B section 4.3: at least 1,024 samples at start */
#define START_BATCH   64u   /* words in memory at a time; repeats are looked for among them */
#define RESEED_WORDS  8u    /* 512 bits a time */
#define RESEED_PERIOD 64u   /* refills of 512 bytes: every 2^15 bytes */

#define BIT_ONES_MIN  350u /* of 1,024: mean 512, deviation 16 */
#define BIT_ONES_MAX  674u
#define PLANE_COUNT   11u /* binary digits of a count up to START_WORDS */
#define LANE_BYTE_MAX 40u /* one value in one byte lane: mean 4 of 1,024, deviation 2 */

/*
 * One-bits per bit position, of the words and of each word against the one before it: 64 counters
 * side by side, of which a plane holds one binary digit each.
 */
struct start_counts {
    uint64_t ones[PLANE_COUNT];
    uint64_t flips[PLANE_COUNT];
    uint16_t lane_bytes[8][256];
};

/*
 * Continuous tests, on every word ever taken. RCT of SP 800-90B 4.4.1 with cutoff 2 on 64 bits, the
 * constant-step test, and the two values that broken hardware returns as success (for zero:
 * CVE-2025-62626). Each alarms by chance once in 2^62 words or less.
 */
static bool take_word(struct csn_random *random, uint64_t *word)
{
    uint64_t value = 0;
    if (!random->source(random->state, &value)) {
        return false;
    }
    uint64_t difference = value - random->last;
    bool healthy = value != 0 && value != UINT64_MAX && value != random->last &&
                   difference != random->last_difference;
    random->last = value;
    random->last_difference = difference;
    *word = value;
    return healthy;
}

static void count_bits(uint64_t planes[PLANE_COUNT], uint64_t bits)
{
    for (uint32_t i = 0; i < PLANE_COUNT; i++) {
        uint64_t carry = planes[i] & bits;
        planes[i] ^= bits;
        bits = carry;
    }
}

static bool bits_healthy(const uint64_t planes[PLANE_COUNT])
{
    for (uint32_t bit = 0; bit < 64; bit++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < PLANE_COUNT; i++) {
            count |= (uint32_t)(planes[i] >> bit & 1) << i;
        }
        if (count < BIT_ONES_MIN || count > BIT_ONES_MAX) {
            return false;
        }
    }
    return true;
}

static void count_word(struct start_counts *counts, uint64_t word, uint64_t before)
{
    count_bits(counts->ones, word);
    count_bits(counts->flips, word ^ before);
    for (uint32_t lane = 0; lane < 8; lane++) {
        counts->lane_bytes[lane][word >> 8 * lane & 255]++;
    }
}

/* The adaptive proportion test's idea, over bits, bit changes and bytes. */
static bool counts_healthy(const struct start_counts *counts)
{
    if (!bits_healthy(counts->ones) || !bits_healthy(counts->flips)) {
        return false;
    }
    for (uint32_t lane = 0; lane < 8; lane++) {
        for (uint32_t value = 0; value < 256; value++) {
            if (counts->lane_bytes[lane][value] > LANE_BYTE_MAX) {
                return false;
            }
        }
    }
    return true;
}

/* No word twice in a batch: finds every period up to its length. */
static bool all_distinct(const uint64_t words[START_BATCH])
{
    for (uint32_t i = 1; i < START_BATCH; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (words[i] == words[k]) {
                return false;
            }
        }
    }
    return true;
}

static bool start_tests(struct csn_random *random, struct csn_sha256 *seed)
{
    struct start_counts counts = {0};
    uint64_t words[START_BATCH];
    bool healthy = true;
    for (uint32_t done = 0; done < START_WORDS && healthy; done += START_BATCH) {
        for (uint32_t i = 0; i < START_BATCH && healthy; i++) {
            uint64_t before = random->last;
            healthy = take_word(random, &words[i]);
            if (healthy) {
                count_word(&counts, words[i], before);
            }
        }
        if (healthy) {
            healthy = all_distinct(words);
            csn_sha256_update(seed, words, sizeof words);
        }
    }
    healthy = healthy && counts_healthy(&counts);
    csn_wipe(words, sizeof words);
    csn_wipe(&counts, sizeof counts);
    return healthy;
}

static csn_err refuse(struct csn_random *random)
{
    csn_wipe(random, sizeof *random);
    random->failed = 1;
    return CSN_ERR_ENTROPY;
}

csn_err csn_random_init(struct csn_random *random, csn_random_source source, void *state)
{
    struct csn_sha256 seed;
    __builtin_memset(random, 0, sizeof *random);
    random->source = source;
    random->state = state;
    csn_sha256_init(&seed);
    bool healthy = start_tests(random, &seed);
    csn_sha256_final(&seed, random->key);
    random->buffer_used = sizeof random->buffer;
    return healthy ? CSN_OK : refuse(random);
}

static bool reseed(struct csn_random *random)
{
    uint64_t words[RESEED_WORDS];
    struct csn_sha256 hash;
    for (uint32_t i = 0; i < RESEED_WORDS; i++) {
        if (!take_word(random, &words[i])) {
            return false;
        }
    }
    csn_sha256_init(&hash);
    csn_sha256_update(&hash, random->key, sizeof random->key);
    csn_sha256_update(&hash, words, sizeof words);
    csn_sha256_final(&hash, random->key);
    csn_wipe(words, sizeof words);
    return true;
}

/* 544 bytes of CTR: the first 32 replace the key, so that what was handed out cannot be redone. */
static void refill(struct csn_random *random)
{
    struct csn_aes_key key;
    uint8_t stream[34][16] = {{0}};
    for (uint32_t i = 0; i < 34; i++) {
        stream[i][0] = (uint8_t)i;
    }
    (void)!csn_aes_key_init(&key, random->key, sizeof random->key); /* 32 is a legal size */
    csn_aes_encrypt(&key, stream[0], stream[0], 34);
    __builtin_memcpy(random->key, stream, sizeof random->key);
    __builtin_memcpy(random->buffer, stream + 2, sizeof random->buffer);
    random->buffer_used = 0;
    csn_wipe(&key, sizeof key);
    csn_wipe(stream, sizeof stream);
}

csn_err csn_random_fill(struct csn_random *random, void *bytes, size_t size)
{
    uint8_t *next = bytes;
    size_t left = size;
    if (random->failed != 0 || random->source == NULL) {
        csn_wipe(bytes, size);
        return CSN_ERR_ENTROPY;
    }
    while (left > 0) {
        if (random->buffer_used == sizeof random->buffer) {
            if (random->refills++ % RESEED_PERIOD == 0 && !reseed(random)) {
                csn_wipe(bytes, size);
                return refuse(random);
            }
            refill(random);
        }
        size_t part = sizeof random->buffer - random->buffer_used;
        part = left < part ? left : part;
        __builtin_memcpy(next, random->buffer + random->buffer_used, part);
        csn_wipe(random->buffer + random->buffer_used, part);
        random->buffer_used += (uint32_t)part;
        next += part;
        left -= part;
    }
    return CSN_OK;
}
