/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c: alternating slices, medians of ratios, one line a row (text or JSON). */
#define _GNU_SOURCE
#include "measure.h"
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_NS        UINT64_C(10000000)
#define DEFAULT_SECONDS 0.6
#define SECONDS_MAX     3600.0
#define SECOND_NS       1e9
#define SCALE_MIN       0.001

static bool json;
static const char *svg;
static double seconds = DEFAULT_SECONDS;
static bool ordinary; /* asked for */

static uint64_t clock_ns(clockid_t which)
{
    struct timespec time;
    clock_gettime(which, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

uint64_t bench_thread_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t bench_wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void bench_require(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

bool bench_json(void)
{
    return json;
}

void bench_set(bool as_json, double seconds_a_row)
{
    json = as_json;
    seconds = seconds_a_row;
}

bool bench_svg(const char *name, char path[BENCH_PATH_MAX])
{
    if (svg == NULL) {
        return false;
    }
    int size = snprintf(path, BENCH_PATH_MAX, "%s-%s.svg", svg, name);
    bench_require(size > 0 && size < (int)BENCH_PATH_MAX, "a path that long");
    return true;
}

static void usage(const char *program, const char *argument)
{
    fprintf(stderr, "%s: %s is no argument of this program: see --help\n", program, argument);
    exit(2);
}

void bench_begin(int argc, char **argv, const char *help)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            fputs("  --json       one JSON object a row\n"
                  "  --seconds N  for each row, default 0.6; never under 15 pairs\n"
                  "  --ordinary   nothing in the real-time class, also where that is allowed\n"
                  "  --svg PREFIX plots, where there are any: PREFIX-NAME.svg\n",
                  stdout);
            exit(0);
        } else if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--ordinary") == 0) {
            ordinary = true;
        } else if (strcmp(argv[i], "--svg") == 0 && i + 1 < argc) {
            svg = argv[++i];
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            char *end;
            seconds = strtod(argv[++i], &end);
            if (*end != 0 || !(seconds > 0 && seconds <= SECONDS_MAX)) {
                usage(argv[0], argv[i]);
            }
        } else {
            usage(argv[0], argv[i]);
        }
    }
}

static bool is_urgent(void)
{
    int class = sched_getscheduler(0);
    return class == SCHED_FIFO || class == SCHED_RR;
}

bool bench_real_time(bool on)
{
    static _Thread_local uint64_t since_ns; /* 0: not by us */
    const struct sched_param lowest = {.sched_priority = 1};
    const struct sched_param none = {.sched_priority = 0};
    if (on && !ordinary && !is_urgent() && sched_setscheduler(0, SCHED_RR, &lowest) == 0) {
        since_ns = bench_wall_ns();
    } else if (!on && since_ns != 0) {
        uint64_t held_ns = bench_wall_ns() - since_ns;
        const struct timespec pause = {.tv_sec = (time_t)(held_ns / 4 / (uint64_t)SECOND_NS),
                                       .tv_nsec = (long)(held_ns / 4 % (uint64_t)SECOND_NS)};
        bench_require(sched_setscheduler(0, SCHED_OTHER, &none) == 0, "cannot leave the class");
        since_ns = 0;
        nanosleep(&pause, NULL);
    }
    return is_urgent();
}

static const char *class_of(const struct bench_samples *samples)
{
    return samples->real_time || is_urgent() ? "real-time" : "ordinary";
}

uint64_t bench_scaled(uint64_t usual)
{
    static double scale; /* 0: not read yet */
    if (scale <= 0) {
        const char *text = getenv("CAISSON_BENCH_SCALE");
        scale = text == NULL ? 1 : strtod(text, NULL);
        bench_require(scale >= SCALE_MIN && scale <= 1, "CAISSON_BENCH_SCALE: from 0.001 to 1");
    }
    double scaled = (double)usual * scale;
    return scaled < 1 ? 1 : (uint64_t)scaled;
}

size_t bench_pairs(uint64_t slice_ns)
{
    double wish = seconds * SECOND_NS / (2.0 * (double)slice_ns);
    return wish < BENCH_PAIR_MIN   ? BENCH_PAIR_MIN
           : wish > BENCH_PAIR_MAX ? BENCH_PAIR_MAX
                                   : (size_t)wish;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

void bench_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
}

double bench_at(const double *sorted, size_t count, unsigned permille)
{
    size_t rank = (count * permille + 999) / 1000;
    return sorted[rank == 0 ? 0 : rank - 1];
}

/* A: same cache complex, B: another one, C: another socket; by the bare one-way time of a line. */
static const char *placement(double floor_ns)
{
    return floor_ns <= 0 ? "" : floor_ns < 42 ? "A" : floor_ns < 120 ? "B" : "C";
}

static void print_json(const struct bench_row *row, const struct bench_samples *samples,
                       const double *ratios, bool reached)
{
    size_t count = samples->count;
    double floor_ns = bench_at(samples->floor, count, 500);
    printf("{\"goal\":%u,\"what\":\"%s\",\"ours\":\"%s\",\"other\":\"%s\",\"kind\":\"%s\","
           "\"target\":%.3f,\"ratio\":%.4f,\"p10\":%.4f,\"p90\":%.4f,\"pairs\":%zu,"
           "\"ours_ns\":%.2f,\"other_ns\":%.2f,\"floor_ns\":%.1f,\"mode\":\"%s\",\"class\":\"%s\","
           "\"reached\":%s}\n",
           row->goal, row->what, row->ours, row->other,
           row->kind == BENCH_FASTER ? "at least" : "at most", row->target,
           bench_at(ratios, count, 500), bench_at(ratios, count, 100), bench_at(ratios, count, 900),
           count, bench_at(samples->ours, count, 500), bench_at(samples->other, count, 500),
           floor_ns, placement(floor_ns), class_of(samples),
           row->target <= 0 ? "null"
           : reached        ? "true"
                            : "false");
}

