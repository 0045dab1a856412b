/* SPDX-License-Identifier: Apache-2.0 */
/* kvm_rig.h: micro-VMs for tests: from a few bytes of code, or from a test image. */
#ifndef CSN_TEST_KVM_RIG_H
#define CSN_TEST_KVM_RIG_H

#include "backend/kvm/kvm_instance.h"

struct rig {
    struct csn_instance *instance;
    struct csn_memory rings;
    struct csn_image image;
    uint8_t *file; /* of an image; freed by rig_close() */
    size_t file_size;
};

/* False, with the reason printed, where /dev/kvm cannot be used. Asked once. */
bool rig_works(void);
/* The code at CSN_MAP_IMAGE, a page of data behind it, a pool of 2 MiB + 4 KiB; not started. */
void rig_code(struct rig *rig, const void *code, size_t size, uint32_t worker_count);
/* build/tests/images/NAME.elf through the backend's create(). */
csn_err rig_image(struct rig *rig, const char *name, uint32_t require,
                  struct csn_enclave_report *report, struct csn_detail *detail);
/* Waits until it is no longer running, for a bounded time. */
void rig_wait(struct rig *rig, struct csn_fate *fate);
void rig_close(struct rig *rig);
/* Polls until the counter has reached at least value; false after a bounded time. */
bool rig_reaches(const uint64_t *counter, uint64_t value);

#endif
