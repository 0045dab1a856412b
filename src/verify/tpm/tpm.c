/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm.c: what a quote proves (see tpm.h), and TPM 2.0 quotes as evidence of their own.
 *
 * The evidence is the TPMS_ATTEST; signature, attestation key and PCR values stand beside it. Only
 * PCRs that the signed selection names are ever claimed, whatever the list of values holds.
 */
#include "verify/tpm/tpm.h"
#include "verify/policy/policy.h"
#include "verify/tpm/ak.h"
#include "verify/tpm/pcrs.h"
#include "verify/tpm/signature.h"
#include "verify/tpm/tpm_rules.h"
#include <string.h>

static void check_fresh(struct csv_case *appraisal, const struct csv_tpm_quote *quote)
{
    struct csv_nonce nonce;
    if (csv_nonce_wanted(appraisal, &nonce)) {
        struct csv_bytes got = quote->extra_data;
        bool same = got.size == nonce.size && memcmp(got.at, nonce.bytes, nonce.size) == 0;
        csv_note_nonce(appraisal, &nonce, same, csv_text_hex(appraisal->arena, got.at, got.size));
    }
}

static void check_signature(struct csv_case *appraisal, const struct csv_tpm_quote *quote,
                            EVP_PKEY *key)
{
    const char *why = NULL;
    const struct csv_part *part = csv_need_part(appraisal, CSV_PART_TPM_SIGNATURE, "tpm.signature",
                                                "the signature of the quote");
    if (part != NULL && key != NULL) {
        bool good = csv_tpm_signature_check(part->bytes, key, quote, &why);
        csv_note_if(appraisal, "tpm.signature", good, "a signature of the attestation key",
                    good ? "valid" : why);
    }
}

static bool is_any(const struct csv_policy *policy, const char *key, size_t index)
{
    const struct csv_value *value = csv_policy_first(policy, key);
    bool any = false;
    for (; value != NULL; value = csv_policy_next(value)) {
        any = any || value->number == index;
    }
    return any;
}

/* The bank that rules speak of: SHA-256, or else the last one selected that is no weaker. */
static const struct csv_tpm_selection *ruled_bank(const struct csv_tpm_quote *quote)
{
    const struct csv_tpm_selection *found = NULL;
    for (size_t i = 0; i < quote->selection_count; i++) {
        const struct csv_tpm_selection *selection = &quote->selections[i];
        bool counts = selection->bank->make != NULL && selection->pcrs != 0;
        found = counts && (found == NULL || selection->bank->id == 0x000b) ? selection : found;
    }
    return found;
}

static void claim_pcrs(struct csv_case *appraisal, const struct csv_tpm_pcrs *pcrs,
                       const struct csv_tpm_selection *selection, const char *section)
{
    const struct csv_tpm_bank *bank = csv_tpm_bank(pcrs, selection->bank);
    const char *any = csv_text(appraisal->arena, "%s.any_pcrs", section);
    for (size_t n = 0; n < CSV_TPM_PCR_COUNT_MAX && bank != NULL; n++) {
        if ((selection->pcrs >> n & 1) == 0) {
            continue;
        }
        csv_claim_bytes(appraisal, csv_text(appraisal->arena, "pcr%zu", n), bank->value[n],
                        bank->hash->size);
        if (!is_any(appraisal->policy, any, n)) {
            csv_claim_bytes(appraisal, csv_text(appraisal->arena, "pcr%zu_ruled", n),
                            bank->value[n], bank->hash->size);
            csv_claim_hide(appraisal);
        }
    }
}

