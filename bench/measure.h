/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure.h: two sides in alternating slices of one run, and one line for each goal.
 *
 * The machines that this runs on are shared: nanoseconds move by several times with what else runs
 * there, and between two cores with where the hypervisor puts them. So a figure is a ratio of
 * neighbouring slices, the median of at least 15 pairs, printed with its 10th and 90th percentile.
 * A program of bench/ calls bench_begin() once, then measures its rows; scripts/bench.py runs all
 * programs with --json and prints one table of the goals.
 *
 * Threads: one thread, except that the sides of a pair may have helpers of their own.
 */
#ifndef CSN_BENCH_MEASURE_H
#define CSN_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_PAIR_MIN 15u
#define BENCH_PAIR_MAX 512u
#define BENCH_PATH_MAX 4096u

enum bench_kind {
    BENCH_FASTER, /* ratio = other's time / our time: a goal is "at least" */
    BENCH_COST,   /* ratio = our time / other's time: a goal is "at most" */
};

/* What one row of the table says. Texts are the caller's and must outlive the call. */
struct bench_row {
    unsigned goal;    /* number in docs/PERFORMANCE.md; 0: no goal, printed only */
    const char *what; /* "seal, 256 B" */
    const char *ours; /* our side, "batches of 32" */
    const char *other;
    enum bench_kind kind;
    double target; /* 0: printed only */
};

/* ns per unit of each slice; floor 0 where no second core takes part. */
struct bench_samples {
    size_t count;
    double ours[BENCH_PAIR_MAX];
    double other[BENCH_PAIR_MAX];
    double floor[BENCH_PAIR_MAX];
    double target_b; /* not 0: the row's target is that of mode A, this of B, and C has none */
    bool real_time;  /* what bench_real_time(true) said when they were taken */
};

/* Does some work of one side and says how many units (records, values, trips) it did: > 0. */
typedef uint64_t bench_side(void *state);

/*
 * Reads --help, --json, --ordinary, --svg PREFIX and --seconds N (for each row; default 0.6); ends
 * the program after --help (exit 0) or a wrong argument (exit 2).
 */
void bench_begin(int argc, char **argv, const char *help);
/* The same without arguments to read, for a program that has its own. */
void bench_set(bool as_json, double seconds_a_row);
bool bench_json(void);
/* Where the plot of this name goes: PREFIX-NAME.svg. False: no --svg PREFIX was given. */
bool bench_svg(const char *name, char path[BENCH_PATH_MAX]);

/* Both sides on this thread, timed by its CPU time: other programs on the machine do not count. */
void bench_pair(const struct bench_row *row, bench_side *ours, bench_side *other, void *state);
/* The same for sides with different states. */
void bench_pair_of(const struct bench_row *row, bench_side *ours, void *our_state,
                   bench_side *other, void *other_state);
/* The row of samples that the caller took (two cores, processes); sorts them. */
void bench_report(const struct bench_row *row, struct bench_samples *samples);
/* One point of a curve: what x is, which line it is of, the ratio to the line's first point. */
struct bench_point {
    const char *curve;
    const char *line;
    const char *unit; /* of x */
    double x;
    double ns; /* out, medians: ours, the ratio to the first point and its spread */
    double ratio, p10, p90;
};
/* ours: at x; other: at the first point. Prints the point; leaves the samples as they are. */
void bench_curve(struct bench_point *point, const struct bench_samples *samples);
/*
 * Time or number of a slice: what is usual, times CAISSON_BENCH_SCALE (0.001 to 1) where the
 * environment has it. Short slices show that a program works, and nothing else.
 */
uint64_t bench_scaled(uint64_t usual);
/* How many pairs of two slices of slice_ns the wished time has, 15 at least. */
size_t bench_pairs(uint64_t slice_ns);

/* ns, CPU time of this thread and time of day that never goes back. */
uint64_t bench_thread_ns(void);
uint64_t bench_wall_ns(void);
/*
 * Puts this thread into the real-time class for what is timed, and takes it out again: there, other
 * work on the machine does not count. Threads and processes that are started meanwhile stay in it,
 * so both sides of a pair are in it or neither. Without the right to, with --ordinary, and where
 * the whole program is in that class (chrt), nothing changes. At most 50 ms at a time; leaving
 * sleeps for a quarter of what it took, so that this machine goes on. Returns whether it is now in
 * that class.
 */
bool bench_real_time(bool on);
/* Sorts, and gives the value at a permille (500: the median) by nearest rank. */
void bench_sort(double *values, size_t count);
double bench_at(const double *sorted, size_t count, unsigned permille);
/* Ends the program with exit 1 and the message when what it measures does not work. */
void bench_require(bool done, const char *what);

#endif
