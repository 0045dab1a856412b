/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_weights.c: is a sealed file what the header comment of caisson/wire/weights.h says, and does
 * a reader take nothing else?
 *
 * Files of every size around the ends of chunks are written twice, by src/weights and by OpenSSL
 * from the text of that comment: the bytes must be equal. They are read into memory with guard
 * bytes. Then every bit of header and tags, bits of the
 * content, cuts, exchanged chunks, another file under the same key, a packer that lies about the
 * content. Seeded bugs: mutant_weights_*.
 */
#include "../skip.h"
#include "weights_made.h"
#include <crypto/cpu.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define CHUNK ((uint64_t)CSN_WIRE_WEIGHTS_CHUNK_SIZE)
#define GUARD 64u

static const uint64_t sizes[] = {
    1, 15, 16, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 77, 64 * CHUNK, 257 * CHUNK + 5000,
};
#define SIZE_COUNT (sizeof sizes / sizeof sizes[0])

static uint32_t kind_of(uint64_t size)
{
    return size % 2 == 0 ? CSN_WIRE_WEIGHTS_GGUF : CSN_WIRE_WEIGHTS_TREES;
}

/* Reads what there is of the file. */
static csn_err read_file(const struct weights_made *made, uint64_t memory_size, uint8_t **memory)
{
    struct csn_weights_reader reader;
    uint64_t size = 0, at = 128;
    *memory = malloc(memory_size + 2 * GUARD);
    memset(*memory, 0xa5, memory_size + 2 * GUARD);
    csn_err err =
        csn_weights_read_begin(&reader, &made->ref, made->file, *memory + GUARD, memory_size);
    while (err == CSN_OK) {
        const uint32_t next = csn_weights_read_next(&reader);
        if (next == 0 || next > made->size - at) {
            break;
        }
        err = csn_weights_read_chunk(&reader, made->file + at);
        at += next;
    }
    assert_true(err == CSN_OK || csn_weights_read_next(&reader) == 0);
    err = csn_weights_read_end(&reader, &size);
    if (err == CSN_OK) {
        assert_int_equal(size, made->header.content_size);
    }
    for (uint32_t i = 0; i < sizeof reader; i++) {
        assert_int_equal(((const uint8_t *)&reader)[i], 0);
    }
    for (uint32_t i = 0; i < GUARD; i++) {
        assert_int_equal((*memory)[i], 0xa5);
        assert_int_equal((*memory)[GUARD + memory_size + i], 0xa5);
    }
    return err;
}

/* Refused with this error, and nothing of the content is left. */
static void expect_refused(const struct weights_made *made, csn_err wanted)
{
    uint8_t *memory;
    const uint64_t size = made->header.content_size;
    csn_err err = read_file(made, size, &memory);
    assert_int_equal(err, wanted);
    for (uint64_t at = 0; at + 16 <= size; at += CHUNK) {
        assert_memory_not_equal(memory + GUARD + at, made->content + at, 16);
    }
    free(memory);
}

/* ---- by OpenSSL, from the text ---- */

static void hkdf(int mode, const void *salt, size_t salt_size, const void *key, const void *info,
                 size_t info_size, uint8_t *output, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_int("mode", &mode),
        OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string("key", (void *)(uintptr_t)key, 32),
        OSSL_PARAM_construct_octet_string("salt", (void *)(uintptr_t)salt, salt_size),
        OSSL_PARAM_construct_octet_string("info", (void *)(uintptr_t)info, info_size),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(context, output, size, parameters), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void gcm(const uint8_t key[32], uint64_t number, const uint8_t *input, int size,
                uint8_t *output, uint8_t tag[16])
{
    uint8_t nonce[12] = {0};
    int written = 0;
    memcpy(nonce, &number, sizeof number);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(context, output, &written, input, size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, output + written, &written), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
    EVP_CIPHER_CTX_free(context);
}

/* The whole file again, given salt and kind; the digest goes over what comes out. */
static void make_by_text(const struct weights_made *made, uint8_t *file, uint8_t digest[32])
{
    const uint64_t content_size = made->header.content_size;
    const uint64_t chunks = (content_size + CHUNK - 1) / CHUNK;
    uint8_t secret[32], mac_key[32], pair[64], hash[32], info[22 + 88];
    unsigned int mac_size = 32;
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    memset(file, 0, 128);
    memcpy(file, "CSNWGHT1", 8);
    memcpy(file + 8, &made->ref.kind, 4);
    memcpy(file + 12, (const uint8_t[]){0, 0, 1, 0}, 4);
    memcpy(file + 16, &content_size, 8);
    memcpy(file + 24, made->header.salt, 32);
    hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, file + 24, 32, made->ref.key, "", 0, secret, 32);
    memcpy(info, "caisson-weights-v1 mac", 22);
    memcpy(info + 22, file, 56);
    hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, "", 0, secret, info, 22 + 56, mac_key, 32);
    SHA256(made->content, content_size, hash);
    HMAC(EVP_sha256(), mac_key, 32, hash, 32, file + 56, &mac_size);
    memcpy(info, "caisson-weights-v1 key", 22);
    memcpy(info + 22, file, 88);
    hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, "", 0, secret, info, 22 + 88, pair, 64);
    memcpy(file + 88, pair + 32, 32);
    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    EVP_DigestUpdate(sum, file, 128);
    uint8_t *at = file + 128;
    for (uint64_t i = 0; i < chunks; i++) {
        const uint64_t left = content_size - i * CHUNK;
        const uint64_t size = left < CHUNK ? left : CHUNK;
        gcm(pair, i, made->content + i * CHUNK, (int)size, at, at + size);
        EVP_DigestUpdate(sum, at + size, 16);
        at += size + 16;
    }
    EVP_DigestFinal_ex(sum, digest, NULL);
    EVP_MD_CTX_free(sum);
    assert_int_equal(at - file, made->size);
}

