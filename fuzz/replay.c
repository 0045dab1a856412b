/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c: runs a fuzz target without a fuzzer: every file of its corpus as it is, then a number
 * of mutations of each, from a fixed seed. TAP on stdout; a crash ends the program and so the test.
 *
 * usage: TARGET CORPUS_FOLDER [MUTATIONS_PER_FILE [SEED]]
 *
 * A run can be repeated exactly: what follows depends on the folder's contents, the count and the
 * seed alone. Files are taken in the order of their names.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_FILE_SIZE_MAX (1u << 20)
#define REPLAY_GROWTH_MAX    4096u
#define REPLAY_FILE_COUNT    4096u
#define REPLAY_NEAR_SIZE     512u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct input {
    char *name;
    uint8_t *bytes;
    size_t size;
};

struct replay {
    struct input inputs[REPLAY_FILE_COUNT];
    size_t count;
    uint64_t random;
};

static uint64_t next_random(struct replay *replay)
{
    /* splitmix64 */
    uint64_t z = (replay->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(struct replay *replay, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(replay) % limit);
}

static bool read_input(struct input *input, const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        return false;
    }
    input->name = strdup(name);
    input->bytes = malloc(REPLAY_FILE_SIZE_MAX);
    input->size = fread(input->bytes, 1, REPLAY_FILE_SIZE_MAX, stream);
    fclose(stream);
    return true;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct input *)left)->name, ((const struct input *)right)->name);
}

static bool read_corpus(struct replay *replay, const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        return false;
    }
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL && replay->count < REPLAY_FILE_COUNT) {
        if (entry->d_name[0] != '.' &&
            read_input(&replay->inputs[replay->count], folder, entry->d_name)) {
            replay->count++;
        }
    }
    closedir(entries);
    qsort(replay->inputs, replay->count, sizeof replay->inputs[0], by_name);
    return replay->count > 0;
}

/* The target gets a block of exactly its size, so that a read beyond it is seen by sanitizers. */
static void run_exact(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void set_interesting(struct replay *replay, uint8_t *bytes, size_t size)
{
    static const uint64_t values[] = {0,
                                      1,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fff,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      UINT64_C(0x7fffffffffffffff),
                                      UINT64_MAX,
                                      UINT64_MAX - 4095};
    uint64_t value = values[below(replay, sizeof values / sizeof values[0])];
    size_t width = (size_t)1 << below(replay, 4);
    if (width <= size) {
        memcpy(bytes + below(replay, size - width + 1), &value, width);
    }
}

/* Half of the changes go near the start, where most formats have their lengths and counts. */
static size_t place(struct replay *replay, size_t size)
{
    size_t near = size < REPLAY_NEAR_SIZE ? size : REPLAY_NEAR_SIZE;
    return below(replay, below(replay, 2) == 0 ? near : size);
}

/* One small change in place; returns the new size, at most size + REPLAY_GROWTH_MAX. */
static size_t mutate(struct replay *replay, uint8_t *bytes, size_t size, size_t size_max)
{
    size_t at = place(replay, size);
    size_t other = below(replay, size);
    size_t run = 1 + below(replay, 64);
    switch (below(replay, 8)) {
    case 0: /* cut the end */
        return at;
    case 1: /* grow by copies of what is there */
        if (size + run <= size_max && run <= size - at) {
            memmove(bytes + at + run, bytes + at, size - at);
            return size + run;
        }
        return size;
    case 2: /* take a run out */
        if (run < size - at) {
            memmove(bytes + at, bytes + at + run, size - at - run);
            return size - run;
        }
        return size;
    case 3: /* copy a run elsewhere */
        if (run <= size - at && run <= size - other) {
            memmove(bytes + at, bytes + other, run);
        }
        return size;
    case 4:
    case 5:
        set_interesting(replay, bytes, size);
        return size;
    case 6:
        if (size > 0) {
            bytes[at] = (uint8_t)next_random(replay);
        }
        return size;
    default:
        if (size > 0) {
            bytes[at] ^= (uint8_t)(1u << below(replay, 8));
        }
        return size;
    }
}

static void run_mutations(struct replay *replay, const struct input *input, uint64_t count)
{
    size_t size_max = input->size + REPLAY_GROWTH_MAX;
    uint8_t *bytes = malloc(size_max);
    for (uint64_t i = 0; i < count; i++) {
        size_t size = input->size;
        memcpy(bytes, input->bytes, size);
        for (size_t changes = 1 + below(replay, 4); changes > 0; changes--) {
            size = mutate(replay, bytes, size, size_max);
        }
        run_exact(bytes, size);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    static struct replay replay;
    uint64_t mutations = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
    replay.random = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (argc < 2 || !read_corpus(&replay, argv[1])) {
        printf("Bail out! no corpus in %s\n", argc < 2 ? "(no folder given)" : argv[1]);
        return 1;
    }
    printf("1..%zu\n", replay.count);
    for (size_t i = 0; i < replay.count; i++) {
        const struct input *input = &replay.inputs[i];
        run_exact(input->bytes, input->size);
        run_mutations(&replay, input, mutations);
        printf("ok %zu - %s and %llu mutations of it\n", i + 1, input->name,
               (unsigned long long)mutations);
        fflush(stdout);
    }
    for (size_t i = 0; i < replay.count; i++) {
        free(replay.inputs[i].name);
        free(replay.inputs[i].bytes);
    }
    return 0;
}
