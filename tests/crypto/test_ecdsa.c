/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ecdsa.c: are signatures, keys and agreement on P-256 and P-384 those of others?
 *
 * RFC 6979's vectors, nonces of an independent program, every Wycheproof case, and random keys and
 * digests of all lengths against OpenSSL in both directions. Seeded bugs: mutant_ecdsa_*. An
 * argument multiplies the random ones.
 */
#include "../skip.h"
#include "vectors.h"
#include <bearssl/bearssl_ec.h>
#include <caisson/wire/boot.h>
#include <crypto/cpu.h>
#include <crypto/ecdsa.h>
#include <crypto/ecdsa_parts.h>
#include <crypto/sha2.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static int rounds = 1;

static void hash_for(uint32_t curve, const void *bytes, size_t size, uint8_t digest[48])
{
    struct csn_sha512 hash;
    if (curve == CSN_EC_P256) {
        csn_sha256(bytes, size, digest);
        return;
    }
    csn_sha384_init(&hash);
    csn_sha512_update(&hash, bytes, size);
    csn_sha384_final(&hash, digest);
}

static void from_hex(const char *hex, uint8_t *bytes)
{
    for (size_t i = 0; hex[2 * i] != 0; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

/* RFC 6979, A.2.5 and A.2.6: keys, and the signatures of "test" ("sample" is in the self-test). */
static const struct known {
    const char *secret, *x, *y, *signature;
    const char *nonces[2]; /* first and second candidate for "sample", by an independent program */
    const char *hedged;    /* the first with the bytes 0 to 31 as hedge */
} known[] = {
    {"c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
     "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
     {"a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
      "8e83dc490bc5fc4d5992bd63cd87f254adffcb930f8a8011702a88870f638fdb"},
     "e7eb519fdfdf2373299ac1322cff7b26e78d5041e24740b2e2ecd18d01b56ebf"},
    {"6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
     "96d5724e4c70a825f872c9ea60d2edf5",
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64"
     "def8f0ea9055866064a254515480bc13",
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1"
     "288b231c3ae0d4fe7344fd2533264720",
     "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb"
     "0542a7f0812998da8f1dd3ca3cf023db"
     "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e0"
     "6a739f040649a667bf3b828246baa5a5",
     {"94ed910d1a099dad3254e9242ae85abde4ba15168eaf0ca87a555fd56d10fbca"
      "2907e3e83ba95368623b8c4686915cf9",
      "9d63ce4c96d070a67f7bee49e870b64838c0ac65bb7440cf46017dca69d35d23"
      "6219aae5e00a9f01f13e7774be1339fc"},
     "af84de9173504e8da008823d82668d59fced08643ce694f64542ad94dc808160"
     "2f42478e260651982b4e04d602ae8506"},
};

static void test_self(void **state)
{
    (void)state;
    assert_int_equal(csn_ecdsa_self_test(), CSN_OK);
}

static void test_rfc6979(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t curve = CSN_EC_P256 + i, size = csn_ec_size(curve);
        uint8_t secret[48], public_key[97], expected[97], digest[48], signature[96];
        from_hex(known[i].secret, secret);
        expected[0] = 4;
        from_hex(known[i].x, expected + 1);
        from_hex(known[i].y, expected + 1 + size);
        assert_int_equal(csn_ec_public(curve, secret, public_key), CSN_OK);
        assert_memory_equal(public_key, expected, 1 + 2 * size);
        hash_for(curve, "test", 4, digest);
        struct csn_ecdsa_request request = {curve, secret, digest, size, NULL};
        assert_int_equal(csn_ecdsa_sign(&request, signature), CSN_OK);
        from_hex(known[i].signature, expected);
        assert_memory_equal(signature, expected, 2 * size);
        for (uint32_t given = 0; given <= sizeof signature; given++) {
            struct csn_ecdsa_claim claim = {curve, public_key, digest, size, signature, given};
            assert_int_equal(csn_ecdsa_verify(&claim), given == 2 * size ? CSN_OK : CSN_ERR_AUTH);
        }
        struct csn_ecdsa_claim claim = {curve, public_key, digest, 0, signature, 2 * size};
        assert_int_equal(csn_ecdsa_verify(&claim), CSN_ERR_AUTH);
    }
}

static void test_nonces(void **state)
{
    (void)state;
    uint8_t hedge[CSN_ECDSA_HEDGE_SIZE];
    for (uint32_t i = 0; i < sizeof hedge; i++) {
        hedge[i] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < 2; i++) {
        const struct csn_ec *ec = csn_ec_find(CSN_EC_P256 + i);
        uint8_t secret[48], digest[48], nonce[48], expected[48], plain[96], signature[96];
        struct csn_ecdsa_nonces nonces;
        struct csn_ecdsa_request request = {CSN_EC_P256 + i, secret, digest, ec->size, NULL};
        from_hex(known[i].secret, secret);
        hash_for(request.curve, "sample", 6, digest);
        csn_ecdsa_nonces_init(ec, &request, &nonces);
        for (uint32_t k = 0; k < 2; k++) {
            csn_ecdsa_nonces_next(ec, &nonces, nonce);
            from_hex(known[i].nonces[k], expected);
            assert_memory_equal(nonce, expected, ec->size);
        }
        assert_int_equal(csn_ecdsa_sign(&request, plain), CSN_OK);
        request.hedge = hedge;
        csn_ecdsa_nonces_init(ec, &request, &nonces);
        csn_ecdsa_nonces_next(ec, &nonces, nonce);
        from_hex(known[i].hedged, expected);
        assert_memory_equal(nonce, expected, ec->size);
        assert_int_equal(csn_ecdsa_sign(&request, signature), CSN_OK);
        assert_memory_not_equal(signature, plain, ec->size);
    }
}

/* The order, and the order plus or minus a little. */
static void order_plus(const struct csn_ec *ec, int more, uint8_t *bytes)
{
    struct csn_scalar value;
    memcpy(value.words, ec->order->order, sizeof value.words);
    value.words[0] += (uint64_t)(int64_t)more;
    csn_scalar_store(ec->order, &value, bytes);
}

static void test_ranges(void **state)
{
    (void)state;
    static const uint8_t digest[32] = {1};
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const struct csn_ec *ec = csn_ec_find(curve);
        uint8_t secret[48] = {0}, nonce[48] = {0}, public_key[97], shared[48], signature[96];
        struct csn_ecdsa_request request = {curve, secret, digest, sizeof digest, NULL};
        secret[3] = 7;
        assert_int_equal(csn_ec_public(curve, secret, public_key), CSN_OK);
        assert_int_equal(csn_ecdsa_sign_with(ec, &request, nonce, signature), 0);
        for (int more = -1; more <= 1; more++) {
            order_plus(ec, more, nonce);
            assert_int_equal(csn_ecdsa_sign_with(ec, &request, nonce, signature), more < 0);
        }
        request.digest_size = 0;
        assert_int_equal(csn_ecdsa_sign(&request, signature), CSN_ERR_ARGUMENT);
        request.digest_size = sizeof digest;
        for (int more = -1; more <= 1; more++) {
            csn_err err = more < 0 ? CSN_OK : CSN_ERR_ARGUMENT;
            order_plus(ec, more, secret);
            assert_int_equal(csn_ec_public(curve, secret, public_key), err);
            assert_int_equal(csn_ecdsa_sign(&request, signature), err);
            assert_int_equal(csn_ec_agree(curve, secret, public_key, 1 + 2 * ec->size, shared),
                             err);
        }
        memset(secret, 0, sizeof secret);
        assert_int_equal(csn_ec_public(curve, secret, public_key), CSN_ERR_ARGUMENT);
        assert_int_equal(csn_ecdsa_sign(&request, signature), CSN_ERR_ARGUMENT);
        request.curve = 3;
        assert_int_equal(csn_ecdsa_sign(&request, signature), CSN_ERR_SUITE);
    }
    assert_int_equal(csn_ec_size(0) + csn_ec_size(3), 0);
}

