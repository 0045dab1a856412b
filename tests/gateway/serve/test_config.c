/* SPDX-License-Identifier: Apache-2.0 */
/* test_config.c: the gateway's configuration: what is read, and each refusal with its place. */
#include "gateway/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct csn_config *read_good(const char *text)
{
    struct csn_config *config = NULL;
    struct csn_detail detail = {""};
    if (csn_config_read(text, strlen(text), "/etc/gw", &config, &detail) != CSN_OK) {
        fail_msg("%s", detail.text);
    }
    return config;
}

#define SERVICE                                                                                    \
    "{\"name\":\"s\",\"image\":\"s.elf\",\"signature\":\"/x/s.sig\",\"control\":\"s.sock\"}"
#define LISTENERS "\"listeners\":[{\"port\":80}]"
#define SERVICES  "\"services\":[" SERVICE "]"

static void test_defaults(void **state)
{
    (void)state;
    struct csn_config *config = read_good("{" LISTENERS "," SERVICES "}");
    const struct csn_config_service *service = &config->services[0];
    assert_int_equal(config->listener_count, 1);
    assert_string_equal(config->listeners[0].address, "127.0.0.1");
    assert_int_equal(config->listeners[0].port, 80);
    assert_null(config->listeners[0].certificate);
    assert_false(config->has_admin);
    assert_int_equal(config->service_count, 1);
    assert_string_equal(service->image, "/etc/gw/s.elf");
    assert_string_equal(service->signature, "/x/s.sig");
    assert_string_equal(service->control, "/etc/gw/s.sock");
    assert_string_equal(service->backend, "auto");
    assert_int_equal(service->instances, 1);
    assert_int_equal(service->grants, 1);
    assert_int_equal(service->overlap_s, 300);
    assert_int_equal(service->inflight, 1024);
    assert_int_equal(config->body_size_max, 1048576);
    assert_int_equal(config->drain_ns, UINT64_C(30000000000));
    assert_int_equal(config->limits.connections_max, 0);
    assert_null(config->access_log);
    csn_config_free(config);
}

static const char all[] =
    "{\"listeners\":[{\"address\":\"0.0.0.0\",\"port\":443,\"certificate\":\"c.pem\",\"key\":\"k."
    "pem\"},"
    "{\"address\":\"::1\",\"port\":0}],"
    "\"admin\":{\"address\":\"localhost\",\"port\":9090},"
    "\"services\":[{\"name\":\"a\",\"image\":\"a.elf\",\"signature\":\"a.sig\",\"control\":\"a."
    "sock\","
    "\"instances\":2,\"backend\":\"kvm\",\"require\":[\"locked\",\"own-uid\"],\"grants\":0,"
    "\"overlap_s\":7,\"inflight\":16,\"evidence\":{\"name\":\"tpm\",\"pcrs\":\"0,2\",\"root\":"
    "\"r\"}}," SERVICE "],"
    "\"tenants\":[{\"label\":\"bank\",\"rate\":0.5,\"burst\":3,\"quota\":9007199254740992},"
    "{\"label\":\"shop_2.x-y\"}],"
    "\"unlabelled\":{\"rate\":10,\"quota\":5},"
    "\"limits\":{\"connections\":5,\"connections_per_client\":4,\"requests\":7,\"streams\":3,"
    "\"resets\":2,\"controls\":1,\"memory\":70000,\"memory_per_client\":65536,"
    "\"output_size\":80000,\"body_size\":2048},"
    "\"deadlines\":{\"head_ms\":1,\"body_ms\":2,\"request_ms\":3,\"idle_ms\":4,\"stall_ms\":5,"
    "\"drain_ms\":6},"
    "\"access_log\":{\"path\":\"-\",\"clients\":true},\"rotate_s\":86400}";

static void test_store(void **state)
{
    (void)state;
    struct csn_config *config = read_good(
        "{\"listeners\":[{\"port\":0}],\"services\":[{\"name\":\"a\",\"image\":\"i\",\"signature\":"
        "\"s\",\"control\":\"c\",\"store\":{\"folder\":\"kept\",\"tpm\":\"device:/dev/t\"}}]}");
    assert_string_equal(config->services[0].store.folder, "/etc/gw/kept");
    assert_string_equal(config->services[0].store.tpm, "device:/dev/t");
    csn_config_free(config);
}

