/* SPDX-License-Identifier: Apache-2.0 */
/* vtpm_rig.c: see vtpm_rig.h. */
#include "vtpm_rig.h"
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <stdio.h>

static void put(uint8_t **at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        *(*at)++ = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

static void put_sized(uint8_t **at, const void *bytes, size_t size)
{
    put(at, size, 2);
    memcpy(*at, bytes, size);
    *at += size;
}

size_t vtpm_hash_size(uint16_t hash)
{
    return hash == 0x0004   ? 20
           : hash == 0x000b ? 32
           : hash == 0x000c ? 48
           : hash == 0x000d ? 64
                            : 0;
}

static const EVP_MD *hash_of(uint16_t hash)
{
    return hash == 0x0004   ? EVP_sha1()
           : hash == 0x000c ? EVP_sha384()
           : hash == 0x000d ? EVP_sha512()
                            : EVP_sha256();
}

void vtpm_rig_init(struct vtpm_rig *rig, EVP_PKEY *key)
{
    memset(rig, 0, sizeof *rig);
    rig->key = key;
    rig->scheme = EVP_PKEY_is_a(key, "RSA") ? 0x0014 : 0x0018;
    rig->hash = 0x000b;
    rig->digest_hash = 0x000b;
    rig->magic = 0xff544347;
    rig->type = 0x8018;
    rig->extra_size = 32;
    memset(rig->extra, 0xa5, sizeof rig->extra);
    rig->clock = 123456;
    rig->reset_count = 7;
    rig->safe = 1;
    rig->firmware = UINT64_C(0x2020031200120003);
    rig->selection_count = 1;
    rig->selections[0] = (struct vtpm_selection){0x000b, 3, {0xff, 0x00, 0x80}};
    for (int i = 0; i < 32; i++) {
        memset(rig->pcr[i], 0x40 + i, sizeof rig->pcr[i]);
    }
    vtpm_rig_make(rig);
}

static uint32_t selected(const struct vtpm_selection *selection)
{
    uint32_t pcrs = 0;
    for (unsigned i = 0; i < selection->size && i < 4; i++) {
        pcrs |= (uint32_t)selection->bitmap[i] << (8 * i);
    }
    return pcrs;
}

void vtpm_rig_list(struct vtpm_rig *rig, uint32_t mask)
{
    static const char *const names[] = {"sha1", "sha256", "sha384", "sha512"};
    char *at = rig->pcrs;
    *at = 0;
    for (uint32_t i = 0; i < rig->selection_count; i++) {
        const struct vtpm_selection *selection = &rig->selections[i];
        size_t size = vtpm_hash_size(selection->bank);
        if (size == 0) {
            continue;
        }
        const char *name = names[selection->bank == 4 ? 0 : selection->bank - 0x000a];
        at += sprintf(at, "  %s:\n", name);
        for (unsigned n = 0; n < 32; n++) {
            char hex[129] = "";
            made_hex(rig->pcr[n], size, hex);
            at += (mask >> n & 1) != 0 ? sprintf(at, "    %-2u: 0x%s\n", n, hex) : 0;
        }
    }
}

void vtpm_rig_sign(struct vtpm_rig *rig)
{
    uint8_t raw[600];
    size_t size = made_signature(rig->key, hash_of(rig->hash), rig->scheme == 0x0016, rig->quote,
                                 rig->quote_size, raw);
    uint8_t *at = rig->signature;
    if (rig->scheme == 0) {
        memcpy(at, raw, size);
        rig->signature_size = size;
        return;
    }
    put(&at, rig->scheme, 2);
    put(&at, rig->hash, 2);
    if (rig->scheme == 0x0018) {
        const uint8_t *der = raw;
        uint8_t half[66];
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
        size_t r = (size_t)BN_bn2bin(ECDSA_SIG_get0_r(pair), half);
        put_sized(&at, half, r);
        size_t s = (size_t)BN_bn2bin(ECDSA_SIG_get0_s(pair), half);
        put_sized(&at, half, s);
        ECDSA_SIG_free(pair);
    } else {
        put_sized(&at, raw, size);
    }
    rig->signature_size = (size_t)(at - rig->signature);
}

static size_t pcr_digest(const struct vtpm_rig *rig, uint8_t digest[64])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, hash_of(rig->digest_hash), NULL);
    for (uint32_t i = 0; i < rig->selection_count; i++) {
        for (unsigned n = 0; n < 32; n++) {
            if ((selected(&rig->selections[i]) >> n & 1) != 0) {
                EVP_DigestUpdate(context, rig->pcr[n], vtpm_hash_size(rig->selections[i].bank));
            }
        }
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    return vtpm_hash_size(rig->digest_hash);
}

