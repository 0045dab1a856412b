/* SPDX-License-Identifier: Apache-2.0 */
/* ohttp_answer.c: encapsulated responses, whole or in chunks (RFC 9458 section 4.4). */
#include "ohttp.h"
#include <core/bytes.h>
#include <crypto/sha2.h>

static const uint8_t final_aad[] = {'f', 'i', 'n', 'a', 'l'};

/* max(Nn, Nk): nonces have 12 bytes, so it is the key's size. */
uint32_t csn_ohttp_nonce_size(const struct csn_ohttp_exchange *exchange)
{
    return (uint32_t)csn_aead_key_size(exchange->hpke.aead);
}

/* The one failure of these, an output above 8,160 bytes, cannot be. */
static void must(csn_err result)
{
    if (result != CSN_OK) {
        __builtin_trap();
    }
}

void csn_ohttp_answer(const struct csn_ohttp_exchange *exchange, const uint8_t *nonce,
                      struct csn_ohttp_answer *answer)
{
    const uint32_t size = csn_ohttp_nonce_size(exchange);
    const char *label = exchange->form == CSN_OHTTP_WHOLE ? "message/bhttp response"
                                                          : "message/bhttp chunked response";
    uint8_t secret[CSN_OHTTP_NONCE_SIZE_MAX];
    uint8_t salt[32 + CSN_OHTTP_NONCE_SIZE_MAX];
    uint8_t prk[32];
    must(csn_hpke_export(&exchange->hpke, label, secret, size));
    __builtin_memcpy(salt, exchange->encapsulation, 32);
    __builtin_memcpy(salt + 32, nonce, size);
    csn_hkdf_extract(salt, 32 + size, secret, size, prk);
    *answer = (struct csn_ohttp_answer){.aead = exchange->hpke.aead, .form = exchange->form};
    must(csn_hkdf_expand(prk, "key", 3, answer->key, size));
    must(csn_hkdf_expand(prk, "nonce", 5, answer->nonce, sizeof answer->nonce));
    csn_wipe(secret, sizeof secret);
    csn_wipe(prk, sizeof prk);
}

/* Everything of one chunk but input and output. A whole answer is chunk 0 without marks. */
static csn_err prepare(const struct csn_ohttp_answer *answer, bool final, uint8_t nonce[12],
                       struct csn_aead_text *text)
{
    if (answer->is_ended) {
        return CSN_ERR_STATE;
    }
    if (answer->counter == UINT64_MAX) {
        return CSN_ERR_LIMIT;
    }
    csn_aead_nonce(answer->nonce, answer->counter, nonce);
    bool marked = answer->form == CSN_OHTTP_CHUNKED && final;
    *text = (struct csn_aead_text){.key = answer->key,
                                   .nonce = nonce,
                                   .aad = final_aad,
                                   .aad_size = marked ? sizeof final_aad : 0};
    return CSN_OK;
}

static void advance(struct csn_ohttp_answer *answer, bool final)
{
    answer->counter++;
    answer->is_ended = final || answer->form == CSN_OHTTP_WHOLE;
}

csn_err csn_ohttp_answer_seal(struct csn_ohttp_answer *answer, bool final, const uint8_t *plain,
                              uint32_t size, uint8_t *sealed)
{
    uint8_t nonce[12];
    struct csn_aead_text text;
    if (size > UINT32_MAX - CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_ARGUMENT;
    }
    CSN_TRY(prepare(answer, final, nonce, &text));
    text.size = size;
    text.input = plain;
    text.output = sealed;
    CSN_TRY(csn_aead_seal(answer->aead, &text, sealed + size));
    advance(answer, final);
    return CSN_OK;
}

csn_err csn_ohttp_answer_open(struct csn_ohttp_answer *answer, bool final, const uint8_t *sealed,
                              uint32_t sealed_size, uint8_t *plain)
{
    uint8_t nonce[12];
    struct csn_aead_text text;
    if (sealed_size < CSN_OHTTP_TAG_SIZE) {
        return CSN_ERR_FORMAT;
    }
    CSN_TRY(prepare(answer, final, nonce, &text));
    text.size = sealed_size - CSN_OHTTP_TAG_SIZE;
    text.input = sealed;
    text.output = plain;
    CSN_TRY(csn_aead_open(answer->aead, &text, sealed + text.size));
    advance(answer, final);
    return CSN_OK;
}
