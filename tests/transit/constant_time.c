/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant_time.c: run under valgrind: secrets of keys and plain texts are marked undefined, so
 * that memcheck reports every branch and every address that depends on one. The controls are bugs
 * that give right answers.
 *
 * Left out is what is public: verdicts of an open, whether a character is of the alphabet, and
 * where the padding of a base64 text begins. What the primitives do is crypto_constant_time's.
 */
#include "../../enclaves/transit/tra_text.h"
#include "fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>

/* Its steps by themselves: their verdict, which it branches on, is public. */
#include "../../enclaves/transit/tra_fpe.c"

static uint8_t text[300];

static void check_base64(void)
{
    static uint8_t digits[500], back[400];
    uint32_t size = 0;
    for (uint32_t url = 0; url < 2; url++) {
        for (uint32_t count = 1; count < 60; count++) {
            tra_base64_encode(text, count, url != 0, digits);
            const uint32_t written = tra_base64_size(count, url != 0);
            VALGRIND_MAKE_MEM_DEFINED(digits + written - 2, 2);
            bool good = tra_base64_decode(digits, written, url != 0, back, &size);
            VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
            if (!good || size != count) {
                abort();
            }
        }
    }
}

static void check_fpe(void)
{
    static uint8_t characters[64];
    uint16_t numerals[64];
    struct alphabet alphabet;
    memcpy(characters, "4111111111111111zaZ0", 20);
    VALGRIND_MAKE_MEM_UNDEFINED(characters, 20);
    const struct tra_item item = {.input = characters, .input_size = 20};
    const char *all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (!build((const uint8_t *)all, 62, &alphabet)) {
        abort();
    }
    bool good = to_numerals(&alphabet, &item, numerals);
    VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
    if (!good) {
        abort();
    }
    from_numerals(&alphabet, numerals, 20, characters);
}

/* The version's secret is not to be known from here on. */
static void hide(struct cse_call *call, const char *name)
{
    struct tra_grant *grant = call->states[0];
    struct tra_key *key = tra_find(grant->store, name, (uint32_t)strlen(name));
    struct tra_version *version = tra_version(grant->store, key, key->newest);
    VALGRIND_MAKE_MEM_UNDEFINED(version->secret, sizeof version->secret);
}

static void check_operation(struct cse_call *call, const char *type, uint16_t operation)
{
    char request[100];
    struct fake_result results[3];
    const bool derives = operation == CSN_WIRE_TRANSIT_DERIVE;
    const bool verifies = operation == CSN_WIRE_TRANSIT_VERIFY;
    const struct fake_item item = {derives ? NULL : text,   derives ? 0 : 100,
                                   verifies ? text : NULL,  verifies ? 32 : 0,
                                   derives ? "name" : NULL, derives ? 4 : 0};
    const struct fake_item items[] = {item, item, item};
    snprintf(request, sizeof request, "{\"type\":\"%s\",\"deletable\":true%s}", type,
             derives ? ",\"operations\":[\"derive\"]" : "");
    if (fake_json(call, CSN_WIRE_TRANSIT_CREATE, "key", request) != CSN_WIRE_STATUS_OK) {
        abort();
    }
    hide(call, "key");
    struct csn_wire_transit_request head = {.operation = operation, .item_count = 3};
    if (fake_binary(call, &head, "key", items, results) != CSN_WIRE_STATUS_OK ||
        results[2].head.status != CSN_WIRE_STATUS_OK ||
        fake_json(call, CSN_WIRE_TRANSIT_DELETE, "key", "{}") != CSN_WIRE_STATUS_OK) {
        abort();
    }
}

int main(void)
{
    struct cse_call *call = fake_new();
    VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof text);
    check_base64();
    check_fpe();
    check_operation(call, "aes-256", CSN_WIRE_TRANSIT_ENCRYPT);
    check_operation(call, "aes-256", CSN_WIRE_TRANSIT_DERIVE);
    check_operation(call, "hmac", CSN_WIRE_TRANSIT_MAC);
    check_operation(call, "hmac", CSN_WIRE_TRANSIT_VERIFY);
    check_operation(call, "ed25519", CSN_WIRE_TRANSIT_SIGN);
    fake_free(call);
    return 0;
}
