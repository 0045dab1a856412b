/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_records.c: the plaintext records of a job, generated or read, in one block of memory.
 *
 * Trust: called in the tenant only, after the fork: this is what the host must never see.
 */
#include "demo.h"
#include "reference/generator.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define REAL_FILE_SIZE_MAX ((size_t)256 << 20)

static bool make_generated(const struct demo_job *job, struct demo_records *records)
{
    static struct csr_record record;
    records->text = malloc(job->record_count * CSR_RECORD_SIZE_MAX);
    if (records->text == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < job->record_count; i++) {
        csr_generate(job->seed, i, &record);
        memcpy(records->text + records->offset[i], record.text, record.size);
        records->offset[i + 1] = records->offset[i] + record.size;
    }
    records->count = job->record_count;
    return true;
}

static bool make_real(const struct demo_job *job, struct demo_records *records)
{
    size_t size = 0;
    records->text = cli_read_file(job->path, REAL_FILE_SIZE_MAX, &size);
    if (records->text == NULL) {
        return false;
    }
    size_t kept = 0;
    for (size_t at = 0; at < size && records->count < job->record_count;) {
        uint8_t *end = memchr(records->text + at, '\n', size - at);
        size_t line = end ? (size_t)(end - records->text) - at : size - at;
        if (line != 0 && line <= 65536) {
            memmove(records->text + kept, records->text + at, line);
            kept += line;
            records->offset[++records->count] = kept;
        }
        at += line + 1;
    }
    return true;
}

/* A JSON array of objects: each becomes {"text": its member}. */
static bool make_sentences(const struct demo_job *job, struct demo_records *records)
{
    size_t size = 0;
    uint8_t *file = cli_read_file(job->path, REAL_FILE_SIZE_MAX, &size);
    cJSON *root = file == NULL ? NULL : cJSON_ParseWithLength((const char *)file, size);
    size_t capacity = size + (size_t)16 * job->record_count;
    records->text = malloc(capacity);
    size_t used = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, root)
    {
        const cJSON *text = cJSON_GetObjectItem(item, job->member);
        cJSON *record = cJSON_CreateObject();
        if (records->text != NULL && cJSON_IsString(text) && record != NULL &&
            records->count < job->record_count) {
            cJSON_AddStringToObject(record, "text", text->valuestring);
            char *line = cJSON_PrintUnformatted(record);
            size_t length = line == NULL ? 0 : strlen(line);
            if (length != 0 && length <= capacity - used) {
                memcpy(records->text + used, line, length);
                used += length;
                records->offset[++records->count] = used;
            }
            cJSON_free(line);
        }
        cJSON_Delete(record);
    }
    cJSON_Delete(root);
    free(file);
    return records->text != NULL && records->count != 0;
}

static bool make_any(const struct demo_job *job, struct demo_records *records)
{
    if (job->member != NULL) {
        return make_sentences(job, records);
    }
    return job->path != NULL ? make_real(job, records) : make_generated(job, records);
}

bool demo_records_make(const struct demo_job *job, struct demo_records *records)
{
    *records = (struct demo_records){0};
    records->offset = calloc(job->record_count + 1, sizeof *records->offset);
    bool good = records->offset != NULL && make_any(job, records);
    for (uint64_t i = 0; good && i < records->count; i++) {
        uint32_t size = (uint32_t)(records->offset[i + 1] - records->offset[i]);
        records->size_max = size > records->size_max ? size : records->size_max;
    }
    return good;
}
