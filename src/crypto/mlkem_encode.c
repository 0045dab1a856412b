/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlkem_encode.c: ML-KEM's numbers as bytes, whole and compressed (FIPS 203, section 4.2.1).
 *
 * There is no division: by q it is a multiplication, since how long a divider takes may tell of the
 * number that it is given, and the numbers are secrets when decapsulation encrypts again.
 */
#include "mlkem_core.h"
#include <core/bytes.h>

#define Q CSN_MLKEM_Q

void csn_mlkem_encode(const struct csn_mlkem_poly *poly, uint8_t bytes[384])
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 2; i++) {
        uint32_t first = (uint16_t)poly->at[csn_mlkem_place(2 * i)];
        uint32_t second = (uint16_t)poly->at[csn_mlkem_place(2 * i + 1)];
        bytes[3 * i] = (uint8_t)first;
        bytes[3 * i + 1] = (uint8_t)(first >> 8 | second << 4);
        bytes[3 * i + 2] = (uint8_t)(second >> 4);
    }
}

/* A number of 12 bits is below 2 q. *above becomes not 0 if it is q or more. */
static int16_t decode_one(uint32_t number, uint32_t *above)
{
    int32_t rest = (int32_t)number - Q;
    int32_t below = rest >> 31;
    *above |= ~(uint32_t)below;
    return (int16_t)(rest + (below & Q));
}

bool csn_mlkem_decode(const uint8_t bytes[384], struct csn_mlkem_poly *poly)
{
    uint32_t above = 0;
    for (uint32_t i = 0; i < CSN_MLKEM_N / 2; i++) {
        const uint8_t *three = bytes + 3 * i;
        uint32_t pair = three[0] | (uint32_t)three[1] << 8 | (uint32_t)three[2] << 16;
        poly->at[csn_mlkem_place(2 * i)] = decode_one(pair & 0xfff, &above);
        poly->at[csn_mlkem_place(2 * i + 1)] = decode_one(pair >> 12, &above);
    }
    return above == 0;
}

/*
 * round(number * 2^bits / q) modulo 2^bits. What is divided is below 2^22; the factor is 2^36 / q,
 * rounded up by less than 1, so the quotient is exact: its error is less than 2^-14 < 1 / q.
 */
static uint32_t compress(int16_t number, uint32_t bits)
{
    uint64_t dividend = ((uint64_t)(uint16_t)number << bits) + Q / 2;
    return (uint32_t)(dividend * 20642679u >> 36) & ((1u << bits) - 1);
}

/* round(value * q / 2^bits) */
static int16_t expand(uint32_t value, uint32_t bits)
{
    return (int16_t)((value * Q + (1u << (bits - 1))) >> bits);
}

void csn_mlkem_compress_10(const struct csn_mlkem_poly *poly, uint8_t bytes[320])
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 4; i++) {
        uint64_t four = 0;
        for (uint32_t k = 0; k < 4; k++) {
            four |= (uint64_t)compress(poly->at[4 * i + k], 10) << 10 * k;
        }
        csn_store_u32(bytes + 5 * i, (uint32_t)four);
        bytes[5 * i + 4] = (uint8_t)(four >> 32);
    }
}

void csn_mlkem_expand_10(const uint8_t bytes[320], struct csn_mlkem_poly *poly)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 4; i++) {
        uint64_t four = csn_load_u32(bytes + 5 * i) | (uint64_t)bytes[5 * i + 4] << 32;
        for (uint32_t k = 0; k < 4; k++) {
            poly->at[4 * i + k] = expand((uint32_t)(four >> 10 * k) & 0x3ff, 10);
        }
    }
}

void csn_mlkem_compress_4(const struct csn_mlkem_poly *poly, uint8_t bytes[128])
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 2; i++) {
        bytes[i] = (uint8_t)(compress(poly->at[2 * i], 4) | compress(poly->at[2 * i + 1], 4) << 4);
    }
}

void csn_mlkem_expand_4(const uint8_t bytes[128], struct csn_mlkem_poly *poly)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 2; i++) {
        poly->at[2 * i] = expand(bytes[i] & 15, 4);
        poly->at[2 * i + 1] = expand(bytes[i] >> 4, 4);
    }
}

void csn_mlkem_compress_1(const struct csn_mlkem_poly *poly, uint8_t bytes[32])
{
    for (uint32_t i = 0; i < CSN_MLKEM_N / 8; i++) {
        uint32_t byte = 0;
        for (uint32_t k = 0; k < 8; k++) {
            byte |= compress(poly->at[8 * i + k], 1) << k;
        }
        bytes[i] = (uint8_t)byte;
    }
}

void csn_mlkem_expand_1(const uint8_t bytes[32], struct csn_mlkem_poly *poly)
{
    for (uint32_t i = 0; i < CSN_MLKEM_N; i++) {
        uint32_t mask = 0u - (bytes[i / 8] >> i % 8 & 1u);
        __asm__("" : "+r"(mask)); /* no branch by a compiler that sees 0 or -1 */
        poly->at[i] = (int16_t)(mask & ((Q + 1) / 2));
    }
}