static void set_bit(uint8_t *number, uint32_t size, uint32_t bit)
{
    number[size - 1 - bit / 8] |= (uint8_t)(1 << bit % 8);
}

/* BearSSL's, which shares nothing with ours. */
static const br_ec_impl *reference(uint32_t curve, int *number)
{
    *number = curve == CSN_EC_P256 ? BR_EC_secp256r1 : BR_EC_secp384r1;
    return curve == CSN_EC_P256 ? &br_ec_p256_m31 : &br_ec_prime_i31;
}

static void check_base(uint32_t curve, const uint8_t *multiplier)
{
    const struct csn_ec *ec = csn_ec_find(curve);
    uint8_t made[97], expected[97];
    int number;
    const br_ec_impl *points = reference(curve, &number);
    csn_ec_base(ec, multiplier, made);
    assert_int_equal(points->mulgen(expected, multiplier, ec->size, number), 1 + 2 * ec->size);
    assert_memory_equal(made, expected, 1 + 2 * ec->size);
}

/* A digest is a number modulo the order, for the nonce as well (RFC 6979, section 2.3.4). */
static void test_digest_above_the_order(void **state)
{
    (void)state;
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const struct csn_ec *ec = csn_ec_find(curve);
        uint8_t secret[48] = {1}, small[48] = {0}, large[48], made[96], expected[96];
        struct csn_ecdsa_request request = {curve, secret, small, ec->size, NULL};
        small[ec->size - 1] = 5;
        order_plus(ec, 5, large);
        assert_int_equal(csn_ecdsa_sign(&request, expected), CSN_OK);
        request.digest = large;
        assert_int_equal(csn_ecdsa_sign(&request, made), CSN_OK);
        assert_memory_equal(made, expected, 2 * ec->size);
    }
}

