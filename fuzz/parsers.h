/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parsers.h: several parsers in one target, and the time that each may take.
 *
 * The first byte of an input chooses the parser (modulo their number). CAISSON_FUZZ_PARSER=NAME
 * forces one, which then gets all bytes: a campaign counts what each parser ran. The value "list"
 * prints names and the longest inputs worth trying.
 *
 * A run may take a millisecond of CPU per KiB begun, times PARSERS_SLACK for what the build's
 * instrumentation costs: nothing is granted without any.
 */
#ifndef FUZZ_PARSERS_H
#define FUZZ_PARSERS_H

#include "check.h"
#include "verify/input.h"
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define PARSERS_SLACK 5u
#elif __has_feature(thread_sanitizer)
#define PARSERS_SLACK 15u
#endif
#elif defined __SANITIZE_ADDRESS__
#define PARSERS_SLACK 5u
#elif defined __SANITIZE_THREAD__
#define PARSERS_SLACK 15u
#endif
#ifndef PARSERS_SLACK
#define PARSERS_SLACK 1u
#endif

#define PARSERS_INPUT_MAX 65536u
#define PARSERS_KIB_NS    1000000u /* a millisecond */
#define PARSERS_TRY_COUNT 5        /* a run that was disturbed is tried again */

struct fuzz_parser {
    const char *name;
    void (*run)(void);
    uint32_t size_max; /* what a campaign tries: about twice the longest seed */
};

static uint64_t parsers_clock(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The parser that the environment forces; count: none. */
static size_t parsers_forced(const struct fuzz_parser *parsers, size_t count)
{
    const char *name = getenv("CAISSON_FUZZ_PARSER");
    size_t found = count;
    if (name == NULL) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, "list") == 0) {
            printf("%s %u\n", parsers[i].name, (unsigned)parsers[i].size_max);
        }
        found = strcmp(name, parsers[i].name) == 0 ? i : found;
    }
    fflush(stdout);
    if (found == count) {
        if (strcmp(name, "list") == 0) {
            _exit(0); /* not exit(), which a fuzzer takes for a fault */
        }
        fprintf(stderr, "CAISSON_FUZZ_PARSER: there is no parser %s\n", name);
        abort();
    }
    return found;
}

/* Runs it, by the clock on the wall, which costs no system call; only what was too slow by that is
 * run again by its CPU time. */
static void parsers_run(const struct fuzz_parser *parser, size_t size, void (*run)(void (*)(void)))
{
    uint64_t most = (uint64_t)PARSERS_SLACK * PARSERS_KIB_NS * (size / 1024 + 1);
    uint64_t start = parsers_clock(CLOCK_MONOTONIC);
    run(parser->run);
    uint64_t least = parsers_clock(CLOCK_MONOTONIC) - start;
    for (int i = 0; i < PARSERS_TRY_COUNT && least > most; i++) {
        start = parsers_clock(CLOCK_THREAD_CPUTIME_ID);
        run(parser->run);
        uint64_t taken = parsers_clock(CLOCK_THREAD_CPUTIME_ID) - start;
        least = taken < least ? taken : least;
    }
    if (least > most) {
        fprintf(stderr, "%s: %llu ns for %zu bytes\n", parser->name, (unsigned long long)least,
                size);
        abort();
    }
}

/* One input: run() runs a parser on *input, from a clean state. */
static int parsers_take(const struct fuzz_parser *parsers, size_t count, const uint8_t *data,
                        size_t size, struct csv_bytes *input, void (*run)(void (*)(void)))
{
    static bool asked;
    static size_t forced;
    if (!asked) {
        forced = parsers_forced(parsers, count);
        asked = true;
    }
    if (size > PARSERS_INPUT_MAX || (forced == count && size == 0)) {
        return 0;
    }
    bool chosen = forced == count; /* by its first byte */
    *input = (struct csv_bytes){data + chosen, size - chosen};
    parsers_run(&parsers[chosen ? data[0] % count : forced], input->size, run);
    return 0;
}

#endif
