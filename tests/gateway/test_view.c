/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_view.c: the writer's contract, which is snprintf()'s, at every size of room: what fits is
 * the beginning of the whole, ends in a NUL, touches nothing behind, and the size is the whole's.
 */
#include "view_picture.h"
#include <gateway/view_text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h wants the headers above first */
#include <cmocka.h>

#define BEHIND 0x5a

typedef size_t (*write_all)(char *bytes, size_t room);

/* Heap of exactly room bytes and one mark: sanitizers see what goes beyond. */
static void check_room(write_all write, const char *whole, size_t size, size_t room)
{
    char *bytes = malloc(room + 1);
    memset(bytes, BEHIND, room + 1);
    if (write(bytes, room) != size) {
        fail_msg("another size at room %zu", room);
    }
    assert_int_equal(bytes[room], BEHIND);
    if (room > 0) {
        size_t kept = size < room ? size : room - 1;
        assert_int_equal(bytes[kept], 0);
        assert_memory_equal(bytes, whole, kept);
    }
    free(bytes);
}

static size_t check_every_room(write_all write)
{
    size_t size = write(NULL, 0);
    char *whole = malloc(size + 1);
    assert_int_equal(write(whole, size + 1), size);
    assert_int_equal(strlen(whole), size);
    for (size_t room = 0; room <= size + 2; room++) {
        check_room(write, whole, size, room);
    }
    free(whole);
    return size;
}

static size_t write_each(char *bytes, size_t room)
{
    struct csn_view_text text = {.bytes = bytes, .room = room};
    csn_view_put(&text, "text");
    csn_view_put(&text, NULL);
    csn_view_putf(&text, "%s %d", "of a format", 12345);
    csn_view_put_hex(&text, (const uint8_t *)"\x01\xfe", 2);
    csn_view_put_grouped(&text, 1234567);
    csn_view_put_html(&text, "<&>\"'\xff\n");
    csn_view_put_json(&text, "\"\\\n\xff");
    csn_view_put_label(&text, "\"\\\n\r\xff");
    return csn_view_end(&text);
}

static struct csn_view view;

static size_t write_metrics(char *bytes, size_t room)
{
    return csn_view_metrics(&view, bytes, room);
}

static size_t write_page(char *bytes, size_t room)
{
    return csn_view_page(&view, bytes, room);
}

static size_t write_json(char *bytes, size_t room)
{
    return csn_view_json(&view, bytes, room);
}

static void test_each_writer(void **state)
{
    (void)state;
    assert_true(check_every_room(write_each) > 80);
}

static void test_every_room(void **state)
{
    (void)state;
    assert_true(view_picture("small", &view));
    assert_true(check_every_room(write_metrics) > 5000);
    assert_true(check_every_room(write_json) > 2000);
    assert_true(check_every_room(write_page) > 8000);
}

static void expect(void (*put)(struct csn_view_text *, const char *), const char *string,
                   const char *wanted)
{
    char bytes[256];
    struct csn_view_text text = {.bytes = bytes, .room = sizeof bytes};
    put(&text, string);
    assert_int_equal(csn_view_end(&text), strlen(wanted));
    assert_string_equal(bytes, wanted);
}

#define MARK "\xef\xbf\xbd" /* U+FFFD */

static void test_escapes(void **state)
{
    (void)state;
    expect(csn_view_put_html, "a<b>&\"'c", "a&lt;b&gt;&amp;&quot;&#39;c");
    expect(csn_view_put_html, "\n\t\x7f\xc2\x85", MARK MARK MARK MARK);
    expect(csn_view_put_json, "a\"\\/\n\x1f\x7f<", "\"a\\\"\\\\/\\u000a\\u001f\\u007f<\"");
    expect(csn_view_put_label, "a\"\\\n\r'<", "a\\\"\\\\\\n" MARK "'<");
    expect(csn_view_put_html, NULL, "");
    expect(csn_view_put_json, NULL, "\"\"");
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"\xc2\xa0",         "\xdf\xbf",        "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",     "\xee\x80\x80",    MARK,
                                       "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        expect(csn_view_put_html, good[i], good[i]);
        expect(csn_view_put_label, good[i], good[i]);
    }
    /* each byte that begins nothing is one mark */
    static const struct {
        const char *string;
        const char *wanted;
    } bad[] = {
        {"\x80"
         "a",
         MARK "a"},                       /* continues nothing */
        {"\xc3", MARK},                   /* cut off by the end */
        {"\xc3(", MARK "("},              /* or by another character */
        {"\xe2\x82", MARK MARK},          /* within three */
        {"\xc0\xaf", MARK MARK},          /* too long for what it says */
        {"\xe0\x9f\xbf", MARK MARK MARK}, /* too */
        {"\xf0\x8f\xbf\xbf", MARK MARK MARK MARK},
        {"\xed\xa0\x80", MARK MARK MARK},          /* a surrogate */
        {"\xf4\x90\x80\x80", MARK MARK MARK MARK}, /* beyond the last */
        {"\xf8\x88\x80\x80\x80", MARK MARK MARK MARK MARK},
        {"\xff\xfe", MARK MARK},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        expect(csn_view_put_html, bad[i].string, bad[i].wanted);
        expect(csn_view_put_label, bad[i].string, bad[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_each_writer),
        cmocka_unit_test(test_every_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
