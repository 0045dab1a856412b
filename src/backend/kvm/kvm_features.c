/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_features.c: what a guest's CPU can really do. Each instruction is run once, at CPL 3, in a
 * micro-VM of its own; where it ends in the stub, it is not there. CPUID is not asked: KVM tells
 * guests less than they can use in some places, and a lie would cost a start.
 */
#define _GNU_SOURCE
#include "backend/detail.h"
#include "kvm_instance.h"
#include <caisson/wire/channel.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>

#define FEATURES_SLOT_SIZE 32u
#define FEATURES_KNOWN     (UINT64_C(1) << 63)

struct feature {
    const char *name;
    uint64_t bit; /* 0: required */
    uint8_t code[16];
    uint8_t size;
};
static const struct feature features[] = {
    {"a stop", 0, {0x90}, 1},
    {"RDRAND", 0, {0x0f, 0xc7, 0xf0}, 3},
    {"SSSE3", 0, {0x66, 0x0f, 0x38, 0x00, 0xc0}, 5},
    {"AES-NI", 0, {0x66, 0x0f, 0x38, 0xdc, 0xc1}, 5},
    {"PCLMULQDQ", 0, {0x66, 0x0f, 0x3a, 0x44, 0xc1, 0x00}, 6},
    /* sha256rnds2 xmm1, xmm0 */
    {"SHA", CSN_WIRE_FEATURE_SHA, {0x0f, 0x38, 0xcb, 0xc1}, 4},
    /* vpaddd ymm0, ymm0, ymm1 */
    {"AVX2", CSN_WIRE_FEATURE_AVX2, {0xc5, 0xfd, 0xfe, 0xc1}, 4},
    /* vaesenc ymm0, ymm0, ymm1 */
    {"VAES", CSN_WIRE_FEATURE_VAES, {0xc4, 0xe2, 0x7d, 0xdc, 0xc1}, 5},
    /* vpclmulqdq ymm0, ymm0, ymm1, 0 */
    {"VPCLMULQDQ", CSN_WIRE_FEATURE_VPCLMULQDQ, {0xc4, 0xe3, 0x7d, 0x44, 0xc1, 0x00}, 6},
    /* vpalignr xmm16, xmm17, xmm18, 4: F, VL and BW */
    {"AVX-512", CSN_WIRE_FEATURE_AVX512, {0x62, 0xa3, 0x75, 0x00, 0x0f, 0xc2, 0x04}, 7},
    /* vcvtph2ps ymm0, xmm1; vfmadd213ps ymm0, ymm0, ymm1 */
    {"FMA", CSN_WIRE_FEATURE_FMA, {0xc4, 0xe2, 0x7d, 0x13, 0xc1, 0xc4, 0xe2, 0x7d, 0xa8, 0xc1}, 10},
    /* vpdpbusd zmm16, zmm17, zmm18; vxorps zmm16, zmm17, zmm18: DQ */
    {"AVX-512 VNNI",
     CSN_WIRE_FEATURE_VNNI,
     {0x62, 0xa2, 0x75, 0x40, 0x50, 0xc2, 0x62, 0xa1, 0x74, 0x40, 0x57, 0xc2},
     12},
    /* mulx rax, rcx, rdx */
    {"BMI2", CSN_WIRE_FEATURE_BMI2, {0xc4, 0xe2, 0xf3, 0xf6, 0xc2}, 5},
    /* adcx rax, rcx */
    {"ADX", CSN_WIRE_FEATURE_ADX, {0x66, 0x48, 0x0f, 0x38, 0xf6, 0xc1}, 6},
};
#define FEATURE_COUNT (sizeof features / sizeof features[0])
_Static_assert(FEATURE_COUNT *FEATURES_SLOT_SIZE <= CSN_MAP_PAGE_SIZE, "one page of code");

