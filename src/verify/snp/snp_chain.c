/* SPDX-License-Identifier: Apache-2.0 */
/* snp_chain.c: from the VEK up to AMD's root, and from the VEK down to the report. */
#include "verify/ecdsa.h"
#include "verify/policy/policy.h"
#include "verify/snp/snp_number.h"
#include "verify/snp/snp_vek.h"
#include <string.h>

/* VCEKs hang below the ASK, VLEKs below the ASVK, both of the report's own product. */
static void check_names(struct csv_case *appraisal, const struct csv_chain *chain,
                        const struct csv_snp_product *product, bool vlek)
{
    const char *wanted = vlek ? product->asvk : product->ask;
    const char *issuer =
        chain->count == 3 ? csv_common_name(chain->at[1], appraisal->arena) : "no issuer between";
    const char *root = csv_common_name(chain->at[chain->count - 1], appraisal->arena);
    bool pinned = chain->root == NULL || strcmp(chain->root->name, product->ark) == 0;
    bool same = strcmp(issuer, wanted) == 0 && strcmp(root, product->ark) == 0 && pinned;
    csv_note_if(appraisal, "snp.chain-names", same,
                csv_text(appraisal->arena, "%s, %s", wanted, product->ark),
                csv_text(appraisal->arena, "%s, %s", issuer, root));
}

static void no_crl(struct csv_case *appraisal, const char *issuer)
{
    const struct csv_value *wish = csv_policy_first(appraisal->policy, "snp.crl");
    bool needed = !appraisal->policy->any && (wish == NULL || strcmp(wish->text, "any") != 0);
    csv_note(appraisal, "snp.crl", needed ? CSV_MISSING : CSV_WARNED,
             csv_text(appraisal->arena, "a list of %s's", issuer),
             "none given: a revoked key would pass");
}

/* Every list of the root's that was supplied must hold and must not name the key below it. */
static void check_crls(struct csv_case *appraisal, const struct csv_chain *chain)
{
    struct csv_cert *root = chain->at[chain->count - 1];
    size_t used = 0;
    const struct csv_part *part;
    for (size_t i = 0; (part = csv_part(appraisal->input, CSV_PART_CRL, i)) != NULL; i++) {
        struct csv_crl crl;
        if (!csv_crl_read(&crl, part->bytes, appraisal->arena)) {
            csv_note(appraisal, "snp.crl", CSV_FAILED, "a list that can be read", "not a list");
        } else if (csv_crl_is_from(&crl, root)) {
            csv_crl_check(appraisal, &crl, chain->at[1], root, "snp.crl");
            used++;
        }
    }
    if (used == 0) {
        no_crl(appraisal, csv_common_name(root, appraisal->arena));
    }
    csv_claim_text(appraisal, "crl", used != 0 ? "required" : "any");
    csv_claim_hide(appraisal);
}

void csv_snp_chain_check(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                         const struct csv_certs *certs, const struct csv_snp_product *product,
                         bool vlek)
{
    static const struct csv_chain_options options = {
        .finding = "snp.chain",
        .roots = &csv_roots_amd,
        .depth_max = 3,
    };
    struct csv_chain chain;
    if (!csv_chain_check(appraisal, vek->cert, certs, &options, &chain)) {
        return;
    }
    if (product != NULL) {
        check_names(appraisal, &chain, product, vlek);
    }
    if (chain.count > 1) {
        check_crls(appraisal, &chain);
    }
}

void csv_snp_signature_check(struct csv_case *appraisal, const struct csv_snp_vek *vek,
                             const uint8_t *report)
{
    EVP_PKEY *key = csv_cert_key(vek->cert);
    bool kind = csv_ecdsa_is_on(key, "secp384r1");
    if (csv_note_if(appraisal, "snp.vek-key", kind, "a P-384 key", kind ? "P-384" : "another")) {
        uint8_t rs[96];
        struct csv_bytes message = {report, CSV_SNP_SIGNED_SIZE};
        bool good = csv_snp_numbers(report + CSV_SNP_SIGNATURE, rs) &&
                    csv_ecdsa_check(key, EVP_sha384(), rs, 48, message);
        csv_note_if(appraisal, "snp.signature", good, "a valid signature",
                    good ? "valid" : "not valid");
    }
}
