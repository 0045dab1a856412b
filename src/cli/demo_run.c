/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_run.c: one run with its children, part by part.
 *
 * Order: fork the children, start the enclave, evidence, grant; the run as fast as it goes (again,
 * at most twice, where there were page faults while the kernel moved memory); the comparison and
 * the loop to compare with; the open-loop run at half the rate; the audit.
 */
#define _GNU_SOURCE
#include "crypto/curve.h"
#include "demo.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEMO_TAP_RECORDS     20000u
#define DEMO_TAP_SIZE_EACH   3300u /* bytes of one card record, in and out */
#define DEMO_LOOP_RECORDS    20000u
#define DEMO_LATENCY_SECONDS 2.0
#define DEMO_LEAD_NS         UINT64_C(50000000)

/* ---- children ---- */

static void close_all(const int *ends, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close(ends[i]);
    }
}

static bool start_children(struct demo_run *run)
{
    struct demo_links *links = &run->host.links;
    if (!demo_pair(links->tenant) || !demo_pair(links->consumer) || !demo_pair(links->records) ||
        !demo_pair(links->outputs) || !demo_pair(run->audit)) {
        cli_fail(0, "no socket pairs");
        return false;
    }
    const int host_ends[5] = {links->tenant[0], links->consumer[0], links->records[0],
                              links->outputs[0], run->audit[0]};
    const int tenant_ends[4] = {links->tenant[1], links->consumer[1], links->records[1],
                                links->outputs[1]};
    fflush(NULL);
    run->children[1] = run->audited ? fork() : 0;
    if (run->audited && run->children[1] == 0) {
        demo_die_with_parent();
        close_all(host_ends, 5);
        close_all(tenant_ends, 4);
        demo_auditor(run->job.seed, run->job.record_count, run->audit[1]);
    }
    run->children[0] = fork();
    if (run->children[0] == 0) {
        demo_die_with_parent();
        close_all(host_ends, 5);
        close(run->audit[1]);
        demo_tenant(&run->job, links, run->options.image, run->options.image_size);
    }
    close_all(tenant_ends, 4);
    close(run->audit[1]);
    return run->children[0] > 0 && (!run->audited || run->children[1] > 0);
}

static void end_children(struct demo_run *run)
{
    demo_host_close(&run->host);
    close(run->audit[0]);
    for (int i = 0; i < 2; i++) {
        if (run->children[i] > 0) {
            kill(run->children[i], SIGKILL); /* the consumer goes with the tenant */
            waitpid(run->children[i], NULL, 0);
        }
    }
}

/* ---- the parts of a run ---- */

static bool run_open(struct demo_run *run, uint64_t *count)
{
    uint8_t seeds[2][32];
    struct demo_identity identity;
    if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds) {
        return false;
    }
    csn_ed25519_public(identity.signer_key, seeds[0]);
    csn_ed25519_public(identity.software_root, seeds[1]);
    return demo_send(run->host.links.tenant[0], DEMO_IDENTITY, &identity, sizeof identity) &&
           demo_host_open(&run->host, &run->options, seeds[0], seeds[1], count);
}

static bool run_phase(struct demo_run *run, const struct demo_go *go, const char *what,
                      struct demo_done *done, struct demo_cpu *cpu)
{
    struct demo_cpu before;
    demo_cpu_read(run->children[0], run->children[1], &before);
    bool good = demo_host_phase(&run->host, go, what, done);
    demo_cpu_read(run->children[0], run->children[1], cpu);
    demo_cpu_since(&before, cpu);
    return good;
}

static bool run_fast(struct demo_run *run, uint64_t count)
{
    struct demo_report *report = &run->report;
    for (uint32_t i = 0; i < DEMO_REPEATS_MAX; i++) {
        const struct demo_go go = {.count = count};
        uint64_t moves = demo_kernel_moves();
        if (!run_phase(run, &go, "tokenize", &report->run, &report->run_cpu)) {
            return false;
        }
        report->steady = run->host.steady;
        report->records_in = run->host.records_in;
        report->repeats = i;
        moves = demo_kernel_moves() - moves;
        if (report->steady.page_faults == 0) {
            break;
        }
        bool again = moves != 0 && i + 1 < DEMO_REPEATS_MAX;
        cli_fail(0,
                 "%llu page faults in the enclave's threads; moves of memory by the kernel: %llu%s",
                 (unsigned long long)report->steady.page_faults, (unsigned long long)moves,
                 again ? "; once more" : "");
        if (!again) {
            break;
        }
    }
    uint64_t nanoseconds = report->run.end_ns - report->run.begin_ns;
    report->rate = (double)count * 1e9 / (double)(nanoseconds ? nanoseconds : 1);
    return true;
}