/* Multipliers of one bit, of all bits but one, with runs of zeros, and both ends of the range. */
static void test_base(void **state)
{
    (void)state;
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const struct csn_ec *ec = csn_ec_find(curve);
        uint8_t multiplier[48] = {0}, made[97] = {1}, zero[97] = {4};
        csn_ec_base(ec, multiplier, made);
        assert_memory_equal(made, zero, 1 + 2 * ec->size);
        for (uint32_t bit = 0; bit < 8 * ec->size - 1; bit += 5) {
            memset(multiplier, 0, sizeof multiplier);
            set_bit(multiplier, ec->size, bit);
            check_base(curve, multiplier);
            set_bit(multiplier, ec->size, 0);
            check_base(curve, multiplier);
            set_bit(multiplier, ec->size, (bit + 129) % (8 * ec->size - 1));
            check_base(curve, multiplier);
        }
        for (int less = 1; less <= 40; less++) {
            order_plus(ec, -less, multiplier);
            check_base(curve, multiplier);
            memset(multiplier, 0, sizeof multiplier);
            multiplier[ec->size - 1] = (uint8_t)less;
            check_base(curve, multiplier);
        }
    }
}

/* Random multipliers until every sum of every block of the comb was used, by far. */
static void test_base_random(void **state)
{
    (void)state;
    struct csn_random random;
    uint8_t multiplier[48];
    assert_int_equal(csn_random_init(&random, csn_random_system, NULL), CSN_OK);
    for (uint32_t i = 0; i < 400; i++) {
        const uint32_t curve = i % 4 == 3 ? CSN_EC_P384 : CSN_EC_P256;
        assert_int_equal(csn_random_fill(&random, multiplier, sizeof multiplier), CSN_OK);
        multiplier[0] &= 0x7f;
        check_base(curve, multiplier);
    }
}

