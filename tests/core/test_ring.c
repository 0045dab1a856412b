/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ring.c: what is written comes out, whatever its size and place; what a hostile peer writes
 * is refused by a rule written down here once more. Built over seeded bugs too (meson.build).
 */
#include "core/ring.h"
#include <caisson/wire/channel.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES   16u
#define LARGEST 488u /* body bytes: eight lines less head word and tag, less a word */
#define GUARD   0xa5u
#define TARGET  ((LARGEST + 7) / 8 * 8)

struct rig {
    uint64_t *memory; /* line 0: credit; then the ring */
    uint8_t *target;
    struct csn_ring_writer writer;
    struct csn_ring_reader reader;
};

static struct csn_shared *shared(struct rig *rig, uint32_t line)
{
    return (struct csn_shared *)(void *)(rig->memory + (size_t)line * 8);
}

static void rig_at(struct rig *rig, uint64_t line)
{
    memset(rig->memory, 0, (LINES + 1) * 64);
    memset(rig->target, GUARD, TARGET + 64);
    assert_int_equal(
        csn_ring_writer_init(&rig->writer, shared(rig, 1), shared(rig, 0), LINES, LARGEST), CSN_OK);
    assert_int_equal(
        csn_ring_reader_init(&rig->reader, shared(rig, 1), shared(rig, 0), LINES, LARGEST), CSN_OK);
    rig->writer.cursor = rig->writer.published = rig->writer.credit_seen = line;
    rig->reader.cursor = rig->reader.credit_given = line;
    rig->memory[0] = line;
}

static int rig_make(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rig->memory = aligned_alloc(64, (LINES + 1) * 64);
    rig->target = malloc(TARGET + 64);
    *state = rig;
    return 0;
}

static int rig_free(void **state)
{
    struct rig *rig = *state;
    free(rig->memory);
    free(rig->target);
    free(rig);
    return 0;
}

static csn_err write_one(struct rig *rig, uint64_t tag, uint32_t size, uint32_t split)
{
    uint8_t body[LARGEST + 1];
    for (uint32_t i = 0; i < sizeof body; i++) {
        body[i] = (uint8_t)(tag + i * 3 + 1);
    }
    const struct csn_ring_piece pieces[2] = {{body, split}, {body + split, size - split}};
    return csn_ring_write(&rig->writer, tag, tag % 2 == 1, pieces);
}

static csn_err read_one(struct rig *rig, struct csn_ring_message *message)
{
    csn_err result = csn_ring_read(&rig->reader, rig->target, message);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(rig->target[TARGET + i], GUARD); /* never beyond the largest */
    }
    assert_true(csn_ring_reader_check(&rig->reader));
    return result;
}

static void read_and_compare(struct rig *rig, uint64_t tag, uint32_t size)
{
    struct csn_ring_message message;
    assert_int_equal(read_one(rig, &message), CSN_OK);
    assert_int_equal(message.tag, tag);
    assert_int_equal(message.size, size);
    assert_int_equal(message.final, tag % 2 == 1);
    for (uint32_t i = 0; i < size; i++) {
        assert_int_equal(rig->target[i], (uint8_t)(tag + i * 3 + 1));
    }
    for (uint32_t i = size; i < (size + 7) / 8 * 8; i++) {
        assert_int_equal(rig->target[i], 0);
    }
}

static void every_size_at_every_line(void **state)
{
    struct rig *rig = *state;
    for (uint32_t size = 0; size <= LARGEST; size++) {
        for (uint64_t line = 0; line < LINES; line++) {
            rig_at(rig, (UINT64_C(1) << 32) - 5 + line); /* over the wrap of the sequence */
            uint32_t split = (uint32_t)(line * 37 + size / 3) % (size + 1);
            assert_int_equal(write_one(rig, line, size, split), CSN_OK);
            assert_false(csn_ring_has_message(&rig->reader));
            assert_true(csn_ring_publish(&rig->writer));
            assert_true(csn_ring_has_message(&rig->reader));
            read_and_compare(rig, line, size);
            assert_false(csn_ring_has_message(&rig->reader));
        }
    }
}

