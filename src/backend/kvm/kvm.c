/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm.c: the kvm backend: an enclave is a micro-VM without a device.
 *
 * Trust:    the launcher (this folder) is believed until evidence covers it; see the process
 *           backend. The guest gets its own memory, the boot region and the rings, nothing else.
 * Threads:  create, stop and destroy: one thread; the rest: any.
 */
#define _GNU_SOURCE
#include "backend/capability.h"
#include "backend/detail.h"
#include "backend/pause.h"
#include "backend/thread.h"
#include "crypto/sha2.h"
#include "kvm_instance.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KVM_START_NS_MAX UINT64_C(60000000000) /* self-tests on a busy machine take their time */

#define KVM_PROTECTIONS (CSN_PROTECT_LOCKED | CSN_PROTECT_HUGE_PAGES)

/* ---- can it run here? ---- */

csn_err csn_kvm_probe_device(const char *device, struct csn_detail *detail)
{
    uint64_t features = 0;
    if (csn_kvm_features(device, &features, detail) != CSN_OK) {
        return CSN_ERR_MISSING; /* whatever it was, kvm is not to be had */
    }
    csn_detail_set(detail, CSN_OK, "%s runs guests", device);
    return CSN_OK;
}

static csn_err kvm_probe(struct csn_detail *detail)
{
    return csn_kvm_probe_device(CSN_KVM_DEVICE, detail);
}