/* What runs of doublings and sums must get right: the neutral point, equal and opposite ones. */
static void test_multiply(void **state)
{
    (void)state;
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const struct csn_ec *ec = csn_ec_find(curve);
        uint8_t multiplier[48] = {0}, point[97], expected[97], x[48], zero[48] = {0};
        uint8_t seven[48] = {0};
        int number;
        const br_ec_impl *points = reference(curve, &number);
        seven[ec->size - 1] = 7;
        csn_ec_base(ec, seven, point);
        ec->points->multiply(multiplier, point + 1, x);
        assert_memory_equal(x, zero, ec->size);
        order_plus(ec, 0, multiplier);
        ec->points->multiply(multiplier, point + 1, x);
        assert_memory_equal(x, zero, ec->size);
        for (int i = -70; i <= 70; i++) {
            memset(multiplier, 0, sizeof multiplier);
            multiplier[ec->size - 1] = (uint8_t)i;
            if (i < 0) {
                order_plus(ec, i, multiplier);
            }
            ec->points->multiply(multiplier, point + 1, x);
            memcpy(expected, point, sizeof expected);
            if (i == 0) {
                continue;
            }
            assert_int_equal(points->mul(expected, 1 + 2 * ec->size, multiplier, ec->size, number),
                             1);
            assert_memory_equal(x, expected + 1, ec->size);
            /* i G + (i / 7) 7 G: of equal points; i G - i G: of opposite ones. */
            if (i > 0 && i < 18) {
                uint8_t of_base[48] = {0};
                of_base[ec->size - 1] = (uint8_t)(7 * i);
                ec->points->combine(of_base, multiplier, point + 1, x);
                of_base[ec->size - 1] = (uint8_t)(14 * i);
                csn_ec_base(ec, of_base, expected);
                assert_memory_equal(x, expected + 1, ec->size);
                order_plus(ec, -7 * i, of_base);
                ec->points->combine(of_base, multiplier, point + 1, x);
                assert_memory_equal(x, zero, ec->size);
            }
        }
    }
}

static void test_generate(void **state)
{
    (void)state;
    struct csn_random random;
    uint8_t secret[2][48], public_key[97], expected[97];
    assert_int_equal(csn_random_init(&random, csn_random_system, NULL), CSN_OK);
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const uint32_t size = csn_ec_size(curve);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(csn_ec_generate(curve, &random, secret[i], public_key), CSN_OK);
            assert_int_equal(csn_ec_public(curve, secret[i], expected), CSN_OK);
            assert_memory_equal(public_key, expected, 1 + 2 * size);
        }
        assert_memory_not_equal(secret[0], secret[1], size);
    }
    random.failed = 1;
    assert_int_equal(csn_ec_generate(CSN_EC_P256, &random, secret[0], public_key), CSN_ERR_ENTROPY);
    memset(expected, 0, sizeof expected);
    assert_memory_equal(secret[0], expected, 32);
    assert_memory_equal(public_key, expected, 65);
}

/* ---- against OpenSSL ---- */

static EC_KEY *peer_key(uint32_t curve, const uint8_t *secret, uint8_t *public_key)
{
    const int size = (int)csn_ec_size(curve);
    EC_KEY *key =
        EC_KEY_new_by_curve_name(curve == CSN_EC_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
    const EC_GROUP *group = EC_KEY_get0_group(key);
    BIGNUM *number = BN_bin2bn(secret, size, NULL);
    EC_POINT *point = EC_POINT_new(group);
    assert_int_equal(EC_POINT_mul(group, point, number, NULL, NULL, NULL), 1);
    assert_int_equal(EC_KEY_set_private_key(key, number), 1);
    assert_int_equal(EC_KEY_set_public_key(key, point), 1);
    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public_key,
                       (size_t)(1 + 2 * size), NULL);
    EC_POINT_free(point);
    BN_free(number);
    return key;
}

/* Ours to theirs as DER; theirs to ours. */
static void check_signatures(EC_KEY *key, const struct csn_ecdsa_request *request,
                             const uint8_t *public_key)
{
    const uint32_t size = csn_ec_size(request->curve);
    uint8_t signature[96], der[CSN_ECDSA_DER_SIZE_MAX], theirs[128];
    size_t der_size = 0;
    unsigned theirs_size = sizeof theirs;
    assert_int_equal(csn_ecdsa_sign(request, signature), CSN_OK);
    assert_int_equal(csn_ecdsa_to_der(request->curve, signature, der, &der_size), CSN_OK);
    assert_int_equal(
        ECDSA_verify(0, request->digest, (int)request->digest_size, der, (int)der_size, key), 1);
    ECDSA_sign(0, request->digest, (int)request->digest_size, theirs, &theirs_size, key);
    assert_int_equal(csn_ecdsa_from_der(request->curve, theirs, theirs_size, signature), CSN_OK);
    struct csn_ecdsa_claim claim = {request->curve,       public_key, request->digest,
                                    request->digest_size, signature,  2 * size};
    assert_int_equal(csn_ecdsa_verify(&claim), CSN_OK);
    signature[rand() % (int)(2 * size)] ^= (uint8_t)(1 << rand() % 8);
    assert_int_equal(csn_ecdsa_verify(&claim), CSN_ERR_AUTH);
}

