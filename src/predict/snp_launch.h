/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_launch.h: the launch digest of an SEV-SNP guest, computed from what it is started with, so
 * that MEASUREMENT of a report can be compared with something that the relying party built.
 *
 * The firmware says in its own tables which pages the host must prepare; each page, then the state
 * of each virtual processor, goes into a chain of SHA-384. Input is the relying party's own.
 */
#ifndef CSV_PREDICT_SNP_LAUNCH_H
#define CSV_PREDICT_SNP_LAUNCH_H

#include "verify/input.h"

#define CSV_SNP_DIGEST_SIZE   48u
#define CSV_SNP_VCPU_MAX      4096u
#define CSV_SNP_FIRMWARE_MAX  (UINT32_C(256) << 20)
#define CSV_SNP_FEATURES_BASE UINT64_C(1) /* SEV_FEATURES of a plain SNP guest */

/* Hosts differ in how they set up processors and in the order of pages. */
enum csv_snp_host { CSV_SNP_HOST_QEMU, CSV_SNP_HOST_EC2, CSV_SNP_HOST_GCE };

struct csv_snp_launch {
    enum csv_snp_host host;
    struct csv_bytes firmware; /* whole pages; ends at 4 GiB */
    /* The digest over the firmware's pages, if it is known: firmware may then be its last pages. */
    const uint8_t *firmware_digest;
    bool kernel_given; /* a kernel is loaded directly; else no hashes are measured */
    struct csv_bytes kernel;
    struct csv_bytes initrd;
    const char *command_line; /* NULL: none */
    uint32_t vcpu_count;
    uint32_t cpuid_signature; /* CPUID 1 EAX; not used by EC2 and GCE */
    uint64_t features;        /* SEV_FEATURES */
};

/* False with *why (static): the firmware's tables are missing or damaged, or do not fit. */
bool csv_snp_launch_digest(const struct csv_snp_launch *launch, uint8_t digest[CSV_SNP_DIGEST_SIZE],
                           const char **why);
/* The digest over the firmware's pages alone. */
bool csv_snp_firmware_digest(struct csv_bytes firmware, uint8_t digest[CSV_SNP_DIGEST_SIZE],
                             const char **why);
/* CPUID 1 EAX of a processor model by its name in QEMU ("EPYC-Milan"); 0: unknown. */
uint32_t csv_snp_cpuid_signature(const char *model);

#endif
