/* SPDX-License-Identifier: Apache-2.0 */
/* bench_percentile.c: percentiles by nearest rank; bench/measure.h has them as well. */
#include "bench.h"
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void bench_sort(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare);
}

double bench_at(const double *sorted, size_t count, unsigned permille)
{
    size_t rank = (count * permille + 999) / 1000;
    return sorted[rank == 0 ? 0 : rank - 1];
}