uint32_t csn_kvm_capabilities(struct csn_capability *capabilities, uint32_t count_max)
{
    if (count_max > 0) {
        struct csn_capability *line = &capabilities[0];
        *line = (struct csn_capability){.name = "kvm: virtual CPUs"};
        int device = open(CSN_KVM_DEVICE, O_RDWR | O_CLOEXEC);
        int count = device < 0 ? 0 : ioctl(device, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
        line->works = count > 0;
        csn_detail_set(&line->detail, CSN_OK, "%s, up to %d workers",
                       device < 0 ? "not open" : "open", count > 0 ? count : 0);
        if (device >= 0) {
            close(device);
        }
    }
    return 1;
}

/* ---- create ---- */

struct kvm_measured {
    const struct csn_kvm_layout *layout;
    uint8_t *memory;
};

static const uint8_t *kvm_segment(void *state, const struct csn_image_segment *segment)
{
    const struct kvm_measured *measured = state;
    return csn_kvm_layout_find(measured->layout, measured->memory, segment->address);
}

static csn_err kvm_require(const struct csn_instance *instance, uint32_t require,
                           struct csn_detail *detail)
{
    uint32_t missing = require & ~(instance->memory.protections & KVM_PROTECTIONS);
    if (missing == 0) {
        return CSN_OK;
    }
    return csn_detail_set(
        detail, CSN_ERR_MISSING, "required but not to be had with kvm here:%s%s%s",
        (missing & CSN_PROTECT_LOCKED) != 0 ? " locked (raise ulimit -l)" : "",
        (missing & CSN_PROTECT_HUGE_PAGES) != 0 ? " huge-pages" : "",
        (missing & ~KVM_PROTECTIONS) != 0 ? " namespaces, own-uid or secret (those are of process)"
                                          : "");
}

/* Memory with the image in it, measured there: what is measured is what will run. */
static csn_err kvm_load(struct csn_instance *instance, const struct csn_image *image,
                        const struct csn_backend_config *config, struct csn_detail *detail)
{
    CSN_TRY(csn_kvm_fill(instance, image, config->image, config->rings, detail));
    CSN_TRY(kvm_require(instance, config->require, detail));
    struct kvm_measured measured = {&instance->layout, instance->memory.base};
    csn_image_measure(image, kvm_segment, &measured, instance->boot->given.measurement);
    return CSN_OK;
}

struct kvm_builder {
    struct csn_instance *instance;
    const char *device;
    struct csn_detail detail;
    csn_err err;
};

static void *kvm_build(void *argument)
{
    struct kvm_builder *builder = argument;
    builder->err = csn_kvm_build(builder->instance, builder->device, &builder->detail);
    return NULL;
}

/* The machine is built on a thread of its own: it takes about as long as its memory. */
static csn_err kvm_load_and_build(struct csn_instance *instance, const struct csn_image *image,
                                  const char *device, const struct csn_backend_config *config,
                                  struct csn_detail *detail)
{
    struct kvm_builder builder = {.instance = instance, .device = device};
    pthread_t thread;
    bool is_apart = csn_thread_start(&thread, kvm_build, &builder);
    if (!is_apart) {
        kvm_build(&builder);
    }
    csn_err err = kvm_load(instance, image, config, detail);
    if (is_apart) {
        pthread_join(thread, NULL);
    }
    if (builder.err != CSN_OK) {
        return csn_detail_set(detail, builder.err, "%s", builder.detail.text);
    }
    return err;
}

static csn_err kvm_prepare(struct csn_instance *instance, const char *device,
                           const struct csn_backend_config *config, struct csn_detail *detail)
{
    struct csn_image image;
    struct csn_image_fault fault = {0};
    if (csn_image_parse(config->image, config->image_size, &image, &fault) != CSN_OK) {
        return csn_detail_set(detail, CSN_ERR_FORMAT, "image: %.79s at offset %llu", fault.what,
                              (unsigned long long)fault.where);
    }
    if (memcmp(&image.manifest, config->manifest, sizeof image.manifest) != 0) {
        return csn_detail_set(detail, CSN_ERR_ARGUMENT, "another manifest than the image's");
    }
    CSN_TRY(kvm_load_and_build(instance, &image, device, config, detail));
    CSN_TRY(csn_kvm_connect(instance, image.entry, detail));
    struct csn_wire_boot_given *given = &instance->boot->given;
    CSN_TRY(csn_kvm_features(device, &given->features, detail));
    given->abi_version = CSN_WIRE_ABI_VERSION;
    given->backend = CSN_WIRE_BACKEND_KVM;
    return CSN_OK;
}

static csn_err kvm_wait_serving(struct csn_instance *instance, struct csn_detail *detail)
{
    struct csn_pause pause;
    csn_pause_begin(&pause, KVM_START_NS_MAX);
    do {
        /* Both are asked in this order: what was written before the end still counts. */
        bool dead = atomic_load_explicit(&instance->dead, memory_order_acquire);
        if (__atomic_load_n(&instance->boot->made.state, __ATOMIC_ACQUIRE) ==
            CSN_WIRE_STATE_SERVING) {
            return CSN_OK;
        }
        if (dead) {
            return csn_detail_set(detail, CSN_ERR_CRASHED, "the image did not start: %.200s",
                                  instance->fate.detail.text);
        }
    } while (csn_pause(&pause));
    return csn_detail_set(detail, CSN_ERR_CRASHED, "not serving after %u seconds",
                          (unsigned)(KVM_START_NS_MAX / 1000000000u));
}

static void kvm_destroy(struct csn_instance *instance)
{
    if (instance != NULL) {
        csn_kvm_end(instance);
        csn_kvm_free(instance);
    }
}

csn_err csn_kvm_create_on(const char *device, const struct csn_backend_config *config,
                          struct csn_instance **target, struct csn_enclave_report *report,
                          struct csn_detail *detail)
{
    uint64_t start_ns = csn_now_ns();
    struct csn_instance *instance = NULL;
    CSN_TRY(csn_kvm_new(config->manifest, &instance, detail));
    csn_err err = kvm_prepare(instance, device, config, detail);
    uint8_t measurement[sizeof report->measurement];
    if (err == CSN_OK) {
        /* Taken now: once it runs, the boot region is the enclave's to write. */
        memcpy(measurement, instance->boot->given.measurement, sizeof measurement);
        err = csn_kvm_start(instance, detail);
    }
    if (err == CSN_OK) {
        csn_memory_touch_shared(config->rings, instance->layout.rings_size);
        err = kvm_wait_serving(instance, detail);
    }
    if (err != CSN_OK) {
        kvm_destroy(instance);
        return err;
    }
    *report =
        (struct csn_enclave_report){.backend = csn_backend_kvm.name,
                                    .backend_id = CSN_WIRE_BACKEND_KVM,
                                    .protections = instance->memory.protections & KVM_PROTECTIONS,
                                    .start_ns = csn_now_ns() - start_ns};
    memcpy(report->measurement, measurement, sizeof measurement);
    csn_sha256(csn_kvm_gate, sizeof csn_kvm_gate, report->gate_hash);
    *target = instance;
    return CSN_OK;
}

static csn_err kvm_create(const struct csn_backend_config *config, struct csn_instance **instance,
                          struct csn_enclave_report *report, struct csn_detail *detail)
{
    return csn_kvm_create_on(CSN_KVM_DEVICE, config, instance, report, detail);
}

/* ---- while it runs ---- */

static struct csn_wire_boot *kvm_boot(struct csn_instance *instance)
{
    return instance->boot;
}

static void kvm_wake(struct csn_instance *instance, uint32_t worker)
{
    if (worker < instance->manifest.worker_count) {
        syscall(SYS_futex, instance->workers[worker].event, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
}

static void kvm_fate(struct csn_instance *instance, struct csn_fate *fate)
{
    if (atomic_load_explicit(&instance->dead, memory_order_acquire)) {
        *fate = instance->fate;
    } else {
        *fate = (struct csn_fate){.kind = CSN_FATE_RUNNING};
    }
}

static void kvm_counters(struct csn_instance *instance, struct csn_enclave_counters *counters)
{
    *counters = (struct csn_enclave_counters){0};
    for (uint32_t i = 0; i < instance->manifest.worker_count; i++) {
        struct csn_kvm_worker *worker = &instance->workers[i];
        counters->gate_calls += atomic_load(&worker->gate_calls);
        counters->exits_other += atomic_load(&worker->exits_other);
        counters->exits_signal += atomic_load(&worker->exits_signal);
        counters->page_faults += csn_kvm_page_faults(worker);
    }
}

const struct csn_backend csn_backend_kvm = {
    .name = "kvm",
    .id = CSN_WIRE_BACKEND_KVM,
    .probe = kvm_probe,
    .create = kvm_create,
    .boot = kvm_boot,
    .wake = kvm_wake,
    .fate = kvm_fate,
    .counters = kvm_counters,
    .stop = csn_kvm_end,
    .destroy = kvm_destroy,
};