static void print_text(const struct bench_row *row, const struct bench_samples *samples,
                       const double *ratios, bool reached)
{
    size_t count = samples->count;
    double floor_ns = bench_at(samples->floor, count, 500);
    printf("%-30s %10.1f ns  against %-28s %10.1f ns  ratio %7.2f (%.2f to %.2f)", row->what,
           bench_at(samples->ours, count, 500), row->other, bench_at(samples->other, count, 500),
           bench_at(ratios, count, 500), bench_at(ratios, count, 100),
           bench_at(ratios, count, 900));
    if (row->target > 0) {
        printf("  goal %u: %s %.2f, %s", row->goal,
               row->kind == BENCH_FASTER ? "at least" : "at most", row->target,
               reached ? "reached" : "not reached");
    }
    if (floor_ns > 0) {
        printf("  floor %.1f ns, mode %s", floor_ns, placement(floor_ns));
    }
    fputs(strcmp(class_of(samples), "ordinary") == 0 ? "" : "  real-time", stdout);
    putchar('\n');
}

/* A goal may depend on where the two CPUs were. */
static double target_of(const struct bench_row *row, const struct bench_samples *samples,
                        double floor_ns)
{
    const char *mode = placement(floor_ns);
    if (samples->target_b <= 0 || mode[0] == 'A') {
        return row->target;
    }
    return mode[0] == 'B' ? samples->target_b : 0;
}

void bench_report(const struct bench_row *wanted, struct bench_samples *samples)
{
    struct bench_row placed = *wanted;
    const struct bench_row *row = &placed;
    double ratios[BENCH_PAIR_MAX];
    size_t count = samples->count;
    bench_require(count >= BENCH_PAIR_MIN && count <= BENCH_PAIR_MAX, "too few or too many pairs");
    for (size_t i = 0; i < count; i++) {
        double ratio = samples->other[i] / samples->ours[i];
        ratios[i] = row->kind == BENCH_FASTER ? ratio : 1 / ratio;
    }
    bench_sort(ratios, count);
    bench_sort(samples->ours, count);
    bench_sort(samples->other, count);
    bench_sort(samples->floor, count);
    placed.target = target_of(wanted, samples, bench_at(samples->floor, count, 500));
    double median = bench_at(ratios, count, 500);
    bench_require(isfinite(median) && median > 0, "a slice took no time: nothing was measured");
    bool reached = row->kind == BENCH_FASTER ? median >= row->target : median <= row->target;
    (json ? print_json : print_text)(row, samples, ratios, reached);
    fflush(stdout);
}

void bench_curve(struct bench_point *point, const struct bench_samples *samples)
{
    double ratios[BENCH_PAIR_MAX];
    double ours[BENCH_PAIR_MAX];
    size_t count = samples->count;
    bench_require(count >= BENCH_PAIR_MIN && count <= BENCH_PAIR_MAX, "too few or too many pairs");
    for (size_t i = 0; i < count; i++) {
        ratios[i] = samples->ours[i] / samples->other[i];
        ours[i] = samples->ours[i];
    }
    bench_sort(ratios, count);
    bench_sort(ours, count);
    point->ns = bench_at(ours, count, 500);
    point->ratio = bench_at(ratios, count, 500);
    point->p10 = bench_at(ratios, count, 100);
    point->p90 = bench_at(ratios, count, 900);
    bench_require(isfinite(point->ratio) && point->ratio > 0, "a slice took no time");
    printf(json ? "{\"curve\":\"%s\",\"line\":\"%s\",\"x\":%g,\"unit\":\"%s\",\"ns\":%.2f,"
                  "\"ratio\":%.4f,\"p10\":%.4f,\"p90\":%.4f,\"pairs\":%zu}\n"
                : "%-12s %-22s %7g %-8s %10.1f ns  ratio %7.2f (%.2f to %.2f, %zu pairs)\n",
           point->curve, point->line, point->x, point->unit, point->ns, point->ratio, point->p10,
           point->p90, count);
    fflush(stdout);
}

/*
 * ns per unit over some ten milliseconds. The clock is a system call, some 600 ns, which would be a
 * quarter of a short batch: it is read once for each hundredth of the slice.
 */
static double slice(bench_side *side, void *state)
{
    uint64_t units = 0;
    uint64_t calls = 1;
    uint64_t slice_ns = bench_scaled(SLICE_NS);
    uint64_t begin = bench_thread_ns();
    uint64_t end = begin;
    while (end - begin < slice_ns) {
        uint64_t last = end;
        for (uint64_t i = 0; i < calls; i++) {
            units += side(state);
        }
        end = bench_thread_ns();
        calls *= end - last < slice_ns / 100 ? 2 : 1;
    }
    return (double)(end - begin) / (double)units;
}

void bench_pair_of(const struct bench_row *row, bench_side *ours, void *our_state,
                   bench_side *other, void *other_state)
{
    static struct bench_samples samples;
    samples = (struct bench_samples){.count = bench_pairs(SLICE_NS)};
    slice(ours, our_state); /* caches, lazy initialisation */
    slice(other, other_state);
    for (size_t i = 0; i < samples.count; i++) {
        bool first = i % 2 == 0; /* who goes first alternates too */
        samples.ours[i] = first ? slice(ours, our_state) : 0;
        samples.other[i] = slice(other, other_state);
        samples.ours[i] = first ? samples.ours[i] : slice(ours, our_state);
    }
    bench_report(row, &samples);
}

void bench_pair(const struct bench_row *row, bench_side *ours, bench_side *other, void *state)
{
    bench_pair_of(row, ours, state, other, state);
}
