/* SPDX-License-Identifier: Apache-2.0 */
/* ccel.c: see ccel.h. */
#include "verify/tcg/ccel.h"
#include "verify/parse/read.h"
#include <openssl/evp.h>

#define EVENT_NO_ACTION  3
#define ALG_SHA384       0x0c
#define ALGORITHM_COUNT  8
#define EVENT_SIZE_LEAST 66 /* bytes: register, type, count, one SHA-384 digest, size */

struct log {
    struct csv_reader reader;
    size_t algorithm_count;
    struct {
        uint16_t id;
        uint16_t size;
    } algorithms[ALGORITHM_COUNT];
    uint8_t rtmrs[CSV_RTMR_COUNT][CSV_RTMR_SIZE];
    size_t event_count;
    size_t used;
    size_t text_count;
    const char **texts;
};

/* The first event, in the old format: names the algorithms, and their sizes, of all others. */
static const char *read_header(struct log *log)
{
    static const char signature[16] = "Spec ID Event03";
    struct csv_reader *reader = &log->reader;
    uint64_t index = csv_read_le(reader, 4);
    uint64_t type = csv_read_le(reader, 4);
    csv_read_bytes(reader, 20);
    struct csv_reader inside = csv_read(csv_read_run(reader, (size_t)csv_read_le(reader, 4)));
    const uint8_t *got = csv_read_bytes(&inside, sizeof signature);
    csv_read_bytes(&inside, 8); /* platform class, versions, size of an integer */
    uint64_t count = csv_read_le(&inside, 4);
    if (reader->failed || inside.failed || type != EVENT_NO_ACTION || index > CSV_RTMR_COUNT ||
        memcmp(got, signature, sizeof signature) != 0 || count == 0 || count > ALGORITHM_COUNT) {
        return "does not begin with a Spec ID event";
    }
    bool sha384 = false;
    for (size_t i = 0; i < count; i++) {
        log->algorithms[i].id = (uint16_t)csv_read_le(&inside, 2);
        log->algorithms[i].size = (uint16_t)csv_read_le(&inside, 2);
        sha384 = sha384 ||
                 (log->algorithms[i].id == ALG_SHA384 && log->algorithms[i].size == CSV_RTMR_SIZE);
    }
    log->algorithm_count = (size_t)count;
    csv_read_bytes(&inside, (size_t)csv_read_le(&inside, 1));
    return inside.failed || inside.left != 0 || !sha384 ? "a Spec ID event without SHA-384" : NULL;
}

/* The SHA-384 digest among an event's; NULL: malformed, or none, or two. */
static const uint8_t *read_digests(struct log *log)
{
    struct csv_reader *reader = &log->reader;
    uint64_t count = csv_read_le(reader, 4);
    const uint8_t *found = NULL;
    bool good = count <= log->algorithm_count;
    for (size_t i = 0; good && i < count; i++) {
        uint64_t id = csv_read_le(reader, 2);
        size_t k = 0;
        while (k < log->algorithm_count && log->algorithms[k].id != id) {
            k++;
        }
        good = k < log->algorithm_count;
        const uint8_t *digest = good ? csv_read_bytes(reader, log->algorithms[k].size) : NULL;
        good = digest != NULL && !(id == ALG_SHA384 && found != NULL);
        found = id == ALG_SHA384 ? digest : found;
    }
    return good ? found : NULL;
}

static bool extend(uint8_t rtmr[CSV_RTMR_SIZE], const uint8_t digest[CSV_RTMR_SIZE])
{
    uint8_t text[2 * CSV_RTMR_SIZE];
    memcpy(text, rtmr, CSV_RTMR_SIZE);
    memcpy(text + CSV_RTMR_SIZE, digest, CSV_RTMR_SIZE);
    return EVP_Digest(text, sizeof text, rtmr, NULL, EVP_sha384(), NULL) == 1;
}

/* Behind the last event there is a register of all ones, or zeros to the end. */
static bool is_end(const struct csv_reader *reader)
{
    size_t ones = 0;
    while (ones < reader->left && reader->at[ones] == 0xff) {
        ones++;
    }
    return ones == reader->left || (reader->left < 64 && csv_is_zero(reader->at, reader->left)) ||
           (reader->left >= 64 && csv_is_zero(reader->at, 64) &&
            csv_is_zero(reader->at, reader->left));
}

static const char *read_event(struct csv_case *appraisal, struct log *log)
{
    struct csv_reader *reader = &log->reader;
    uint64_t index = csv_read_le(reader, 4);
    uint64_t type = csv_read_le(reader, 4);
    const uint8_t *digest = read_digests(log);
    csv_read_bytes(reader, (size_t)csv_read_le(reader, 4));
    if (reader->failed || digest == NULL || index > CSV_RTMR_COUNT) {
        return "an event that does not parse";
    }
    log->event_count++;
    if (type == EVENT_NO_ACTION || index == 0) {
        return NULL; /* index 0 is MRTD, which nothing extends */
    }
    log->texts[log->text_count++] =
        csv_text(appraisal->arena, "rtmr%u:%08x:%s", (unsigned)index - 1, (unsigned)type,
                 csv_text_hex(appraisal->arena, digest, CSV_RTMR_SIZE));
    return extend(log->rtmrs[index - 1], digest) ? NULL : "libcrypto failed";
}

static const char *read_log(struct csv_case *appraisal, struct log *log, struct csv_bytes bytes)
{
    log->reader = csv_read(bytes);
    log->texts = csv_take(appraisal->arena, bytes.size / EVENT_SIZE_LEAST + 1, sizeof *log->texts);
    if (log->texts == NULL) {
        return "too large";
    }
    const char *fault = read_header(log);
    while (fault == NULL && log->reader.left != 0 && !is_end(&log->reader)) {
        fault = read_event(appraisal, log);
    }
    log->used = bytes.size - log->reader.left;
    return fault;
}

bool csv_ccel_check(struct csv_case *appraisal, struct csv_bytes bytes, const uint8_t *rtmrs)
{
    struct log log = {.event_count = 0};
    const char *fault = read_log(appraisal, &log, bytes);
    if (!csv_note_if(appraisal, "event-log.structure", fault == NULL,
                     "a TCG event log with SHA-384 digests",
                     fault == NULL ? "well formed" : fault)) {
        return false;
    }
    const char *got = "so they do";
    for (unsigned i = 0; i < CSV_RTMR_COUNT; i++) {
        if (memcmp(log.rtmrs[i], rtmrs + (size_t)i * CSV_RTMR_SIZE, CSV_RTMR_SIZE) != 0) {
            got = csv_text(appraisal->arena, "RTMR%u would be %s", i,
                           csv_text_hex(appraisal->arena, log.rtmrs[i], CSV_RTMR_SIZE));
            break;
        }
    }
    csv_claim_number(appraisal, "events", log.event_count);
    csv_claim_number(appraisal, "used", log.used);
    csv_claim_list(appraisal, "event_digests", log.texts, log.text_count);
    return csv_note_if(appraisal, "event-log.replay", strcmp(got, "so they do") == 0,
                       "the events extend RTMR0 to RTMR3 to the signed values", got);
}
