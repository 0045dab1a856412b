/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fleet.c: how units of a service follow each other, by the clock of the test, over enclaves
 * that are made up here: they have the key, the tenants and the fate that the test says.
 *
 * test_fleet IMAGE: any image that keeps a store; its signature is made here.
 */
#include "gateway/fleet.h"
#include "skip.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define NS_PER_S UINT64_C(1000000000)
#define OVERLAP  100u /* seconds */

/* ---- enclaves ---- */

struct csn_enclave {
    struct csn_wire_boot_made made;
    bool is_dead; /* atomic: waiters look at it from their threads */
};

static struct csn_wire_manifest manifest = {
    .worker_count = 2, .channel_count = 1, .output_size_max = 64};
static uint8_t next_keys[8]; /* ids of those that start next */
static uint32_t next_key;
static uint32_t start_fails; /* so many starts from now on */
static uint32_t created, destroyed;

/* Units start and end their enclaves in threads of their own. */
static pthread_mutex_t counts = PTHREAD_MUTEX_INITIALIZER;

csn_err csn_enclave_create(const struct csn_enclave_options *options, struct csn_enclave **enclave,
                           struct csn_detail *detail)
{
    (void)options;
    pthread_mutex_lock(&counts);
    bool fails = start_fails != 0;
    if (fails) {
        start_fails--;
        snprintf(detail->text, sizeof detail->text, "the test says so");
    } else {
        *enclave = calloc(1, sizeof **enclave);
        (*enclave)->made.ohttp_keys_size = 51;
        (*enclave)->made.ohttp_keys[2] = next_keys[next_key++ % sizeof next_keys];
        (*enclave)->made.boot_id[0] = (uint8_t)created++;
    }
    pthread_mutex_unlock(&counts);
    return fails ? CSN_ERR_CRASHED : CSN_OK;
}

void csn_enclave_destroy(struct csn_enclave *enclave)
{
    pthread_mutex_lock(&counts);
    destroyed++;
    pthread_mutex_unlock(&counts);
    free(enclave);
}

static bool is_dead(const struct csn_enclave *enclave)
{
    return __atomic_load_n(&enclave->is_dead, __ATOMIC_RELAXED);
}

csn_err csn_enclave_stop(struct csn_enclave *enclave)
{
    __atomic_store_n(&enclave->is_dead, true, __ATOMIC_RELAXED);
    return CSN_OK;
}

const struct csn_wire_manifest *csn_enclave_manifest(const struct csn_enclave *enclave)
{
    (void)enclave;
    return &manifest;
}

void csn_enclave_report(const struct csn_enclave *enclave, struct csn_enclave_report *report)
{
    (void)enclave;
    *report = (struct csn_enclave_report){.backend = "made up"};
}

csn_err csn_enclave_made(const struct csn_enclave *enclave, struct csn_wire_boot_made *made)
{
    *made = enclave->made;
    return CSN_OK;
}

csn_err csn_enclave_fate(const struct csn_enclave *enclave, struct csn_fate *fate)
{
    *fate = (struct csn_fate){.kind = is_dead(enclave) ? CSN_FATE_KILLED : CSN_FATE_RUNNING};
    return CSN_OK;
}

csn_err csn_enclave_reserve(struct csn_enclave *enclave, uint32_t channel, uint32_t size,
                            void **place)
{
    static uint8_t room[64];
    (void)enclave, (void)channel;
    *place = room;
    return size <= sizeof room ? CSN_OK : CSN_ERR_SPACE;
}

csn_err csn_enclave_commit(struct csn_enclave *enclave, uint32_t channel, uint64_t tag,
                           uint32_t size)
{
    (void)channel, (void)tag, (void)size;
    return is_dead(enclave) ? CSN_ERR_CRASHED : CSN_OK;
}

csn_err csn_enclave_abandon(struct csn_enclave *enclave, uint32_t channel)
{
    (void)enclave, (void)channel;
    return CSN_OK;
}

csn_err csn_enclave_flush(struct csn_enclave *enclave, uint32_t channel)
{
    (void)channel;
    return is_dead(enclave) ? CSN_ERR_CRASHED : CSN_OK;
}

csn_err csn_enclave_receive(struct csn_enclave *enclave, uint32_t channel, void *target,
                            struct csn_output *output)
{
    (void)channel, (void)target, (void)output;
    return is_dead(enclave) ? CSN_ERR_CRASHED : CSN_AGAIN;
}

csn_err csn_enclave_wait(struct csn_enclave *enclave, uint32_t channel, uint64_t timeout_ns)
{
    (void)channel, (void)timeout_ns;
    usleep(1000);
    return is_dead(enclave) ? CSN_ERR_CRASHED : CSN_AGAIN;
}

