/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c: coroutines, store buffers and the search over schedules.
 *
 * A store is invisible until it leaves its buffer, so only loads, swaps, fences, sleeps and the
 * leaving of a store are steps of the schedule. The search replays a prefix of choices and takes
 * the first possibility after it; then the last choice that has another possibility is advanced.
 */
#include "model.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_SIZE 65536
#define BUFFER_MAX 256
#define DEPTH_MAX  4096
#define KINDS      3u

struct thread {
    ucontext_t context;
    uint8_t *stack;
    bool done;
    bool fenced; /* may only go on with an empty buffer */
    bool asleep;
    uint32_t seen;
    const uint64_t *word;
    uint32_t first;
    uint32_t end;
    /* Streamed stores: a queue of their own, which later stores overtake. */
    bool streamed; /* may only go on with that queue empty */
    uint32_t weak_first;
    uint32_t weak_end;
    uint64_t *addresses[BUFFER_MAX];
    uint64_t values[BUFFER_MAX];
    uint64_t *weak_addresses[BUFFER_MAX];
    uint64_t weak_values[BUFFER_MAX];
    uint32_t weak_after[BUFFER_MAX]; /* stores that came before it in the program */
};

static struct thread threads[MODEL_THREADS];
static ucontext_t scheduler;
static int current = -1;
static const struct model_case *running;

static const uint64_t *counted_base;
static uint32_t counted_words;
static uint32_t *counted_loads;

static uint32_t path[DEPTH_MAX];
static uint32_t widths[DEPTH_MAX];

static uint64_t *word_at(const struct csn_shared *shared, uint64_t offset)
{
    return (uint64_t *)(uintptr_t)((const uint8_t *)shared + offset);
}

static void yield(void)
{
    if (current >= 0) {
        swapcontext(&threads[current].context, &scheduler);
    }
}

static uint64_t load(const uint64_t *address)
{
    yield();
    if (current < 0) {
        if (counted_loads != NULL && address >= counted_base &&
            address < counted_base + counted_words) {
            counted_loads[address - counted_base]++;
        }
        return *address;
    }
    const struct thread *self = &threads[current];
    for (uint32_t i = self->weak_end; i > self->weak_first; i--) {
        if (self->weak_addresses[i - 1] == address) {
            return self->weak_values[i - 1]; /* nothing of ours is stored over it before the end */
        }
    }
    for (uint32_t i = self->end; i > self->first; i--) {
        if (self->addresses[i - 1] == address) {
            return self->values[i - 1];
        }
    }
    return *address;
}

static void store(uint64_t *address, uint64_t value)
{
    if (current < 0) {
        *address = value;
        return;
    }
    struct thread *self = &threads[current];
    if (self->end == BUFFER_MAX) {
        abort();
    }
    self->addresses[self->end] = address;
    self->values[self->end++] = value;
}

static void stream(uint64_t *address, uint64_t value)
{
    struct thread *self = &threads[current];
    if (current < 0) {
        *address = value;
        return;
    }
    if (self->weak_end == BUFFER_MAX) {
        abort();
    }
    self->weak_addresses[self->weak_end] = address;
    self->weak_values[self->weak_end] = value;
    self->weak_after[self->weak_end++] = self->end;
}

static void fence(void)
{
    if (current >= 0) {
        threads[current].fenced = true;
        yield();
        threads[current].fenced = false;
    }
}

/* ---- xcopy.h ---- */

struct csn_shared *csn_shared_at(struct csn_shared *shared, uint64_t offset)
{
    return (struct csn_shared *)(void *)word_at(shared, offset);
}

uint64_t csn_shared_load(const struct csn_shared *shared, uint64_t offset)
{
    return load(word_at(shared, offset));
}

uint64_t csn_shared_load_acquire(const struct csn_shared *shared, uint64_t offset)
{
    return load(word_at(shared, offset));
}

void csn_shared_store(struct csn_shared *shared, uint64_t offset, uint64_t value)
{
    store(word_at(shared, offset), value);
}

void csn_shared_store_release(struct csn_shared *shared, uint64_t offset, uint64_t value)
{
    store(word_at(shared, offset), value);
}

bool csn_shared_swap(struct csn_shared *shared, uint64_t offset, uint64_t expected, uint64_t value)
{
    fence();
    uint64_t *word = word_at(shared, offset);
    if (*word != expected) {
        return false;
    }
    *word = value;
    return true;
}

void csn_shared_fence(void)
{
    fence();
}

void csn_shared_copy_in(void *target, const struct csn_shared *shared, uint64_t offset,
                        uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        uint64_t word = load(word_at(shared, offset + 8 * (uint64_t)i));
        memcpy((uint8_t *)target + 8 * (uint64_t)i, &word, 8);
    }
}

void csn_shared_copy_out(struct csn_shared *shared, uint64_t offset, const void *source,
                         uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)source + 8 * (uint64_t)i, 8);
        store(word_at(shared, offset + 8 * (uint64_t)i), word);
    }
}

void csn_shared_zero(struct csn_shared *shared, uint64_t offset, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        store(word_at(shared, offset + 8 * (uint64_t)i), 0);
    }
}

void csn_shared_stream(struct csn_shared *shared, uint64_t offset, const void *source,
                       uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)source + 8 * (uint64_t)i, 8);
        stream(word_at(shared, offset + 8 * (uint64_t)i), word);
    }
}