void vtpm_rig_make(struct vtpm_rig *rig)
{
    static const uint8_t signer[34] = {0x00, 0x0b, 0x5e};
    uint8_t digest[64];
    uint8_t *at = rig->quote;
    put(&at, rig->magic, 4);
    put(&at, rig->type, 2);
    put_sized(&at, signer, sizeof signer);
    put_sized(&at, rig->extra, rig->extra_size);
    put(&at, rig->clock, 8);
    put(&at, rig->reset_count, 4);
    put(&at, rig->restart_count, 4);
    put(&at, rig->safe, 1);
    put(&at, rig->firmware, 8);
    put(&at, rig->selection_count, 4);
    for (uint32_t i = 0; i < rig->selection_count; i++) {
        put(&at, rig->selections[i].bank, 2);
        put(&at, rig->selections[i].size, 1);
        memcpy(at, rig->selections[i].bitmap, rig->selections[i].size);
        at += rig->selections[i].size;
    }
    size_t size = pcr_digest(rig, digest);
    put_sized(&at, digest, size);
    rig->quote_size = (size_t)(at - rig->quote);
    vtpm_rig_sign(rig);
    vtpm_rig_list(rig, UINT32_MAX);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, rig->key), 1);
    int pem_size = BIO_read(bio, rig->ak, sizeof rig->ak - 1);
    rig->ak[pem_size] = 0;
    BIO_free(bio);
}

void vtpm_rig_parts(const struct vtpm_rig *rig, struct csv_input *input)
{
    if (!rig->without_signature) {
        assert_int_equal(
            csv_input_add(input, CSV_PART_TPM_SIGNATURE, NULL, rig->signature, rig->signature_size),
            CSN_OK);
    }
    if (!rig->without_pcrs) {
        assert_int_equal(csv_input_add(input, CSV_PART_PCRS, NULL, rig->pcrs, strlen(rig->pcrs)),
                         CSN_OK);
    }
    if (!rig->without_ak) {
        assert_int_equal(csv_input_add(input, CSV_PART_AK, NULL, rig->ak, strlen(rig->ak)), CSN_OK);
    }
}

struct csv_input *vtpm_rig_input(const struct vtpm_rig *rig)
{
    uint8_t nonce[32];
    struct csv_input *input = NULL;
    memset(nonce, 0xa5, sizeof nonce);
    assert_int_equal(csv_input_create(&input), CSN_OK);
    assert_int_equal(csv_input_add(input, CSV_PART_EVIDENCE, NULL, rig->quote, rig->quote_size),
                     CSN_OK);
    vtpm_rig_parts(rig, input);
    assert_int_equal(csv_input_set_nonce(input, nonce, sizeof nonce), CSN_OK);
    csv_input_set_time(input, MADE_TIME);
    return input;
}

int vtpm_rig_stop(void **state)
{
    made_forget();
    return table_stop(state);
}

struct csv_policy *vtpm_rig_policy(const struct vtpm_rig *rig, const char *extra)
{
    static char text[16384];
    uint8_t digest[32];
    char hex[129];
    made_spki_sha256(rig->key, digest);
    made_hex(digest, 32, hex);
    char *at = text;
    at += sprintf(at, "formats = [\"tpm\"]\n[tpm]\naks = [\"%s\"]\n", hex);
    for (unsigned n = 0; n < 24; n++) {
        bool listed = (selected(&rig->selections[0]) >> n & 1) != 0;
        made_hex(rig->pcr[n], vtpm_hash_size(rig->selections[0].bank), hex);
        at += listed ? sprintf(at, "pcrs.%u = [\"%s\"]\n", n, hex) : 0;
    }
    sprintf(at, "%s", extra != NULL ? extra : "");
    return table_policy(text);
}

struct csv_verdict *vtpm_expect(const struct csv_policy *policy, struct csv_input *input,
                                uint32_t format, uint32_t result, const char *id, uint32_t outcome)
{
    struct csv_verdict *verdict = NULL;
    csn_err err = csv_appraise(policy, input, format, &verdict);
    csv_input_free(input);
    assert_non_null(verdict);
    bool found = id == NULL || table_finding(verdict, id, outcome) != NULL;
    if (csv_verdict_result(verdict) != result || !found) {
        table_explain(verdict);
        fail_msg("result %u instead of %u, %s %u is %s", csv_verdict_result(verdict), result,
                 id != NULL ? id : "-", outcome, found ? "there" : "not there");
    }
    assert_int_equal(err == CSN_OK, result == CSV_VALID);
    return verdict;
}
