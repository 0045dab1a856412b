/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_rig.h: SEV-SNP reports that no machine made: own keys in the place of AMD's, and everything
 * that may be wrong with a report or with its certificates.
 */
#ifndef TESTS_VERIFY_SNP_RIG_H
#define TESTS_VERIFY_SNP_RIG_H

#include "snp_case.h"
#include <openssl/x509.h>

#define SNP_TIME 1760000000 /* in October 2025, when all certificates of the rig hold */

enum snp_product { SNP_MILAN, SNP_GENOA, SNP_TURIN };

/* What the VEK's certificate says. */
struct snp_vek_text {
    const char *issuer;  /* common name of the certificate that signs it */
    const char *root;    /* of the one above */
    const char *product; /* productName */
    const char *csp;     /* NULL: none */
    int struct_version;
    int levels[8]; /* in the order of a TCB version; -1: left out */
    uint8_t hwid[64];
    size_t hwid_size;  /* 0: none */
    bool hwid_wrapped; /* in an OCTET STRING */
    bool ca;           /* the issuer is a CA */
    bool twice;        /* productName stands there twice */
    int group;         /* NID of the key's curve */
};

struct snp_rig {
    enum snp_product product;
    struct snp_vek_text text;
    EVP_PKEY *ark_key;
    EVP_PKEY *ask_key;
    EVP_PKEY *vek_key;
    X509 *ark;
    X509 *ask;
    X509 *vek;
    uint8_t *der[3]; /* ark, ask, vek; from libcrypto */
    size_t der_size[3];
    uint8_t report[SNP_REPORT_SIZE];
};

/* A report of that version, right in all respects; certificates are made by snp_rig_certify(). */
void snp_rig_init(struct snp_rig *rig, enum snp_product product, uint32_t version, bool vlek);
void snp_rig_free(struct snp_rig *rig);
void snp_rig_certify(struct snp_rig *rig);
void snp_rig_sign(struct snp_rig *rig);
/* Report, VEK, chain, clock, report data; the rig's root is trusted. */
struct csv_input *snp_rig_input(const struct snp_rig *rig);
/* The same without certificates. */
struct csv_input *snp_rig_bare_input(const struct snp_rig *rig);
/* Frees the input. */
struct csv_verdict *snp_rig_appraise(const struct csv_policy *policy, struct csv_input *input);
/* A list of the root's in DER (from libcrypto), naming serial if it is not 0. */
uint8_t *snp_rig_crl(const struct snp_rig *rig, EVP_PKEY *signer, long serial, int64_t until,
                     size_t *size);

#endif