static void check_agreement(EC_KEY *key, uint32_t curve, const uint8_t *secret)
{
    const uint32_t size = csn_ec_size(curve);
    uint8_t other[48], other_public[97], shared[48], expected[48];
    memcpy(other, secret, size);
    other[size / 2] ^= 0x55;
    EC_KEY *peer = peer_key(curve, other, other_public);
    assert_int_equal(csn_ec_agree(curve, secret, other_public, 1 + 2 * size, shared), CSN_OK);
    ECDH_compute_key(expected, size, EC_KEY_get0_public_key(peer), key, NULL);
    assert_memory_equal(shared, expected, size);
    EC_KEY_free(peer);
}

static void test_differential(void **state)
{
    (void)state;
    for (uint32_t curve = CSN_EC_P256; curve <= CSN_EC_P384; curve++) {
        const uint32_t size = csn_ec_size(curve);
        const int keys = (curve == CSN_EC_P256 ? 200 : 15) * rounds;
        int signatures = 0;
        for (int i = 0; i < keys; i++) {
            uint8_t secret[48], digest[80], public_key[97], expected[97];
            for (uint32_t k = 0; k < 48; k++) {
                secret[k] = (uint8_t)rand();
            }
            secret[0] &= 0x7f; /* below the order */
            EC_KEY *key = peer_key(curve, secret, expected);
            assert_int_equal(csn_ec_public(curve, secret, public_key), CSN_OK);
            assert_memory_equal(public_key, expected, 1 + 2 * size);
            for (int k = 0; k < 5; k++) {
                for (uint32_t m = 0; m < sizeof digest; m++) {
                    digest[m] = (uint8_t)(k == 0 ? 0 : k == 1 ? 0xff : rand());
                }
                struct csn_ecdsa_request request = {curve, secret, digest,
                                                    (size_t)(1 + rand() % 80), NULL};
                check_signatures(key, &request, public_key);
                signatures++;
            }
            check_agreement(key, curve, secret);
            EC_KEY_free(key);
        }
        printf("# P-%u: %d keys, %d signatures each way\n", 8 * size, keys, signatures);
    }
}

/* Points that are not on the curve, coordinates above the prime, other forms and lengths. */
static void test_public_check(void **state)
{
    (void)state;
    uint8_t point[97] = {4}, secret[48] = {0}, shared[48];
    static const uint8_t zero[48];
    secret[31] = 2;
    assert_int_equal(csn_ec_public(CSN_EC_P256, secret, point), CSN_OK);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_OK);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 64), CSN_ERR_AUTH);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 33), CSN_ERR_AUTH);
    assert_int_equal(csn_ec_public_check(CSN_EC_P384, point, 65), CSN_ERR_AUTH);
    for (int form = 0; form < 8; form++) {
        point[0] = (uint8_t)form;
        assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65),
                         form == 4 ? CSN_OK : CSN_ERR_AUTH);
    }
    point[0] = 4;
    for (int bit = 0; bit < 512; bit += 5) {
        point[1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_ERR_AUTH);
        assert_int_equal(csn_ec_agree(CSN_EC_P256, secret, point, 65, shared), CSN_ERR_AUTH);
        assert_memory_equal(shared, zero, 32);
        point[1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* x = 5 is on the curve; so is 5 plus the prime, modulo it. */
    static const char *const forms[2] = {
        "0000000000000000000000000000000000000000000000000000000000000005",
        "ffffffff00000001000000000000000000000001000000000000000000000004"};
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *five = EC_POINT_new(group);
    BIGNUM *x = BN_new();
    BN_set_word(x, 5);
    assert_int_equal(EC_POINT_set_compressed_coordinates(group, five, x, 0, NULL), 1);
    EC_POINT_point2oct(group, five, POINT_CONVERSION_UNCOMPRESSED, point, 65, NULL);
    from_hex(forms[0], shared);
    assert_memory_equal(point + 1, shared, 32);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_OK);
    from_hex(forms[1], point + 1);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_ERR_AUTH);
    /* And y = 5, of a root of the equation. */
    from_hex("d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7", point + 1);
    from_hex(forms[0], point + 33);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_OK);
    from_hex(forms[1], point + 33);
    assert_int_equal(csn_ec_public_check(CSN_EC_P256, point, 65), CSN_ERR_AUTH);
    BN_free(x);
    EC_POINT_free(five);
    EC_GROUP_free(group);
}

