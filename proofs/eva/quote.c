/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.c: framing of SGX and TDX quotes. Any bytes at sizes too short for a body; then each kind
 * of quote, with little behind its body (what trails the signature data is touched), and with room
 * for all fixed parts and SLACK bytes more, or up to seven bytes less (all else is touched). Every
 * other byte is any, and so is every length but where a function below says less.
 */
#include "verify/dcap/quote.h"
#include "foreign.h"

/* Bytes more than the fixed parts: of all that has a length, or behind it. */
#define SLACK         1
#define WRAP_SIZE     (2 + 4)
#define VARIANT_COUNT (sizeof variants / sizeof variants[0])

static const struct variant {
    uint8_t version;
    uint8_t tee;
    uint8_t body_type; /* 0: the version does not say */
    uint16_t size;     /* of header and body */
} variants[] = {
    {3, CSV_TEE_SGX, 0, CSV_QUOTE_HEADER_SIZE + CSV_SGX_BODY_SIZE},
    {4, CSV_TEE_SGX, 0, CSV_QUOTE_HEADER_SIZE + CSV_SGX_BODY_SIZE},
    {4, CSV_TEE_TDX, 0, CSV_QUOTE_HEADER_SIZE + CSV_TD10_BODY_SIZE},
    {5, CSV_TEE_SGX, CSV_QUOTE_BODY_SGX, CSV_QUOTE_HEADER_SIZE + 6 + CSV_SGX_BODY_SIZE},
    {5, CSV_TEE_TDX, CSV_QUOTE_BODY_TD10, CSV_QUOTE_HEADER_SIZE + 6 + CSV_TD10_BODY_SIZE},
    {5, CSV_TEE_TDX, CSV_QUOTE_BODY_TD15, CSV_QUOTE_HEADER_SIZE + 6 + CSV_TD15_BODY_SIZE},
    {5, CSV_TEE_TDX, CSV_QUOTE_BODY_TD15EX, CSV_QUOTE_HEADER_SIZE + 6 + CSV_TD15EX_BODY_SIZE},
};

/* The end of a path: there is nothing more to look at. */
/*@ assigns \nothing; ensures \false; */
void foreign_end(void);

static void take(struct csv_bytes bytes, bool trailing)
{
    struct csv_quote quote;
    const char *fault = csv_quote_parse(bytes, &quote);
    if (trailing) {
        foreign_touch(quote.trailing.at, quote.trailing.size);
    }
    if (fault != NULL) {
        foreign_touch((const uint8_t *)fault, 1);
        foreign_end();
    }
    foreign_touch(quote.header, CSV_QUOTE_HEADER_SIZE);
    foreign_touch(quote.body.at, quote.body.size);
    foreign_touch(quote.signed_bytes.at, quote.signed_bytes.size);
    foreign_touch(quote.signature, 64);
    foreign_touch(quote.key, 64);
    foreign_touch(quote.qe_report, CSV_SGX_BODY_SIZE);
    foreign_touch(quote.qe_signature, 64);
    foreign_touch(quote.auth.at, quote.auth.size);
    foreign_touch(quote.cert.at, quote.cert.size);
    foreign_end();
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* A length that there may be room for, each on its own, or any that is more. */
static void put_length(uint8_t *at, size_t room)
{
    size_t size = Frama_C_unsigned_long_interval(0, room + 2);
    /*@ split size; */
    at[0] = (uint8_t)size;
    at[1] = 0;
    if (size == room + 1) {
        at[0] = (uint8_t)Frama_C_unsigned_int_interval((unsigned)size, UINT8_MAX);
    } else if (size == room + 2) {
        at[0] = (uint8_t)Frama_C_unsigned_int_interval(0, UINT8_MAX);
        at[1] = (uint8_t)Frama_C_unsigned_int_interval(1, UINT8_MAX);
    }
}

static struct csv_bytes variant_bytes(const struct variant *variant, size_t least, size_t most)
{
    struct csv_bytes bytes = foreign_bytes(variant->size + least, variant->size + most);
    uint8_t *at = foreign_memory + sizeof foreign_memory - bytes.size;
    put(at, variant->version, 2);
    put(at + 4, variant->tee, 4);
    if (variant->body_type != 0) {
        put(at + CSV_QUOTE_HEADER_SIZE, variant->body_type, 2);
    }
    return bytes;
}

/* What lies behind signature data that is shorter than its fixed parts, or said to be up to 64 KiB.
 */
static void take_short(const struct variant *variant)
{
    struct csv_bytes bytes = variant_bytes(variant, 4, 4 + SLACK);
    uint8_t *at = foreign_memory + sizeof foreign_memory - bytes.size + variant->size;
    put_length(at, SLACK);
    at[2] = at[3] = 0;
    take(bytes, true);
}

static void take_long(const struct variant *variant)
{
    size_t auth = 4 + 64 + 64 + (variant->version == 3 ? 0 : WRAP_SIZE) + CSV_SGX_BODY_SIZE + 64;
    struct csv_bytes bytes = variant_bytes(variant, auth + 1, auth + 2 + 2 + 4 + SLACK);
    uint8_t *at = foreign_memory + sizeof foreign_memory - bytes.size + variant->size;
    if (bytes.size >= variant->size + auth + 2) {
        put_length(at + auth, 2 + 4 + SLACK);
    }
    take(bytes, false);
}

int main(void)
{
    size_t index = Frama_C_unsigned_long_interval(0, VARIANT_COUNT);
    /*@ split index; */
    if (index == VARIANT_COUNT) {
        struct csv_bytes bytes = foreign_bytes(0, CSV_QUOTE_HEADER_SIZE + 8);
        csv_quote_tee(bytes);
        take(bytes, true);
        return 0;
    }
    const struct variant *variant = &variants[index];
    if (Frama_C_interval(0, 1) != 0) {
        take_short(variant);
    } else {
        take_long(variant);
    }
    return 0;
}
