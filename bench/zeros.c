/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zeros.c: system calls, allocations, page faults and exits to user space while there is work, as
 * the gate counts them and as strace, the kernel and KVM do.
 *
 * Records come in blocks (block.h): the worker is asleep when one is published, has work until the
 * last answer is out, and sleeps again. So each block costs one gate call, when there is no work
 * any more; every further one would have been made with work at hand, and must be 0. Both sides
 * count all of them; they must agree, call by call.
 *
 * The stub that this program brings leaves the enclave's process traceable; nothing else differs,
 * and no other program can get it (bench/meson.build).
 */
#define _GNU_SOURCE
#include "block.h"
#include "cli/demo.h"
#include "measure.h"
#include "watch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_SIZE   64u
#define RECORDS        1000000u
#define WARM_UP_BLOCKS 8u /* both rings are gone round, and the worker's memory is warm */
#define TRIES_MAX      3u
#define CALM_NS        20000000L
#define CALM_POLLS_MAX 500u
#define EXIT_SKIP      77

struct wish {
    const char *backend; /* NULL: each */
    const char *image;   /* NULL: echo of the build */
    uint64_t records;
    bool control; /* an image with a seeded bug: both sides must show it */
};

struct counts {
    uint64_t records;
    uint64_t blocks;
    uint64_t gate;      /* calls that the enclave made */
    uint64_t with_work; /* of those, as it says itself */
    uint64_t carves;
    uint64_t faults; /* of its thread, as the kernel counts */
    bool is_kvm, has_strace, has_kvm;
    const char *why; /* there is no strace */
    struct watch_calls calls;
    struct watch_kvm kvm;
};

/* Until the worker sleeps: its counters stay as they are. */
static void settle(const struct block *block, struct csn_wire_boot_stats *stats)
{
    const struct timespec pause = {.tv_nsec = CALM_NS};
    struct csn_wire_boot_stats before;
    block_stats(block, stats);
    for (unsigned i = 0; i < CALM_POLLS_MAX; i++) {
        before = *stats;
        nanosleep(&pause, NULL);
        block_stats(block, stats);
        if (memcmp(&before, stats, sizeof before) == 0) {
            return;
        }
    }
    bench_require(false, "the worker does not come to rest");
}

/* The worker's next sleep after a block: without it, the next block would cost no gate call. */
static void await_park(const struct block *block, uint64_t parks)
{
    const struct timespec pause = {.tv_nsec = 50000};
    struct csn_wire_boot_stats stats;
    uint64_t begin = bench_wall_ns();
    do {
        block_stats(block, &stats);
        bench_require(bench_wall_ns() - begin < UINT64_C(20000000000), "the worker does not sleep");
        nanosleep(&pause, NULL);
    } while (stats.parks <= parks);
}

static void one_block(struct block *block, uint32_t count)
{
    struct csn_wire_boot_stats stats;
    block_fill(block, count);
    block_stats(block, &stats);
    block_publish(block);
    block_wait(block);
    block_drain(block);
    await_park(block, stats.parks);
}

static void subtract(struct watch_kvm *counts, const struct watch_kvm *before)
{
    counts->exits -= before->exits;
    counts->returns -= before->returns;
    counts->page_faults -= before->page_faults;
}

/* The window: from a sleep of the worker to a sleep of the worker. */
static void count_window(struct block *block, uint64_t records, struct counts *counts)
{
    struct csn_wire_boot_stats before, after;
    struct csn_enclave_counters faults_before, faults_after;
    struct watch_kvm kvm_before;
    struct csn_enclave *enclave = block->sealed->enclave;
    settle(block, &before);
    counts->has_kvm = watch_kvm_read(enclave, &kvm_before);
    bench_require(csn_enclave_counters(enclave, &faults_before) == CSN_OK, "no counters");
    for (counts->records = counts->blocks = 0; counts->records < records; counts->blocks++) {
        uint64_t left = records - counts->records;
        uint32_t count = left < block->count_max ? (uint32_t)left : block->count_max;
        one_block(block, count);
        counts->records += count;
    }
    settle(block, &after);
    bench_require(csn_enclave_counters(enclave, &faults_after) == CSN_OK, "no counters");
    if (watch_kvm_read(enclave, &counts->kvm)) {
        subtract(&counts->kvm, &kvm_before);
    }
    bench_require(after.records_served - before.records_served == counts->records, "lost records");
    counts->gate = after.parks + after.wakes - before.parks - before.wakes;
    counts->with_work = after.parks_with_credit + after.wakes_with_work - before.parks_with_credit -
                        before.wakes_with_work;
    counts->carves = after.carves - before.carves;
    counts->faults = faults_after.page_faults - faults_before.page_faults;
}

