/* SPDX-License-Identifier: Apache-2.0 */
/* demo_print.c: was the run good, and the table or the JSON object at its end. */
#include "demo.h"
#include <stdarg.h>

/* ---- what is said at the end ---- */

bool demo_judge(struct demo_report *report)
{
    const struct demo_done *done[2] = {&report->run, &report->latency};
    report->complete = true;
    for (int i = 0; i < 2; i++) {
        report->complete &=
            done[i]->fin_seen == 1 && done[i]->missing == 0 && done[i]->refused == 0;
    }
    report->complete &= report->run.opened == report->records_in &&
                        report->compared.compared == report->records_in &&
                        report->compared.planted_found == 1;
    const struct demo_steady *steady = &report->steady;
    bool zeros = steady->valid && steady->page_faults == 0 && steady->allocations == 0 &&
                 steady->syscalls == 0 && steady->exits == 0;
    bool real = true;
    for (uint32_t i = 0; i < DEMO_REAL_COUNT; i++) {
        const struct demo_real *one = &report->real[i];
        real = real && (!one->present || (one->records_in != 0 && one->compared.mismatches == 0 &&
                                          one->compared.compared == one->records_in));
    }
    return real && report->complete && zeros && report->compared.mismatches == 0 &&
           report->rejected == 0 && report->findings.hits == 0 &&
           report->findings.planted_found == report->findings.planted;
}

static void number(const char *name, uint64_t value)
{
    printf(",\"%s\":%llu", name, (unsigned long long)value);
}

static const char *const stage_names[DEMO_CPU_COUNT] = {"producer", "host", "enclave", "consumer"};

static double per_record_us(uint64_t ns, uint64_t records)
{
    return (double)ns / 1e3 / (double)(records ? records : 1);
}

/* format: of a stage's name, and of how long it ran and waited, in microseconds per record */
static void print_stages(const char *format, const char *between, const struct demo_cpu *cpu,
                         uint64_t records)
{
    for (uint32_t i = 0; i < DEMO_CPU_COUNT; i++) {
        fputs(i == 0 ? "" : between, stdout);
        printf(format, stage_names[i], per_record_us(cpu->stages[i].run_ns, records),
               per_record_us(cpu->stages[i].wait_ns, records));
    }
}

static void print_cpu(const char *name, const struct demo_cpu *cpu, uint64_t records)
{
    printf(",\"%s\":{", name);
    print_stages("\"%s\":{\"ran\":%.2f,\"waited\":%.2f}", ",", cpu, records);
    printf("}");
}

static void print_real(const struct demo_report *report)
{
    printf(",\"real_records\":{");
    for (uint32_t i = 0; i < DEMO_REAL_COUNT; i++) {
        const struct demo_real *real = &report->real[i];
        printf("%s", i == 0 ? "" : ",");
        cli_json_string(stdout, real->name);
        printf(":{\"present\":%s,\"records\":%llu,\"mismatches\":%llu}",
               real->present ? "true" : "false", (unsigned long long)real->records_in,
               (unsigned long long)real->compared.mismatches);
    }
    printf("}");
}

void demo_print_json(const struct demo_report *report, bool good)
{
    printf("{\"backend\":");
    cli_json_string(stdout, report->enclave.backend);
    printf(",\"measurement\":\"");
    cli_print_hex(stdout, report->enclave.measurement, 48);
    printf("\"");
    number("records_in", report->records_in);
    number("records_out", report->run.opened);
    number("mismatches", report->compared.mismatches);
    number("mismatch_planted_found", report->compared.planted_found);
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
    number("wakes_with_work_steady", report->steady.wakes_with_work);
    number("repeats", report->repeats);
    printf(",\"records_per_second\":%.0f", report->rate);
    printf(",\"latency_us\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f}",
           (double)report->latency.latency_ns[0] / 1e3, (double)report->latency.latency_ns[1] / 1e3,
           (double)report->latency.latency_ns[2] / 1e3);
    printf(",\"ratio_to_openssl_loop\":%.2f", report->rate / report->loop_rate);
    print_cpu("core_us_per_record", &report->run_cpu, report->run.opened);
    print_cpu("core_us_per_record_latency", &report->latency_cpu, report->latency.opened);
    print_real(report);
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

static void row_cpu(const struct demo_cpu *cpu, uint64_t records)
{
    printf("  %-28s ", "  core us each (no core)");
    print_stages("%s %.1f (%.1f)", ", ", cpu, records);
    putchar('\n');
}

void demo_print_table(const struct demo_report *report, bool good)
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
    row("mismatches to the reference", "%llu of %llu (planted: %llu of 1)",
        (wide)report->compared.mismatches, (wide)report->compared.compared,
        (wide)report->compared.planted_found);
    row("rejected", "%llu", (wide)report->rejected);
    row("plaintext seen by the host", "%llu of %llu secrets in %.0f MiB (planted: %llu of %llu)",
        (wide)found->hits, (wide)found->secrets, (double)found->bytes / 1048576,
        (wide)found->planted_found, (wide)found->planted);
    if (report->skipped != 0) { /* kvm */
        row("  left out", "%.0f MiB of enclave memory: plain kvm does not hide it from root",
            (double)report->skipped / 1048576);
    }
    row("steady: page faults", "%llu", (wide)steady->page_faults);
    row("steady: allocations", "%llu", (wide)steady->allocations);
    row("steady: system calls", "%llu", (wide)steady->syscalls);
    row("steady: exits", "%llu (by signals: %llu)", (wide)steady->exits, (wide)steady->signals);
    row("parks, wakes", "%llu, %llu (steady, with work left: %llu)", (wide)steady->parks,
        (wide)steady->wakes, (wide)steady->wakes_with_work);
    row("records per second", "%.0f", report->rate);
    row("ratio to an OpenSSL loop", "%.2f (the loop: %.0f/s on one core)",
        report->rate / report->loop_rate, report->loop_rate);
    row_cpu(&report->run_cpu, report->run.opened);
    row("latency at half that rate", "p50 %.0f us, p99 %.0f us, p99.9 %.0f us",
        (double)report->latency.latency_ns[0] / 1e3, (double)report->latency.latency_ns[1] / 1e3,
        (double)report->latency.latency_ns[2] / 1e3);
    row_cpu(&report->latency_cpu, report->latency.opened);
    for (uint32_t i = 0; i < DEMO_REAL_COUNT; i++) {
        const struct demo_real *real = &report->real[i];
        if (real->present) {
            row(real->name, "%llu records, %llu mismatches", (wide)real->records_in,
                (wide)real->compared.mismatches);
        } else {
            row(real->name, "skipped: no file; CAISSON_SHARED names the folder of data-pii");
        }
    }
    row("result", "%s", good ? "good" : "NOT GOOD");
}