/* The bytes themselves: head word, tag, body, zeros, and nothing anywhere else (WIRE.md, rings). */
static void the_bytes_are_those_of_channel_h(void **state)
{
    struct rig *rig = *state;
    for (uint32_t size = 0; size <= LARGEST; size++) {
        rig_at(rig, 3);
        memset(rig->memory + 8, GUARD, LINES * 64);
        assert_int_equal(write_one(rig, 7, size, size), CSN_OK);
        (void)csn_ring_publish(&rig->writer);
        const uint64_t *run = rig->memory + 8 + 3 * 8;
        uint32_t lines = (size + 16 + 63) / 64;
        assert_true(run[0] == (UINT64_C(3) << 32 | UINT64_C(1) << 31 | UINT64_C(1) << 29 |
                               (uint64_t)(lines / 4) << 24 | size));
        assert_int_equal(run[1], 7);
        const uint8_t *bytes = (const uint8_t *)run;
        for (uint32_t i = 16 + size; i < lines * 64; i++) {
            assert_int_equal(bytes[i], 0);
        }
        for (uint32_t i = lines * 64; i < LINES * 64; i++) {
            uint32_t at = (3 * 64 + i) % (LINES * 64);
            /* Of the next position, and of the one behind it if that takes one line. */
            bool next_head = (i >= lines * 64 && i < lines * 64 + 8) ||
                             (i >= lines * 64 + 64 && i < lines * 64 + 72);
            assert_int_equal(((uint8_t *)(rig->memory + 8))[at], next_head ? 0 : GUARD);
        }
    }
}

/* Whatever an earlier lap left: behind what is published stands a zero, after a pad as well. */
static void the_end_of_a_batch_is_zero(void **state)
{
    struct rig *rig = *state;
    for (uint32_t size = 0; size <= LARGEST; size += 20) {
        for (uint64_t line = 0; line < LINES; line++) {
            for (uint32_t count = 1; count <= 3; count++) {
                rig_at(rig, line);
                memset(rig->memory + 8, GUARD, LINES * 64);
                uint32_t i = 0;
                while (i < count && write_one(rig, i, size, size / 2) == CSN_OK) {
                    i++;
                }
                (void)csn_ring_publish(&rig->writer);
                assert_true(rig->memory[8 + rig->writer.cursor % LINES * 8] == 0);
            }
        }
    }
}

static void a_batch_appears_at_once(void **state)
{
    struct rig *rig = *state;
    for (uint64_t line = 0; line < LINES; line++) {
        rig_at(rig, line);
        for (uint64_t tag = 0; tag < 5; tag++) {
            assert_int_equal(write_one(rig, tag, 40 * (uint32_t)tag, 0), CSN_OK);
            assert_false(csn_ring_has_message(&rig->reader));
        }
        assert_int_equal(rig->writer.batch_count, 5);
        assert_true(csn_ring_publish(&rig->writer));
        assert_false(csn_ring_publish(&rig->writer));
        for (uint64_t tag = 0; tag < 5; tag++) {
            read_and_compare(rig, tag, 40 * (uint32_t)tag);
        }
        struct csn_ring_message message;
        assert_int_equal(read_one(rig, &message), CSN_AGAIN);
    }
}

/* Runs that are streamed although they are the first of a batch, and those a little shorter. */
static void a_long_run_appears_at_once(void **state)
{
    enum { LONG_LINES = 256, LONG_MAX = 4000 };
    static _Alignas(64) uint64_t memory[(LONG_LINES + 1) * 8];
    static uint8_t body[LONG_MAX];
    static uint8_t target[LONG_MAX + 8];
    struct csn_shared *credit = (struct csn_shared *)(void *)memory;
    struct csn_shared *lines = (struct csn_shared *)(void *)(memory + 8);
    struct csn_ring_writer writer;
    struct csn_ring_reader reader;
    (void)state;
    for (uint32_t i = 0; i < LONG_MAX; i++) {
        body[i] = (uint8_t)(i * 7 + i / 256 + 1);
    }
    memory[0] = 0;
    memset(memory + 8, GUARD, LONG_LINES * 64);
    memory[8] = 0; /* nothing is there yet */
    assert_int_equal(csn_ring_writer_init(&writer, lines, credit, LONG_LINES, LONG_MAX), CSN_OK);
    assert_int_equal(csn_ring_reader_init(&reader, lines, credit, LONG_LINES, LONG_MAX), CSN_OK);
    for (uint32_t size = 1900; size <= LONG_MAX; size += size < 2150 ? 1 : 501) {
        const uint32_t split = size * 5 % (size / 2 + 1);
        const struct csn_ring_piece pieces[2] = {{body, split}, {body + split, size - split}};
        assert_int_equal(csn_ring_write(&writer, size, true, pieces), CSN_OK);
        assert_int_equal(csn_ring_write(&writer, size + 1, false, pieces), CSN_OK);
        assert_false(csn_ring_has_message(&reader));
        assert_true(csn_ring_publish(&writer));
        for (uint32_t i = 0; i < 2; i++) {
            struct csn_ring_message message;
            memset(target, GUARD, sizeof target);
            assert_int_equal(csn_ring_read(&reader, target, &message), CSN_OK);
            assert_true(message.tag == size + i && message.size == size);
            assert_int_equal(message.final, i == 0);
            assert_memory_equal(target, body, size);
        }
        assert_false(csn_ring_has_message(&reader));
        (void)csn_ring_give_credit(&reader);
        assert_true(csn_ring_writer_check(&writer) && csn_ring_reader_check(&reader));
    }
}

