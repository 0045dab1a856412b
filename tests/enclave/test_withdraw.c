/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_withdraw.c: a batch whose records append to journals: one sync for all of them before any
 * answer, and answers of each form taken back where it fails, of that tenant and from then on.
 */
#include "../images/keeper.h"
#include "asker.h"
#include "solo.h"
#include "store_double.h"

#define BATCH_MAX 16u

extern const struct cse_service cse_service; /* tests/images/keeper.c */

static struct store_double store;
static struct fake_tenant other; /* granted, too */
static struct asker askers[2];
static uint8_t opened[16384];

static int start(void **state)
{
    (void)state;
    store_double_start(&store);
    const struct cse_outside_port port = store_double_port(&store);
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .service = &cse_service,
                                             .worker_state_size = KEEPER_STATE_SIZE,
                                             .store = &port});
    store.manifest = &fake.manifest;
    fake_tenant_new(&tenant);
    fake_tenant_new(&other);
    tenant.policy = other.policy = "";
    fake_grant(&fake, &tenant, 1);
    fake_grant(&fake, &other, 1);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_stop(&fake);
    store_double_stop(&store);
    return 0;
}

/* ---- a batch ---- */

struct batch {
    uint32_t count;
    uint8_t bytes[BATCH_MAX][2048];
    struct fake_message messages[BATCH_MAX];
};

static struct batch batch;

static uint32_t add(struct csv_sealer *sealer, uint16_t operation, const char *payload)
{
    uint32_t size = solo_seal(sealer, operation, payload, (uint32_t)strlen(payload));
    memcpy(batch.bytes[batch.count], record, size);
    batch.messages[batch.count] = (struct fake_message){batch.bytes[batch.count], size};
    return batch.count++;
}

static void send(void)
{
    fake_send(&fake, batch.messages, batch.count);
    batch.count = 0;
}

static const struct fake_answer *answer_of(uint64_t tag)
{
    for (uint32_t i = 0; i < fake.answer_count; i++) {
        if (fake.answers[i].tag == tag) {
            return &fake.answers[i];
        }
    }
    fail_msg("no answer");
    return NULL;
}

/* A reply's status; nothing else of it may be left where it is a tombstone. */
static uint32_t status_of(struct csv_sealer *sealer, uint32_t tag)
{
    struct csn_wire_result result;
    uint32_t size = 99;
    const struct fake_answer *answer = answer_of(tag);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    assert_int_equal(csv_reply_open(sealer, answer->body, answer->size, &result, opened, &size),
                     CSN_OK);
    assert_true(
        result.status == CSN_WIRE_STATUS_OK ||
        (size == 0 && (result.flags & CSN_WIRE_RESULT_TOMBSTONE) != 0 && result.detail == 0));
    return result.status;
}

static struct keeper_state state_of(struct csv_sealer *sealer)
{
    struct keeper_state state;
    uint32_t tag = add(sealer, KEEPER_STATE, "");
    send();
    assert_int_equal(status_of(sealer, tag), CSN_WIRE_STATUS_OK);
    memcpy(&state, opened, sizeof state);
    return state;
}

/* ---- tests ---- */

static void a_batch_is_one_sync(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csv_sealer *theirs = solo_sealer(&other, &other.replier, NULL);
    const uint64_t before = store.syncs;
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        add(i % 4 == 3 ? theirs : sealer, KEEPER_PUT, "payload");
    }
    send();
    assert_int_equal(store.syncs, before + 2); /* one for each journal */
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        assert_int_equal(status_of(i % 4 == 3 ? theirs : sealer, i), CSN_WIRE_STATUS_OK);
        assert_memory_equal(opened, "payload", 7);
    }
    assert_int_equal(state_of(sealer).count, 12);
    assert_int_equal(state_of(theirs).count, 4);
    /* What is answered is durable. */
    for (uint32_t i = 0; i < STORE_DOUBLE_OBJECTS; i++) {
        assert_int_equal(store.objects[i].synced, store.objects[i].size);
    }
    csv_sealer_destroy(sealer);
    csv_sealer_destroy(theirs);
}