static void count(const struct sealed_image *image, const char *backend, uint64_t records,
                  struct counts *counts)
{
    static struct sealed_tenant tenant;
    struct sealed sealed;
    struct block block;
    struct watch watch;
    struct csn_wire_boot_stats stats;
    memset(counts, 0, sizeof *counts);
    counts->is_kvm = strcmp(backend, "kvm") == 0;
    sealed_tenant_new(&tenant, image, true);
    sealed_start(&sealed, image, &tenant, backend);
    sealed_short(&sealed);
    block_init(&block, &sealed, PAYLOAD_SIZE);
    settle(&block, &stats);
    for (unsigned i = 0; i < WARM_UP_BLOCKS; i++) {
        one_block(&block, block.count_max);
    }
    settle(&block, &stats);
    counts->has_strace = watch_begin(&watch, watch_thread(sealed.enclave), &counts->why);
    count_window(&block, records, counts);
    if (counts->has_strace) {
        watch_end(&watch, &counts->calls);
    }
    sealed_stop(&sealed);
    sealed_tenant_free(&tenant);
}

/* ---- what is printed ---- */

struct row {
    const char *what;
    const char *inside;  /* who counted there */
    const char *outside; /* and there */
    bool known;          /* outside */
    uint64_t ours, theirs;
};

static void print_row(const struct row *row, const char *backend)
{
    if (bench_json()) {
        char theirs[64] = "not counted";
        if (row->known) {
            snprintf(theirs, sizeof theirs, "%s: %llu", row->outside,
                     (unsigned long long)row->theirs);
        }
        uint64_t most = row->ours > row->theirs ? row->ours : row->theirs;
        printf("{\"goal\":0,\"what\":\"%s, %s\",\"ours\":\"%s\",\"other\":\"%s\","
               "\"kind\":\"exactly\",\"target\":0,\"ratio\":%llu,\"p10\":%llu,\"p90\":%llu,"
               "\"mode\":\"\",\"reached\":%s}\n",
               row->what, backend, row->inside, theirs, (unsigned long long)row->ours,
               (unsigned long long)row->ours, (unsigned long long)most,
               most == 0 ? "true" : "false");
        return;
    }
    printf("  %-36s %10llu  %-18s", row->what, (unsigned long long)row->ours, row->inside);
    if (row->known) {
        printf(" %10llu  %s\n", (unsigned long long)row->theirs, row->outside);
    } else {
        printf(" not counted\n");
    }
}

/* Calls beyond the one at the end of each block; a sum below that is no number either. */
static uint64_t beyond(uint64_t calls, uint64_t blocks)
{
    return calls > blocks ? calls - blocks : blocks - calls;
}

static void print_counts(const struct counts *counts, const char *backend)
{
    const struct watch_kvm *kvm = &counts->kvm;
    const struct row rows[] = {
        {"system calls with work there", "gate", "strace", counts->has_strace,
         beyond(counts->gate, counts->blocks), beyond(counts->calls.futex, counts->blocks)},
        {"exits to user space with work there", "gate", "KVM", counts->has_kvm,
         beyond(counts->gate, counts->blocks), beyond(kvm->returns, counts->blocks)},
        {"allocations", "pool", "strace, all other calls", counts->has_strace, counts->carves,
         counts->calls.other},
        {"page faults", "kernel", "KVM, nested", counts->has_kvm, counts->faults, kvm->page_faults},
    };
    if (!bench_json()) {
        printf("%s: %llu records in %llu blocks: %llu gate calls; strace: %llu futex, %llu KVM_RUN",
               backend, (unsigned long long)counts->records, (unsigned long long)counts->blocks,
               (unsigned long long)counts->gate, (unsigned long long)counts->calls.futex,
               (unsigned long long)counts->calls.run);
        printf(counts->has_kvm ? "; KVM: %llu returns, %llu other exits\n" : "\n",
               (unsigned long long)kvm->returns, (unsigned long long)(kvm->exits - kvm->returns));
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i != 1 || counts->is_kvm) { /* a process has no exits */
            print_row(&rows[i], backend);
        }
    }
    fflush(stdout);
}

