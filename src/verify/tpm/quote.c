/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c: see quote.h. */
#include "verify/tpm/quote.h"
#include "verify/parse/read.h"
#include <string.h>

/* The longest TPMT_HA: an algorithm and a SHA-512 digest. */
#define NAME_SIZE_MAX   (2 + 64)
#define DIGEST_SIZE_MAX 64

static const struct csv_tpm_hash hashes[] = {
    {0x0004, 20, "sha1", NULL},
    {0x000b, 32, "sha256", EVP_sha256},
    {0x000c, 48, "sha384", EVP_sha384},
    {0x000d, 64, "sha512", EVP_sha512},
};
#define HASH_COUNT (sizeof hashes / sizeof hashes[0])

const struct csv_tpm_hash *csv_tpm_hash(uint64_t id)
{
    for (size_t i = 0; i < HASH_COUNT; i++) {
        if (hashes[i].id == id) {
            return &hashes[i];
        }
    }
    return NULL;
}

const struct csv_tpm_hash *csv_tpm_hash_named(const char *name, size_t size)
{
    for (size_t i = 0; i < HASH_COUNT; i++) {
        if (strlen(hashes[i].name) == size && memcmp(hashes[i].name, name, size) == 0) {
            return &hashes[i];
        }
    }
    return NULL;
}

const struct csv_tpm_hash *csv_tpm_quote_hash(const struct csv_tpm_quote *quote)
{
    for (size_t i = 0; i < HASH_COUNT; i++) {
        if (hashes[i].make != NULL && hashes[i].size == quote->pcr_digest.size) {
            return &hashes[i];
        }
    }
    return NULL;
}

/* A TPM2B: a length of two bytes, then the bytes. */
static struct csv_bytes read_sized(struct csv_reader *reader, size_t size_max)
{
    size_t size = (size_t)csv_read_be(reader, 2);
    reader->failed = reader->failed || size > size_max;
    return csv_read_run(reader, size);
}

static const char *selection_fault(const struct csv_tpm_quote *quote, size_t index)
{
    const struct csv_tpm_selection *selection = &quote->selections[index];
    if (selection->bank == NULL) {
        return "a bank of an unknown hash";
    }
    for (size_t i = 0; i < index; i++) {
        if (quote->selections[i].bank == selection->bank) {
            return "a bank is selected twice";
        }
    }
    return NULL;
}

static const char *read_selections(struct csv_reader *reader, struct csv_tpm_quote *quote)
{
    uint64_t count = csv_read_be(reader, 4);
    if (count > CSV_TPM_BANK_COUNT_MAX) {
        return "too many banks";
    }
    quote->selection_count = (size_t)count;
    for (size_t i = 0; i < quote->selection_count; i++) {
        struct csv_tpm_selection *selection = &quote->selections[i];
        selection->bank = csv_tpm_hash(csv_read_be(reader, 2));
        size_t size = (size_t)csv_read_be(reader, 1);
        if (size > CSV_TPM_PCR_COUNT_MAX / 8) {
            return "a selection of more than 32 PCRs";
        }
        selection->bitmap = csv_read_run(reader, size);
        for (size_t j = 0; j < selection->bitmap.size; j++) {
            selection->pcrs |= (uint32_t)selection->bitmap.at[j] << (8 * j);
        }
        const char *fault = reader->failed ? NULL : selection_fault(quote, i);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

bool csv_tpm_quote_read(struct csv_bytes bytes, struct csv_tpm_quote *quote, const char **why)
{
    struct csv_reader reader = csv_read(bytes);
    *quote = (struct csv_tpm_quote){.whole = bytes};
    *why = "not made inside a TPM (magic)";
    if (csv_read_be(&reader, 4) != CSV_TPM_MAGIC) {
        return false;
    }
    *why = "not a quote (type)";
    if (csv_read_be(&reader, 2) != CSV_TPM_QUOTE) {
        return false;
    }
    quote->qualified_signer = read_sized(&reader, NAME_SIZE_MAX);
    quote->extra_data = read_sized(&reader, NAME_SIZE_MAX);
    quote->clock = csv_read_be(&reader, 8);
    quote->reset_count = (uint32_t)csv_read_be(&reader, 4);
    quote->restart_count = (uint32_t)csv_read_be(&reader, 4);
    quote->safe = (uint32_t)csv_read_be(&reader, 1);
    quote->firmware = csv_read_be(&reader, 8);
    const char *fault = read_selections(&reader, quote);
    quote->pcr_digest = read_sized(&reader, DIGEST_SIZE_MAX);
    *why = fault != NULL      ? fault
           : reader.failed    ? "lengths that do not fit"
           : reader.left != 0 ? "something behind its end"
           : quote->safe > 1  ? "safe is neither 0 nor 1"
                              : NULL;
    return *why == NULL;
}

bool csv_tpm_quote_recognise(struct csv_bytes bytes)
{
    static const uint8_t start[] = {0xff, 0x54, 0x43, 0x47, 0x80, 0x18};
    return bytes.size > sizeof start && memcmp(bytes.at, start, sizeof start) == 0;
}

void csv_tpm_quote_claims(struct csv_case *appraisal, const struct csv_tpm_quote *quote)
{
    csv_claim_word(appraisal, "magic", CSV_TPM_MAGIC);
    csv_claim_word(appraisal, "type", CSV_TPM_QUOTE);
    csv_claim_bytes(appraisal, "qualified_signer", quote->qualified_signer.at,
                    quote->qualified_signer.size);
    csv_claim_bytes(appraisal, "extra_data", quote->extra_data.at, quote->extra_data.size);
    csv_claim_number(appraisal, "clock", quote->clock);
    csv_claim_number(appraisal, "reset_count", quote->reset_count);
    csv_claim_number(appraisal, "restart_count", quote->restart_count);
    csv_claim_number(appraisal, "safe", quote->safe);
    csv_claim_word(appraisal, "firmware", quote->firmware);
    csv_claim_bytes(appraisal, "pcr_digest", quote->pcr_digest.at, quote->pcr_digest.size);
}

const char *csv_tpm_selection_text(struct csv_arena *arena, const struct csv_tpm_quote *quote)
{
    const char *text = "";
    for (size_t i = 0; i < quote->selection_count; i++) {
        const struct csv_tpm_selection *selection = &quote->selections[i];
        text = csv_text(arena, "%s%s%s:%s", text, i == 0 ? "" : "+", selection->bank->name,
                        csv_text_hex(arena, selection->bitmap.at, selection->bitmap.size));
    }
    return text;
}
