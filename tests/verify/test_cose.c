/* SPDX-License-Identifier: Apache-2.0 */
/* test_cose.c: what the strict CBOR reader and COSE_Sign1 take, and what they do not. */
#include "cose_rig.h"
#include "verify/parse/cose.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

static bool opens(const char *bytes, size_t size)
{
    struct csv_cbor item;
    const char *why;
    /* A copy that ends where the document does, so that a sanitizer sees a read beyond. */
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, size);
    bool good = csv_cbor_open((struct csv_bytes){copy + 1, size}, &item, &why);
    assert_true(good == (why == NULL));
    free(copy);
    return good;
}

struct text {
    const char *bytes;
    size_t size;
};
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void documents_that_pass(void **state)
{
    (void)state;
    static const struct text good[] = {
        TEXT("\x00"),
        TEXT("\x17"),
        TEXT("\x18\x18"),
        TEXT("\x18\xff"),
        TEXT("\x19\x01\x00"),
        TEXT("\x1a\x00\x01\x00\x00"),
        TEXT("\x1b\x00\x00\x00\x01\x00\x00\x00\x00"),
        TEXT("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
        TEXT("\x20"),
        TEXT("\x38\x22"),
        TEXT("\x40"),
        TEXT("\x43\x01\x02\x03"),
        TEXT("\x60"),
        TEXT("\x62\xc3\xa9"),
        TEXT("\x63\xe2\x82\xac"),
        TEXT("\x64\xf0\x9f\x98\x80"),
        TEXT("\x80"),
        TEXT("\x82\x01\x02"),
        TEXT("\xa0"),
        TEXT("\xa2\x02\x01\x01\x02"),             /* keys in any order */
        TEXT("\xa3\x01\x00\x20\x00\x61\x31\x00"), /* 1, -1 and "1" are three keys */
        TEXT("\xc1\x00"),
        TEXT("\xd9\x01\x8f\xa0"),
        TEXT("\xf4"),
        TEXT("\xf5"),
        TEXT("\xf6"),
        TEXT("\x81\x81\x81\x81\x81\x81\x81\x81\x00"), /* eight in each other */
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!opens(good[i].bytes, good[i].size)) {
            fail_msg("document %zu was refused", i);
        }
        for (size_t size = 0; size < good[i].size; size++) {
            if (opens(good[i].bytes, size)) {
                fail_msg("%zu bytes of document %zu passed", size, i);
            }
        }
    }
}