/* ---- a fleet, and its clock ---- */

static const char *image_path;
static char signature_path[] = "signature-XXXXXX";
static struct csn_config *config;
static struct csn_fleet fleet;
static char folder[] = "fleet-store-XXXXXX";
static bool has_store;
static uint64_t now;

static void start_fleet(uint32_t instances, uint32_t grants)
{
    char text[1024];
    struct csn_detail detail = {""};
    int size = snprintf(text, sizeof text,
                        "{\"listeners\":[{\"port\":0}],\"services\":[{\"name\":\"s\",\"image\":"
                        "\"%s\",\"signature\":\"%s\",\"control\":\"c\",\"instances\":%u,"
                        "\"grants\":%u,\"overlap_s\":%u%s%s%s}]}",
                        image_path, signature_path, instances, grants, OVERLAP,
                        has_store ? ",\"store\":{\"folder\":\"" : "", has_store ? folder : "",
                        has_store ? "\"}" : "");
    assert_int_equal(csn_config_read(text, (size_t)size, "", &config, &detail), CSN_OK);
    fleet =
        (struct csn_fleet){.plan.event_fd = eventfd(0, EFD_NONBLOCK), .patience_ns = UINT64_MAX};
    csn_fleet_set_service(&fleet, &config->services[0], config);
    now = 1000 * NS_PER_S;
    assert_int_equal(csn_fleet_start(&fleet), CSN_OK);
}

/* Until no thread has anything to do. */
static void settle(void)
{
    bool busy = true;
    while (busy) {
        busy = false;
        usleep(500);
        csn_fleet_take(&fleet, now);
        for (const struct csn_unit *unit = fleet.units; unit != NULL; unit = unit->next) {
            busy |= unit->state == CSN_UNIT_STARTING || unit->state == CSN_UNIT_ENDING;
        }
    }
}

static void pass(double seconds)
{
    now += (uint64_t)(seconds * 1e9);
    csn_fleet_tick(&fleet, now);
    settle();
}

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof next_keys; i++) {
        next_keys[i] = (uint8_t)(10 + i);
    }
    next_key = start_fails = created = destroyed = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    csn_fleet_end(&fleet);
    settle();
    bool ended = csn_fleet_is_ended(&fleet);
    close(fleet.plan.event_fd);
    csn_config_free(fleet.plan.config);
    csn_config_free(config);
    return ended && created == destroyed ? 0 : -1;
}

static struct csn_unit *unit_at(uint32_t index)
{
    struct csn_unit *unit = fleet.units;
    while (unit != NULL && index-- != 0) {
        unit = unit->next;
    }
    return unit;
}

static void grant(struct csn_unit *unit, uint8_t tenant)
{
    struct csn_wire_boot_made *made = &unit->enclave->made;
    struct csn_wire_boot_key *key = &made->keys[made->key_count++];
    key->purpose = CSN_WIRE_KEY_RECIPIENT;
    memset(key->tenant, tenant, sizeof key->tenant);
    csn_unit_read_grants(unit);
    csn_fleet_tick(&fleet, now);
}

/* ---- tests ---- */

static void test_grants(void **state)
{
    (void)state;
    start_fleet(1, 2);
    settle();
    struct csn_unit *unit = unit_at(0);
    assert_int_equal(unit->state, CSN_UNIT_GRANTING);
    assert_null(csn_fleet_current(&fleet, 0));
    assert_null(csn_fleet_by_key(&fleet, 10));
    assert_ptr_equal(csn_fleet_newest(&fleet, 0), unit);
    grant(unit, 1);
    grant(unit, 1); /* a second key of the same tenant */
    assert_int_equal(unit->state, CSN_UNIT_GRANTING);
    grant(unit, 2);
    assert_int_equal(unit->state, CSN_UNIT_CURRENT);
    assert_ptr_equal(csn_fleet_current(&fleet, 0), unit);
    assert_ptr_equal(csn_fleet_by_key(&fleet, 10), unit);
    assert_null(csn_fleet_by_key(&fleet, 11));
}