static csn_err features_machine(struct csn_instance *instance, const char *device, void *rings,
                                const struct csn_wire_manifest *manifest, struct csn_detail *detail)
{
    uint8_t code[CSN_MAP_PAGE_SIZE] = {0};
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        uint8_t *slot = code + i * FEATURES_SLOT_SIZE;
        const uint8_t stop[] = {0xe7, CSN_KVM_PORT_STOP};
        memcpy(slot, features[i].code, features[i].size);
        memcpy(slot + features[i].size, stop, sizeof stop);
    }
    const struct csn_image image = {
        .manifest = *manifest,
        .entry = CSN_MAP_IMAGE,
        .segment_count = 1,
        .segments = {{.address = CSN_MAP_IMAGE,
                      .memory_size = sizeof code,
                      .file_size = sizeof code,
                      .permissions = CSN_IMAGE_READ | CSN_IMAGE_EXECUTE}},
    };
    CSN_TRY(csn_kvm_build(instance, device, detail));
    CSN_TRY(csn_kvm_fill(instance, &image, code, rings, detail));
    return csn_kvm_connect(instance, image.entry, detail);
}

/* True if the instruction ran. A KVM_RUN that returns at once ends the exit before. */
static csn_err features_try(struct csn_kvm_worker *worker, size_t index, bool *works,
                            struct csn_detail *detail)
{
    uint32_t value = 0;
    worker->run->immediate_exit = 1;
    if (index > 0 && ioctl(worker->fd, KVM_RUN, 0) == 0) {
        return csn_detail_set(detail, CSN_ERR_SYSTEM, "KVM_RUN ignores immediate_exit");
    }
    worker->run->immediate_exit = 0;
    CSN_TRY(csn_kvm_enter(worker, CSN_MAP_IMAGE + index * FEATURES_SLOT_SIZE, detail));
    *works = csn_kvm_run_to_port(worker, CSN_KVM_PORT_STOP, &value);
    return CSN_OK;
}

static csn_err features_ask(struct csn_instance *instance, uint64_t *found,
                            struct csn_detail *detail)
{
    struct csn_kvm_worker *worker = &instance->workers[0];
    for (size_t i = 0; i < FEATURE_COUNT; i++) {
        bool works = false;
        CSN_TRY(features_try(worker, i, &works, detail));
        if (!works && features[i].bit == 0) {
            struct csn_fate fate;
            csn_kvm_fate_of_exit(worker, 0, &fate);
            return csn_detail_set(detail, CSN_ERR_MISSING,
                                  "KVM does not run %s at CPL 3 in 64-bit mode: %.150s",
                                  features[i].name, fate.detail.text);
        }
        *found |= works ? features[i].bit : 0;
    }
    return CSN_OK;
}

csn_err csn_kvm_features(const char *device, uint64_t *target, struct csn_detail *detail)
{
    /* Only the real device's answer is kept. Two threads may both ask: they find the same. */
    static _Atomic uint64_t known;
    bool keep = strcmp(device, CSN_KVM_DEVICE) == 0;
    uint64_t found = keep ? atomic_load(&known) : 0;
    if (found != 0) {
        *target = found & ~FEATURES_KNOWN;
        return CSN_OK;
    }
    const struct csn_wire_manifest manifest = {.stack_size = CSN_MAP_PAGE_SIZE,
                                               .pool_size = CSN_MAP_PAGE_SIZE,
                                               .worker_count = 1,
                                               .channel_count = 1,
                                               .input_line_count = 16,
                                               .output_line_count = 16};
    struct csn_instance *instance = NULL;
    struct csn_memory rings = {0};
    CSN_TRY(csn_kvm_new(&manifest, &instance, detail));
    csn_err err = csn_memory_map(csn_wire_rings_size(&manifest), &rings, detail);
    if (err == CSN_OK) {
        err = features_machine(instance, device, rings.base, &manifest, detail);
    }
    if (err == CSN_OK) {
        err = features_ask(instance, &found, detail);
    }
    csn_kvm_free(instance);
    csn_memory_unmap(&rings);
    if (err != CSN_OK) {
        return err;
    }
    if (keep) {
        atomic_store(&known, found | FEATURES_KNOWN);
    }
    *target = found;
    return CSN_OK;
}
