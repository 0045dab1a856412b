/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_id.h: the ID block of an SEV-SNP guest and who signed it: what the firmware checks at launch,
 * and what reports of the guest will then say.
 */
#ifndef CSV_PREDICT_SNP_ID_H
#define CSV_PREDICT_SNP_ID_H

#include "predict/snp_launch.h"

#define CSV_SNP_ID_BLOCK_SIZE 96u
#define CSV_SNP_ID_AUTH_SIZE  4096u

struct csv_snp_id {
    uint8_t measurement[48]; /* the only launch digest that the block allows */
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t id_key_digest[48];
    bool author_given;
    uint8_t author_key_digest[48];
    bool block_signed; /* by the ID key */
    bool key_signed;   /* the ID key by the author key; only if author_given */
};

/* Bytes of both structures. False with *why (static): sizes, versions, algorithms, reserved bytes.
 * Signatures that do not verify are told in id. */
bool csv_snp_id_read(struct csv_bytes block, struct csv_bytes auth, struct csv_snp_id *id,
                     const char **why);

#endif
