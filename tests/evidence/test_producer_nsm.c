/* SPDX-License-Identifier: Apache-2.0 */
/* test_producer_nsm.c: what the /dev/nsm producer asks, and what it makes of hostile answers. */
#include <caisson/evidence.h>
#include <caisson/verify.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct module {
    uint8_t request[512];
    size_t request_size;
    const uint8_t *answer;
    size_t answer_size;
    size_t said_size; /* what it says the size is; 0: the truth */
    csn_err result;
};

static csn_err exchange(void *context, const uint8_t *request, size_t request_size,
                        uint8_t *response, size_t *response_size)
{
    struct module *module = context;
    assert_true(request_size <= sizeof module->request);
    assert_int_equal(*response_size, 0x3000);
    memcpy(module->request, request, request_size);
    module->request_size = request_size;
    if (module->answer_size <= *response_size) {
        memcpy(response, module->answer, module->answer_size);
    }
    *response_size = module->said_size != 0 ? module->said_size : module->answer_size;
    return module->result;
}

static struct module module;
static const struct csn_evidence_nsm nsm = {.exchange = exchange, .context = &module};
static struct csn_evidence_platform platform;
static uint8_t report_data[64];

static csn_err report(const void *answer, size_t size)
{
    module = (struct module){.answer = answer, .answer_size = size};
    memset(&platform, 0, sizeof platform);
    memset(report_data, 0xa7, sizeof report_data);
    assert_int_equal(csn_evidence_nsm.prepare(&nsm, &platform), CSN_OK);
    return csn_evidence_nsm.sign(&nsm, report_data, &platform);
}

#define DOCUMENT                                                                                   \
    "\xa1\x6b"                                                                                     \
    "Attestation"                                                                                  \
    "\xa1\x68"                                                                                     \
    "document"

static void the_request_is_what_the_module_takes(void **state)
{
    (void)state;
    static const char answer[] = DOCUMENT "\x44"
                                          "abcd";
    /* written out by hand from RFC 8949 */
    static const char before[] = "\xa1\x6b"
                                 "Attestation"
                                 "\xa3\x69"
                                 "user_data"
                                 "\xf6"
                                 "\x65"
                                 "nonce"
                                 "\x58\x40";
    static const char after[] = "\x6a"
                                "public_key"
                                "\xf6";
    assert_int_equal(report(answer, sizeof answer - 1), CSN_OK);
    assert_int_equal(platform.type, CSN_WIRE_EVIDENCE_NITRO);
    assert_int_equal(module.request_size, sizeof before - 1 + 64 + sizeof after - 1);
    assert_memory_equal(module.request, before, sizeof before - 1);
    assert_memory_equal(module.request + sizeof before - 1, report_data, 64);
    assert_memory_equal(module.request + sizeof before - 1 + 64, after, sizeof after - 1);
    assert_int_equal(platform.size, 8 + 4);
    assert_memory_equal(platform.bytes,
                        "\1\0\0\0\4\0\0\0"
                        "abcd",
                        12);
}

static void hostile_answers_are_refused(void **state)
{
    (void)state;
#define ROW(text)                                                                                  \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        ROW(""),
        ROW("\xa1"),
        ROW(DOCUMENT),
        ROW(DOCUMENT "\x44"
                     "abc"), /* cut */
        ROW(DOCUMENT "\x44"
                     "abcde"), /* something follows */
        ROW(DOCUMENT "\x40"),  /* empty */
        ROW(DOCUMENT "\x64"
                     "abcd"), /* text */
        ROW(DOCUMENT "\x58\x04"
                     "abcd"), /* not the shortest form */
        ROW(DOCUMENT "\x5f\x44"
                     "abcd\xff"), /* indefinite length */
        ROW(DOCUMENT "\x5b\xff\xff\xff\xff\xff\xff\xff\xff"
                     "abcd"),
        ROW("\xa2\x6b"
            "Attestation"
            "\xa1\x68"
            "document"
            "\x44"
            "abcd"
            "\x61x\x01"),
        ROW("\xa1\x6b"
            "Attestation"
            "\xa2\x68"
            "document"
            "\x44"
            "abcd"
            "\x61x\x01"),
        ROW("\xa1\x6b"
            "Attestation"
            "\x44"
            "abcd"),
        ROW("\xa1\x6b"
            "attestation"
            "\xa1\x68"
            "document"
            "\x44"
            "abcd"),
        ROW("\xa1\x69"
            "GetRandom"
            "\xa1\x66"
            "random"
            "\x44"
            "abcd"),
        ROW("\x6b"
            "DescribeNSM"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(report(rows[i].bytes, rows[i].size), CSN_ERR_FORMAT);
        assert_int_equal(platform.size, 0);
        assert_non_null(strstr(platform.detail, "answer"));
    }
}