static void test_all(void **state)
{
    (void)state;
    struct csn_config *config = read_good(all);
    const struct csn_config_service *service = &config->services[0];
    assert_int_equal(config->listener_count, 2);
    assert_string_equal(config->listeners[0].certificate, "/etc/gw/c.pem");
    assert_string_equal(config->listeners[0].key, "/etc/gw/k.pem");
    assert_true(config->has_admin && config->admin.port == 9090);
    assert_int_equal(config->service_count, 2);
    assert_int_equal(service->instances, 2);
    assert_string_equal(service->backend, "kvm");
    assert_int_equal(service->require, CSN_PROTECT_LOCKED | CSN_PROTECT_OWN_UID);
    assert_int_equal(service->grants, 0);
    assert_int_equal(service->overlap_s, 7);
    assert_int_equal(service->inflight, 16);
    assert_string_equal(service->evidence.name, "tpm");
    assert_string_equal(service->evidence.pcrs, "0,2");
    assert_string_equal(service->evidence.root, "/etc/gw/r");
    assert_int_equal(config->tenant_count, 2);
    assert_true(config->tenants[0].rate.rate == 0.5);
    assert_int_equal(config->tenants[0].rate.burst, 3);
    assert_int_equal(config->tenants[0].rate.quota, UINT64_C(1) << 53);
    assert_true(config->unlabelled.rate == 10 && config->unlabelled.quota == 5);
    assert_int_equal(config->limits.connections_max, 5);
    assert_int_equal(config->limits.connections_client_max, 4);
    assert_int_equal(config->limits.requests_max, 7);
    assert_int_equal(config->limits.streams_max, 3);
    assert_int_equal(config->limits.resets_max, 2);
    assert_int_equal(config->limits.controls_max, 1);
    assert_int_equal(config->limits.memory_max, 70000);
    assert_int_equal(config->limits.memory_client_max, 65536);
    assert_int_equal(config->limits.output_size_max, 80000);
    assert_int_equal(config->body_size_max, 2048);
    assert_int_equal(config->limits.head_ns, 1000000);
    assert_int_equal(config->limits.body_ns, 2000000);
    assert_int_equal(config->limits.request_ns, 3000000);
    assert_int_equal(config->limits.idle_ns, 4000000);
    assert_int_equal(config->limits.stall_ns, 5000000);
    assert_int_equal(config->drain_ns, 6000000);
    assert_string_equal(config->access_log, "-");
    assert_true(config->log_clients);
    assert_int_equal(config->rotate_s, 86400);
    csn_config_free(config);
}

/* One change of the configuration above, and what is said of it. */
static const struct {
    const char *before;
    const char *after;
    const char *says;
} refusals[] = {
    {"\"rotate_s\"", "\"rotate\"", "rotate: no such key"},
    {"86400", "-1", "rotate_s: wants a whole number from 0 to 31536000"},
    {"86400", "1.5", "rotate_s: wants a whole number"},
    {"86400", "31536001", "rotate_s: wants a whole number"},
    {"86400", "\"1\"", "rotate_s: wants a whole number"},
    {"86400}", "1,\"rotate_s\":1}", "rotate_s: given twice"},
    {"\"port\":443", "\"port\":65536", "listeners[0].port: wants a whole number from 0 to 65535"},
    {"\"port\":443,", "", "listeners[0].port: is missing"},
    {",\"key\":\"k.pem\"", "", "listeners[0]: certificate and key go together"},
    {",\"certificate\":\"c.pem\",\"key\":\"k.pem\"", "",
     "listeners[0]: without certificate and key the address must be of the loopback"},
    {"\"address\":\"::1\"", "\"adress\":\"::1\"", "listeners[1].adress: no such key"},
    {"\"localhost\"", "\"10.0.0.1\"", "admin: without certificate and key"},
    {"{\"address\":\"localhost\",\"port\":9090}", "[]", "admin: wants an object"},
    {"\"name\":\"a\"", "\"name\":\"A\"", "services[0].name: wants 1 to 63 of"},
    {"\"name\":\"a\"", "\"name\":\"\"", "services[0].name: wants a text"},
    {"\"name\":\"a\"", "\"name\":\"..\"", "services[0].name: wants 1 to 63 of"},
    {"\"name\":\"a\"", "\"name\":\"s\"", "services[1]: a second service of that name"},
    {"a.sock", "s.sock", "services[1]: a second service with that control socket"},
    {"\"image\":\"a.elf\",", "\"image\":\"a.elf\",\"rings\":\"r.sock\",",
     "services[0]: rings are of a service with one instance"},
    {"\"image\":\"a.elf\",", "", "services[0].image: is missing"},
    {"\"signature\":\"a.sig\",", "", "services[0].signature: is missing"},
    {"\"control\":\"a.sock\",", "", "services[0].control: is missing"},
    {"\"instances\":2", "\"instances\":0",
     "services[0].instances: wants a whole number from 1 to 4"},
    {"\"instances\":2", "\"instances\":5",
     "services[0].instances: wants a whole number from 1 to 4"},
    {"\"kvm\"", "\"sgx\"", "services[0].backend: wants auto, process or kvm"},
    {"\"own-uid\"", "\"own_uid\"", "services[0].require[1]: wants namespaces, own-uid"},
    {"[\"locked\",\"own-uid\"]", "\"locked\"", "services[0].require: wants a list"},
    {"\"inflight\":16", "\"inflight\":0", "services[0].inflight: wants a whole number"},
    {"\"inflight\":16", "\"store\":{\"folder\":\"d\"}", "services[0]: a store is one instance's"},
    {"\"inflight\":16", "\"store\":{\"tpm\":\"t\"}", "services[0].store.folder: is missing"},
    {"\"inflight\":16", "\"store\":{\"dir\":\"d\"}", "services[0].store.dir: no such key"},
    {"\"inflight\":16", "\"store\":\"d\"", "services[0].store: wants an object"},
    {"\"pcrs\":\"0,2\"", "\"pcrs\":0", "services[0].evidence.pcrs: wants a text"},
    {"\"pcrs\":\"0,2\"", "\"pcr\":\"0\"", "services[0].evidence.pcr: no such key"},
    {"\"rate\":0.5", "\"rate\":-0.5", "tenants[0].rate: wants a number from 0"},
    {"\"rate\":0.5", "\"rate\":true", "tenants[0].rate: wants a number from 0"},
    {"\"burst\":3", "\"burst\":0", "tenants[0].burst: wants a whole number from 1"},
    {"9007199254740992", "9007199254740994", "tenants[0].quota: wants a whole number"},
    {"shop_2.x-y", "bank", "tenants[1]: a second tenant of that label"},
    {"shop_2.x-y", "shop/2", "tenants[1].label: wants 1 to 63 of"},
    {"{\"label\":\"shop_2.x-y\"}", "{}", "tenants[1].label: is missing"},
    {"\"rate\":10,\"quota\":5", "\"rates\":10", "unlabelled.rates: no such key"},
    {"\"connections\":5", "\"connections\":0", "limits.connections: wants a whole number from 1"},
    {"\"memory\":70000", "\"memory\":1", "limits.memory: wants a whole number from 65536"},
    {"\"body_size\":2048", "\"body_size\":100", "limits.body_size: wants a whole number from 1024"},
    {"\"head_ms\":1", "\"head_ms\":0", "deadlines.head_ms: wants a whole number from 1"},
    {"\"clients\":true", "\"clients\":1", "access_log.clients: wants true or false"},
    {"\"path\":\"-\",", "", "access_log.path: is missing"},
    {"[{\"address\":\"0.0.0.0\"", "[1,{\"address\":\"0.0.0.0\"", "listeners[0]: wants an object"},
    {"86400}", "86400}}", "line 1, column "},
    {"\"tenants\":[", "\"tenants\":\n[,", "line 2, column "},
};