/* ---- DER ---- */

static void test_der(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        csn_err err;
    } rows[] = {
        {"3006020101020101", CSN_OK},
        {"3006020100020100", CSN_OK}, /* zeros: a form, but never a signature */
        {"300702020080020101", CSN_OK},
        {"3007020101020200ff", CSN_OK},
        {"3106020101020101", CSN_ERR_FORMAT},     /* not a sequence */
        {"300602010102010100", CSN_ERR_FORMAT},   /* bytes behind it */
        {"3007020101020101", CSN_ERR_FORMAT},     /* cut */
        {"3007020101020101ff", CSN_ERR_FORMAT},   /* bytes inside it */
        {"308106020101020101", CSN_ERR_FORMAT},   /* long form of the length */
        {"30060201ff020101", CSN_ERR_FORMAT},     /* negative */
        {"300602010102017f", CSN_OK},             /* the highest that needs no zero */
        {"3006020101020180", CSN_ERR_FORMAT},     /* negative */
        {"300702020001020101", CSN_ERR_FORMAT},   /* zero in front */
        {"30080203000080020101", CSN_ERR_FORMAT}, /* two zeros */
        {"3006030101020101", CSN_ERR_FORMAT},     /* not an integer */
        {"30050200020101", CSN_ERR_FORMAT},       /* empty */
        {"3003020101", CSN_ERR_FORMAT},           /* one integer */
        {"30090201010201010201"
         "01",
         CSN_ERR_FORMAT},                     /* three */
        {"3006020101020201", CSN_ERR_FORMAT}, /* longer than what is there */
        {"3000", CSN_ERR_FORMAT},
        {"30", CSN_ERR_FORMAT},
        {"", CSN_ERR_FORMAT},
        {"30260221010000000000000000000000000000000000000000000000000000000000000000020101",
         CSN_ERR_FORMAT}, /* 33 bytes that are no zero in front */
    };
    static const uint8_t zero[96];
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t signature[96], again[CSN_ECDSA_DER_SIZE_MAX];
        size_t size = strlen(rows[i].der) / 2, again_size = 0;
        uint8_t *der = malloc(size + (size == 0)); /* exactly, for the sanitizer's sake */
        from_hex(rows[i].der, der);
        memset(signature, 0xee, sizeof signature);
        assert_int_equal(csn_ecdsa_from_der(CSN_EC_P256, der, size, signature), rows[i].err);
        if (rows[i].err == CSN_OK) {
            assert_int_equal(csn_ecdsa_to_der(CSN_EC_P256, signature, again, &again_size), CSN_OK);
            assert_int_equal(again_size, size);
            assert_memory_equal(again, der, size);
        } else {
            assert_memory_equal(signature, zero, 64);
        }
        assert_int_equal(signature[64], 0xee);
        free(der);
    }
}

/* ---- Wycheproof ---- */

static bool verify_case(const cJSON *group, const cJSON *test, bool is_der)
{
    const cJSON *key = cJSON_GetObjectItemCaseSensitive(group, "publicKey");
    const uint32_t curve =
        strcmp(vector_text(key, "curve"), "secp256r1") == 0 ? CSN_EC_P256 : CSN_EC_P384;
    const uint32_t size = csn_ec_size(curve);
    struct vector_bytes point = vector_hex(key, "uncompressed"), message = vector_hex(test, "msg");
    struct vector_bytes given = vector_hex(test, "sig");
    uint8_t digest[48], signature[96];
    hash_for(curve, message.bytes, message.size, digest);
    struct csn_ecdsa_claim claim = {curve, point.bytes, digest, size, given.bytes, given.size};
    csn_err err = point.size == 1 + 2 * size ? CSN_OK : CSN_ERR_FORMAT;
    if (err == CSN_OK && is_der) {
        err = csn_ecdsa_from_der(curve, given.bytes, given.size, signature);
        claim.signature = signature;
        claim.signature_size = 2 * size;
    }
    if (err == CSN_OK) {
        err = csn_ecdsa_verify(&claim);
    }
    vector_free(&point), vector_free(&message), vector_free(&given);
    return (err == CSN_OK) == vector_valid(test);
}

