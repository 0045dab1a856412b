/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_front_parts.c: what the front is made of, each part against a plainer one of its kind: the
 * wheel of timers, buffers and their accounts, clients by address, the defaults.
 */
#include <arpa/inet.h>
#include <gateway/client_table.h>
#include <gateway/front.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

static uint32_t seed = 1;

static uint32_t random_below(uint32_t bound)
{
    seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
    return (uint32_t)(((uint64_t)seed * bound) >> 32);
}

/* ---- timers ---- */

#define TIMERS 64u

static struct csn_wheel wheel;
static uint64_t now_ns;

struct alarm {
    struct csn_timer timer;
    uint64_t due_ns; /* 0: not set */
    uint32_t fired;
};
static struct alarm alarms[TIMERS];

static void on_fire(void *state)
{
    struct alarm *alarm = state;
    assert_int_not_equal(alarm->due_ns, 0);
    assert_true(now_ns >= alarm->due_ns); /* never early */
    alarm->due_ns = 0;
    alarm->fired++;
    uint32_t other = random_below(TIMERS); /* and in the middle of it another one is moved */
    if (random_below(4) == 0) {
        csn_wheel_cancel(&wheel, &alarms[other].timer);
        alarms[other].due_ns = 0;
    } else if (random_below(4) == 0) {
        alarms[other].due_ns = now_ns + random_below(50000000);
        csn_wheel_set(&wheel, &alarms[other].timer, alarms[other].due_ns);
    }
}

/* Nothing is late by more than a tick, and the wheel has said when to come. */
static void check_alarms(void)
{
    uint64_t next_ns = csn_wheel_next_ns(&wheel);
    uint32_t count = 0;
    for (uint32_t i = 0; i < TIMERS; i++) {
        bool is_set = alarms[i].due_ns != 0;
        assert_int_equal(csn_timer_is_pending(&alarms[i].timer), is_set);
        count += is_set ? 1 : 0;
        if (is_set) {
            assert_true(alarms[i].due_ns + CSN_WHEEL_TICK_NS > now_ns - now_ns % CSN_WHEEL_TICK_NS);
            assert_true(next_ns <= alarms[i].due_ns + CSN_WHEEL_TICK_NS);
        }
    }
    assert_int_equal(count, wheel.count);
    assert_int_equal(next_ns == UINT64_MAX, count == 0);
    assert_true(next_ns > now_ns);
}

static void test_wheel(void **state)
{
    (void)state;
    now_ns = UINT64_C(123456789012345);
    csn_wheel_init(&wheel, now_ns);
    for (uint32_t i = 0; i < TIMERS; i++) {
        alarms[i] = (struct alarm){.timer = {.fire = on_fire, .state = &alarms[i]}};
    }
    for (uint32_t step = 0; step < 20000; step++) {
        struct alarm *alarm = &alarms[random_below(TIMERS)];
        uint32_t what = random_below(8);
        if (what < 4) { /* up to two turns ahead */
            alarm->due_ns = now_ns + ((uint64_t)random_below(1u << 23) << random_below(11));
            csn_wheel_set(&wheel, &alarm->timer, alarm->due_ns);
        } else if (what == 4) {
            csn_wheel_cancel(&wheel, &alarm->timer);
            alarm->due_ns = 0;
        } else {
            now_ns += (uint64_t)random_below(1u << 20) << random_below(what == 7 ? 14 : 6);
            csn_wheel_run(&wheel, now_ns);
        }
        check_alarms();
    }
    uint32_t fired = 0;
    for (uint32_t i = 0; i < TIMERS; i++) {
        fired += alarms[i].fired;
    }
    assert_true(fired > 1000);
}

/* ---- buffers ---- */

static void test_buffers(void **state)
{
    (void)state;
    struct csn_account all = {.max = 200000}, client = {.max = 150000, .parent = &all};
    struct csn_buffer buffer = {.account = &client};
    static uint8_t bytes[1 << 20];
    size_t first = 0, end = 0, full = 0; /* the bytes held are those of `bytes` in between */
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (uint32_t step = 0; step < 20000; step++) {
        size_t size = random_below(1u << random_below(15));
        if (random_below(2) == 0) {
            if (end + size > sizeof bytes) {
                csn_buffer_drop(&buffer);
                first = end = 0;
            }
            bool added = csn_buffer_add(&buffer, bytes + end, size);
            full += added ? 0 : 1;
            end += added ? size : 0;
        } else {
            size = size < end - first ? size : end - first;
            csn_buffer_take(&buffer, size);
            first += size;
        }
        assert_int_equal(csn_buffer_size(&buffer), end - first);
        assert_true(first == end ||
                    memcmp(buffer.bytes + buffer.start, bytes + first, end - first) == 0);
        assert_int_equal(client.used, buffer.room);
        assert_int_equal(all.used, buffer.room);
        assert_true(client.used <= client.max);
    }
    assert_true(full > 0);
    csn_buffer_drop(&buffer);
    assert_int_equal(all.used, 0);
    /* the bound of all counts, too */
    struct csn_account other = {.max = 150000, .parent = &all};
    struct csn_buffer more = {.account = &other};
    assert_true(csn_buffer_reserve(&buffer, 120000));
    assert_int_equal(buffer.room, 120000);
    assert_false(csn_buffer_reserve(&more, 120000));
    assert_false(csn_buffer_reserve(&more, SIZE_MAX));
    assert_int_equal(other.used, 0);
    assert_int_equal(all.used, 120000);
    csn_buffer_drop(&buffer);
    /* doubling ends where no more is to come */
    buffer.room_max = 100000;
    assert_true(csn_buffer_add(&buffer, bytes, 70000) && csn_buffer_add(&buffer, bytes, 20000));
    assert_int_equal(buffer.room, 100000);
    csn_buffer_drop(&buffer);
    csn_account_end(&all);
}