/* ---- the verdict ---- */

/* Whoever counted outside has the gate's number. */
static bool agrees(const struct counts *counts)
{
    const struct watch_calls *calls = &counts->calls;
    bool strace = !counts->has_strace ||
                  (calls->futex == counts->gate && (!counts->is_kvm || calls->run == counts->gate));
    bool kvm = !counts->has_kvm || counts->kvm.returns == counts->gate;
    return strace && kvm;
}

static bool is_zero(const struct counts *counts)
{
    return counts->gate == counts->blocks && counts->with_work == 0 && counts->carves == 0 &&
           counts->calls.other == 0 && counts->faults == 0 && counts->kvm.page_faults == 0;
}

/* The kernel moved memory meanwhile: the faults are its own, and the count is taken again. */
static void count_again(const struct sealed_image *image, const char *backend, uint64_t records,
                        struct counts *counts)
{
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint64_t moves = demo_kernel_moves();
        count(image, backend, records, counts);
        if (counts->faults + counts->kvm.page_faults == 0 || demo_kernel_moves() == moves) {
            return;
        }
        fprintf(stderr, "zeros: the kernel moved memory: once more\n");
    }
}

static bool run(const struct wish *wish, const struct sealed_image *image, const char *backend)
{
    struct counts counts;
    count_again(image, backend, wish->records, &counts);
    print_counts(&counts, backend);
    if (!counts.has_strace) {
        fprintf(stderr, "zeros: %s\n", counts.why);
    }
    if (wish->backend != NULL && !counts.has_strace && !counts.has_kvm) {
        exit(EXIT_SKIP); /* asked for by name: one side alone shows nothing */
    }
    bool good =
        agrees(&counts) &&
        (wish->control ? counts.gate > counts.blocks && counts.with_work > 0 : is_zero(&counts));
    if (!good) {
        fprintf(stderr, "zeros: %s: %s\n", backend,
                agrees(&counts) ? "not as it must be" : "the two sides do not agree");
    }
    return good;
}

static const char help[] =
    "usage: zeros [--backend NAME] [--records N] [--image FILE] [--control] [--json]\n\n"
    "System calls, allocations, page faults and exits to user space of an echo enclave while "
    "there\n"
    "is work, as counted at the gate and by strace, the kernel and KVM; exit 1 unless all are 0 "
    "and\n"
    "both sides agree. --control: an image that leaves with work at hand; both must show it.\n\n";

/* Takes our arguments out, for bench_begin() to judge the rest. */
static void take_arguments(int *argc, char **argv, struct wish *wish)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        bool has_value = i + 1 < *argc;
        if (strcmp(argv[i], "--control") == 0) {
            wish->control = true;
        } else if (strcmp(argv[i], "--backend") == 0 && has_value) {
            wish->backend = argv[++i];
        } else if (strcmp(argv[i], "--image") == 0 && has_value) {
            wish->image = argv[++i];
        } else if (strcmp(argv[i], "--records") == 0 && has_value) {
            wish->records = strtoull(argv[++i], NULL, 10);
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
}

int main(int argc, char **argv)
{
    static const char *const backends[] = {"process", "kvm"};
    static struct sealed_image image;
    struct wish wish = {.records = RECORDS};
    bool good = true;
    take_arguments(&argc, argv, &wish);
    bench_begin(argc, argv, help);
    if (wish.image != NULL) {
        sealed_image_read(&image, wish.image);
    } else {
        sealed_image_find(&image, "echo");
    }
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        bool wished = wish.backend != NULL && strcmp(wish.backend, backends[i]) == 0;
        if (wish.backend != NULL && !wished) {
            continue;
        }
        if (strcmp(backends[i], "kvm") == 0 && access("/dev/kvm", R_OK | W_OK) != 0) {
            fprintf(stderr, "zeros: no /dev/kvm: it is left out\n");
            if (wished) {
                return EXIT_SKIP;
            }
            continue;
        }
        good = run(&wish, &image, backends[i]) && good;
    }
    sealed_image_free(&image);
    return good || bench_json() ? 0 : 1; /* the rows say it */
}