void csn_shared_stream_end(void)
{
    if (current >= 0) {
        threads[current].streamed = true;
        yield();
        threads[current].streamed = false;
    }
}

void csn_shared_expect_read(const struct csn_shared *shared, uint64_t offset)
{
    (void)shared;
    (void)offset;
}

void csn_shared_give_up(struct csn_shared *shared, uint64_t offset)
{
    (void)shared;
    (void)offset;
}

/* ---- sleeping ---- */

void model_park(const struct csn_shared *word, uint32_t seen)
{
    struct thread *self = &threads[current];
    fence(); /* entering the kernel */
    self->word = word_at(word, 0);
    self->seen = seen;
    self->asleep = (uint32_t)*self->word == seen;
    yield();
}

void model_wake(void)
{
    fence();
    for (uint32_t i = 0; i < MODEL_THREADS; i++) {
        threads[i].asleep = false;
    }
}

bool model_sleeps(uint32_t thread)
{
    return threads[thread].asleep;
}

void model_count_loads(const void *base, uint32_t word_count, uint32_t *loads)
{
    counted_base = base;
    counted_words = word_count;
    counted_loads = loads;
    if (loads != NULL) {
        memset(loads, 0, word_count * sizeof *loads);
    }
}

/* ---- the search ---- */

static void enter(int index)
{
    running->threads[index]();
    threads[index].done = true;
    current = -1;
    setcontext(&scheduler);
}

static void begin(int index)
{
    struct thread *thread = &threads[index];
    uint8_t *stack = thread->stack == NULL ? malloc(STACK_SIZE) : thread->stack;
    memset(thread, 0, offsetof(struct thread, addresses));
    thread->stack = stack;
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = stack;
    thread->context.uc_stack.ss_size = STACK_SIZE;
    thread->context.uc_link = NULL;
    makecontext(&thread->context, (void (*)(void))enter, 1, index);
}

static bool can_run(const struct thread *thread)
{
    bool pending = thread->first != thread->end;
    bool weak = thread->weak_first != thread->weak_end;
    return !thread->done && !thread->asleep && !(thread->fenced && (pending || weak)) &&
           !(thread->streamed && weak);
}

/* Two stores to one place keep their order, whatever their kind. */
static bool weak_can_leave(const struct thread *thread)
{
    if (thread->weak_first == thread->weak_end) {
        return false;
    }
    for (uint32_t i = thread->first; i < thread->weak_after[thread->weak_first]; i++) {
        if (thread->addresses[i] == thread->weak_addresses[thread->weak_first]) {
            return false;
        }
    }
    return true;
}

/* Steps possible now, KINDS for each thread: it runs; its oldest store, streamed one, leaves. */
static uint32_t possible(uint32_t steps[KINDS * MODEL_THREADS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < MODEL_THREADS; i++) {
        if (can_run(&threads[i])) {
            steps[count++] = KINDS * i;
        }
        if (threads[i].first != threads[i].end) {
            steps[count++] = KINDS * i + 1;
        }
        if (weak_can_leave(&threads[i])) {
            steps[count++] = KINDS * i + 2;
        }
    }
    return count;
}

/* Streamed stores to one line are gathered, and leave together: else there are too many runs. */
static void let_line_leave(struct thread *thread)
{
    uintptr_t line = (uintptr_t)thread->weak_addresses[thread->weak_first] / 64;
    while (weak_can_leave(thread) &&
           (uintptr_t)thread->weak_addresses[thread->weak_first] / 64 == line) {
        *thread->weak_addresses[thread->weak_first] = thread->weak_values[thread->weak_first];
        thread->weak_first++;
    }
}

static void take(uint32_t step)
{
    struct thread *thread = &threads[step / KINDS];
    if (step % KINDS == 2) {
        let_line_leave(thread);
        return;
    }
    if (step % KINDS == 1) {
        *thread->addresses[thread->first] = thread->values[thread->first];
        thread->first++;
        return;
    }
    current = (int)(step / KINDS);
    swapcontext(&scheduler, &thread->context);
    current = -1;
}

/* One run along path[0 .. known); what follows takes the first possibility. Returns its depth. */
static uint32_t run_once(uint32_t known)
{
    uint32_t depth = 0;
    uint32_t steps[KINDS * MODEL_THREADS];
    running->reset();
    for (int i = 0; i < MODEL_THREADS; i++) {
        begin(i);
    }
    for (uint32_t count = possible(steps); count != 0; count = possible(steps)) {
        if (depth == DEPTH_MAX) {
            abort();
        }
        if (depth >= known) {
            path[depth] = 0;
        }
        widths[depth] = count;
        take(steps[path[depth]]);
        depth++;
    }
    return depth;
}

struct model_result model_explore(const struct model_case *model_case, uint64_t runs_max)
{
    struct model_result result = {0};
    uint32_t known = 0;
    running = model_case;
    while (result.runs < runs_max) {
        uint32_t depth = run_once(known);
        result.runs++;
        result.bad += !model_case->check();
        while (depth > 0 && path[depth - 1] + 1 == widths[depth - 1]) {
            depth--;
        }
        if (depth == 0) {
            result.complete = true;
            break;
        }
        path[depth - 1]++;
        known = depth;
    }
    for (uint32_t i = 0; i < MODEL_THREADS; i++) {
        free(threads[i].stack);
        threads[i].stack = NULL;
    }
    return result;
}
