/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c (fuzz): a script of what a hostile peer does to a ring, between reads and writes of ours.
 *
 * Each step is an operation byte and operands. Whatever the peer stores: a read gives nothing, a
 * message within bounds, or poison that stays; the private state keeps its invariants.
 */
#include "core/ring.h"
#include "check.h"
#include <caisson/wire/channel.h>
#include <stdlib.h>
#include <string.h>

#define LINES    16u
#define LARGEST  300u
#define STEP_MAX 4096u

static _Alignas(64) uint64_t memory[(LINES + 2) * 8]; /* credits of two rings' ends, ring */

struct script {
    const uint8_t *data;
    size_t size;
};

static uint64_t take(struct script *script, size_t count)
{
    uint64_t value = 0;
    count = count < script->size ? count : script->size;
    memcpy(&value, script->data, count);
    script->data += count;
    script->size -= count;
    return value;
}

static struct csn_shared *shared_at(uint32_t line)
{
    return (struct csn_shared *)(void *)(memory + (size_t)line * 8);
}

/* most: messages at once; 1: by csn_ring_read(). */
static void read_step(struct csn_ring_reader *reader, uint32_t most)
{
    size_t room = (size_t)most * ((LARGEST + 7) / 8 * 8);
    uint8_t *target = malloc(room); /* exact: a sanitizer sees one byte more */
    struct csn_ring_message message;
    uint64_t cursor = reader->cursor;
    uint32_t left = reader->left;
    uint32_t count = most;
    csn_err fate = reader->fate;
    csn_err result = most == 1 ? csn_ring_read(reader, target, &message)
                               : csn_ring_read_many(reader, target, &message, &count);
    CHECK(result == CSN_OK || result == CSN_AGAIN || result == CSN_ERR_PEER);
    CHECK(fate == CSN_OK || result == CSN_ERR_PEER);
    CHECK(left == 0 || result == CSN_OK); /* a run that was found good is read to its end */
    CHECK(result == CSN_OK ? reader->cursor > cursor || reader->left != 0
                           : reader->cursor == cursor);
    CHECK(result != CSN_OK || (message.size <= LARGEST && count >= 1 && count <= most));
    free(target);
}

static void write_step(struct csn_ring_writer *writer, uint64_t operand)
{
    static const uint8_t body[LARGEST + 64] = {7};
    uint32_t size = (uint32_t)(operand % (LARGEST + 20));
    const struct csn_ring_piece pieces[2] = {{body, size / 3}, {body, size - size / 3}};
    csn_err fate = writer->fate;
    bool promised = csn_ring_has_credit(writer, 1, size);
    csn_err result = csn_ring_write(writer, operand, (operand >> 16 & 1) != 0, pieces);
    CHECK(fate == CSN_OK || result == CSN_ERR_PEER);
    CHECK(!promised || result == CSN_OK);
    if ((operand >> 17 & 1) != 0) {
        (void)csn_ring_publish(writer);
    }
}

static void write_many_step(struct csn_ring_writer *writer, uint64_t operand)
{
    static const uint8_t bodies[32 * LARGEST] = {7};
    const struct csn_ring_piece messages = {bodies, (uint32_t)(operand % LARGEST)};
    uint32_t wanted = (uint32_t)(operand >> 9 & 31);
    uint32_t count = wanted;
    csn_err fate = writer->fate;
    csn_err result = csn_ring_write_many(writer, operand, false, &messages, &count);
    CHECK(fate == CSN_OK || result == CSN_ERR_PEER);
    CHECK(count <= wanted && (result != CSN_OK || wanted == 0 || count != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, size};
    struct csn_ring_reader reader;
    struct csn_ring_writer writer;
    memset(memory, 0, sizeof memory);
    CHECK(csn_ring_reader_init(&reader, shared_at(2), shared_at(1), LINES, LARGEST) == CSN_OK);
    CHECK(csn_ring_writer_init(&writer, shared_at(2), shared_at(0), LINES, LARGEST) == CSN_OK);
    for (uint32_t step = 0; step < STEP_MAX && script.size != 0; step++) {
        uint64_t operation = take(&script, 1);
        switch (operation % 8) {
        case 0:
            read_step(&reader, 1);
            break;
        case 1:
            write_step(&writer, take(&script, 3));
            break;
        case 2: { /* any word, any value */
            uint64_t at = take(&script, 1) % (sizeof memory / 8);
            memory[at] = take(&script, 8);
            break;
        }
        case 3: { /* a head word that is nearly right, where the reader looks next */
            uint64_t low = take(&script, 4);
            memory[16 + reader.cursor % LINES * 8] = reader.cursor << 32 | low;
            break;
        }
        case 4: /* a credit that is nearly right */
            memory[0] = writer.credit_seen + take(&script, 1);
            break;
        case 6:
            read_step(&reader, 1 + (uint32_t)(take(&script, 1) % 40));
            break;
        case 7:
            write_many_step(&writer, take(&script, 2));
            break;
        default:
            (void)csn_ring_publish(&writer);
            (void)csn_ring_give_credit(&reader);
            (void)csn_ring_has_message(&reader);
        }
        CHECK(csn_ring_reader_check(&reader) && csn_ring_writer_check(&writer));
    }
    return 0;
}