static void every_cut_of_an_answer_is_refused(void **state)
{
    (void)state;
    static const char answer[] = DOCUMENT "\x44"
                                          "abcd";
    for (size_t size = 0; size < sizeof answer - 1; size++) {
        assert_int_equal(report(answer, size), CSN_ERR_FORMAT);
    }
}

static void a_refusal_is_told_in_printable_text(void **state)
{
    (void)state;
    static const char answer[] = "\xa1\x65"
                                 "Error"
                                 "\x71"
                                 "Input\x1b[31mTooBig!";
    static const char odd[] = "\xa1\x65"
                              "Error"
                              "\x01";
    assert_int_equal(report(answer, sizeof answer - 1), CSN_ERR_SYSTEM);
    assert_non_null(strstr(platform.detail, "Input?[31mTooBig"));
    assert_int_equal(report(odd, sizeof odd - 1), CSN_ERR_SYSTEM);
    assert_non_null(strstr(platform.detail, "for no reason given"));
}

static void sizes_of_the_module_are_not_believed(void **state)
{
    (void)state;
    static uint8_t answer[0x3000];
    static const char head[] = DOCUMENT "\x59\x2f\xe2"; /* 12,258 bytes: the largest that fits */
    memcpy(answer, head, sizeof head - 1);
    assert_int_equal(sizeof head - 1 + 0x2fe2, sizeof answer - 4);
    assert_int_equal(report(answer, sizeof answer - 4), CSN_OK);
    assert_int_equal(platform.size, 8 + 0x2fe2);
    answer[sizeof head - 2] = 0xe7; /* as if there were one byte more than the buffer holds */
    module.answer_size = sizeof answer;
    module.said_size = 0x3001;
    assert_int_equal(csn_evidence_nsm.sign(&nsm, report_data, &platform), CSN_ERR_FORMAT);
    module.said_size = 0;
    module.result = CSN_ERR_SYSTEM;
    assert_int_equal(csn_evidence_nsm.sign(&nsm, report_data, &platform), CSN_ERR_SYSTEM);
    assert_int_equal(platform.size, 0);
}

static void without_a_module(void **state)
{
    (void)state;
    static const struct csn_evidence_nsm nowhere = {.path = "/nonexistent/nsm"};
    static const struct csn_evidence_nsm null = {.path = "/dev/null"};
    assert_int_equal(csn_evidence_nsm.prepare(&nowhere, &platform), CSN_ERR_MISSING);
    assert_int_equal(csn_evidence_nsm.sign(&nowhere, report_data, &platform), CSN_ERR_SYSTEM);
    assert_int_equal(csn_evidence_nsm.sign(&null, report_data, &platform), CSN_ERR_SYSTEM);
    assert_non_null(strstr(platform.detail, "ioctl"));
}

static void a_register_is_extended_by_one_write(void **state)
{
    (void)state;
    char path[] = "/tmp/caisson-rtmr-XXXXXX";
    char detail[200];
    uint8_t measurement[48];
    uint8_t got[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "rb");
    memset(measurement, 0x5c, sizeof measurement);
    assert_int_equal(csn_evidence_extend_rtmr(path, measurement, detail), CSN_OK);
    assert_int_equal(fread(got, 1, sizeof got, file), 48);
    assert_memory_equal(got, measurement, 48);
    fclose(file);
    remove(path);
    assert_int_equal(csn_evidence_extend_rtmr(path, measurement, detail), CSN_ERR_MISSING);
    assert_int_equal(csn_evidence_extend_rtmr("/dev/full", measurement, detail), CSN_ERR_SYSTEM);
    assert_non_null(strstr(detail, "/dev/full"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_what_the_module_takes),
        cmocka_unit_test(hostile_answers_are_refused),
        cmocka_unit_test(every_cut_of_an_answer_is_refused),
        cmocka_unit_test(a_refusal_is_told_in_printable_text),
        cmocka_unit_test(sizes_of_the_module_are_not_believed),
        cmocka_unit_test(without_a_module),
        cmocka_unit_test(a_register_is_extended_by_one_write),
    };
    return cmocka_run_group_tests_name("nsm", tests, NULL, NULL);
}
