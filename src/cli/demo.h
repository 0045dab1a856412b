/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo.h: what the processes of `caisson demo` share: jobs, messages and channels.
 *
 * Processes: the host (the command itself) runs the enclave and routes sealed bytes; the tenant
 *            holds keys, verifies, grants and seals; the consumer, forked from the tenant, opens
 *            and compares; the auditor knows the seed and looks for plaintext in what it is given.
 * Trust:     the host process never holds a plaintext or a tenant's key: they are made in the
 *            tenant after the fork, and only sealed bytes, evidence and numbers cross to the host.
 * Threads:   one in each process, and the backend's in the host.
 * Lifetime:  children end with the host, and the host waits for no child without a time limit.
 */
#ifndef CSN_CLI_DEMO_H
#define CSN_CLI_DEMO_H

#include "cli.h"
#include <caisson/host.h>
#include <caisson/wire/record.h>
#include <sys/types.h>

#define DEMO_MESSAGE_SIZE_MAX UINT32_C(131072)
#define DEMO_FRAME_SIZE_MAX   UINT32_C(131072) /* bytes of one sealed record in a stream */
#define DEMO_STALL_MS         60000            /* nothing for so long: something is dead */
#define DEMO_RECORD_COUNT_MAX UINT64_C(1000000)
#define DEMO_REPEATS_MAX      3u

/* One kind of data with its policy: the cards, or a set of real records. */
struct demo_job {
    const char *name;
    const char *policy; /* text of the policy file */
    size_t policy_size;
    const char *consumer; /* name that the policy may encrypt to */
    const char *path;     /* file of real records, one JSON text a line; NULL: generated */
    const char *member;   /* the file is a JSON array: the text is this member of each */
    uint64_t seed;
    uint64_t record_count; /* generated records; real ones: at most so many */
};

enum demo_type {
    DEMO_IDENTITY = 1, /* host: struct demo_identity */
    DEMO_NONCE,        /* tenant: 32 bytes */
    DEMO_EVIDENCE,     /* host: bundle */
    DEMO_GRANT,        /* tenant: grant message */
    DEMO_ANSWER,       /* host: what the enclave answered */
    DEMO_READY,        /* tenant: u64 count of records */
    DEMO_GO,           /* host: struct demo_go */
    DEMO_DONE,         /* consumer: struct demo_done */
    DEMO_COMPARE,      /* host; consumer: struct demo_compared */
    DEMO_STEP,         /* consumer, auditor: u64 done, u64 of so many */
    DEMO_RATIO,        /* host: u64 records; consumer: double, records per second */
    DEMO_FINDINGS,     /* auditor: struct demo_findings */
    DEMO_FAILED,       /* any child: text */
};

/* What the tenant cannot know but checks against: development keys that the host made. */
struct demo_identity {
    uint8_t signer_key[32];
    uint8_t software_root[32];
};

struct demo_go {
    uint64_t first;
    uint64_t count;
    uint64_t start_ns;    /* open loop: when record 0 is meant to be sent */
    uint64_t interval_ps; /* open loop: from one record to the next; 0: as fast as it goes */
};

struct demo_done {
    uint64_t begin_ns; /* first record taken up for sealing; the tenant's */
    uint64_t end_ns;   /* last one opened */
    uint64_t opened;
    uint64_t refused; /* not opened, or with another status than OK */
    uint64_t missing; /* by the count in the FIN */
    uint64_t fin_seen;
    uint64_t latency_ns[3]; /* p50, p99, p99.9 */
};

struct demo_compared {
    uint64_t compared;
    uint64_t mismatches;
    uint64_t planted_found; /* negative control: one output with one bit turned */
};

struct demo_findings {
    uint64_t hits;
    uint64_t bytes;         /* looked through */
    uint64_t secrets;       /* looked for */
    uint64_t planted_found; /* of the negative control */
    uint64_t planted;
};

struct demo_message {
    uint32_t type;
    uint32_t size;
    uint8_t bytes[DEMO_MESSAGE_SIZE_MAX];
};

/* The records of a job: record i is text + offset[i], up to offset[i + 1]. */
struct demo_records {
    uint8_t *text;
    size_t *offset;
    uint64_t count;
    uint32_t size_max;
};

/* ---- demo_wire.c ---- */
bool demo_send(int fd, uint32_t type, const void *bytes, size_t size);
/* Waits at most DEMO_STALL_MS. False: end, time, or framing. */
bool demo_receive(int fd, struct demo_message *message);
/* The same, and it must be of this type and size (0: any); a FAILED message is printed. */
bool demo_expect(int fd, const char *who, uint32_t type, size_t size, struct demo_message *message);
/* In a child: tell the host why, and end. */
__attribute__((format(printf, 2, 3))) CSN_NORETURN void demo_die(int fd, const char *format, ...);
/* A socket pair with room; close-on-exec. */
bool demo_pair(int fds[2]);
void demo_die_with_parent(void);

