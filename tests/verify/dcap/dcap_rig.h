/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcap_rig.h: a vendor of our own: root, PCK CA, PCK, TCB signer, lists, collateral and quotes, for
 * what no published sample shows. Everything is plain data until it is made; tests change the data,
 * make, and appraise.
 */
#ifndef TESTS_VERIFY_DCAP_RIG_H
#define TESTS_VERIFY_DCAP_RIG_H

#include "../table.h"
#include <openssl/evp.h>
#include <openssl/x509.h>

#define RIG_NOW INT64_C(1767225600) /* 2026-01-01 */

enum rig_key { RIG_ROOT, RIG_CA, RIG_PCK, RIG_SIGNER, RIG_ATTESTATION, RIG_OTHER, RIG_KEY_COUNT };

struct rig_level {
    uint8_t sgx[16];
    uint8_t tdx[16];
    unsigned pcesvn;
    const char *status;
    const char *advisories; /* as JSON, without brackets; NULL: no member */
};

struct rig_small_level { /* of a module, of the QE */
    unsigned isvsvn;
    const char *status;
    const char *advisories;
};

struct dcap_rig {
    /* Quote. */
    unsigned version;
    unsigned body_type;
    unsigned cert_type;
    uint8_t header[48];
    uint8_t body[885];
    uint8_t qe_report[384];
    uint8_t auth[32];
    bool leaf_with_chain; /* certification data 4 with more than it should have */
    bool keep_qe_data;    /* qe_report's report data as it is, not the key's hash */
    enum rig_key quote_signer;
    enum rig_key qe_signer;
    size_t trailing;
    /* PCK. */
    const char *pck_name;
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint8_t comp[16];
    unsigned pcesvn;
    const char *pck_fault; /* "order", "twice", "missing", "wide", "none", or NULL */
    /* Issuers of certificates, and what they are called. */
    const char *signer_name;
    enum rig_key signer_issuer;
    bool two_roots; /* the signer hangs below another root of the same name, trusted as well */
    /* Revoked: bits of 1 << enum rig_key. Lists hold around now unless moved. */
    unsigned revoked;
    int64_t list_shift; /* seconds */
    enum rig_key root_list_signer;
    enum rig_key pck_list_signer;
    bool lists_crossed;
    /* TCB info. */
    unsigned tcb_version;
    const char *tcb_id;
    const char *tcb_fmspc;
    const char *tcb_pceid;
    unsigned tcb_evaluation;
    enum rig_key tcb_signer;
    const char *tcb_issued;
    const char *tcb_next;
    const char *tcb_extra; /* members put in front, with a comma behind */
    struct rig_level levels[2];
    size_t level_count;
    const char *module_id; /* NULL: no identities */
    const char *module_mrsigner;
    const char *module_attributes;
    struct rig_small_level modules[2];
    size_t module_count;
    /* QE identity. */
    const char *qe_id;
    unsigned qe_identity_version;
    unsigned qe_evaluation;
    enum rig_key qe_identity_signer;
    const char *qe_mrsigner;
    unsigned qe_isvprodid;
    struct rig_small_level qe_levels[2];
    size_t qe_level_count;
    /* Made. */
    EVP_PKEY *keys[RIG_KEY_COUNT];
    uint8_t quote[16384];
    size_t quote_size;
    char pck_chain[8192]; /* PEM */
    char signer_chain[8192];
    uint8_t root_list[2048];
    size_t root_list_size;
    uint8_t pck_list[2048];
    size_t pck_list_size;
    char tcb_info[16384];
    char qe_identity[4096];
    uint8_t root_spki[32];
    uint8_t other_spki[32];
};

/* The keys, once; then all data as for a good quote of that kind. */
void dcap_rig_init(struct dcap_rig *rig, unsigned version, unsigned body_type);
void dcap_rig_free(struct dcap_rig *rig);
/* Certificates, lists, collateral and quote from the data. */
void dcap_rig_make(struct dcap_rig *rig);
/* All made parts, the clock and the test root in an input. */
struct csv_input *dcap_rig_input(const struct dcap_rig *rig);
/* Appraises under policy (NULL: any) what was made. */
csn_err dcap_rig_appraise(const struct dcap_rig *rig, const struct csv_policy *policy,
                          struct csv_verdict **verdict);
/* Makes, appraises under any policy, and expects a result with a finding (NULL: any). */
void dcap_rig_expect(struct dcap_rig *rig, csn_err result, const char *id, uint32_t outcome);
/* Makes, and expects a status (and the result that goes with it). */
void dcap_rig_expect_status(struct dcap_rig *rig, const char *status);
/* Raw r || s by a key over bytes. */
void dcap_rig_sign(const struct dcap_rig *rig, enum rig_key key, const void *bytes, size_t size,
                   uint8_t signature[64]);

#endif
