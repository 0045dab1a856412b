/* SPDX-License-Identifier: Apache-2.0 */
/* snp_vcpu.c: see snp_vcpu.h. Offsets are those of AMD's VMCB state save area. */
#include "predict/snp_vcpu.h"
#include <string.h>

/* Fields in which hosts differ. */
struct style {
    uint8_t code_first; /* attributes of CS in the first processor */
    uint8_t stack;      /* of SS */
    uint8_t task;       /* of TR */
    uint64_t pat;
    bool cpuid; /* RDX is the CPUID signature; else 0x600, as after a reset */
    uint16_t mxcsr;
    uint16_t fcw;
};

static const struct style styles[] = {
    [CSV_SNP_HOST_QEMU] = {0x9b, 0x93, 0x8b, UINT64_C(0x7040600070406), true, 0x1f80, 0x37f},
    [CSV_SNP_HOST_EC2] = {0x9a, 0x92, 0x83, UINT64_C(0x7040600070406), false, 0, 0},
    [CSV_SNP_HOST_GCE] = {0x9b, 0x93, 0x8b, UINT64_C(0x70106), false, 0, 0},
};

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_segment(uint8_t *at, uint16_t selector, uint16_t attributes, uint64_t base)
{
    put(at, selector, 2);
    put(at + 2, attributes, 2);
    put(at + 4, 0xffff, 4); /* limit */
    put(at + 8, base, 8);
}

void csv_snp_vcpu_page(const struct csv_snp_launch *launch, uint32_t start,
                       uint8_t page[CSV_SNP_PAGE])
{
    const struct style *style = &styles[launch->host];
    bool first = start == CSV_SNP_RESET_VECTOR;
    memset(page, 0, CSV_SNP_PAGE);
    put_segment(page + 0x00, 0, 0x93, 0); /* ES */
    put_segment(page + 0x10, 0xf000, first ? style->code_first : 0x9b, start & 0xffff0000);
    put_segment(page + 0x20, 0, style->stack, 0);
    put_segment(page + 0x30, 0, 0x93, 0); /* DS */
    put_segment(page + 0x40, 0, 0x93, 0); /* FS */
    put_segment(page + 0x50, 0, 0x93, 0); /* GS */
    put_segment(page + 0x60, 0, 0, 0);    /* GDTR */
    put_segment(page + 0x70, 0, 0x82, 0); /* LDTR */
    put_segment(page + 0x80, 0, 0, 0);    /* IDTR */
    put_segment(page + 0x90, 0, style->task, 0);
    put(page + 0x0d0, 0x1000, 8);     /* EFER */
    put(page + 0x148, 0x40, 8);       /* CR4 */
    put(page + 0x158, 0x10, 8);       /* CR0 */
    put(page + 0x160, 0x400, 8);      /* DR7 */
    put(page + 0x168, 0xffff0ff0, 8); /* DR6 */
    put(page + 0x170, 2, 8);          /* RFLAGS */
    put(page + 0x178, start & 0xffff, 8);
    put(page + 0x268, style->pat, 8);
    put(page + 0x310, style->cpuid ? launch->cpuid_signature : 0x600, 8); /* RDX */
    put(page + 0x3b0, launch->features, 8);
    put(page + 0x3e8, 1, 8); /* XCR0 */
    put(page + 0x408, style->mxcsr, 4);
    put(page + 0x410, style->fcw, 2);
}

struct model {
    const char *name;
    uint8_t family;
    uint8_t model;
    uint8_t stepping;
};

/* Models of QEMU, all versions of a name being alike in this. */
static const struct model models[] = {
    {"EPYC", 23, 1, 2},       {"EPYC-IBPB", 23, 1, 2},   {"EPYC-Rome", 23, 49, 0},
    {"EPYC-Milan", 25, 1, 1}, {"EPYC-Genoa", 25, 17, 0},
};

uint32_t csv_snp_cpuid_signature(const char *name)
{
    size_t size = strlen(name);
    if (size > 3 && name[size - 3] == '-' && name[size - 2] == 'v' && name[size - 1] >= '1' &&
        name[size - 1] <= '9') {
        size -= 3;
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (strlen(models[i].name) == size && memcmp(models[i].name, name, size) == 0) {
            uint32_t extended = models[i].family - 15u;
            return extended << 20 | (uint32_t)(models[i].model >> 4) << 16 | 15u << 8 |
                   (uint32_t)(models[i].model & 15) << 4 | models[i].stepping;
        }
    }
    return 0;
}