/* ---- demo_records.c ---- */
bool demo_records_make(const struct demo_job *job, struct demo_records *records);

/* ---- demo_tenant.c, demo_consumer.c, demo_audit.c: bodies of the children ---- */
struct demo_links {
    int tenant[2];   /* control; [0] is the host's end everywhere */
    int consumer[2]; /* control */
    int records[2];  /* sealed records, tenant to host */
    int outputs[2];  /* sealed outputs, host to consumer */
};
CSN_NORETURN void demo_tenant(const struct demo_job *job, const struct demo_links *links,
                              const void *image, size_t image_size);

struct csv_tenant;
struct csv_consumer;
struct demo_consumer_setup {
    const struct demo_job *job;
    const struct demo_records *records;
    const struct csv_tenant *tenant;
    const struct csv_consumer *consumer;
    const uint8_t *grant_digest;
    int control;
    int outputs;
};
CSN_NORETURN void demo_consumer(const struct demo_consumer_setup *setup);

CSN_NORETURN void demo_auditor(uint64_t seed, uint64_t record_count, int control);
/* Host: all that this process can read goes to the auditor. */
/* enclave_size: the least bytes that an enclave's private memory has. */
bool demo_audit_dump(int control, uint64_t enclave_size, uint64_t *skipped);

/* ---- demo_cpu.c: what each stage used ---- */
enum demo_cpu_place {
    DEMO_CPU_PRODUCER,
    DEMO_CPU_HOST,
    DEMO_CPU_ENCLAVE,
    DEMO_CPU_CONSUMER,
    DEMO_CPU_COUNT
};
struct demo_cpu_stage {
    uint64_t run_ns;
    uint64_t wait_ns; /* ready, but without a core */
};
struct demo_cpu {
    struct demo_cpu_stage stages[DEMO_CPU_COUNT];
};
/* So far. The consumer is the tenant's child; the auditor is no stage. */
void demo_cpu_read(pid_t tenant, pid_t auditor, struct demo_cpu *cpu);
void demo_cpu_since(const struct demo_cpu *before, struct demo_cpu *now);

/* ---- demo_moves.c: how often the kernel moved memory, so far ---- */
uint64_t demo_kernel_moves(void);

/* ---- demo_host.c ---- */
struct demo_steady {
    bool valid; /* every counter could be read */
    uint64_t page_faults;
    uint64_t allocations;
    uint64_t syscalls;
    uint64_t exits;
    uint64_t signals; /* EINTR returns */
    uint64_t parks;   /* whole phase */
    uint64_t wakes;
    uint64_t wakes_with_work; /* in the window of the zeros */
};
struct demo_tap {
    uint8_t *bytes;
    size_t size;
    size_t used;
};
struct demo_host {
    struct csn_enclave *enclave;
    struct demo_links links;
    struct demo_tap tap;
    uint64_t records_in;
    uint64_t records_out;
    uint64_t rejected;
    struct demo_steady steady;
};
bool demo_host_open(struct demo_host *host, const struct csn_enclave_options *options,
                    const uint8_t signer_seed[32], const uint8_t root_seed[32],
                    uint64_t *record_count);
/* Routes one phase; consumer's numbers in done. */
bool demo_host_phase(struct demo_host *host, const struct demo_go *go, const char *what,
                     struct demo_done *done);
void demo_host_close(struct demo_host *host);

/* ---- demo_run.c ---- */
#define DEMO_REAL_COUNT 3u
struct demo_real {
    const char *name;
    bool present; /* the file is there */
    struct demo_compared compared;
    uint64_t records_in;
};
struct demo_report {
    struct csn_enclave_report enclave;
    struct demo_steady steady;
    struct demo_done run;
    struct demo_done latency;
    struct demo_cpu run_cpu;
    struct demo_cpu latency_cpu;
    struct demo_compared compared;
    struct demo_findings findings;
    uint64_t records_in;
    uint64_t rejected;
    uint64_t skipped; /* bytes of enclave memory that the audit left out */
    uint64_t repeats;
    double rate;
    double loop_rate;
    bool complete;
    struct demo_real real[DEMO_REAL_COUNT];
};

struct demo_run {
    struct demo_job job;
    struct demo_host host;
    struct csn_enclave_options options;
    int audit[2];
    pid_t children[2]; /* tenant, auditor */
    struct demo_report report;
    bool audited; /* with an auditor and a tap */
};

/* All parts for the generated records; the children are gone at the end. */
bool demo_run_cards(struct demo_run *run);
/* Only seal, route, tokenize, open, compare: for one set of real records. */
bool demo_run_real(struct demo_run *run);

/* ---- demo_real.c: real records, where the data is there ---- */
bool demo_real_all(const struct demo_run *cards, struct demo_real real[DEMO_REAL_COUNT]);

/* ---- demo_print.c ---- */
bool demo_judge(struct demo_report *report);
void demo_print_json(const struct demo_report *report, bool good);
void demo_print_table(const struct demo_report *report, bool good);

#endif
