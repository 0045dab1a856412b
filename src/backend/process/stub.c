/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub.c: from a fresh program to an enclave, step by step, without a way back.
 *
 * Trust, threads and lifetime: stub.h.
 */
#include "stub.h"

#include "filter.h"
#include "stub_call.h"
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <stdbool.h>

#define STUB_FS_CANARY 0x28u
#define STUB_FS_LAST   512u /* where the gate's last steps are described, in worker 0's FS page */

struct stub_last {
    struct csn_gate_last gate;
    struct sock_fprog program;
    struct sock_filter filter[CSN_FILTER_SIZE_MAX];
};
_Static_assert(STUB_FS_LAST + sizeof(struct stub_last) <= CSN_MAP_PAGE_SIZE, "fits the FS page");

static struct stub stub_state;

void stub_fail(struct stub *stub, int64_t error)
{
    if (stub->plan != NULL) {
        stub->plan->error = (int32_t)(error < 0 ? -error : error);
    }
    for (;;) {
        stub_call(STUB_EXIT_GROUP, 1, 0, 0);
    }
}

void stub_step(struct stub *stub, enum csn_plan_step step)
{
    stub->plan->step = step;
}

void stub_need(struct stub *stub, int64_t result)
{
    if (result < 0) {
        stub_fail(stub, result);
    }
}

static void stub_map_plan(struct stub *stub)
{
    int64_t address =
        stub_call6(STUB_MMAP, STUB_PLAN_ADDRESS, CSN_MAP_PAGE_SIZE, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_FIXED_NOREPLACE, CSN_PLAN_FD_PLAN, 0);
    stub_need(stub, address == (int64_t)STUB_PLAN_ADDRESS ? 0 : -1);
    stub->plan = (struct csn_process_plan *)STUB_PLAN_ADDRESS;
}

/* Refuse now if a protection that the launcher was told to require does not hold. */
static void stub_required(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_REQUIRE);
    uint32_t missing = stub->plan->require & ~stub->plan->protections;
    if (missing != 0) {
        stub_fail(stub, (int64_t)missing);
    }
}

static struct stub_last *stub_describe_last(struct stub *stub)
{
    stub_step(stub, CSN_PLAN_STEP_FILTER);
    uint64_t fs = csn_map_fs_block(0, stub->image.manifest.stack_size);
    struct stub_last *last = (struct stub_last *)(fs + STUB_FS_LAST);
    uint32_t count = csn_process_filter(last->filter, stub->rings_size);
    if (count == 0) {
        stub_fail(stub, 75); /* EOVERFLOW: rings beyond what the filter can name */
    }
    last->program.len = (uint16_t)count;
    last->program.filter = last->filter;
    last->gate.filter = (uint64_t)&last->program;
    last->gate.plan = STUB_PLAN_ADDRESS;
    last->gate.thread_count = stub->image.manifest.worker_count - 1;
    last->gate.gap_count = stub_gaps(stub, last->gate.gaps);
    return last;
}

static void stub_threads(struct stub *stub, const struct stub_last *last)
{
    stub_step(stub, CSN_PLAN_STEP_THREADS);
    uint64_t stack_size = stub->image.manifest.stack_size;
    for (uint32_t worker = 1; worker < stub->image.manifest.worker_count; worker++) {
        uint64_t fs = csn_map_fs_block(worker, stack_size);
        stub_need(stub, stub_thread(&last->gate, stub->image.entry, fs, worker, fs));
    }
}

void stub_main(const uint64_t *stack)
{
    struct stub *stub = &stub_state;
    stub_map_plan(stub);
    stub_step(stub, CSN_PLAN_STEP_PLAN);
    stub_clean(stub, stack);
    stub_privileges(stub);
    stub_limits(stub);

    stub_copy_image(stub);
    stub_map_rings(stub);
    stub_map_image(stub);
    stub_map_boot(stub);
    stub_map_gate(stub);
    stub_map_stacks(stub);
    stub_map_pool(stub);
    stub_required(stub);

    stub_protect(stub);
    struct stub_last *last = stub_describe_last(stub);
    stub_strip_last(stub);
    stub_threads(stub, last);

    stub->plan->step = CSN_PLAN_STEP_UNMAP;
    uint64_t fs = csn_map_fs_block(0, stub->image.manifest.stack_size);
    stub_enter(&last->gate, stub->image.entry, fs, fs);
}
