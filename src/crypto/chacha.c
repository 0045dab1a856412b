/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chacha.c: the AEAD construction of RFC 8439 section 2.8 over libsodium's ChaCha20 and Poly1305.
 *
 * Like X25519 in curve.c these are called through libsodium's tables of one implementation each:
 * its own AEAD brings the dispatcher along, which runs cpuid. SSSE3 is required of every machine.
 */
#include "chacha.h"
#include <core/bytes.h>
#include <sodium/crypto_onetimeauth_poly1305.h>

/* As declared in libsodium 1.0.18, crypto_stream/chacha20/stream_chacha20.h. */
struct crypto_stream_chacha20_implementation {
    int (*stream)(unsigned char *c, unsigned long long clen, const unsigned char *n,
                  const unsigned char *k);
    int (*stream_ietf_ext)(unsigned char *c, unsigned long long clen, const unsigned char *n,
                           const unsigned char *k);
    int (*stream_xor_ic)(unsigned char *c, const unsigned char *m, unsigned long long mlen,
                         const unsigned char *n, uint64_t ic, const unsigned char *k);
    int (*stream_ietf_ext_xor_ic)(unsigned char *c, const unsigned char *m, unsigned long long mlen,
                                  const unsigned char *n, uint32_t ic, const unsigned char *k);
};
extern struct crypto_stream_chacha20_implementation
    crypto_stream_chacha20_dolbeau_ssse3_implementation;

/* As declared there in crypto_onetimeauth/poly1305/onetimeauth_poly1305.h. */
struct crypto_onetimeauth_poly1305_implementation {
    int (*once)(unsigned char *out, const unsigned char *in, unsigned long long inlen,
                const unsigned char *k);
    int (*verify)(const unsigned char *h, const unsigned char *in, unsigned long long inlen,
                  const unsigned char *k);
    int (*init)(crypto_onetimeauth_poly1305_state *state, const unsigned char *key);
    int (*update)(crypto_onetimeauth_poly1305_state *state, const unsigned char *in,
                  unsigned long long inlen);
    int (*final)(crypto_onetimeauth_poly1305_state *state, unsigned char *out);
};
extern struct crypto_onetimeauth_poly1305_implementation
    crypto_onetimeauth_poly1305_sse2_implementation;

/* Text from counter 1 on; libsodium takes a length of 0 as nothing to do. */
static void crypt(const struct csn_aead_text *text)
{
    crypto_stream_chacha20_dolbeau_ssse3_implementation.stream_ietf_ext_xor_ic(
        text->output, text->input, text->size, text->nonce, 1, text->key);
}

static void absorb(crypto_onetimeauth_poly1305_state *state, const uint8_t *bytes, uint32_t size)
{
    static const uint8_t zeros[16] = {0};
    if (size == 0) {
        return;
    }
    crypto_onetimeauth_poly1305_sse2_implementation.update(state, bytes, size);
    crypto_onetimeauth_poly1305_sse2_implementation.update(state, zeros, (16 - size % 16) % 16);
}

static void authenticate(const struct csn_aead_text *text, const uint8_t *cipher, uint8_t tag[16])
{
    crypto_onetimeauth_poly1305_state state;
    uint8_t key[32];
    const uint64_t lengths[2] = {text->aad_size, text->size};
    crypto_stream_chacha20_dolbeau_ssse3_implementation.stream_ietf_ext(key, sizeof key,
                                                                        text->nonce, text->key);
    crypto_onetimeauth_poly1305_sse2_implementation.init(&state, key);
    absorb(&state, text->aad, text->aad_size);
    absorb(&state, cipher, text->size);
    absorb(&state, (const uint8_t *)lengths, sizeof lengths);
    crypto_onetimeauth_poly1305_sse2_implementation.final(&state, tag);
    csn_wipe(key, sizeof key);
    csn_wipe(&state, sizeof state);
}

void csn_chacha_seal(const struct csn_aead_text *text, uint8_t tag[16])
{
    crypt(text);
    authenticate(text, text->output, tag);
}

csn_err csn_chacha_open(const struct csn_aead_text *text, const uint8_t tag[16])
{
    uint8_t expected[16];
    authenticate(text, text->input, expected);
    bool genuine = csn_equal_ct(expected, tag, sizeof expected);
    if (genuine) {
        crypt(text);
    } else {
        csn_wipe(text->output, text->size);
    }
    csn_wipe(expected, sizeof expected);
    return genuine ? CSN_OK : CSN_ERR_AUTH;
}