static void full_changes_nothing(void **state)
{
    struct rig *rig = *state;
    uint64_t before[(LINES + 1) * 8];
    for (uint32_t size = 0; size <= LARGEST; size += 8) {
        for (uint64_t line = 0; line < LINES; line++) {
            rig_at(rig, line);
            uint32_t written = 0;
            while (write_one(rig, written, size, 0) == CSN_OK) {
                written++;
                (void)csn_ring_publish(&rig->writer);
                assert_true(written < LINES);
            }
            struct csn_ring_writer private = rig->writer;
            memcpy(before, rig->memory, sizeof before);
            assert_int_equal(write_one(rig, 99, size, 0), CSN_AGAIN);
            assert_memory_equal(before, rig->memory, sizeof before);
            assert_memory_equal(&private, &rig->writer, sizeof private);
            for (uint32_t tag = 0; tag < written; tag++) {
                read_and_compare(rig, tag, size);
            }
            (void)csn_ring_give_credit(&rig->reader);
            assert_int_equal(write_one(rig, 100, size, 0), CSN_OK);
            (void)csn_ring_publish(&rig->writer);
            read_and_compare(rig, 100, size);
        }
    }
}

/* has_credit() is a promise: count messages of up to that size then go in, however they wrap. */
static void a_reservation_holds(void **state)
{
    struct rig *rig = *state;
    for (uint32_t used = 0; used < LINES; used++) {
        for (uint64_t line = 0; line < LINES; line++) {
            for (uint32_t count = 1; count <= 5; count++) {
                for (uint32_t size = 0; size <= LARGEST; size += 61) {
                    rig_at(rig, line);
                    rig->writer.cursor = rig->writer.published = line + used;
                    if (!csn_ring_has_credit(&rig->writer, count, size)) {
                        /* An empty ring has room for one of any size. */
                        assert_false(used == 0 && count == 1);
                        continue;
                    }
                    for (uint32_t i = 0; i < count; i++) {
                        uint32_t less = (i * 64) < size ? size - i * 64 : size;
                        assert_int_equal(write_one(rig, i, less, 0), CSN_OK);
                    }
                    assert_true(csn_ring_writer_check(&rig->writer));
                }
            }
        }
    }
}

static void arguments_are_checked(void **state)
{
    struct rig *rig = *state;
    rig_at(rig, 0);
    assert_int_equal(write_one(rig, 0, LARGEST + 1, 0), CSN_ERR_SPACE);
    assert_int_equal(write_one(rig, 0, LARGEST + 1, 1), CSN_ERR_SPACE);
    const struct csn_ring_piece wraps[2] = {{rig->target, 8}, {rig->target, UINT32_MAX - 3}};
    assert_int_equal(csn_ring_write(&rig->writer, 0, false, wraps), CSN_ERR_SPACE);
    for (uint32_t lines = 0; lines < 200; lines++) {
        bool right = lines == 16 || lines == 32 || lines == 64 || lines == 128;
        assert_int_equal(
            csn_ring_reader_init(&rig->reader, shared(rig, 1), shared(rig, 0), lines, LARGEST),
            right ? CSN_OK : CSN_ERR_ARGUMENT);
        assert_int_equal(
            csn_ring_writer_init(&rig->writer, shared(rig, 1), shared(rig, 0), lines, LARGEST),
            right ? CSN_OK : CSN_ERR_ARGUMENT);
    }
}

