/* SPDX-License-Identifier: Apache-2.0 */
/* block.c: see block.h. */
#define _GNU_SOURCE
#include "block.h"
#include "cli/bench.h"
#include "core/event.h"
#include "host/enclave.h"
#include "measure.h"
#include <caisson/wire/message.h>
#include <string.h>
#include <time.h>

#define POLL_NS     100000L
#define WAIT_NS_MAX UINT64_C(60000000000)
#define SEAL_COUNT  32u
#define ANSWER_ROOM 2048u /* what an answer may have beside its payload */

static struct csn_host_channel *channel_of(const struct block *block)
{
    return csn_channel_at(block->sealed->enclave, block->sealed->channel);
}

void block_stats(const struct block *block, struct csn_wire_boot_stats *stats)
{
    bench_require(csn_enclave_stats(block->sealed->enclave, channel_of(block)->worker, stats) ==
                      CSN_OK,
                  "no counters");
}

static void payload_of(uint32_t index, uint8_t *payload, uint32_t size)
{
    memset(payload, (int)(index & 0xff), size);
}

static struct csv_sealer *sealer_of(const struct block *block, uint32_t index)
{
    return block->sealers == NULL ? block->sealed->sealer
                                  : block->sealers[index % block->sealer_count];
}

static void seal_some(const struct block *block, uint32_t first, struct csv_seal_item *items,
                      uint32_t count)
{
    uint32_t run = block->sealers == NULL ? count : 1;
    for (uint32_t i = 0; i < count; i += run) {
        bench_require(csv_seal_batch(sealer_of(block, first + i), &items[i], run) == CSN_OK,
                      "no seal");
    }
}

static void write_message(const struct block *block, uint32_t index, const uint8_t *message,
                          uint32_t size)
{
    const struct csn_ring_piece pieces[2] = {{message, size}, {NULL, 0}};
    bench_require(csn_ring_write(&channel_of(block)->writer, index, false, pieces) == CSN_OK,
                  "a message does not fit");
}

static void fill_records(const struct block *block, uint32_t count)
{
    static uint8_t records[SEAL_COUNT][BLOCK_RECORD_MAX];
    static uint8_t payloads[SEAL_COUNT][BLOCK_PAYLOAD_MAX];
    for (uint32_t done = 0; done < count;) {
        struct csv_seal_item items[SEAL_COUNT];
        uint32_t some = count - done < SEAL_COUNT ? count - done : SEAL_COUNT;
        for (uint32_t i = 0; i < some; i++) {
            payload_of(done + i, payloads[i], block->payload_size);
            items[i] = (struct csv_seal_item){.payload = payloads[i],
                                              .payload_size = block->payload_size,
                                              .operation = 1,
                                              .record = records[i],
                                              .record_size_max = BLOCK_RECORD_MAX};
        }
        seal_some(block, done, items, some);
        for (uint32_t i = 0; i < some; i++) {
            bench_require(items[i].result == CSN_OK, "no seal");
            write_message(block, done + i, items[i].record, items[i].record_size);
        }
        done += some;
    }
}

static void fill_form(const struct block *block, uint32_t count)
{
    static uint8_t message[BLOCK_RECORD_MAX];
    for (uint32_t i = 0; i < count; i++) {
        write_message(block, i, message, block->form->make(block, i, message));
    }
}

void block_fill(struct block *block, uint32_t count)
{
    struct csn_wire_boot_stats stats;
    block_stats(block, &stats);
    block->outputs = stats.outputs + count;
    block->count = count;
    (block->form != NULL ? fill_form : fill_records)(block, count);
}

void block_publish(struct block *block)
{
    csn_channel_publish(block->sealed->enclave, channel_of(block));
}

