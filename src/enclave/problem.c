/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem.c: a refusal as an HTTP response with a problem document (RFC 9457).
 *
 * The texts are fixed, so that a refusal says which check it was and nothing of what it looked at.
 */
#include "http.h"

#define TYPE_PREFIX   "urn:caisson:problem:"
#define TEXT_SIZE_MAX 160u /* of a document */

struct row {
    uint16_t status;
    const char *name; /* behind TYPE_PREFIX */
    const char *title;
};

static const struct row rows[CSE_REFUSAL_COUNT] = {
    [CSN_WIRE_STATUS_MALFORMED] = {400, "malformed", "The content does not parse"},
    [CSN_WIRE_STATUS_LIMIT] = {422, "limit", "Too deep, too long or too many"},
    [CSN_WIRE_STATUS_OPERATION] = {413, "too-large", "The content is too large"},
    [CSN_WIRE_STATUS_RIGHTS] = {403, "rights", "The credential lacks the right or purpose"},
    [CSN_WIRE_STATUS_BUDGET] = {429, "budget", "The credential's budget is used up"},
    [CSN_WIRE_STATUS_REPLAY] = {409, "replay", "Seen before, or too old"},
    [CSN_WIRE_STATUS_TOO_LARGE] = {413, "answer-too-large", "The answer needs a longer request"},
    [CSN_WIRE_STATUS_POLICY] = {403, "policy", "The grant's policy does not allow it"},
    [CSN_WIRE_STATUS_NOT_FOUND] = {404, "not-found", "Not a value of this service"},
    [CSN_WIRE_STATUS_INTERNAL] = {500, "internal", "The service failed"},
    [CSN_WIRE_STATUS_BUSY] = {503, "busy", "All places are taken"},
    [CSN_WIRE_STATUS_UNAVAILABLE] = {503, "unavailable", "What the service keeps cannot be had"},
    [CSE_REFUSAL_MESSAGE] = {400, "message", "Not a request in Binary HTTP"},
    [CSE_REFUSAL_TWICE] = {400, "twice", "A header that decides stands there twice"},
    [CSE_REFUSAL_CREDENTIAL] = {401, "credential", "No valid credential"},
    [CSE_REFUSAL_WAY] = {403, "way", "Not granted: requests shown in this way"},
    [CSE_REFUSAL_CONSUMER] = {403, "consumer", "Outputs of this credential go to a consumer"},
    [CSE_REFUSAL_PATH] = {404, "path", "No such path"},
    [CSE_REFUSAL_METHOD] = {405, "method", "Not a method of this path"},
    [CSE_REFUSAL_TYPE] = {415, "type", "Not the type of content of this path"},
    [CSE_REFUSAL_PURPOSE] = {400, "purpose", "caisson-purpose is a number below 64"},
    [CSE_REFUSAL_CHALLENGE] = {428, "challenge", "Needs caisson-challenge, 64 digits"},
    [CSE_REFUSAL_USED] = {412, "challenge-used", "The challenge was used or is not current"},
};

struct text {
    uint8_t bytes[TEXT_SIZE_MAX];
    uint32_t size;
};

/* Every text there is fits; that no longer one comes is for the test to see. */
static void add(struct text *text, const char *string)
{
    for (uint32_t i = 0; string[i] != 0 && text->size < TEXT_SIZE_MAX; i++) {
        text->bytes[text->size++] = (uint8_t)string[i];
    }
}

static void add_number(struct text *text, uint32_t number)
{
    char digits[11] = {0};
    uint32_t at = sizeof digits - 1;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    add(text, digits + at);
}

static void write_document(const struct cse_problem *problem, struct text *text)
{
    const struct row *row = &rows[problem->refusal];
    text->size = 0;
    add(text, "{\"type\":\"" TYPE_PREFIX);
    add(text, row->name);
    add(text, "\",\"title\":\"");
    add(text, row->title);
    add(text, "\",\"status\":");
    add_number(text, row->status);
    if (problem->has_offset) {
        add(text, ",\"offset\":");
        add_number(text, problem->offset);
    }
    add(text, "}");
}

csn_err cse_problem_write(const struct cse_problem *problem, uint8_t *bytes, uint32_t room,
                          uint32_t *size)
{
    struct text document;
    struct csn_bhttp_message response = {
        .is_response = true,
        .status = rows[problem->refusal].status,
        .fields[0] = {csn_bhttp_text("content-type"), csn_bhttp_text("application/problem+json")},
        .header_count = 1,
    };
    write_document(problem, &document);
    response.content = (struct csn_bhttp_text){document.bytes, document.size};
    if (problem->refusal == CSE_REFUSAL_METHOD) {
        response.fields[response.header_count++] =
            (struct csn_bhttp_field){csn_bhttp_text("allow"), problem->allow};
    }
    if (problem->refusal == CSE_REFUSAL_CREDENTIAL) {
        response.fields[response.header_count++] = (struct csn_bhttp_field){
            csn_bhttp_text("www-authenticate"), csn_bhttp_text("Caisson, Bearer")};
    }
    return csn_bhttp_write(&response, bytes, room, size);
}