static bool run_compare(struct demo_run *run)
{
    static struct demo_message in;
    int consumer = run->host.links.consumer[0];
    struct demo_report *report = &run->report;
    if (!demo_send(consumer, DEMO_COMPARE, NULL, 0)) {
        return false;
    }
    do {
        if (!demo_receive(consumer, &in) || (in.type != DEMO_STEP && in.type != DEMO_COMPARE)) {
            return cli_fail(false, "the consumer did not compare");
        }
        uint64_t step[2];
        memcpy(step, in.bytes, sizeof step);
        if (in.type == DEMO_STEP) {
            cli_progress("compare", step[0], step[1]);
        }
    } while (in.type == DEMO_STEP);
    memcpy(&report->compared, in.bytes, sizeof report->compared);
    return true;
}

static bool run_loop(struct demo_run *run)
{
    static struct demo_message in;
    int consumer = run->host.links.consumer[0];
    const uint64_t records = DEMO_LOOP_RECORDS;
    if (!demo_send(consumer, DEMO_RATIO, &records, sizeof records) ||
        !demo_expect(consumer, "consumer", DEMO_RATIO, sizeof(double), &in)) {
        return false;
    }
    memcpy(&run->report.loop_rate, in.bytes, sizeof(double));
    return true;
}

static bool run_latency(struct demo_run *run, uint64_t count)
{
    double rate = run->report.rate / 2;
    uint64_t records = (uint64_t)(rate * DEMO_LATENCY_SECONDS) + 1;
    const struct demo_go go = {.count = records < count ? records : count,
                               .start_ns = cli_now_ns() + DEMO_LEAD_NS,
                               .interval_ps = (uint64_t)(1e12 / rate) + 1};
    return run_phase(run, &go, "latency", &run->report.latency, &run->report.latency_cpu);
}

static bool run_audit(struct demo_run *run)
{
    static struct demo_message in;
    if (!demo_audit_dump(run->audit[0], csn_enclave_manifest(run->host.enclave)->pool_size,
                         &run->report.skipped) ||
        !demo_expect(run->audit[0], "auditor", DEMO_FINDINGS, sizeof run->report.findings, &in)) {
        return false;
    }
    memcpy(&run->report.findings, in.bytes, sizeof run->report.findings);
    return true;
}

bool demo_run_cards(struct demo_run *run)
{
    uint64_t count = 0;
    run->audited = true;
    run->host.tap.size = (size_t)DEMO_TAP_RECORDS * DEMO_TAP_SIZE_EACH;
    run->host.tap.bytes = malloc(run->host.tap.size);
    if (run->host.tap.bytes == NULL || !start_children(run)) {
        return false;
    }
    memset(run->host.tap.bytes, 0, run->host.tap.size); /* touched before the clock runs */
    bool good = run_open(run, &count) && run_fast(run, count);
    if (good) {
        csn_enclave_report(run->host.enclave, &run->report.enclave);
        good = run_compare(run) && run_loop(run) && run_latency(run, count) && run_audit(run);
    }
    run->report.rejected = run->host.rejected;
    end_children(run);
    free(run->host.tap.bytes);
    return good;
}

bool demo_run_real(struct demo_run *run)
{
    uint64_t count = 0;
    if (!start_children(run)) {
        return false;
    }
    bool good = run_open(run, &count);
    const struct demo_go go = {.count = count};
    good = good && demo_host_phase(&run->host, &go, run->job.name, &run->report.run) &&
           run_compare(run);
    run->report.records_in = run->host.records_in;
    run->report.rejected = run->host.rejected;
    end_children(run);
    return good;
}
