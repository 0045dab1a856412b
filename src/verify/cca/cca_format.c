/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cca_format.c: Arm CCA tokens: a platform token, signed by the CPAK that the relying party brings,
 * and a realm token, signed by a key whose digest the platform token holds.
 *
 * Order: framing, claims of both halves, platform signature, realm signature, binding, challenge.
 * Later steps are shown even where an earlier one failed; they cannot make the verdict better.
 */
#include "verify/cca/cca_rules.h"
#include "verify/cca/cca_token.h"

#define LIFECYCLE_SECURED 0x30 /* in the high byte */

struct token {
    struct csv_cose platform_message;
    struct csv_cose realm_message;
    struct csv_cca_platform platform;
    struct csv_cca_realm realm;
};

static bool recognise(struct csv_bytes evidence)
{
    static const uint8_t head[] = {0xd9, 0x01, 0x8f}; /* tag 399, then a map */
    return evidence.size > sizeof head && memcmp(evidence.at, head, sizeof head) == 0 &&
           evidence.at[sizeof head] >> 5 == CSV_CBOR_MAP;
}

static void claim_run(struct csv_case *appraisal, const char *name, struct csv_bytes bytes)
{
    csv_claim_bytes(appraisal, name, bytes.at, bytes.size);
}

static void take_platform(struct csv_case *appraisal, const struct token *token)
{
    const struct csv_cca_platform *platform = &token->platform;
    csv_claim_number(appraisal, "cbor_tag", CSV_CCA_TAG);
    csv_claim_text(
        appraisal, "platform_alg",
        csv_text(appraisal->arena, "%lld", (long long)token->platform_message.algorithm));
    csv_claim_text(appraisal, "realm_alg",
                   csv_text(appraisal->arena, "%lld", (long long)token->realm_message.algorithm));
    csv_claim_text(appraisal, "platform_profile", platform->profile);
    claim_run(appraisal, "platform_nonce", platform->nonce);
    csv_claim_word(appraisal, "platform_lifecycle", platform->lifecycle);
    csv_claim_number(appraisal, "lifecycle", platform->lifecycle);
    csv_claim_hide(appraisal);
    csv_claim_number(appraisal, "debug_any", platform->lifecycle >> 8 != LIFECYCLE_SECURED);
    csv_claim_hide(appraisal);
    claim_run(appraisal, "implementation_id", platform->implementation_id);
    claim_run(appraisal, "instance_id", platform->instance_id);
    claim_run(appraisal, "config", platform->config);
    csv_claim_text(appraisal, "platform_hash_alg", platform->hash_algorithm);
    csv_claim_number(appraisal, "sw_components", platform->component_count);
    csv_claim_list(appraisal, "sw_component_list", platform->components, platform->component_count);
}

static void take_realm(struct csv_case *appraisal, const struct csv_cca_realm *realm)
{
    static const char *const names[CSV_CCA_REM_COUNT] = {"rem0", "rem1", "rem2", "rem3"};
    csv_claim_text(appraisal, "realm_profile", realm->profile != NULL ? realm->profile : "absent");
    claim_run(appraisal, "realm_challenge", realm->challenge);
    claim_run(appraisal, "rim", realm->rim);
    for (size_t i = 0; i < CSV_CCA_REM_COUNT; i++) {
        claim_run(appraisal, names[i], realm->rem[i]);
    }
    claim_run(appraisal, "rpv", realm->personalization);
    csv_claim_text(appraisal, "realm_hash_alg", realm->hash_algorithm);
    csv_claim_text(appraisal, "rak_hash_alg", realm->rak_hash_algorithm);
    csv_claim_number(appraisal, "rak_len", realm->rak.size);
}

static bool read_halves(struct csv_case *appraisal, struct token *token)
{
    const char *why = NULL;
    bool platform = csv_cca_read_platform(token->platform_message.payload, appraisal->arena,
                                          &token->platform, &why);
    csv_note_if(appraisal, "cca.platform-claims", platform, "all claims of a known profile",
                platform ? "all there" : why);
    bool realm =
        csv_cca_read_realm(token->realm_message.payload, appraisal->arena, &token->realm, &why);
    csv_note_if(appraisal, "cca.realm-claims", realm, "all claims of a known profile",
                realm ? "all there" : why);
    return platform && realm;
}

static void note_signature(struct csv_case *appraisal, const char *id, const struct csv_cose *cose,
                           EVP_PKEY *key)
{
    const char *why;
    bool good = csv_cose_check(cose, key, &why);
    csv_note_if(appraisal, id, good, "a signature by that key", good ? "valid" : why);
}

static void check_platform(struct csv_case *appraisal, const struct csv_cose *cose)
{
    const char *why = NULL;
    const struct csv_part *part =
        csv_need_part(appraisal, CSV_PART_AK, "cca.platform-key", "the platform's public key");
    if (part == NULL) {
        return;
    }
    EVP_PKEY *key = csv_cca_platform_key(part->bytes, appraisal->arena, &why);
    if (csv_note_if(appraisal, "cca.platform-key", key != NULL, "a public key on its curve",
                    key != NULL ? "given" : why)) {
        note_signature(appraisal, "cca.platform-signature", cose, key);
    }
    EVP_PKEY_free(key);
}

static void check_realm(struct csv_case *appraisal, const struct token *token)
{
    const char *why = NULL;
    EVP_PKEY *key = csv_cca_realm_key(&token->realm, &why);
    if (csv_note_if(appraisal, "cca.realm-key", key != NULL, "a point on P-384",
                    key != NULL ? "on its curve" : why)) {
        note_signature(appraisal, "cca.realm-signature", &token->realm_message, key);
    }
    EVP_PKEY_free(key);
}

static void check_binding(struct csv_case *appraisal, const struct token *token)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    struct csv_bytes rak = token->realm.rak;
    struct csv_bytes nonce = token->platform.nonce;
    if (EVP_Digest(rak.at, rak.size, digest, &size, csv_cca_hash(token->realm.rak_hash_algorithm),
                   NULL) != 1) {
        csv_note(appraisal, "cca.binding", CSV_MISSING, "a digest", "libcrypto failed");
        return;
    }
    bool same = nonce.size == size && memcmp(nonce.at, digest, size) == 0;
    csv_note_if(appraisal, "cca.binding", same, csv_text_hex(appraisal->arena, digest, size),
                csv_text_hex(appraisal->arena, nonce.at, nonce.size));
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct token token;
    const char *why = NULL;
    bool framed = csv_cca_open(evidence, &token.platform_message, &token.realm_message, &why);
    if (!csv_note_if(appraisal, "cca.framing", framed, "two COSE_Sign1 under tag 399",
                     framed ? "well formed" : why)) {
        return;
    }
    if (!read_halves(appraisal, &token)) {
        return;
    }
    take_platform(appraisal, &token);
    take_realm(appraisal, &token.realm);
    check_platform(appraisal, &token.platform_message);
    check_realm(appraisal, &token);
    check_binding(appraisal, &token);
    csv_check_report_data(appraisal, token.realm.challenge.at);
}

static const char *const launch_claims[] = {"rim", "rem0", "rem1", "rem2", "rem3", NULL};

const struct csv_format csv_format_cca = {
    .id = CSV_FORMAT_CCA,
    .name = "cca",
    .recognise = recognise,
    .appraise = appraise,
    .rules = csv_cca_rules,
    .rule_count = CSV_CCA_RULE_COUNT,
    .catalogue = {csv_cca_entries, CSV_CCA_ENTRY_COUNT},
    .launch_claims = launch_claims,
};