static void hints_say_no_more_than_there_is(void **state)
{
    (void)state;
    for (uint32_t lines = 0; lines < 3000; lines++) {
        uint32_t code = csn_wire_ahead_code(lines);
        uint32_t said = csn_wire_ahead_lines(code);
        assert_true(code <= CSN_WIRE_HEAD_AHEAD_MAX && said <= lines);
        assert_true(lines - said < (lines < 32 ? 4 : 48) || code == CSN_WIRE_HEAD_AHEAD_MAX);
    }
}

static uint64_t place_of(const struct rig *rig, const struct csn_shared *expected)
{
    return (uint64_t)((const uint8_t *)expected - (const uint8_t *)(rig->memory + 8)) / 64;
}

/* Batches of every shape that fit: what is expected is where it is read afterwards, and no more. */
static void what_is_expected_comes(void **state)
{
    struct rig *rig = *state;
    for (uint32_t size = 0; size <= 300; size += 30) {
        for (uint64_t line = 0; line < LINES; line++) {
            for (uint32_t batch = 1; batch <= 4; batch++) {
                uint64_t places[LINES];
                uint32_t count = 0;
                uint32_t found = 0;
                rig_at(rig, (UINT64_C(1) << 32) - 9 + line);
                while (write_one(rig, count, size, 0) == CSN_OK) {
                    count++;
                    if (count % batch == 0) {
                        (void)csn_ring_publish(&rig->writer);
                    }
                }
                (void)csn_ring_publish(&rig->writer);
                const struct csn_shared *expected = csn_ring_expect(&rig->reader, size);
                while (expected != NULL) {
                    assert_true(found < count);
                    places[found++] = place_of(rig, expected);
                    expected = csn_ring_expect(&rig->reader, size);
                }
                assert_int_equal(found, count);
                for (uint32_t i = 0; i < count; i++) {
                    read_and_compare(rig, i, size);
                    uint64_t begin = rig->reader.cursor - csn_wire_lines(size);
                    assert_true(places[i] == begin % LINES);
                }
            }
        }
    }
}

/* ---- a hostile peer ---- */

/* The rule for a head word, written a second time. */
static csn_err verdict(uint64_t line, uint64_t word, uint64_t second)
{
    uint32_t index = (uint32_t)(line % LINES);
    uint32_t pad = 0;
    if (word == 0) {
        return CSN_AGAIN;
    }
    word &= ~UINT64_C(0x1f000000); /* a hint: any value will do */
    second &= ~UINT64_C(0x1f000000);
    if (word == ((line << 32) | 0xc0000000u) && index != 0) {
        pad = LINES - index;
        line += pad;
        index = 0;
        word = second;
    }
    uint32_t low = (uint32_t)word;
    uint32_t size = low & 0xffffffu;
    bool good = (uint32_t)(word >> 32) == (uint32_t)line && (low & 0xdf000000u) == 0x80000000u &&
                size <= LARGEST && (size + 16 + 63) / 64 > pad &&
                index + (size + 16 + 63) / 64 <= LINES;
    return good ? CSN_OK : CSN_ERR_PEER;
}

static void try_head(struct rig *rig, uint64_t line, uint64_t word, uint64_t second)
{
    struct csn_ring_message message = {.size = 0};
    rig->reader.cursor = rig->reader.credit_given = line;
    rig->reader.fate = CSN_OK;
    rig->memory[8] = second;
    rig->memory[8 + line % LINES * 8] = word;
    second = line % LINES == 0 ? word : second;
    csn_err result = read_one(rig, &message);
    assert_int_equal(result, verdict(line, word, second));
    if (result == CSN_OK) {
        assert_true(message.size <= LARGEST && rig->reader.cursor > line);
        assert_true(rig->reader.cursor - line < LINES);
    } else {
        assert_true(rig->reader.cursor == line);
    }
    if (result == CSN_ERR_PEER) {
        assert_int_equal(read_one(rig, &message), CSN_ERR_PEER); /* sticky */
    }
    rig->memory[8 + line % LINES * 8] = 0;
}