void block_wait(const struct block *block)
{
    const struct timespec pause = {.tv_nsec = POLL_NS};
    uint64_t begin = bench_wall_ns();
    struct csn_wire_boot_stats stats;
    for (;;) {
        block_stats(block, &stats);
        if (stats.outputs >= block->outputs) {
            break;
        }
        bench_require(bench_wall_ns() - begin < WAIT_NS_MAX &&
                          csn_host_is_running(block->sealed->enclave),
                      "the answers do not come");
        nanosleep(&pause, NULL);
    }
    bench_require(stats.outputs == block->outputs, "more answers than records");
}

static void check_record(const struct block *block, uint32_t index, uint8_t *answer, uint32_t size)
{
    uint8_t payload[BLOCK_PAYLOAD_MAX];
    uint8_t back[BLOCK_RECORD_MAX];
    struct csn_wire_result result;
    uint32_t back_size = 0;
    payload_of(index, payload, block->payload_size);
    bench_require(csv_reply_open(sealer_of(block, index), answer, size, &result, back,
                                 &back_size) == CSN_OK &&
                      result.status == CSN_WIRE_STATUS_OK && back_size == block->payload_size &&
                      memcmp(back, payload, back_size) == 0,
                  "another answer than expected");
}

void block_drain(struct block *block)
{
    struct csn_host_channel *channel = channel_of(block);
    const struct block_form *form = block->form;
    for (uint32_t i = 0; i < block->count; i++) {
        struct csn_ring_message message;
        struct csn_wire_answer head = {0};
        uint32_t begin = 0;
        uint8_t *target = block->sealed->target;
        bench_require(csn_ring_read(&channel->reader, target, &message) == CSN_OK &&
                          message.tag == i && message.final &&
                          csn_wire_answer_read(target, message.size, &head, &begin),
                      "an answer is not there");
        bench_require(head.code == (form != NULL ? form->code : CSN_WIRE_DONE),
                      "another answer than expected");
        (form != NULL ? form->check : check_record)(block, i, target + begin, head.size);
    }
    /* Nobody waits for this credit: the worker looks for it when it needs some. */
    (void)csn_ring_give_credit(&channel->reader);
    block->count = 0;
}

static uint32_t at_most(uint32_t line_count, uint32_t kept, uint64_t lines)
{
    return (uint32_t)((line_count - kept) / lines);
}

/* One record goes there and back, which tells how many lines a record and an answer take. */
void block_init_form(struct block *block, struct sealed *sealed, uint32_t payload_size,
                     const struct block_form *form, void *form_state)
{
    const struct csn_wire_manifest *manifest = csn_enclave_manifest(sealed->enclave);
    *block = (struct block){
        .sealed = sealed, .payload_size = payload_size, .form = form, .form_state = form_state};
    const struct csn_host_channel *channel = channel_of(block);
    uint64_t in = channel->writer.cursor;
    uint64_t out = channel->reader.cursor;
    bench_require(payload_size <= BLOCK_PAYLOAD_MAX, "a payload that large");
    block_fill(block, 1);
    block_publish(block);
    block_wait(block);
    block_drain(block);
    in = channel->writer.cursor - in;
    out = channel->reader.cursor - out;
    /* A worker takes a batch only with credit for the largest answers that it could have. */
    uint32_t kept = (SEAL_COUNT + 2) * csn_wire_lines(payload_size + ANSWER_ROOM) +
                    2 * csn_wire_lines(manifest->output_size_max);
    bench_require(manifest->output_line_count > kept, "a ring that small");
    uint32_t inputs =
        at_most(manifest->input_line_count, csn_wire_lines(manifest->input_size_max), in);
    uint32_t outputs = at_most(manifest->output_line_count, kept, out);
    block->count_max = inputs < outputs ? inputs : outputs;
}

void block_init(struct block *block, struct sealed *sealed, uint32_t payload_size)
{
    block_init_form(block, sealed, payload_size, NULL, NULL);
}

uint64_t block_core_ns(void)
{
    struct timespec own;
    uint32_t processes = 0;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    uint64_t all = (uint64_t)own.tv_sec * UINT64_C(1000000000) + (uint64_t)own.tv_nsec;
    return all - bench_thread_ns() + bench_descendants_ns(&processes);
}