/* As many tenants as the one before; its keys are taken through the overlap, and not longer. */
static void test_rotation(void **state)
{
    (void)state;
    start_fleet(1, 1);
    settle();
    struct csn_unit *old = unit_at(0);
    grant(old, 1);
    grant(old, 2);
    assert_true(csn_fleet_rotate(&fleet, now));
    settle();
    struct csn_unit *next = unit_at(1);
    assert_false(csn_fleet_rotate(&fleet, now));
    grant(next, 1);
    assert_int_equal(next->state, CSN_UNIT_GRANTING);
    assert_ptr_equal(csn_fleet_newest(&fleet, 0), next);
    assert_ptr_equal(csn_fleet_current(&fleet, 0), old);
    grant(next, 2);
    assert_int_equal(next->state, CSN_UNIT_CURRENT);
    assert_int_equal(old->state, CSN_UNIT_RETIRING);
    assert_ptr_equal(csn_fleet_by_key(&fleet, 10), old);
    assert_ptr_equal(csn_fleet_by_key(&fleet, 11), next);
    assert_false(csn_fleet_rotate(&fleet, now));
    pass(OVERLAP - 1);
    assert_ptr_equal(csn_fleet_by_key(&fleet, 10), old);
    pass(2);
    assert_null(csn_fleet_by_key(&fleet, 10));
    assert_ptr_equal(unit_at(0), next);
    assert_null(unit_at(1));
    assert_true(csn_fleet_rotate(&fleet, now));
    settle();
}

static void lose(void *state)
{
    *(bool *)state = true;
}

/* A store is one enclave's: the old one answers what is under way, and then the next one starts. */
static void test_store_is_handed_over(void **state)
{
    static const struct csn_pump_asker asker = {NULL, lose};
    bool lost = false;
    void *place;
    (void)state;
    assert_non_null(mkdtemp(folder));
    has_store = true;
    start_fleet(1, 0);
    has_store = false;
    settle();
    struct csn_unit *old = unit_at(0);
    assert_int_equal(old->state, CSN_UNIT_CURRENT);
    assert_int_equal(csn_pump_reserve(&old->pumps[1], 8, &place), CSN_OK);
    csn_pump_hand_over(&old->pumps[1], 8, &asker, &lost);
    assert_true(csn_fleet_rotate(&fleet, now));
    settle();
    pass(1);
    struct csn_unit *next = unit_at(1);
    assert_int_equal(old->state, CSN_UNIT_RETIRING);
    assert_null(csn_fleet_by_key(&fleet, 10)); /* it takes nothing new */
    assert_int_equal(next->state, CSN_UNIT_DOWN);
    assert_non_null(strstr(next->detail.text, "in use"));
    assert_false(lost);
    pass(31); /* no longer than any other that retires */
    pass(31);
    assert_true(lost);
    assert_ptr_equal(unit_at(0), next);
    assert_int_equal(next->state, CSN_UNIT_CURRENT);
    assert_null(unit_at(1));
    csn_fleet_end(&fleet);
    settle();
    assert_int_equal(rmdir(folder), 0);
}

/* Nobody is held up for ever by a tenant who is away. */
static void test_absent(void **state)
{
    (void)state;
    start_fleet(1, 1);
    settle();
    grant(unit_at(0), 1);
    grant(unit_at(0), 2);
    assert_true(csn_fleet_rotate(&fleet, now));
    settle();
    struct csn_unit *next = unit_at(1);
    grant(next, 1);
    pass(OVERLAP - 1);
    assert_int_equal(next->state, CSN_UNIT_GRANTING);
    pass(2);
    assert_int_equal(next->state, CSN_UNIT_CURRENT);
}

/* What a retired one still has under way is answered, though it takes nothing new. */
static void test_under_way(void **state)
{
    static const struct csn_pump_asker asker = {NULL, lose};
    bool lost = false;
    void *place;
    (void)state;
    start_fleet(1, 0);
    settle();
    struct csn_unit *old = unit_at(0);
    assert_int_equal(csn_pump_reserve(&old->pumps[1], 8, &place), CSN_OK);
    csn_pump_hand_over(&old->pumps[1], 8, &asker, &lost);
    assert_ptr_equal(csn_unit_idlest(old), &old->pumps[0]);
    assert_true(csn_fleet_rotate(&fleet, now));
    settle();
    assert_int_equal(old->state, CSN_UNIT_RETIRING);
    pass(OVERLAP + 1);
    assert_int_equal(old->state, CSN_UNIT_RETIRING);
    assert_null(csn_fleet_by_key(&fleet, 10));
    assert_false(lost);
    pass(60);
    assert_true(lost); /* there is an end to that as well */
    assert_ptr_not_equal(unit_at(0), old);
}

/* A request tells its key by one byte: two units at a time never have the same. */
static void test_double_key(void **state)
{
    (void)state;
    memcpy(next_keys, (const uint8_t[8]){7, 7, 7, 9, 9, 8, 1, 2}, sizeof next_keys);
    start_fleet(2, 0);
    settle();
    assert_int_equal(unit_at(0)->state, CSN_UNIT_CURRENT);
    assert_int_equal(unit_at(1)->state, CSN_UNIT_CURRENT);
    assert_int_not_equal(unit_at(0)->ohttp_key_id, unit_at(1)->ohttp_key_id);
    assert_true(created >= 4);
}