/* ---- tests ---- */

static void every_size_is_read_back(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct weights_made made;
        weights_make(&made, NULL, sizes[i], kind_of(sizes[i]));
        for (uint32_t more = 0; more < 2; more++) {
            uint8_t *memory;
            made.ref.flags = more == 0 ? CSN_WIRE_WEIGHTS_CHECK : 0;
            assert_int_equal(read_file(&made, sizes[i] + more, &memory), CSN_OK);
            assert_memory_equal(memory + GUARD, made.content, sizes[i]);
            free(memory);
        }
        weights_discard(&made);
    }
}

static void the_text_gives_the_same_file(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        struct weights_made made;
        uint8_t digest[32];
        weights_make(&made, NULL, sizes[i], kind_of(sizes[i]));
        uint8_t *file = malloc(made.size);
        make_by_text(&made, file, digest);
        assert_memory_equal(file, made.file, made.size);
        assert_memory_equal(digest, made.ref.digest, 32);
        free(file);
        weights_discard(&made);
    }
}

/* Which failure a changed bit of that byte of the header may be. */
static bool is_expected(uint64_t byte, csn_err err)
{
    const bool is_form = byte < 16 || byte >= 120;
    return (is_form && err == CSN_ERR_FORMAT) || (!is_form && err == CSN_ERR_AUTH) ||
           (byte >= 8 && byte < 12 && err == CSN_ERR_POLICY) ||
           (byte >= 16 && byte < 24 && (err == CSN_ERR_SPACE || err == CSN_ERR_FORMAT));
}

static void every_bit_counts(void **unused)
{
    (void)unused;
    struct weights_made made;
    weights_make(&made, NULL, 2 * CHUNK + 100, kind_of(2 * CHUNK + 100));
    for (uint64_t bit = 0; bit < 128 * 8; bit++) {
        uint8_t *memory;
        made.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        csn_err err = read_file(&made, made.header.content_size, &memory);
        made.file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(is_expected(bit / 8, err));
        free(memory);
    }
    for (uint64_t byte = 128; byte < made.size; byte += byte % (CHUNK + 16) < 128 ? 1 : 4099) {
        made.file[byte] ^= (uint8_t)(1u << byte % 8);
        expect_refused(&made, CSN_ERR_AUTH);
        made.file[byte] ^= (uint8_t)(1u << byte % 8);
    }
    weights_discard(&made);
}

static void what_is_cut_is_refused(void **unused)
{
    (void)unused;
    struct weights_made made;
    weights_make(&made, NULL, 5 * CHUNK + 1, kind_of(5 * CHUNK + 1));
    const uint64_t whole = made.size;
    const uint64_t cuts[] = {128, 129, 128 + CHUNK, 128 + CHUNK + 16, whole - 17, whole - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        made.size = cuts[i];
        expect_refused(&made, CSN_ERR_STATE);
    }
    weights_discard(&made);
}

/* Chunks in another order, and the same content sealed once more. */
static void chunks_have_their_place(void **unused)
{
    (void)unused;
    struct weights_made made, other;
    weights_make(&made, NULL, 3 * CHUNK, kind_of(3 * CHUNK));
    uint8_t *first = made.file + 128;
    uint8_t *room = malloc(CHUNK + 16);
    memcpy(room, first, CHUNK + 16);
    memcpy(first, first + CHUNK + 16, CHUNK + 16);
    memcpy(first + CHUNK + 16, room, CHUNK + 16);
    expect_refused(&made, CSN_ERR_AUTH);
    free(room);
    weights_discard(&made);
    weights_make(&made, NULL, CHUNK, kind_of(CHUNK));
    weights_make(&other, NULL, CHUNK, kind_of(CHUNK));
    memcpy(made.ref.digest, other.ref.digest, 32);
    expect_refused(&made, CSN_ERR_AUTH);
    weights_discard(&made);
    weights_discard(&other);
}

