/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo.c: `caisson demo`: the main job end to end, in separate processes, with its own checks.
 *
 * Order: fork the children, start the enclave, evidence, grant; the run as fast as it goes (again,
 * at most twice, where the kernel's own work caused page faults); the comparison and the loop to
 * compare with; the open-loop run at half the rate; the audit; the table.
 */
#define _GNU_SOURCE
#include "demo.h"
#include "crypto/curve.h"
#include <caisson/client.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEMO_IMAGE_SIZE_MAX  ((size_t)16 << 20)
#define DEMO_POLICY_SIZE_MAX ((size_t)65536)
#define DEMO_TAP_RECORDS     20000u
#define DEMO_TAP_SIZE_EACH   3300u /* bytes of one card record, in and out */
#define DEMO_LOOP_RECORDS    20000u
#define DEMO_LATENCY_SECONDS 2.0
#define DEMO_LEAD_NS         UINT64_C(50000000)

extern const uint8_t demo_card_policy[];
extern const size_t demo_card_policy_size;

struct demo_report {
    struct csn_enclave_report enclave;
    struct demo_steady steady;
    struct demo_done run;
    struct demo_done latency;
    struct demo_compared compared;
    struct demo_findings findings;
    uint64_t records_in;
    uint64_t rejected;
    uint64_t skipped; /* bytes of enclave memory that the audit left out */
    uint64_t repeats;
    double rate;
    double loop_rate;
    bool complete;
};

struct demo_options {
    const char *records;
    const char *backend;
    const char *image;
    const char *policy;
    const char *seed;
    bool json;
};

struct demo_run {
    struct demo_job job;
    struct demo_host host;
    struct csn_enclave_options options;
    int audit[2];
    pid_t children[2]; /* tenant, auditor */
    struct demo_report report;
};

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
    run->children[1] = fork();
    if (run->children[1] == 0) {
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
    return run->children[0] > 0 && run->children[1] > 0;
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

static bool run_fast(struct demo_run *run, uint64_t count)
{
    struct demo_report *report = &run->report;
    for (uint32_t i = 0; i < DEMO_REPEATS_MAX; i++) {
        const struct demo_go go = {.count = count};
        if (!demo_host_phase(&run->host, &go, "tokenize", &report->run)) {
            return false;
        }
        report->steady = run->host.steady;
        report->records_in = run->host.records_in;
        report->repeats = i;
        if (report->steady.page_faults == 0 || i + 1 == DEMO_REPEATS_MAX) {
            break;
        }
        fprintf(stderr,
                "caisson demo: %llu page faults in the enclave's threads while it ran (compaction, "
                "balancing or migration by the kernel); once more\n",
                (unsigned long long)report->steady.page_faults);
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
    return demo_host_phase(&run->host, &go, "latency", &run->report.latency);
}

static bool run_audit(struct demo_run *run)
{
    static struct demo_message in;
    if (!demo_audit_dump(run->audit[0], &run->report.skipped) ||
        !demo_expect(run->audit[0], "auditor", DEMO_FINDINGS, sizeof run->report.findings, &in)) {
        return false;
    }
    memcpy(&run->report.findings, in.bytes, sizeof run->report.findings);
    return true;
}

static bool run_all(struct demo_run *run)
{
    uint64_t count = 0;
    run->host.tap.size = (size_t)DEMO_TAP_RECORDS * DEMO_TAP_SIZE_EACH;
    run->host.tap.bytes = malloc(run->host.tap.size);
    if (run->host.tap.bytes == NULL || !start_children(run)) {
        return false;
    }
    memset(run->host.tap.bytes, 0, run->host.tap.size);
    bool good = run_open(run, &count) && run_fast(run, count);
    if (good) {
        csn_enclave_report(run->host.enclave, &run->report.enclave);
        good = run_compare(run) && run_loop(run) && run_latency(run, count) && run_audit(run);
    }
    run->report.rejected = run->host.rejected;
    free(run->host.tap.bytes);
    return good;
}

/* ---- what is said at the end ---- */

static bool judge(struct demo_report *report)
{
    const struct demo_done *done[2] = {&report->run, &report->latency};
    report->complete = true;
    for (int i = 0; i < 2; i++) {
        report->complete &=
            done[i]->fin_seen == 1 && done[i]->missing == 0 && done[i]->refused == 0;
    }
    report->complete &=
        report->run.opened == report->records_in && report->compared.compared == report->records_in;
    const struct demo_steady *steady = &report->steady;
    bool zeros = steady->valid && steady->page_faults == 0 && steady->allocations == 0 &&
                 steady->syscalls == 0 && steady->exits == 0;
    return report->complete && zeros && report->compared.mismatches == 0 && report->rejected == 0 &&
           report->findings.hits == 0 && report->findings.planted_found >= report->findings.planted;
}

static void number(const char *name, uint64_t value)
{
    printf(",\"%s\":%llu", name, (unsigned long long)value);
}

static void print_json(const struct demo_report *report, bool good)
{
    printf("{\"backend\":");
    cli_json_string(stdout, report->enclave.backend);
    printf(",\"measurement\":\"");
    cli_print_hex(stdout, report->enclave.measurement, 48);
    printf("\"");
    number("records_in", report->records_in);
    number("records_out", report->run.opened);
    number("mismatches", report->compared.mismatches);
    number("rejected", report->rejected);
    number("host_plaintext_hits", report->findings.hits);
    number("host_bytes_audited", report->findings.bytes);
    number("host_bytes_skipped", report->skipped);
    number("planted_found", report->findings.planted_found);
    number("page_faults_steady", report->steady.page_faults);
    number("allocations_steady", report->steady.allocations);
    number("syscalls_steady", report->steady.syscalls);
    number("exits_steady", report->steady.exits);
    number("exits_signal", report->steady.signals);
    number("parks", report->steady.parks);
    number("wakes", report->steady.wakes);
    number("repeats", report->repeats);
    printf(",\"records_per_second\":%.0f", report->rate);
    printf(",\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f}",
           (double)report->latency.latency_ns[0] / 1e3, (double)report->latency.latency_ns[1] / 1e3,
           (double)report->latency.latency_ns[2] / 1e3);
    printf(",\"ratio_to_openssl_loop\":%.2f", report->rate / report->loop_rate);
    printf(",\"complete\":%s,\"ok\":%s}\n", report->complete ? "true" : "false",
           good ? "true" : "false");
}

static void row(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(const char *name, const char *format, ...)
{
    va_list arguments;
    printf("  %-28s ", name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

static void print_table(const struct demo_report *report, bool good)
{
    typedef unsigned long long wide;
    const struct demo_findings *found = &report->findings;
    const struct demo_steady *steady = &report->steady;
    row("backend", "%s", report->enclave.backend);
    printf("  %-28s ", "measurement");
    cli_print_hex(stdout, report->enclave.measurement, 48);
    putchar('\n');
    row("evidence", "verified; software, development keys: INSECURE");
    row("records in, out", "%llu, %llu%s", (wide)report->records_in, (wide)report->run.opened,
        report->complete ? " (stream complete)" : " (INCOMPLETE)");
    row("mismatches to the reference", "%llu of %llu", (wide)report->compared.mismatches,
        (wide)report->compared.compared);
    row("rejected", "%llu", (wide)report->rejected);
    row("plaintext seen by the host", "%llu of %llu secrets in %.0f MiB (planted: %llu of %llu)",
        (wide)found->hits, (wide)found->secrets, (double)found->bytes / 1048576,
        (wide)found->planted_found, (wide)found->planted);
    if (report->skipped != 0) {
        row("  left out", "%.0f MiB of enclave memory: plain kvm does not hide it from root",
            (double)report->skipped / 1048576);
    }
    row("steady: page faults", "%llu", (wide)steady->page_faults);
    row("steady: allocations", "%llu", (wide)steady->allocations);
    row("steady: system calls", "%llu", (wide)steady->syscalls);
    row("steady: exits", "%llu (by signals: %llu)", (wide)steady->exits, (wide)steady->signals);
    row("parks, wakes", "%llu, %llu", (wide)steady->parks, (wide)steady->wakes);
    row("records per second", "%.0f", report->rate);
    row("ratio to an OpenSSL loop", "%.2f (the loop: %.0f/s on one core)",
        report->rate / report->loop_rate, report->loop_rate);
    row("latency at half that rate", "p50 %.0f us, p99 %.0f us, p99.9 %.0f us",
        (double)report->latency.latency_ns[0] / 1e3, (double)report->latency.latency_ns[1] / 1e3,
        (double)report->latency.latency_ns[2] / 1e3);
    row("result", "%s", good ? "good" : "NOT GOOD");
}

/* ---- options ---- */

/* build/caisson and build/enclaves lie side by side. */
static bool default_image(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 64);
    if (size <= 0) {
        return false;
    }
    path[size] = 0;
    char *slash = strrchr(path, '/');
    memcpy(slash ? slash + 1 : path, "enclaves/tokenize.elf", sizeof "enclaves/tokenize.elf");
    return true;
}

static int load(const struct demo_options *options, struct demo_run *run)
{
    static char path[PATH_MAX];
    struct demo_job *job = &run->job;
    *job = (struct demo_job){.name = "cards",
                             .policy = (const char *)demo_card_policy,
                             .policy_size = demo_card_policy_size,
                             .consumer = "fraud"};
    int result =
        cli_number("--records", options->records, 100, DEMO_RECORD_COUNT_MAX, &job->record_count);
    if (result == CLI_OK) {
        result = cli_number("--seed", options->seed, 0, UINT64_MAX, &job->seed);
    }
    if (result != CLI_OK) {
        return result;
    }
    if (options->policy != NULL) {
        job->policy =
            (const char *)cli_read_file(options->policy, DEMO_POLICY_SIZE_MAX, &job->policy_size);
    }
    if (job->policy == NULL || (options->image == NULL && !default_image(path))) {
        return CLI_FAILURE;
    }
    const char *image = options->image != NULL ? options->image : path;
    run->options.image = cli_read_file(image, DEMO_IMAGE_SIZE_MAX, &run->options.image_size);
    run->options.backend = options->backend;
    return run->options.image == NULL ? CLI_FAILURE : CLI_OK;
}

static int run(int argc, char **argv)
{
    static struct demo_run demo;
    struct demo_options options = {.records = "200000", .backend = "auto", .seed = "1"};
    const struct cli_option table[] = {
        {"--records", &options.records, NULL}, {"--backend", &options.backend, NULL},
        {"--image", &options.image, NULL},     {"--policy", &options.policy, NULL},
        {"--seed", &options.seed, NULL},       {"--json", NULL, &options.json},
    };
    size_t operand_count = 0;
    bool done = false;
    int result = cli_options(&cli_demo, argc, argv, table, sizeof table / sizeof table[0], NULL, 0,
                             &operand_count, &done);
    if (result == CLI_OK && !done) {
        result = load(&options, &demo);
    }
    if (result != CLI_OK || done) {
        return result;
    }
    if (csv_client_init() != CSN_OK) {
        return cli_fail(CLI_FAILURE, "the kernels do not pass their self-tests");
    }
    bool ran = run_all(&demo);
    end_children(&demo);
    if (!ran) {
        return cli_fail(CLI_FAILURE, "the run did not come to its end");
    }
    bool good = judge(&demo.report);
    (options.json ? print_json : print_table)(&demo.report, good);
    return good ? CLI_OK : CLI_FAILURE;
}

const struct cli_verb cli_demo = {
    .name = "demo",
    .summary = "the main job end to end: seal, route, tokenize, open, compare, measure",
    .help =
        "usage: caisson demo [--records N] [--backend auto|process|kvm] [--image FILE]\n"
        "                    [--policy FILE] [--seed S] [--json]\n\n"
        "A tenant verifies the enclave's evidence, grants a policy and seals N made-up card\n"
        "records (default 200000); this process, the untrusted host, routes them through the\n"
        "tokenizing enclave; a consumer opens them. Every output is compared with an independent\n"
        "reference, all that the host can see is searched for plaintext, and the enclave must\n"
        "have run without page faults, allocations, system calls or exits while it had work.\n\n"
        "  caisson demo                          all of it, then a table\n"
        "  caisson demo --backend process --json one object, for machines\n\n"
        "Keys of the image's signer and of the evidence are development keys, made on the spot:\n"
        "this shows the mechanism, not a protected machine. Exit code 0: every check held.\n",
    .run = run,
};
