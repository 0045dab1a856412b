/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_key.c: hostile bytes against the parsers that hand what they read to libcrypto: keys and a
 * TPM's signature. No signature is checked.
 *
 * parsers.h has the choice of a parser and the time that it may take. Oracles: what libcrypto made
 * is a key of a kind and size that the parser takes, and is given back (AddressSanitizer says so);
 * a signature of no known quote never holds.
 */
#include "parsers.h"
#include "verify/azure/jwk.h"
#include "verify/ecdsa.h"
#include "verify/tpm/ak.h"
#include "verify/tpm/signature.h"
#include "verify/x509/x509.h"
#include <openssl/err.h>

#define ARENA_SIZE ((size_t)4 << 20)

static _Alignas(16) uint8_t memory[ARENA_SIZE];
static struct csv_arena arena = {.base = memory, .size = sizeof memory};
static struct csv_input supplied;
static struct csv_verdict verdict;
static struct csv_case appraisal = {.input = &supplied, .arena = &arena, .verdict = &verdict};
static struct csv_bytes input;
static const char *why;

static void check_rsa(const EVP_PKEY *key, int bits_max)
{
    CHECK(EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) <= bits_max);
}

/* A SubjectPublicKeyInfo; keys made from a curve's first one are no different. */
static void run_spki(void)
{
    static struct csv_curves curves;
    EVP_PKEY *key = csv_key_read(input, NULL);
    EVP_PKEY *again = csv_key_read(input, &curves);
    CHECK((key == NULL) == (again == NULL) && (key == NULL || EVP_PKEY_eq(key, again) == 1));
    EVP_PKEY_free(again);
    if (key != NULL && EVP_PKEY_is_a(key, "EC") != 1) {
        check_rsa(key, 8192);
    }
    EVP_PKEY_free(key);
}

static void run_algorithm(void)
{
    struct csv_algorithm algorithm = {0};
    if (csv_algorithm_read(input, &algorithm)) {
        CHECK(algorithm.digest != NULL && (algorithm.pss_salt == 0 || algorithm.rsa));
    }
}

static void run_jwk(void)
{
    struct csv_json_view view;
    if (csv_json_open(&view, input, &arena, &why)) {
        EVP_PKEY *key = csv_jwk_rsa(&view, 0, &why);
        if (key != NULL) {
            check_rsa(key, 4096);
        }
        EVP_PKEY_free(key);
    }
}

/* A PEM public key, or certificates. */
static void run_tpm_ak(void)
{
    EVP_PKEY_free(csv_tpm_ak_read(&appraisal, input));
    csv_certs_release(&verdict);
}

/* The quote's digest is of no hash, so that every signature ends before libcrypto looks at it. */
static void run_tpm_signature(void)
{
    static const char *const groups[] = {"prime256v1", NULL};
    static EVP_PKEY *keys[2];
    const struct csv_tpm_quote quote = {.selection_count = 0};
    if (keys[0] == NULL) {
        keys[0] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[0]);
        keys[1] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        CHECK(keys[0] != NULL && keys[1] != NULL);
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK(!csv_tpm_signature_check(input, keys[i], &quote, &why) && why != NULL);
    }
}

static const struct fuzz_parser parsers[] = {
    {"spki", run_spki, 640},      {"algorithm", run_algorithm, 192},         {"jwk", run_jwk, 1024},
    {"tpm_ak", run_tpm_ak, 2048}, {"tpm_signature", run_tpm_signature, 320},
};

static void run_one(void (*run)(void))
{
    csv_give_back(&arena, 0);
    arena.full = false;
    verdict.finding_count = 0;
    verdict.claim_count = 0;
    run();
    CHECK(arena.used <= arena.size);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return parsers_take(parsers, sizeof parsers / sizeof parsers[0], data, size, &input, run_one);
}