static void the_grant_says_which(void **unused)
{
    (void)unused;
    struct weights_made made;
    struct csn_weights_reader reader;
    uint8_t *memory;
    weights_make(&made, NULL, CHUNK + 8, kind_of(CHUNK + 8));
    made.ref.kind ^= CSN_WIRE_WEIGHTS_GGUF ^ CSN_WIRE_WEIGHTS_TREES;
    expect_refused(&made, CSN_ERR_POLICY);
    made.ref.kind ^= CSN_WIRE_WEIGHTS_GGUF ^ CSN_WIRE_WEIGHTS_TREES;
    made.ref.key[31] ^= 1;
    expect_refused(&made, CSN_ERR_AUTH);
    csn_err err = csn_weights_read_begin(&reader, &made.ref, made.file, NULL, CHUNK + 8);
    assert_int_equal(err, CSN_ERR_AUTH); /* before any chunk */
    made.ref.key[31] ^= 1;
    assert_int_equal(read_file(&made, CHUNK + 7, &memory), CSN_ERR_SPACE);
    free(memory);
    weights_discard(&made);
}

static void a_lie_about_the_content_is_found_where_asked(void **unused)
{
    (void)unused;
    struct weights_made made;
    uint8_t *memory;
    weights_make_lie(&made, CHUNK + 8, CSN_WIRE_WEIGHTS_GGUF);
    assert_int_equal(read_file(&made, CHUNK + 8, &memory), CSN_OK);
    free(memory);
    made.ref.flags = CSN_WIRE_WEIGHTS_CHECK;
    expect_refused(&made, CSN_ERR_AUTH);
    weights_discard(&made);
}

/* No chunk beyond the last, none after a failure. */
static void steps_are_in_order(void **unused)
{
    (void)unused;
    struct weights_made made;
    struct csn_weights_reader reader;
    uint64_t size = 7;
    weights_make(&made, NULL, CHUNK, kind_of(CHUNK));
    uint8_t *memory = malloc(2 * CHUNK);
    csn_err err = csn_weights_read_begin(&reader, &made.ref, made.file, memory, CHUNK);
    assert_int_equal(err, CSN_OK);
    assert_int_equal(csn_weights_read_next(&reader), CHUNK + 16);
    assert_int_equal(csn_weights_read_chunk(&reader, made.file + 128), CSN_OK);
    assert_int_equal(csn_weights_read_next(&reader), 0);
    assert_int_equal(csn_weights_read_chunk(&reader, made.file + 128), CSN_ERR_STATE);
    assert_int_equal(csn_weights_read_end(&reader, &size), CSN_ERR_STATE);
    err = csn_weights_read_begin(&reader, &made.ref, made.file, memory, CHUNK);
    assert_int_equal(err, CSN_OK);
    assert_int_equal(csn_weights_read_chunk(&reader, made.file + 127), CSN_ERR_AUTH);
    assert_int_equal(csn_weights_read_chunk(&reader, made.file + 128), CSN_ERR_AUTH);
    assert_int_equal(csn_weights_read_end(&reader, &size), CSN_ERR_AUTH);
    assert_int_equal(size, 7);
    free(memory);
    weights_discard(&made);
}

static void sizes_have_limits(void **unused)
{
    (void)unused;
    struct csn_weights_writer writer;
    const uint8_t bytes[32] = {0};
    struct csn_weights_new wanted = {bytes, bytes, bytes, 0, CSN_WIRE_WEIGHTS_TREES};
    assert_int_equal(csn_weights_write_begin(&writer, &wanted), CSN_ERR_ARGUMENT);
    wanted.content_size = CSN_WIRE_WEIGHTS_SIZE_MAX + 1;
    assert_int_equal(csn_weights_write_begin(&writer, &wanted), CSN_ERR_ARGUMENT);
    wanted.content_size = CSN_WIRE_WEIGHTS_SIZE_MAX;
    assert_int_equal(csn_weights_write_begin(&writer, &wanted), CSN_OK);
    assert_int_equal(csn_weights_chunk_count(&writer.header), 1u << 24);
    assert_int_equal(csn_weights_file_size(&writer.header),
                     128 + (UINT64_C(1) << 40) + (UINT64_C(1) << 28));
    wanted.kind = 0;
    assert_int_equal(csn_weights_write_begin(&writer, &wanted), CSN_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_in_order),
        cmocka_unit_test(the_grant_says_which),
        cmocka_unit_test(a_lie_about_the_content_is_found_where_asked),
        cmocka_unit_test(chunks_have_their_place),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(every_size_is_read_back),
        cmocka_unit_test(the_text_gives_the_same_file),
    };
    uint64_t features;
    if (csn_cpu_features(&features) != CSN_OK || csn_cpu_begin(features) != CSN_OK) {
        return test_skip("this CPU has no AES-NI");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
