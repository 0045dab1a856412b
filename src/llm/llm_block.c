/* SPDX-License-Identifier: Apache-2.0 */
/* llm_block.c: a block of weights, as it is in a file, as floats: rows of the embedding. */
#include "llm_kernel.h"

static uint16_t half_at(const uint8_t *bytes)
{
    uint16_t half;
    __builtin_memcpy(&half, bytes, sizeof half);
    return half;
}

/* Exact: every half is a float. */
static float float_of_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31;
    const uint32_t fraction = half & 0x3ff;
    uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    if (exponent == 31) {
        bits = sign | 0x7f800000u | fraction << 13;
    }
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

static void floats_q8(const uint8_t *block, float *target)
{
    const float scale = float_of_half(half_at(block));
    for (uint32_t i = 0; i < 32; i++) {
        target[i] = (float)(int8_t)block[2 + i] * scale;
    }
}

static void floats_q4(const uint8_t *block, float *target)
{
    const float scale = float_of_half(half_at(block));
    for (uint32_t i = 0; i < 16; i++) {
        target[i] = (float)((block[2 + i] & 15) - 8) * scale;
        target[16 + i] = (float)((block[2 + i] >> 4) - 8) * scale;
    }
}

/* Two 6-bit factors of sub-block i, packed in 12 bytes. */
static uint32_t factor_of(const uint8_t *bytes, uint32_t i)
{
    return i < 4 ? bytes[i] & 63u : (bytes[i + 4] & 15u) | (bytes[i - 4] >> 6) << 4;
}

static uint32_t offset_of(const uint8_t *bytes, uint32_t i)
{
    return i < 4 ? bytes[i + 4] & 63u : bytes[i + 4] >> 4 | (bytes[i] >> 6 & 3u) << 4;
}

static void floats_q4k(const uint8_t *block, float *target)
{
    const float scale = float_of_half(half_at(block));
    const float offset = float_of_half(half_at(block + 2));
    for (uint32_t i = 0; i < 8; i++) {
        const uint8_t *bytes = block + 16 + i / 2 * 32;
        const float sub_scale = scale * (float)factor_of(block + 4, i);
        const float sub_offset = offset * (float)offset_of(block + 4, i);
        for (uint32_t j = 0; j < 32; j++) {
            const uint32_t number = i % 2 == 0 ? bytes[j] & 15u : bytes[j] >> 4;
            target[32 * i + j] = sub_scale * (float)number - sub_offset;
        }
    }
}

static void floats_q6k(const uint8_t *block, float *target)
{
    const float scale = float_of_half(half_at(block + 208));
    for (uint32_t i = 0; i < 256; i++) {
        const uint32_t half = i / 128;
        const uint32_t quarter = i % 128 / 32; /* of the half */
        const uint32_t low = block[half * 64 + i % 64] >> (quarter / 2 * 4) & 15u;
        const uint32_t high = block[128 + half * 32 + i % 32] >> (quarter * 2) & 3u;
        const int8_t factor = (int8_t)block[192 + i / 16];
        target[i] = scale * (float)factor * (float)((int32_t)(low | high << 4) - 32);
    }
}

void csn_llm_block_floats(uint32_t type, const uint8_t *block, float *target)
{
    switch (type) {
    case CSN_GGUF_F32:
        __builtin_memcpy(target, block, sizeof *target);
        break;
    case CSN_GGUF_F16:
        *target = float_of_half(half_at(block));
        break;
    case CSN_GGUF_Q8_0:
        floats_q8(block, target);
        break;
    case CSN_GGUF_Q4_0:
        floats_q4(block, target);
        break;
    case CSN_GGUF_Q4_K:
        floats_q4k(block, target);
        break;
    default:
        floats_q6k(block, target);
        break;
    }
}
