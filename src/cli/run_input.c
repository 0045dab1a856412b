/* SPDX-License-Identifier: Apache-2.0 */
/* run_input.c: framed records from a file, a pipe or stdin into the bounded queue. */
#include "run.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A frame above this cannot be skipped with any hope to find the next one. */
#define SKIP_SIZE_MAX (UINT32_C(64) << 20)

#define READER_SIZE ((size_t)256 << 10)

struct place {
    uint64_t record; /* counts from 0 */
    uint64_t offset; /* of the frame's first byte */
};

/* One thread's. Many frames come with one system call. */
struct reader {
    int fd;
    uint8_t *bytes;
    size_t begin;
    size_t end;
};

/* More bytes, whatever there is by now; false at the end. */
static bool refill(struct reader *reader)
{
    ssize_t got;
    do {
        got = read(reader->fd, reader->bytes, READER_SIZE);
    } while (got < 0 && errno == EINTR);
    reader->begin = 0;
    reader->end = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* How many of size bytes came before the end. */
static size_t read_some(struct reader *reader, uint8_t *bytes, size_t size)
{
    size_t used = 0;
    while (used < size && (reader->begin != reader->end || refill(reader))) {
        size_t there = reader->end - reader->begin;
        size_t part = there < size - used ? there : size - used;
        memcpy(bytes + used, reader->bytes + reader->begin, part);
        reader->begin += part;
        used += part;
    }
    return used;
}

static void put(struct cli_run *run, uint8_t *bytes, uint32_t size)
{
    pthread_mutex_lock(&run->lock);
    while (run->queue_tail - run->queue_head == RUN_QUEUE_COUNT) {
        pthread_cond_wait(&run->changed, &run->lock);
    }
    run->input_broken |= bytes == NULL;
    run->queue[run->queue_tail++ % RUN_QUEUE_COUNT] =
        (struct run_record){.bytes = bytes, .size = size};
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

static bool broken(struct cli_run *run, const struct place *place, const char *what)
{
    cli_fail(0, "input: format: record %llu at offset %llu: %s", (unsigned long long)place->record,
             (unsigned long long)place->offset, what);
    put(run, NULL, 0);
    return true;
}

/* Over the bytes of a frame that is not used; false at the end. */
static bool skip(struct reader *reader, uint32_t size)
{
    uint8_t bytes[4096];
    while (size != 0) {
        uint32_t part = size < sizeof bytes ? size : (uint32_t)sizeof bytes;
        if (read_some(reader, bytes, part) != part) {
            return false;
        }
        size -= part;
    }
    return true;
}

static bool next_body(struct cli_run *run, struct reader *reader, const struct place *place,
                      uint32_t size)
{
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        broken(run, place, "out of memory");
        return skip(reader, size);
    }
    if (read_some(reader, bytes, size) != size) {
        free(bytes);
        broken(run, place, "the input ends inside it");
        return false;
    }
    put(run, bytes, size);
    return true;
}

/* One frame; false when there are no more. */
static bool next_frame(struct cli_run *run, struct reader *reader, struct place *place)
{
    uint8_t head[4];
    uint32_t size = 0;
    size_t got = read_some(reader, head, sizeof head);
    if (got == 0) {
        return false;
    }
    if (got != sizeof head) {
        broken(run, place, "the input ends inside its size");
        return false;
    }
    memcpy(&size, head, sizeof size);
    bool more = true;
    if (size == 0) {
        broken(run, place, "it is empty");
    } else if (size > SKIP_SIZE_MAX) {
        broken(run, place, "its size cannot be right; nothing after it can be found");
        more = false;
    } else if (size > run->input_size_max) {
        broken(run, place, "larger than the enclave takes");
        more = skip(reader, size);
    } else {
        more = next_body(run, reader, place, size);
    }
    place->record++;
    place->offset += sizeof head + size;
    return more;
}

static bool open_fifo(struct cli_run *run)
{
    struct place place = {0};
    if (run->input_fifo != NULL) {
        run->input_fd = open(run->input_fifo, O_RDONLY | O_CLOEXEC);
    }
    return run->input_fd >= 0 || !broken(run, &place, "the named pipe cannot be opened");
}

void *run_input_thread(void *state)
{
    struct cli_run *run = state;
    struct place place = {0};
    struct reader reader = {.bytes = malloc(READER_SIZE)};
    bool more = reader.bytes != NULL ? open_fifo(run) : !broken(run, &place, "out of memory");
    reader.fd = run->input_fd;
    while (more) {
        more = next_frame(run, &reader, &place);
    }
    free(reader.bytes);
    pthread_mutex_lock(&run->lock);
    run->input_ended = true;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}
