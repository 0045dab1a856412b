/* SPDX-License-Identifier: Apache-2.0 */
/* ecdsa_der.c: ECDSA signatures as DER (SEC 1 section C.8). All of it is public. */
#include "ecdsa.h"
#include <core/bytes.h>

#define INTEGER  0x02
#define SEQUENCE 0x30

/* Two integers of P-384 need 102 bytes, so each length is one byte. */
_Static_assert(CSN_ECDSA_DER_SIZE_MAX - 2 < 128, "lengths in short form");

static uint8_t *write_integer(uint8_t *next, const uint8_t *number, uint32_t size)
{
    uint32_t zeros = 0;
    while (zeros < size - 1 && number[zeros] == 0) {
        zeros++;
    }
    uint32_t sign = number[zeros] >> 7; /* a byte in front, so that it is not negative */
    *next++ = INTEGER;
    *next++ = (uint8_t)(sign + size - zeros);
    *next = 0;
    next += sign;
    __builtin_memcpy(next, number + zeros, size - zeros);
    return next + size - zeros;
}

csn_err csn_ecdsa_to_der(uint32_t curve, const uint8_t *signature,
                         uint8_t der[CSN_ECDSA_DER_SIZE_MAX], size_t *der_size)
{
    const uint32_t size = csn_ec_size(curve);
    if (size == 0) {
        return CSN_ERR_SUITE;
    }
    uint8_t *next = write_integer(der + 2, signature, size);
    next = write_integer(next, signature + size, size);
    der[0] = SEQUENCE;
    der[1] = (uint8_t)(next - der - 2);
    *der_size = (size_t)(next - der);
    return CSN_OK;
}

/* Of `left` bytes at der: how many an integer takes; 0: it is not one, or above size bytes. */
static size_t read_integer(const uint8_t *der, size_t left, uint32_t size, uint8_t *number)
{
    if (left < 3 || der[0] != INTEGER || der[1] == 0 || der[1] > left - 2) {
        return 0;
    }
    size_t count = der[1];
    const uint8_t *digits = der + 2;
    bool negative = digits[0] >= 0x80;
    bool padded = digits[0] == 0 && count > 1;
    if (negative || (padded && digits[1] < 0x80)) {
        return 0;
    }
    if (padded) {
        digits++;
        count--;
    }
    if (count > size) {
        return 0;
    }
    __builtin_memset(number, 0, size - count);
    __builtin_memcpy(number + size - count, digits, count);
    return 2u + der[1];
}

csn_err csn_ecdsa_from_der(uint32_t curve, const uint8_t *der, size_t der_size, uint8_t *signature)
{
    const uint32_t size = csn_ec_size(curve);
    if (size == 0) {
        return CSN_ERR_SUITE;
    }
    if (der_size >= 2 && der_size < 128 && der[0] == SEQUENCE && der[1] == der_size - 2) {
        size_t first = read_integer(der + 2, der_size - 2, size, signature);
        size_t second = first == 0 ? 0
                                   : read_integer(der + 2 + first, der_size - 2 - first, size,
                                                  signature + size);
        if (second != 0 && 2 + first + second == der_size) {
            return CSN_OK;
        }
    }
    csn_wipe(signature, 2 * size);
    return CSN_ERR_FORMAT;
}
