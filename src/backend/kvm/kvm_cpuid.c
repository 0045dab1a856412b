/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_cpuid.c: what a guest's CPU has: all that KVM supports, less what does not fit XCR0 and
 * what an enclave has no use for. The table decides nothing of ours but XCR0 and CR4: KVM without
 * hardware virtualization tells guests of less than they can use. See kvm_features.c.
 */
#include "backend/detail.h"
#include "kvm_instance.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define CPUID_ENTRY_COUNT_MAX 256u
#define CPUID_PARAVIRTUAL     UINT32_C(0x40000000)
#define CPUID_PARAVIRTUAL_END UINT32_C(0x50000000)

#define CPUID_ANY UINT32_MAX

#define XCR0_SSE    3u /* with x87 */
#define XCR0_AVX    7u
#define XCR0_AVX512 0xe7u /* with masks, upper halves and upper registers */

/* Bits taken away. */
struct cpuid_mask {
    uint32_t function;
    uint32_t index; /* CPUID_ANY: of all */
    uint32_t eax, ebx, ecx, edx;
};
static const struct cpuid_mask cpuid_masks[] = {
    /* MONITOR, VMX */
    {0x1, CPUID_ANY, 0, 0, 1u << 3 | 1u << 5, 0},
    /* HLE, RTM, MPX, AVX-512; PKU, AVX-512, CET; AVX-512, AMX, CET */
    {0x7, 0, 0, 1u << 4 | 1u << 11 | 1u << 14 | 0xdc230000u,
     1u << 1 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 11 | 1u << 12 | 1u << 14,
     1u << 2 | 1u << 3 | 1u << 8 | 1u << 20 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25},
    /* AVX-512-BF16, AMX-FP16; AVX10 */
    {0x7, 1, 1u << 5 | 1u << 21, 0, 0, 1u << 19},
    /* Only x87, SSE, AVX and AVX-512 state; no supervisor state */
    {0xd, 0, ~XCR0_AVX512, 0, 0, UINT32_MAX},
    {0xd, 1, 1u << 3 | 1u << 4, 0, UINT32_MAX, UINT32_MAX},
    /* SVM, MWAITX */
    {0x80000001, CPUID_ANY, 0, 0, 1u << 2 | 1u << 29, 0},
};

/* Leaves that go: PMU, PT, SGX, AMX, paravirtual, extended states that are not AVX's. */
static bool cpuid_is_dropped(const struct kvm_cpuid_entry2 *entry)
{
    return entry->function == 0xa || entry->function == 0x12 || entry->function == 0x14 ||
           (entry->function >= 0x1d && entry->function <= 0x24) ||
           (entry->function >= CPUID_PARAVIRTUAL && entry->function < CPUID_PARAVIRTUAL_END) ||
           (entry->function == 0xd && (entry->index > 7 || entry->index == 3 || entry->index == 4));
}

static void cpuid_reduce(struct kvm_cpuid2 *table)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < table->nent; i++) {
        struct kvm_cpuid_entry2 entry = table->entries[i];
        if (cpuid_is_dropped(&entry)) {
            continue;
        }
        for (size_t m = 0; m < sizeof cpuid_masks / sizeof cpuid_masks[0]; m++) {
            const struct cpuid_mask *mask = &cpuid_masks[m];
            if (mask->function == entry.function &&
                (mask->index == CPUID_ANY || mask->index == entry.index)) {
                entry.eax &= ~mask->eax;
                entry.ebx &= ~mask->ebx;
                entry.ecx &= ~mask->ecx;
                entry.edx &= ~mask->edx;
            }
        }
        table->entries[kept++] = entry;
    }
    table->nent = kept;
}

static struct kvm_cpuid_entry2 cpuid_find(const struct kvm_cpuid2 *table, uint32_t function)
{
    for (uint32_t i = 0; i < table->nent; i++) {
        if (table->entries[i].function == function && table->entries[i].index == 0) {
            return table->entries[i];
        }
    }
    return (struct kvm_cpuid_entry2){0};
}

/* PAE and SSE; XSAVE, and what protects CPL 0 from itself, where there is any. */
static uint64_t cpuid_cr4(const struct kvm_cpuid2 *table)
{
    struct kvm_cpuid_entry2 leaf = cpuid_find(table, 7);
    uint64_t cr4 = 1u << 5 | 1u << 9 | 1u << 10;
    cr4 |= (cpuid_find(table, 1).ecx >> 26 & 1) != 0 ? 1u << 18 : 0; /* OSXSAVE */
    cr4 |= (leaf.ecx >> 2 & 1) != 0 ? 1u << 11 : 0;                  /* UMIP */
    cr4 |= (leaf.ebx >> 7 & 1) != 0 ? 1u << 20 : 0;                  /* SMEP */
    cr4 |= (leaf.ebx >> 20 & 1) != 0 ? 1u << 21 : 0;                 /* SMAP */
    return cr4;
}

/*
 * The table is asked for once per process: KVM builds it with CPUID instructions, each of which is
 * an exit of its own where the host is a virtual machine. Two threads may both ask: they find the
 * same, and one of the tables is kept.
 */
static csn_err cpuid_table(const struct csn_instance *instance, struct kvm_cpuid2 **target,
                           struct csn_detail *detail)
{
    static _Atomic(struct kvm_cpuid2 *) known;
    *target = atomic_load(&known);
    if (*target != NULL) {
        return CSN_OK;
    }
    struct kvm_cpuid2 *table =
        calloc(1, sizeof *table + CPUID_ENTRY_COUNT_MAX * sizeof table->entries[0]);
    if (table == NULL) {
        return csn_detail_set(detail, CSN_ERR_MEMORY, "a CPUID table");
    }
    table->nent = CPUID_ENTRY_COUNT_MAX;
    if (ioctl(instance->device, KVM_GET_SUPPORTED_CPUID, table) != 0) {
        int number = errno;
        free(table);
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_GET_SUPPORTED_CPUID: %s",
                              csn_errno_name(number));
    }
    cpuid_reduce(table);
    if (atomic_compare_exchange_strong(&known, target, table)) {
        *target = table;
    } else {
        free(table);
    }
    return CSN_OK;
}

/* What the image may use of the registers. CPUID names AVX-512 to nobody; who asks, runs it. */
static uint64_t cpuid_xcr0(const struct kvm_cpuid2 *table)
{
    uint32_t features = cpuid_find(table, 1).ecx;
    bool xsave = (features >> 26 & 1) != 0;
    bool avx = (features >> 28 & 1) != 0;
    bool avx512 = (cpuid_find(table, 0xd).eax & XCR0_AVX512) == XCR0_AVX512;
    if (!xsave) {
        return 0;
    }
    return !avx ? XCR0_SSE : avx512 ? XCR0_AVX512 : XCR0_AVX;
}

csn_err csn_kvm_cpuid(struct csn_instance *instance, int vcpu, struct csn_detail *detail)
{
    struct kvm_cpuid2 *table = NULL;
    CSN_TRY(cpuid_table(instance, &table, detail));
    instance->xcr0 = cpuid_xcr0(table);
    instance->cr4 = cpuid_cr4(table);
    if (ioctl(vcpu, KVM_SET_CPUID2, table) != 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_SET_CPUID2: %s", csn_errno_name(errno));
    }
    return CSN_OK;
}
