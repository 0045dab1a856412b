/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_speed.c: what an appraisal costs beside the bare signature checks that it cannot do
 * without, in one run: slices of both in turns, the median of the ratios of neighbours.
 *
 * usage: verify_speed [VECTORS]   (vectors/attestation; default: CAISSON_SHARED or ../shared)
 *
 * The bare checks are libcrypto's on keys that are parsed already: for an SNP report, the report by
 * the VCEK and two certificates by AMD's keys; for a TDX quote with its collateral in memory,
 * quote, QE report, PCK chain, TCB signer, TCB info, QE identity and both revocation lists. Each
 * signature counts once, however many certificates need it: an appraisal, too, checks the root's
 * list once, though it is asked about the PCK CA and about the TCB signer.
 */
#include "bench/verify_bare.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAIR_COUNT 31u
#define SLICE_NS   40e6

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double slice(bool (*once)(const struct bare_case *), const struct bare_case *subject)
{
    double begin = now_ns();
    unsigned count = 0;
    while (now_ns() - begin < SLICE_NS) {
        if (!once(subject)) {
            fprintf(stderr, "%s: does not verify\n", subject->name);
            exit(1);
        }
        count++;
    }
    return (now_ns() - begin) / count;
}

static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static void measure(const struct bare_case *subject)
{
    double ratios[PAIR_COUNT];
    double bare[PAIR_COUNT];
    double whole[PAIR_COUNT];
    for (unsigned i = 0; i < PAIR_COUNT; i++) {
        bare[i] = slice(bare_check, subject);
        whole[i] = slice(bare_appraise, subject);
        ratios[i] = whole[i] / bare[i];
    }
    qsort(ratios, PAIR_COUNT, sizeof ratios[0], ascending);
    qsort(bare, PAIR_COUNT, sizeof bare[0], ascending);
    qsort(whole, PAIR_COUNT, sizeof whole[0], ascending);
    printf("%-4s appraisal %.0f us, bare signature checks (%zu) %.0f us; ratio median %.2f, "
           "%.2f to %.2f (%u pairs)\n",
           subject->name, whole[PAIR_COUNT / 2] / 1e3, subject->check_count,
           bare[PAIR_COUNT / 2] / 1e3, ratios[PAIR_COUNT / 2], ratios[1], ratios[PAIR_COUNT - 2],
           PAIR_COUNT);
}

int main(int argc, char **argv)
{
    char path[1024];
    const char *shared = getenv("CAISSON_SHARED");
    snprintf(path, sizeof path, "%s/vectors/attestation", shared != NULL ? shared : "../shared");
    struct bare_case *snp = bare_snp(argc > 1 ? argv[1] : path);
    struct bare_case *tdx = bare_tdx(argc > 1 ? argv[1] : path);
    if (snp == NULL || tdx == NULL) {
        fprintf(stderr, "no vectors below %s\n", argc > 1 ? argv[1] : path);
        return 1;
    }
    measure(snp);
    measure(tdx);
    return 0;
}