static void documents_that_do_not(void **state)
{
    (void)state;
    static const struct text bad[] = {
        TEXT("\x00\x00"), /* something follows */
        TEXT("\x18\x17"),
        TEXT("\x19\x00\xff"), /* longer than need be */
        TEXT("\x1a\x00\x00\xff\xff"),
        TEXT("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"),
        TEXT("\x58\x03\x01\x02\x03"),
        TEXT("\xb8\x01\x01\x02"),
        TEXT("\x98\x01\x01"),
        TEXT("\xd8\x12\x00"), /* tag 18 in two bytes */
        TEXT("\x1c"),
        TEXT("\x1d"),
        TEXT("\x1e"),
        TEXT("\x1f"), /* reserved */
        TEXT("\x1c\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"),
        TEXT("\x5f\x41\x00\xff"),
        TEXT("\x7f\xff"),
        TEXT("\x9f\xff"),
        TEXT("\xbf\xff"),
        TEXT("\xff"),
        TEXT("\xe0"),
        TEXT("\xf7"),
        TEXT("\xf8\x20"),
        TEXT("\xf9\x00\x00"), /* simple, floats */
        TEXT("\xfa\x00\x00\x00\x00"),
        TEXT("\xfb\x00\x00\x00\x00\x00\x00\x00\x00"),
        TEXT("\x61\x80"),
        TEXT("\x61\xff"),
        TEXT("\x62\xc0\x80"),
        TEXT("\x63\xe0\x80\x80"),
        TEXT("\x63\xed\xa0\x80"),
        TEXT("\x64\xf0\x80\x80\x80"),
        TEXT("\x64\xf4\x90\x80\x80"),
        TEXT("\x62\xc3\x28"),
        TEXT("\x63\xe2\x82\x28"),
        TEXT("\x61\xc3"),
        TEXT("\xa2\x01\x00\x01\x00"), /* the same key twice */
        TEXT("\xa2\x61\x61\x00\x61\x61\x01"),
        TEXT("\x81\xa2\x01\x00\x01\x00"), /* inside, too */
        TEXT("\xa1\x80\x00"),
        TEXT("\xa1\xf6\x00"),
        TEXT("\xa1\xc1\x00\x00"),                     /* odd keys */
        TEXT("\x81\x81\x81\x81\x81\x81\x81\x81\x80"), /* nine in each other */
        TEXT("\x9a\xff\xff\xff\xff"),
        TEXT("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
        TEXT("\xbb\x80\x00\x00\x00\x00\x00\x00\x00"),
        TEXT("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
        TEXT("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x01\x01"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (opens(bad[i].bytes, bad[i].size)) {
            fail_msg("document %zu passed", i);
        }
    }
}

/* 64 keys pass, 65 do not: comparing keys stays cheap. */
static void keys_of_a_map(void **state)
{
    (void)state;
    for (unsigned count = 64; count <= 65; count++) {
        struct made made = {.size = 0};
        made_head(&made, MADE_MAP, count);
        for (unsigned i = 0; i < count; i++) {
            made_int(&made, i);
            made_int(&made, i);
        }
        assert_int_equal(opens((const char *)made.bytes, made.size), count == 64);
    }
}

static void lookups(void **state)
{
    (void)state;
    static const uint8_t text[] = "\xa4\x01\x0a\x20\x0b\x61\x61\x0c\x1b\xff\xff\xff\xff\xff\xff\xff"
                                  "\xff\x00";
    struct csv_cbor map;
    struct csv_cbor value;
    const char *why;
    int64_t number;
    assert_true(csv_cbor_open((struct csv_bytes){text, sizeof text - 1}, &map, &why));
    assert_true(csv_cbor_at(&map, 1, &value) && value.number == 10);
    assert_true(csv_cbor_at(&map, -1, &value) && value.number == 11);
    assert_true(csv_cbor_named(&map, "a", &value) && value.number == 12);
    assert_false(csv_cbor_at(&map, 2, &value));
    assert_false(csv_cbor_named(&map, "b", &value));
    assert_false(csv_cbor_at(&value, 1, &value)); /* not a map */
    struct csv_cbor large = {.kind = CSV_CBOR_NINT, .number = UINT64_MAX};
    assert_false(csv_cbor_integer(&large, &number));
    large.number = INT64_MAX;
    assert_true(csv_cbor_integer(&large, &number) && number == INT64_MIN);
}

/* ---- COSE_Sign1 ---- */

static const uint8_t payload[] = "a payload";

enum outcome { GOOD, BAD, BROKEN };

static enum outcome check_size(struct made *made, EVP_PKEY *key, size_t size)
{
    struct csv_cose cose;
    const char *why;
    if (!csv_cose_open((struct csv_bytes){made->bytes, size}, &cose, &why)) {
        assert_non_null(why);
        return BROKEN;
    }
    bool good = csv_cose_check(&cose, key, &why);
    assert_true((why == NULL) == good);
    return good ? GOOD : BAD;
}

static enum outcome check_made(const struct sign1 *how, EVP_PKEY *key)
{
    struct made made = {.size = 0};
    made_sign1(&made, how, payload, sizeof payload);
    return check_size(&made, key, made.size);
}

static const struct {
    const char *curve;
    int64_t algorithm;
} pairs[] = {{"P-256", -7}, {"P-384", -35}, {"P-521", -36}};

/* Each algorithm with its curve, and with no other. */
static void algorithms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = made_key(pairs[i].curve);
        EVP_PKEY *other = made_key(pairs[i].curve);
        struct sign1 how = {.algorithm = pairs[i].algorithm, .key = key};
        assert_int_equal(check_made(&how, key), GOOD);
        assert_int_equal(check_made(&how, other), BAD);
        assert_int_equal(check_made(&how, NULL), BAD);
        how.tagged = true;
        assert_int_equal(check_made(&how, key), GOOD);
        how.der = true;
        assert_int_equal(check_made(&how, key), BAD);
        how.der = false;
        for (size_t k = 0; k < 3; k++) {
            how.algorithm = pairs[k].algorithm;
            assert_int_equal(check_made(&how, key), k == i ? GOOD : BAD);
        }
        how.algorithm = -37; /* PS256 */
        assert_int_equal(check_made(&how, key), BAD);
        EVP_PKEY_free(key);
        EVP_PKEY_free(other);
    }
}

/* A key of the right size on another curve, one that is not for ECDSA, a signature with more. */
static void keys(void **state)
{
    (void)state;
    EVP_PKEY *key = made_key("secp256k1");
    EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct sign1 how = {.algorithm = -7, .key = key};
    assert_int_equal(check_made(&how, key), BAD);
    EVP_PKEY_free(key);
    key = made_key("P-256");
    how.key = key;
    assert_int_equal(check_made(&how, edwards), BAD);
    how.padding = 1;
    assert_int_equal(check_made(&how, key), BAD);
    how.padding = 0;
    assert_int_equal(check_made(&how, key), GOOD);
    EVP_PKEY_free(key);
    EVP_PKEY_free(edwards);
}

static void headers(void **state)
{
    (void)state;
    EVP_PKEY *key = made_key("P-384");
    struct made header = {.size = 0};
    struct sign1 how = {.algorithm = -35, .key = key, .header = &header};
    made_head(&header, MADE_MAP, 2);
    made_int(&header, 1);
    made_int(&header, -35);
    made_int(&header, 4);
    made_text(&header, "kid");
    assert_int_equal(check_made(&how, key), GOOD);
    header.bytes[header.size - 5] = 2; /* label 4 becomes 2: critical */
    assert_int_equal(check_made(&how, key), BROKEN);
    header.size = 0;
    made_head(&header, MADE_MAP, 0);
    assert_int_equal(check_made(&how, key), BROKEN);
    header.size = 0;
    assert_int_equal(check_made(&how, key), BROKEN);
    how.header = NULL;
    how.unprotected = "seen by nobody";
    assert_int_equal(check_made(&how, key), GOOD);
    /* The algorithm in the unprotected header, whatever it says. */
    struct made made = {.size = 0};
    made_sign1(&made, &how, payload, sizeof payload);
    for (size_t i = 0; i + 1 < made.size; i++) {
        if (made.bytes[i] == 0x18 && made.bytes[i + 1] == 99) {
            memmove(made.bytes + i, made.bytes + i + 1, made.size - i - 1);
            made.bytes[i] = 1;
            made.size--;
            break;
        }
    }
    assert_int_equal(check_size(&made, key, made.size), BROKEN);
    EVP_PKEY_free(key);
}

/* The order of each curve, for r and s that are no scalars. */
static void scalars(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        EVP_PKEY *key = made_key(pairs[i].curve);
        struct sign1 how = {.algorithm = pairs[i].algorithm, .key = key};
        struct made made = {.size = 0};
        made_sign1(&made, &how, payload, sizeof payload);
        size_t half = (size_t)(EVP_PKEY_get_bits(key) + 7) / 8;
        EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(i == 0   ? "prime256v1"
                                                                : i == 1 ? "secp384r1"
                                                                         : "secp521r1"));
        for (size_t which = 0; which < 4; which++) {
            struct made changed = made;
            uint8_t *at = changed.bytes + changed.size - 2 * half + (which & 1) * half;
            memset(at, 0, half);
            if ((which & 2) != 0) {
                BN_bn2binpad(EC_GROUP_get0_order(group), at, (int)half);
            }
            struct csv_cose cose;
            const char *why;
            assert_true(
                csv_cose_open((struct csv_bytes){changed.bytes, changed.size}, &cose, &why));
            assert_false(csv_cose_check(&cose, key, &why));
            assert_string_equal(why, "r or s is not in [1, n-1]");
        }
        EC_GROUP_free(group);
        EVP_PKEY_free(key);
    }
}

static void each_bit_counts(void **state)
{
    (void)state;
    EVP_PKEY *key = made_key("P-256");
    struct sign1 how = {.algorithm = -7, .key = key, .tagged = true};
    struct made made = {.size = 0};
    made_sign1(&made, &how, payload, sizeof payload);
    for (size_t bit = 0; bit < made.size * 8; bit++) {
        made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (check_size(&made, key, made.size) == GOOD) {
            fail_msg("bit %zu is under no check", bit);
        }
        made.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < made.size; size++) {
        assert_int_equal(check_size(&made, key, size), BROKEN);
    }
    assert_int_equal(check_size(&made, key, made.size), GOOD);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_that_pass),
        cmocka_unit_test(documents_that_do_not),
        cmocka_unit_test(keys_of_a_map),
        cmocka_unit_test(lookups),
        cmocka_unit_test(algorithms),
        cmocka_unit_test(keys),
        cmocka_unit_test(headers),
        cmocka_unit_test(scalars),
        cmocka_unit_test(each_bit_counts),
    };
    return cmocka_run_group_tests_name("CBOR and COSE", tests, NULL, NULL);
}
