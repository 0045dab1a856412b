/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_audit.c: is there a plaintext in anything that the host process can see?
 *
 * The host hands all of its own readable memory to a process that knows the seed: heap, stacks,
 * globals, the rings, the buffers it routes through, and the tap (a copy of the first records,
 * sealed, as they went in and out). Left out: mappings that a backend made for an enclave's private
 * memory, known by being kept from both dumps and forks ("dc dd" in smaps) and by holding a whole
 * pool. They exist on kvm only, hold plaintext while records are served, and are not hidden from
 * the host by this backend; on real TEEs the hardware does that (docs/CAVEATS.md).
 */
#define _GNU_SOURCE
#include "demo.h"
#include "reference/canary.h"
#include "reference/generator.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUDIT_CHUNK   65536u
#define AUDIT_OVERLAP CSR_CANARY_SECRET_SIZE_MAX
#define AUDIT_MAPS    8192u

struct range {
    uint64_t begin;
    uint64_t end;
};

/* ---- host ---- */

/* Readable mappings but the enclave's own; the list is fixed before the first byte is sent. */
static uint32_t audit_ranges(struct range *ranges, uint64_t enclave_size, uint64_t *skipped)
{
    static char line[8192];
    uint32_t count = 0;
    bool readable = false;
    FILE *file = fopen("/proc/self/smaps", "re");
    if (file == NULL) {
        return 0;
    }
    while (count < AUDIT_MAPS && fgets(line, sizeof line, file) != NULL) {
        unsigned long long begin;
        unsigned long long end;
        char mode[8] = "";
        if (sscanf(line, "%llx-%llx %7s", &begin, &end, mode) == 3) {
            readable = mode[0] == 'r' && strstr(line, "[vvar") == NULL;
            ranges[count] = (struct range){begin, end};
        } else if (strncmp(line, "VmFlags:", 8) == 0 && readable) {
            bool private = strstr(line, " dc") != NULL && strstr(line, " dd") != NULL &&
                           ranges[count].end - ranges[count].begin >= enclave_size;
            *skipped += private ? ranges[count].end - ranges[count].begin : 0;
            count += private ? 0 : 1;
        }
    }
    fclose(file);
    return count;
}

bool demo_audit_dump(int control, uint64_t enclave_size, uint64_t *skipped)
{
    static struct range ranges[AUDIT_MAPS];
    static uint8_t chunk[AUDIT_CHUNK];
    *skipped = 0;
    uint32_t count = audit_ranges(ranges, enclave_size, skipped);
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    bool good = memory >= 0 && count != 0 && count < AUDIT_MAPS;
    for (uint32_t i = 0; good && i < count; i++) {
        for (uint64_t at = ranges[i].begin; good && at < ranges[i].end;) {
            uint64_t left = ranges[i].end - at;
            size_t size = left < sizeof chunk ? (size_t)left : sizeof chunk;
            ssize_t got = pread(memory, chunk, size, (off_t)at);
            if (got > 0) {
                good = demo_send(control, DEMO_STEP, chunk, (size_t)got);
            }
            at += got > 0 ? (uint64_t)got : size; /* holes of device mappings cannot be read */
        }
    }
    if (memory >= 0) {
        close(memory);
    }
    if (!good) {
        cli_fail(0, "cannot hand this process's memory to the auditor");
    }
    return good && demo_send(control, DEMO_FINDINGS, NULL, 0);
}

/* ---- auditor ---- */

struct audit {
    struct csr_canary *canary;
    struct csr_canary_hits hits;
    uint8_t window[AUDIT_OVERLAP + AUDIT_CHUNK];
    size_t kept; /* bytes from the chunk before, so that nothing hides across the seam */
};

static void audit_chunk(struct audit *audit, const uint8_t *bytes, size_t size)
{
    memcpy(audit->window + audit->kept, bytes, size);
    size_t whole = audit->kept + size;
    struct csr_canary_hits before = {0}; /* what lies in the kept part alone was counted then */
    csr_canary_scan(audit->canary, audit->window, audit->kept, &before);
    csr_canary_scan(audit->canary, audit->window, whole, &audit->hits);
    audit->hits.count -= before.count;
    audit->kept = whole < AUDIT_OVERLAP - 1 ? whole : AUDIT_OVERLAP - 1;
    memmove(audit->window, audit->window + whole - audit->kept, audit->kept);
}

/* The same search must find a record where there is one, across a seam too. */
static void audit_plant(struct audit *audit, uint64_t seed, struct demo_findings *findings)
{
    static struct csr_record record;
    csr_generate(seed, 0, &record);
    audit->kept = 0;
    audit->hits = (struct csr_canary_hits){0};
    size_t half = record.size / 2;
    audit_chunk(audit, (const uint8_t *)record.text, half);
    audit_chunk(audit, (const uint8_t *)record.text + half, record.size - half);
    findings->planted = CSR_SECRET_COUNT;
    findings->planted_found = audit->hits.count;
}

static bool audit_learn(struct audit *audit, uint64_t seed, uint64_t record_count)
{
    static struct csr_record record;
    uint64_t secrets = record_count * CSR_SECRET_COUNT;
    bool good = csr_canary_create(&audit->canary, (size_t)secrets) == CSN_OK;
    for (uint64_t i = 0; good && i < record_count; i++) {
        csr_generate(seed, i, &record);
        for (uint32_t j = 0; good && j < CSR_SECRET_COUNT; j++) {
            good = csr_canary_add(audit->canary, record.secrets[j].text, record.secrets[j].size) ==
                   CSN_OK;
        }
    }
    return good;
}

void demo_auditor(uint64_t seed, uint64_t record_count, int control)
{
    static struct audit audit;
    static struct demo_message in;
    struct demo_findings findings = {.secrets = record_count * CSR_SECRET_COUNT};
    uint32_t head[2];
    bool learnt = false;
    while (cli_read_exactly(control, head, sizeof head) && head[1] <= AUDIT_CHUNK &&
           cli_read_exactly(control, in.bytes, head[1])) {
        if (!learnt && !audit_learn(&audit, seed, record_count)) {
            demo_die(control, "out of memory for the secrets");
        }
        learnt = true; /* only now: before, the clock was running */
        if (head[0] == DEMO_STEP) {
            audit_chunk(&audit, in.bytes, head[1]);
            findings.bytes += head[1];
        } else if (head[0] == DEMO_FINDINGS) {
            findings.hits = audit.hits.count;
            audit_plant(&audit, seed, &findings);
            (void)demo_send(control, DEMO_FINDINGS, &findings, sizeof findings);
        }
    }
    _exit(0);
}
