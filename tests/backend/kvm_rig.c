/* SPDX-License-Identifier: Apache-2.0 */
/* kvm_rig.c: see kvm_rig.h. */
#include "kvm_rig.h"

#include <caisson/wire/channel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define RIG_PAUSE_NS  1000000L
#define RIG_PAUSE_MAX 30000u

bool rig_works(void)
{
    static int answer;
    if (answer == 0) {
        struct csn_detail detail = {""};
        answer = csn_backend_kvm.probe(&detail) == CSN_OK ? 1 : -1;
        if (answer < 0) {
            printf("# skipped: %s\n", detail.text);
        }
    }
    return answer > 0;
}

static void rig_pause(void)
{
    const struct timespec pause = {.tv_nsec = RIG_PAUSE_NS};
    nanosleep(&pause, NULL);
}

void rig_code(struct rig *rig, const void *code, size_t size, uint32_t worker_count)
{
    struct csn_detail detail = {""};
    *rig = (struct rig){.image = {.manifest = {.stack_size = 0x2000,
                                               .pool_size = 0x201000,
                                               .worker_count = worker_count,
                                               .channel_count = 2,
                                               .input_line_count = 16,
                                               .output_line_count = 16},
                                  .entry = CSN_MAP_IMAGE,
                                  .segment_count = 2,
                                  .segments = {{.address = CSN_MAP_IMAGE,
                                                .memory_size = 0x1000,
                                                .file_size = size,
                                                .permissions = CSN_IMAGE_READ | CSN_IMAGE_EXECUTE},
                                               {.address = CSN_MAP_IMAGE + 0x1000,
                                                .memory_size = 0x1000,
                                                .permissions = CSN_IMAGE_READ | CSN_IMAGE_WRITE}}}};
    assert_int_equal(
        csn_memory_map(csn_wire_rings_size(&rig->image.manifest), &rig->rings, &detail), CSN_OK);
    assert_int_equal(csn_kvm_new(&rig->image.manifest, &rig->instance, &detail), CSN_OK);
    csn_err err = csn_kvm_build(rig->instance, CSN_KVM_DEVICE, &detail);
    if (err == CSN_OK) {
        err = csn_kvm_fill(rig->instance, &rig->image, code, rig->rings.base, &detail);
    }
    if (err == CSN_OK) {
        err = csn_kvm_connect(rig->instance, rig->image.entry, &detail);
    }
    if (err != CSN_OK) {
        fail_msg("%s", detail.text);
    }
}

csn_err rig_image(struct rig *rig, const char *name, uint32_t require,
                  struct csn_enclave_report *report, struct csn_detail *detail)
{
    char path[512];
    const char *build = getenv("CAISSON_BUILD");
    *rig = (struct rig){0};
    snprintf(path, sizeof path, "%s/tests/images/%s.elf", build != NULL ? build : "build", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("no image %s", path);
    }
    rig->file = malloc(1 << 20);
    assert_non_null(rig->file);
    rig->file_size = fread(rig->file, 1, 1 << 20, file);
    fclose(file);
    assert_int_equal(csn_image_parse(rig->file, rig->file_size, &rig->image, NULL), CSN_OK);
    assert_int_equal(csn_memory_map(csn_wire_rings_size(&rig->image.manifest), &rig->rings, detail),
                     CSN_OK);
    const struct csn_backend_config config = {.image = rig->file,
                                              .image_size = rig->file_size,
                                              .manifest = &rig->image.manifest,
                                              .rings_fd = -1,
                                              .rings = rig->rings.base,
                                              .require = require};
    return csn_backend_kvm.create(&config, &rig->instance, report, detail);
}

void rig_wait(struct rig *rig, struct csn_fate *fate)
{
    for (uint32_t i = 0; i < RIG_PAUSE_MAX; i++) {
        csn_backend_kvm.fate(rig->instance, fate);
        if (fate->kind != CSN_FATE_RUNNING) {
            return;
        }
        rig_pause();
    }
    fail_msg("still running");
}

bool rig_reaches(const uint64_t *counter, uint64_t value)
{
    for (uint32_t i = 0; i < RIG_PAUSE_MAX; i++) {
        if (__atomic_load_n(counter, __ATOMIC_ACQUIRE) >= value) {
            return true;
        }
        rig_pause();
    }
    return false;
}

void rig_close(struct rig *rig)
{
    if (rig->instance != NULL) {
        csn_backend_kvm.destroy(rig->instance);
    }
    csn_memory_unmap(&rig->rings);
    free(rig->file);
    *rig = (struct rig){0};
}