/* Before the first append, of others, and hellos: as they are. From it on: taken back. */
static void what_depends_is_taken_back(void **state)
{
    (void)state;
    struct csv_sealer *full = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csv_sealer *brief = solo_sealer(&tenant, &tenant.replier, NULL);
    struct csv_sealer *theirs = solo_sealer(&other, &other.replier, NULL);
    solo_short(brief);
    const uint32_t shapes[] = {CSN_WIRE_OUTSIDE_SYNC, CSN_WIRE_OUTSIDE_APPEND};
    for (uint32_t round = 0; round < 2; round++) {
        struct keeper_state before = state_of(full);
        /* The first one fails, whichever of several it is. */
        store.fail_at = store.asks + 1;
        store.fail_on = true;
        store.fail_operation = shapes[round];
        store.fail_status = CSN_WIRE_OUTSIDE_FULL;
        uint32_t early = add(full, KEEPER_GET, "early");
        uint32_t early_state = add(full, KEEPER_STATE, "");
        uint32_t put = add(full, KEEPER_PUT, "abc");
        uint32_t foreign = add(theirs, KEEPER_GET, "their");
        uint32_t later_state = add(full, KEEPER_STATE, "");
        uint32_t brief_put = add(brief, KEEPER_PUT, "def");
        uint32_t brief_get = add(brief, KEEPER_GET, "ghi");
        uint32_t wrong = add(full, 99, "jkl"); /* a tombstone already */
        send();
        store.fail_at = 0;
        const uint32_t sizes[] = {answer_of(early)->size, answer_of(brief_get)->size};
        assert_int_equal(status_of(full, early), CSN_WIRE_STATUS_OK);
        assert_memory_equal(opened, "early", 5);
        assert_int_equal(status_of(full, early_state), CSN_WIRE_STATUS_OK);
        assert_int_equal(status_of(full, put), CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(status_of(theirs, foreign), CSN_WIRE_STATUS_OK);
        assert_memory_equal(opened, "their", 5);
        assert_int_equal(status_of(full, later_state), CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(status_of(brief, brief_put), CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(status_of(brief, brief_get), CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(status_of(full, wrong), CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(answer_of(put)->size, sizes[0]); /* the host sees nothing of it */
        assert_int_equal(answer_of(brief_put)->size, sizes[1]);
        /* It is read again, and goes on from what is there. */
        struct keeper_state now = state_of(full);
        assert_int_equal(now.opened, before.opened + 1);
        assert_true(now.count <= before.count + 2);
        put = add(brief, KEEPER_PUT, "abc");
        send();
        assert_int_equal(status_of(brief, put), CSN_WIRE_STATUS_OK);
        assert_int_equal(state_of(full).count, now.count + 1);
    }
    csv_sealer_destroy(full);
    csv_sealer_destroy(brief);
    csv_sealer_destroy(theirs);
}

/* Outputs to a consumer, and the end of the stream, which is no handler's word. */
static void a_consumer_is_told(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.producer, NULL);
    struct csv_opener *opener = solo_opener(&tenant.consumer);
    uint32_t size;
    store.fail_at = store.asks + 1;
    store.fail_on = true;
    store.fail_operation = CSN_WIRE_OUTSIDE_SYNC;
    store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
    add(sealer, KEEPER_PUT, "abc");
    add(sealer, KEEPER_GET, "def");
    assert_int_equal(csv_seal_fin(sealer, batch.bytes[2], sizeof batch.bytes[2], &size), CSN_OK);
    batch.messages[batch.count++] = (struct fake_message){batch.bytes[2], size};
    send();
    store.fail_at = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct csv_open_item item = solo_open(opener, answer_of(i), opened);
        assert_int_equal(item.result, CSN_OK);
        assert_int_equal(item.header.status, CSN_WIRE_STATUS_UNAVAILABLE);
        assert_int_equal(item.header.sequence, i);
        assert_int_equal(item.payload_size, 0);
    }
    assert_int_equal(solo_open(opener, answer_of(2), opened).result, CSN_OK);
    struct csv_stream stream;
    csv_opener_stream(opener, 0, &stream);
    assert_true(stream.fin_seen);
    assert_int_equal(stream.missing, 0);
    csv_sealer_destroy(sealer);
    csv_opener_destroy(opener);
}

/* Whole and in chunks: a problem in the place of what was there. */
static void requests_become_problems(void **state)
{
    (void)state;
    const struct ask asks[2] = {{.path = "/put",
                                 .content = "SECRET-SECRET",
                                 .content_size = 13,
                                 .credential = &tenant.asker},
                                {.method = "GET",
                                 .path = "/state",
                                 .credential = &tenant.asker,
                                 .form = CSN_OHTTP_CHUNKED}};
    uint32_t sizes[2][2];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 2; i++) {
            asker_seal(&askers[i], &fake, &asks[i]);
            batch.messages[i] = (struct fake_message){askers[i].message, askers[i].size};
        }
        store.fail_at = round == 1 ? store.asks + 1 : 0;
        store.fail_on = true;
        store.fail_operation = CSN_WIRE_OUTSIDE_SYNC;
        store.fail_status = CSN_WIRE_OUTSIDE_FAILED;
        batch.count = 2;
        send();
        store.fail_at = 0;
        for (uint32_t i = 0; i < 2; i++) {
            asker_open(&askers[i], &fake, i);
            assert_int_equal(askers[i].response.status, round == 0 ? 200 : 503);
            assert_int_equal(asker_says(&askers[i], "problem:unavailable"), round == 1);
            sizes[round][i] = askers[i].answer_size;
        }
        assert_int_equal(asker_says(&askers[0], "SECRET"), round == 0);
    }
    assert_memory_equal(sizes[0], sizes[1], sizeof sizes[0]);
}

/* A grant comes between records: what was put before it is committed under the old one. */
static void a_grant_comes_behind_a_commit(void **state)
{
    (void)state;
    struct csv_sealer *sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    uint32_t put = add(sealer, KEEPER_PUT, "abc");
    fake_grant_build(&fake, &tenant, 2);
    batch.messages[batch.count++] = (struct fake_message){tenant.message, tenant.message_size};
    send();
    assert_int_equal(status_of(sealer, put), CSN_WIRE_STATUS_OK);
    assert_int_equal(answer_of(1)->code, CSN_WIRE_GRANTED);
    csv_sealer_destroy(sealer);
    sealer = solo_sealer(&tenant, &tenant.replier, NULL);
    assert_int_equal(state_of(sealer).count, 1);
    csv_sealer_destroy(sealer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_one_sync, start, stop),
        cmocka_unit_test_setup_teardown(what_depends_is_taken_back, start, stop),
        cmocka_unit_test_setup_teardown(a_consumer_is_told, start, stop),
        cmocka_unit_test_setup_teardown(requests_become_problems, start, stop),
        cmocka_unit_test_setup_teardown(a_grant_comes_behind_a_commit, start, stop),
    };
    return cmocka_run_group_tests_name("withdraw", tests, NULL, NULL);
}