/* At once, then after longer and longer times; a success of half a minute forgets. */
static void test_retries(void **state)
{
    static const double waits[] = {0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 6.4};
    (void)state;
    start_fails = sizeof waits / sizeof waits[0];
    start_fleet(1, 0);
    settle();
    struct csn_unit *unit = unit_at(0);
    for (uint32_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(unit->state, CSN_UNIT_DOWN);
        assert_string_equal(unit->detail.text, "the test says so");
        assert_int_equal(unit->retry_ns - now, (uint64_t)(waits[i] * 1e9));
        now = unit->retry_ns - 1000;
        if (waits[i] != 0) {
            pass(0);
            assert_int_equal(unit->restarts, i);
        }
        pass(0.001);
        assert_int_equal(unit->restarts, i + 1);
    }
    assert_int_equal(unit->state, CSN_UNIT_CURRENT);
    assert_int_equal(unit->failures, sizeof waits / sizeof waits[0]);
    now = unit->up_ns + 31 * NS_PER_S;
    __atomic_store_n(&unit->enclave->is_dead, true, __ATOMIC_RELAXED);
    csn_fleet_tick(&fleet, now);
    settle();
    assert_int_equal(unit->failures, 1);
}

/* A crash: seen without messages under way, too; the others of the fleet go on. */
static void test_crash(void **state)
{
    (void)state;
    start_fleet(2, 1);
    settle();
    grant(unit_at(0), 1);
    grant(unit_at(1), 1);
    struct csn_unit *dead = csn_fleet_current(&fleet, 1);
    struct csn_unit *alive = csn_fleet_current(&fleet, 0);
    assert_ptr_not_equal(dead, alive);
    uint8_t key = dead->ohttp_key_id;
    __atomic_store_n(&dead->enclave->is_dead, true, __ATOMIC_RELAXED);
    csn_fleet_tick(&fleet, now);
    assert_null(csn_fleet_by_key(&fleet, key));
    assert_ptr_equal(csn_fleet_current(&fleet, 1), alive);
    settle();
    assert_int_equal(dead->state, CSN_UNIT_GRANTING);
    assert_int_equal(dead->tenant_count, 0);
    grant(dead, 1);
    assert_ptr_equal(csn_fleet_current(&fleet, 1), dead);
}

static void test_tokens(void **state)
{
    char token[CSN_FLEET_TOKEN_SIZE];
    struct csn_unit *found = NULL;
    (void)state;
    start_fleet(2, 0);
    settle();
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t worker = 0; worker < 2; worker++) {
            struct csn_unit *unit = unit_at(i);
            csn_fleet_token(unit, &unit->pumps[worker], token);
            assert_ptr_equal(csn_fleet_by_token(&fleet, token, strlen(token), &found),
                             &unit->pumps[worker]);
            assert_ptr_equal(found, unit);
            assert_null(csn_fleet_by_token(&fleet, token, strlen(token) - 1, &found));
            token[3] ^= 1;
            assert_null(csn_fleet_by_token(&fleet, token, strlen(token), &found));
        }
    }
}

static bool sign(void)
{
    static const uint8_t seed[32] = {7};
    struct csn_signed_image image = {0};
    struct csn_detail detail = {""};
    struct csn_image_fault fault = {0};
    FILE *file = fopen(image_path, "rb");
    int fd = mkstemp(signature_path);
    if (file == NULL || fd < 0) {
        return false;
    }
    image.bytes = malloc(4 << 20);
    image.size = fread(image.bytes, 1, 4 << 20, file);
    fclose(file);
    if (csn_image_measure_file(image.bytes, image.size, &image.image, image.measurement, &fault) !=
        CSN_OK) {
        return false;
    }
    csn_signature_make(&image.signature, &image.image, image.measurement, seed);
    bool good =
        write(fd, &image.signature, sizeof image.signature) == (ssize_t)sizeof image.signature;
    close(fd);
    csn_signed_image_free(&image);
    good = good && csn_signed_image_read(image_path, signature_path, &image, &detail) == CSN_OK;
    csn_signed_image_free(&image);
    return good;
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_grants),  RIGGED(test_rotation),  RIGGED(test_store_is_handed_over),
        RIGGED(test_absent),  RIGGED(test_under_way), RIGGED(test_double_key),
        RIGGED(test_retries), RIGGED(test_crash),     RIGGED(test_tokens),
    };
    image_path = argc > 1 ? argv[1] : "";
    if (!sign()) {
        return test_skip("no image");
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(signature_path);
    return failed;
}