static void expect_refusal(const char *text, const char *says)
{
    struct csn_config *config = NULL;
    struct csn_detail detail = {""};
    csn_err err = csn_config_read(text, strlen(text), "/etc/gw", &config, &detail);
    if (err != CSN_ERR_FORMAT || config != NULL || strstr(detail.text, says) != detail.text) {
        fail_msg("%d '%s', not '%s', of %s", err, detail.text, says, text);
    }
}

static void test_refusals(void **state)
{
    char text[sizeof all + 128];
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *at = strstr(all, refusals[i].before);
        assert_non_null(at);
        int size = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - all), all, refusals[i].after,
                            at + strlen(refusals[i].before));
        assert_in_range(size, 1, sizeof text - 1);
        expect_refusal(text, refusals[i].says);
    }
}

static void test_wholes(void **state)
{
    (void)state;
    expect_refusal("", "line 1, column ");
    expect_refusal("[]", "wants an object");
    expect_refusal("{}", "listeners: is missing");
    expect_refusal("{" LISTENERS "}", "services: is missing");
    expect_refusal("{\"listeners\":[]," SERVICES "}", "listeners: wants one or more");
    expect_refusal("{" LISTENERS ",\"services\":[]}", "services: wants one or more");
    expect_refusal("{" LISTENERS ",\"services\":[" SERVICE "],\"x\":1}", "x: no such key");
    struct csn_config *config = NULL;
    struct csn_detail detail = {""};
    static const char zero[] = "{" LISTENERS "," SERVICES "}\0 ";
    assert_int_equal(csn_config_read(zero, sizeof zero, "", &config, &detail), CSN_ERR_FORMAT);
    assert_string_equal(detail.text, "not a text, or above 1 MiB");
}

/* Nine listeners, nine services, and too many instances in all. */
static void test_counts(void **state)
{
    char text[8192] = "{\"listeners\":[{\"port\":1}";
    (void)state;
    for (int i = 0; i < 8; i++) {
        strcat(text, ",{\"port\":1}");
    }
    strcat(text, "]," SERVICES "}");
    expect_refusal(text, "listeners[8]: at most 8 of them");
    strcpy(text, "{" LISTENERS ",\"services\":[");
    for (int i = 0; i < 3; i++) {
        char service[256];
        snprintf(service, sizeof service,
                 "%s{\"name\":\"s%d\",\"image\":\"i\",\"signature\":\"s\",\"control\":\"c%d\","
                 "\"instances\":3}",
                 i != 0 ? "," : "", i, i);
        strcat(text, service);
    }
    strcat(text, "]}");
    expect_refusal(text, "services: 9 instances in all, at most 8 are allowed");
}

static void test_holds(void **state)
{
    (void)state;
    struct csn_config *config = read_good(all);
    csn_config_free(csn_config_hold(config));
    assert_string_equal(config->services[0].name, "a"); /* still there */
    csn_config_free(config);
    csn_config_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_all),
        cmocka_unit_test(test_store),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_wholes),   cmocka_unit_test(test_counts),
        cmocka_unit_test(test_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