static bool der_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)skip;
    return verify_case(group, test, true);
}

static bool raw_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)skip;
    return verify_case(group, test, false);
}

static int other_forms; /* of public keys, which are refused whatever they hold */

/* The one form in which we would take a key: SubjectPublicKeyInfo of a named curve, uncompressed.
 */
static const uint8_t info[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static bool agree_case(const cJSON *group, const cJSON *test, bool *skip)
{
    (void)group, (void)skip;
    struct vector_bytes key = vector_hex(test, "public"), number = vector_hex(test, "private");
    struct vector_bytes expected = vector_hex(test, "shared");
    uint8_t secret[32] = {0}, shared[32];
    size_t zeros = number.size > 32 ? number.size - 32 : 0; /* a sign byte in front */
    memcpy(secret + 32 - (number.size - zeros), number.bytes + zeros, number.size - zeros);
    bool ours = key.size >= sizeof info && memcmp(key.bytes, info, sizeof info) == 0;
    csn_err err = CSN_ERR_FORMAT;
    if (ours) {
        err = csn_ec_agree(CSN_EC_P256, secret, key.bytes + sizeof info, key.size - sizeof info,
                           shared);
    }
    bool same = err == CSN_OK && memcmp(shared, expected.bytes, 32) == 0;
    vector_free(&key), vector_free(&number), vector_free(&expected);
    if (strcmp(vector_text(test, "result"), "valid") == 0) {
        return same;
    }
    if (!vector_valid(test)) {
        return err != CSN_OK;
    }
    other_forms += err != CSN_OK;
    return err != CSN_OK || same; /* acceptable */
}

static void run_file(const char *name, vector_judge judge, int expected)
{
    cJSON *root = vector_load(name);
    if (root == NULL) {
        printf("# skipped: %s is not there (CAISSON_SHARED)\n", name);
        skip();
    }
    struct vector_tally tally = vector_judge_all(root, judge);
    cJSON_Delete(root);
    printf("# %s: %d run of %d, %d wrong\n", name, tally.run, tally.total, tally.wrong);
    assert_int_equal(tally.run, expected);
    assert_int_equal(tally.total, expected);
    assert_int_equal(tally.wrong, 0);
}

static void test_wycheproof_p256(void **state)
{
    (void)state;
    run_file("wycheproof/ecdsa_secp256r1_sha256_test.json", der_case, 484);
    run_file("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", raw_case, 262);
}

static void test_wycheproof_p384(void **state)
{
    (void)state;
    run_file("wycheproof/ecdsa_secp384r1_sha384_test.json", der_case, 504);
    run_file("wycheproof/ecdsa_secp384r1_sha384_p1363_test.json", raw_case, 280);
}

static void test_wycheproof_agree(void **state)
{
    (void)state;
    other_forms = 0;
    run_file("wycheproof/ecdh_secp256r1_test.json", agree_case, 612);
    printf("# of them refused though acceptable, for the form of the key: %d\n", other_forms);
    assert_int_equal(other_forms, 230);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_der),
        cmocka_unit_test(test_rfc6979),
        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_public_check),
        cmocka_unit_test(test_differential),
        cmocka_unit_test(test_digest_above_the_order),
        cmocka_unit_test(test_base),
        cmocka_unit_test(test_base_random),
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_wycheproof_agree),
        cmocka_unit_test(test_wycheproof_p256),
        cmocka_unit_test(test_wycheproof_p384),
    };
    const uint64_t adx = CSN_WIRE_FEATURE_BMI2 | CSN_WIRE_FEATURE_ADX;
    const char *kernel = count > 1 ? arguments[1] : "any";
    uint64_t features;
    rounds = count > 2 ? atoi(arguments[2]) : 1;
    srand(1);
    if (csn_cpu_features(&features) != CSN_OK) {
        return test_skip("no AES-NI");
    }
    if (strcmp(kernel, "any") == 0) {
        features &= ~adx;
    } else if ((features & adx) != adx) {
        return test_skip("no BMI2 and ADX");
    }
    if (csn_cpu_begin(features) != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