static bool digest_agrees(struct csv_case *appraisal, const struct csv_tpm_pcrs *pcrs,
                          const struct csv_tpm_quote *quote)
{
    uint8_t digest[64];
    const struct csv_tpm_hash *hash = csv_tpm_quote_hash(quote);
    bool covered = csv_tpm_pcrs_cover(pcrs, quote);
    if (!covered || hash == NULL) {
        return csv_note(appraisal, "tpm.pcr-digest", CSV_FAILED,
                        "a value of each PCR selected, and a digest of them",
                        covered ? "a digest of no known hash" : "some values are not there");
    }
    if (!csv_tpm_pcrs_digest(pcrs, quote, hash, digest)) {
        return csv_note(appraisal, "tpm.pcr-digest", CSV_MISSING, "a digest", "libcrypto failed");
    }
    bool same = quote->pcr_digest.size == hash->size &&
                memcmp(quote->pcr_digest.at, digest, hash->size) == 0;
    return csv_note_if(appraisal, "tpm.pcr-digest", same,
                       csv_text_hex(appraisal->arena, quote->pcr_digest.at, quote->pcr_digest.size),
                       csv_text_hex(appraisal->arena, digest, hash->size));
}

static void check_pcrs(struct csv_case *appraisal, const struct csv_tpm_quote *quote,
                       const char *section)
{
    const char *why = NULL;
    const struct csv_part *part =
        csv_need_part(appraisal, CSV_PART_PCRS, "tpm.pcr-values", "the values of the PCRs");
    const struct csv_tpm_selection *ruled = ruled_bank(quote);
    struct csv_tpm_pcrs *pcrs = csv_take(appraisal->arena, 1, sizeof *pcrs);
    csv_note_if(appraisal, "tpm.pcr-select", ruled != NULL,
                "PCRs of a SHA-256 bank or a stronger one",
                csv_tpm_selection_text(appraisal->arena, quote));
    if (part == NULL || pcrs == NULL || ruled == NULL) {
        return;
    }
    bool read = csv_tpm_pcrs_read(part->bytes, pcrs, &why);
    if (csv_note_if(appraisal, "tpm.pcr-values", read, "lines \"INDEX: VALUE\"",
                    read ? "well formed" : why) &&
        digest_agrees(appraisal, pcrs, quote)) {
        claim_pcrs(appraisal, pcrs, ruled, section);
    }
}

void csv_tpm_quote_check(struct csv_case *appraisal, const struct csv_tpm_quote *quote,
                         EVP_PKEY *key, const char *section)
{
    check_signature(appraisal, quote, key);
    check_fresh(appraisal, quote);
    check_pcrs(appraisal, quote, section);
}

/* With the names of a table for quotes that stand alone: one bank, its number apart. */
static void claim_selection(struct csv_case *appraisal, const struct csv_tpm_quote *quote)
{
    const struct csv_tpm_selection *first = &quote->selections[0];
    if (quote->selection_count == 1) {
        csv_claim_text(appraisal, "pcr_select",
                       csv_text_hex(appraisal->arena, first->bitmap.at, first->bitmap.size));
        csv_claim_word(appraisal, "sel_alg", first->bank->id);
    } else {
        csv_claim_text(appraisal, "pcr_select", csv_tpm_selection_text(appraisal->arena, quote));
        csv_claim_word(appraisal, "sel_alg", 0);
    }
}

static void appraise(struct csv_case *appraisal, struct csv_bytes evidence)
{
    struct csv_tpm_quote quote;
    const char *why = NULL;
    bool read = csv_tpm_quote_read(evidence, &quote, &why);
    if (!csv_note_if(appraisal, "tpm.framing", read, "TPMS_ATTEST of a quote",
                     read ? "well formed" : why)) {
        return;
    }
    csv_tpm_quote_claims(appraisal, &quote);
    claim_selection(appraisal, &quote);
    EVP_PKEY *key = csv_tpm_ak(appraisal);
    csv_tpm_quote_check(appraisal, &quote, key, "tpm");
    EVP_PKEY_free(key);
}

static const char *const launch_claims[] = {"sel_alg", "pcr_select", "pcr_digest", NULL};

const struct csv_format csv_format_tpm = {
    .id = CSV_FORMAT_TPM,
    .name = "tpm",
    .recognise = csv_tpm_quote_recognise,
    .appraise = appraise,
    .rules = csv_tpm_rules,
    .rule_count = CSV_TPM_RULE_COUNT,
    .catalogue = {csv_tpm_entries, CSV_TPM_ENTRY_COUNT},
    .launch_claims = launch_claims,
};
