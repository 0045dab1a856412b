/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sgx_enclave.h: what quotes of an SGX enclave will say, computed from the files that it is loaded
 * from: MRENCLAVE from an SGXS stream, MRSIGNER and the rest from a SIGSTRUCT.
 *
 * Strict: a stream that a processor would not load, or a SIGSTRUCT that it would not accept for its
 * form, is refused. Input is the relying party's own, or its supplier's.
 */
#ifndef CSV_PREDICT_SGX_ENCLAVE_H
#define CSV_PREDICT_SGX_ENCLAVE_H

#include "verify/input.h"

#define CSV_SGX_SIGSTRUCT_SIZE 1808u

struct csv_sgx_enclave {
    uint8_t mrenclave[32];
    uint64_t size; /* bytes of address space */
    uint32_t ssa_frame_size;
    uint64_t page_count;
    uint64_t measured; /* bytes of content */
};

/* False with *why (static). */
bool csv_sgx_measure(struct csv_bytes stream, struct csv_sgx_enclave *enclave, const char **why);

struct csv_sgx_sigstruct {
    uint8_t mrsigner[32];
    uint8_t mrenclave[32];
    uint32_t vendor;
    uint32_t date; /* BCD, year first */
    uint8_t miscselect[4];
    uint8_t miscselect_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t isvfamilyid[16];
    uint8_t isvextprodid[16];
    uint16_t isvprodid;
    uint16_t isvsvn;
    bool is_signed;   /* the signature is right */
    bool helpers_fit; /* Q1 and Q2, which the processor wants beside it, are right */
};

/* False with *why (static): not a SIGSTRUCT. A wrong signature is is_signed = false. */
bool csv_sgx_sigstruct_read(struct csv_bytes bytes, struct csv_sgx_sigstruct *sigstruct,
                            const char **why);

#endif