static void hostile_heads(void **state)
{
    struct rig *rig = *state;
    rig_at(rig, 0);
    for (uint64_t line = 0; line < LINES; line++) {
        uint64_t at = (UINT64_C(7) << 33) - 4 + line;
        const uint64_t sequences[] = {at, at + 1, at - 1, at + LINES, at ^ (1u << 31), 0};
        for (uint32_t s = 0; s < sizeof sequences / sizeof *sequences; s++) {
            for (uint64_t top = 0; top < 256; top++) {
                uint64_t base = sequences[s] << 32 | top << 24;
                for (uint64_t size = 0; size < LARGEST + 80;
                     size += 13 - (size > LARGEST - 13) * 12) {
                    try_head(rig, at, base | size, 0);
                }
                for (uint32_t bit = 0; bit < 24; bit++) {
                    try_head(rig, at, base | UINT64_C(1) << bit, base);
                    try_head(rig, at, base | (0xffffffu >> bit), UINT64_MAX);
                }
                uint64_t pad = at << 32 | 0xc0000000u;
                uint64_t next = (at / LINES + 1) * LINES;
                try_head(rig, at, pad, base | 5);
                try_head(rig, at, pad, next << 32 | top << 24 | 488);
                try_head(rig, at, pad, next << 32 | top << 24 | 489);
            }
        }
        for (uint32_t bit = 0; bit < 64; bit++) { /* every single flip of a right one */
            try_head(rig, at, (at << 32 | 0x80000010u) ^ (UINT64_C(1) << bit), 0);
        }
    }
}

/* Any head words: what is to be asked for lies in the ring, and reading goes on as if not asked. */
static void hostile_hints(void **state)
{
    struct rig *rig = *state;
    uint64_t seed = 7;
    for (uint32_t i = 0; i < 200000; i++) {
        uint64_t at = (UINT64_C(3) << 32) - 8 + i % LINES;
        rig_at(rig, at);
        for (uint64_t line = at; line < at + LINES; line++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t word = line << 32 | UINT64_C(1) << 31 | (seed >> 8 & 0x1f000000u);
            word |= seed % 3 == 0 ? seed >> 40 : seed >> 33 & 0x1ff;
            rig->memory[8 + line % LINES * 8] = seed % 5 == 0 ? seed : word;
        }
        uint64_t first = rig->memory[8 + at % LINES * 8];
        for (uint32_t k = 0; k < LINES + 2; k++) {
            uint32_t size = (uint32_t)(seed >> (k + 20)) % (LARGEST + 1);
            const struct csn_shared *expected = csn_ring_expect(&rig->reader, size);
            if (expected != NULL) {
                uint64_t place = place_of(rig, expected);
                assert_true(place + csn_wire_lines(size) <= LINES);
            }
        }
        assert_true(rig->reader.expected <= at + LINES && rig->reader.cursor == at);
        struct csn_ring_message message;
        uint64_t second = rig->memory[8];
        assert_int_equal(read_one(rig, &message), verdict(at, first, second));
    }
}

static void hostile_credits(void **state)
{
    struct rig *rig = *state;
    uint64_t seed = 1;
    for (uint32_t used = 0; used < LINES; used++) {
        for (uint32_t given = 0; given <= used; given++) {
            for (uint32_t i = 0; i < 3000; i++) {
                uint64_t base = (UINT64_C(1) << 32) - 8;
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                uint64_t credit = base + given - 100 + i;
                credit = i < 200 ? credit : i < 264 ? UINT64_C(1) << (i - 200) : seed;
                rig_at(rig, base);
                rig->writer.credit_seen = base + given;
                rig->writer.cursor = rig->writer.published = base + used;
                rig->memory[0] = credit;
                bool valid = credit >= base + given && credit <= base + used;
                /* Asks for more than can be there, so that the credit word is looked at. */
                bool granted = csn_ring_has_credit(&rig->writer, LINES, 0);
                assert_false(granted);
                assert_int_equal(rig->writer.fate, valid ? CSN_OK : CSN_ERR_PEER);
                assert_true(csn_ring_writer_check(&rig->writer));
                if (!valid) {
                    rig->memory[0] = base + used;
                    assert_int_equal(write_one(rig, 0, 0, 0), CSN_ERR_PEER); /* sticky */
                    assert_false(csn_ring_has_credit(&rig->writer, 1, 0));
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_size_at_every_line, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(the_bytes_are_those_of_channel_h, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(the_end_of_a_batch_is_zero, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(a_batch_appears_at_once, rig_make, rig_free),
        cmocka_unit_test(a_long_run_appears_at_once),
        cmocka_unit_test_setup_teardown(full_changes_nothing, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(a_reservation_holds, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(arguments_are_checked, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(hostile_heads, rig_make, rig_free),
        cmocka_unit_test(hints_say_no_more_than_there_is),
        cmocka_unit_test_setup_teardown(what_is_expected_comes, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(hostile_hints, rig_make, rig_free),
        cmocka_unit_test_setup_teardown(hostile_credits, rig_make, rig_free),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
