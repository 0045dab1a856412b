/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nitro.h: PCR0, 1, 2 and 8 of an AWS Nitro enclave, computed from its image file (EIF), so that
 * the registers of a document can be compared with something that the relying party built.
 *
 * An EIF is a header, then sections: kernel, command line, file systems (ramdisks), and perhaps
 * metadata and a signature. A register is SHA-384(48 zeros || SHA-384(contents)): PCR0 over all of
 * kernel, command line and ramdisks in the order of the file, PCR1 over kernel, command line and
 * the first ramdisk, PCR2 over the other ramdisks, PCR8 over the signing certificate in DER.
 */
#ifndef CSV_PREDICT_NITRO_H
#define CSV_PREDICT_NITRO_H

#include "verify/input.h"

#define CSV_EIF_SIZE_MAX ((size_t)4 << 30)

struct csv_eif {
    uint8_t pcr0[48];
    uint8_t pcr1[48];
    uint8_t pcr2[48];
    bool is_signed;
    bool signature_good; /* the certificate's key signed PCR0; says nothing of whose key it is */
    uint8_t pcr8[48];    /* zero where the file is not signed, as in an enclave */
};

/* False with *why (static): not such a file, or a damaged one. */
bool csv_eif_predict(struct csv_bytes file, struct csv_eif *eif, const char **why);

#endif
