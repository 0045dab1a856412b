/* SPDX-License-Identifier: Apache-2.0 */
/* snp_vcpu.h: the state that a host gives a virtual processor, as the page that is measured. */
#ifndef CSV_PREDICT_SNP_VCPU_H
#define CSV_PREDICT_SNP_VCPU_H

#include "predict/snp_launch.h"

#define CSV_SNP_PAGE         4096u
#define CSV_SNP_RESET_VECTOR UINT32_C(0xfffffff0) /* where the first processor starts */
#define CSV_SNP_VCPU_ADDRESS UINT64_C(0xfffffffff000)

/* The save area (VMSA) of a processor that starts at that address. */
void csv_snp_vcpu_page(const struct csv_snp_launch *launch, uint32_t start,
                       uint8_t page[CSV_SNP_PAGE]);

#endif