/* ---- clients ---- */

static struct csn_client_table table;

static struct csn_client *enter(const char *text, const char *name)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(1)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(2)};
    bool is_four = inet_pton(AF_INET, text, &four.sin_addr) == 1;
    assert_true(is_four || inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
    const struct sockaddr *address =
        is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six;
    char said[46];
    csn_client_name(address, said);
    assert_string_equal(said, name);
    return csn_client_enter(&table, address);
}

static void test_clients(void **state)
{
    (void)state;
    struct csn_account all = {.max = 1000};
    table = (struct csn_client_table){
        .seed = 5, .connections_max = 3, .memory_max = 500, .memory = &all};
    struct csn_client *four = enter("192.0.2.1", "192.0.2.1");
    assert_ptr_equal(enter("::ffff:192.0.2.1", "192.0.2.1"), four);
    assert_ptr_not_equal(enter("192.0.2.2", "192.0.2.2"), four);
    struct csn_client *six = enter("2001:db8:0:1::1", "2001:db8:0:1::1");
    assert_ptr_equal(enter("2001:db8:0:1:ffff::2", "2001:db8:0:1:ffff::2"), six);
    assert_ptr_not_equal(enter("2001:db8:0:2::1", "2001:db8:0:2::1"), six);
    assert_ptr_equal(enter("192.0.2.1", "192.0.2.1"), four);
    assert_null(enter("192.0.2.1", "192.0.2.1")); /* the fourth */
    csn_client_leave(&table, four);
    assert_ptr_equal(enter("192.0.2.1", "192.0.2.1"), four);
    assert_int_equal(four->memory.max, 500);
    assert_ptr_equal(four->memory.parent, &all);
    const struct sockaddr local = {.sa_family = AF_UNIX};
    char said[46];
    csn_client_name(&local, said);
    assert_string_equal(said, "local");
    /* all leave, and nothing stays */
    for (uint32_t i = 0; i < CSN_CLIENT_BUCKETS; i++) {
        while (table.buckets[i] != NULL) {
            csn_client_leave(&table, table.buckets[i]);
        }
    }
    assert_non_null(enter("192.0.2.1", "192.0.2.1"));
    for (uint32_t i = 0; i < CSN_CLIENT_BUCKETS; i++) {
        if (table.buckets[i] != NULL) {
            assert_int_equal(table.buckets[i]->connection_count, 1);
            csn_client_leave(&table, table.buckets[i]);
            assert_null(table.buckets[i]);
        }
    }
}

/* What was given stays, and no field is left without a bound. */
static void test_limits(void **state)
{
    (void)state;
    struct csn_front_limits limits = {.streams_max = 7, .stall_ns = 5};
    csn_front_limits_complete(&limits);
    assert_int_equal(limits.streams_max, 7);
    assert_int_equal(limits.stall_ns, 5);
    assert_int_equal(limits.connections_max, 16384);
    assert_int_equal(limits.memory_max, 256u << 20);
    assert_int_equal(limits.idle_ns, UINT64_C(60000000000));
    const uint32_t *numbers[] = {&limits.connections_max,  &limits.connections_client_max,
                                 &limits.requests_max,     &limits.fields_size_max,
                                 &limits.resets_max,       &limits.controls_max,
                                 &limits.continuations_max};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_not_equal(*numbers[i], 0);
    }
    const uint64_t *amounts[] = {
        &limits.interval_ns, &limits.memory_client_max, &limits.output_size_max, &limits.head_ns,
        &limits.body_ns,     &limits.request_ns,        &limits.linger_ns};
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        assert_int_not_equal(*amounts[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wheel), cmocka_unit_test(test_buffers),
                                       cmocka_unit_test(test_clients),
                                       cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests_name("front_parts", tests, NULL, NULL);
}
