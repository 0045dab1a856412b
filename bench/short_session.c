/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_session.c: what one small echo record in the short form costs the enclave's session, all
 * but the rings: opened, served, sealed, in batches of 32, in this process.
 *
 * usage: short_session [PAYLOAD [BATCHES]]; prints bytes on the wire and the thread's CPU time a
 * record. For instruction counts, which do not depend on the moment:
 *   valgrind --tool=callgrind --toggle-collect=cse_session_batch short_session 64 1000
 */
#include "enclave/fake.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH       32u
#define PAYLOAD_MAX 65536u

static struct fake fake;
static struct fake_tenant tenant;
static uint8_t records[BATCH][FAKE_RECORD_MAX];
static uint8_t payload[PAYLOAD_MAX];
static uint8_t back[FAKE_RECORD_MAX];

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "short_session: %s\n", what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static struct csv_sealer *begin(void)
{
    struct csv_sealer *sealer = NULL;
    struct csn_wire_result result;
    uint32_t size = 0;
    fake_start(&fake, &(struct fake_options){.flags = CSN_WIRE_FLAG_DETERMINISTIC,
                                             .output_scale = 16}); /* as echo */
    fake_tenant_new(&tenant);
    fake_grant(&fake, &tenant, 1);
    const struct csv_sealer_options options = {.recipient = &tenant.recipient,
                                               .credential = &tenant.replier};
    require(csv_sealer_create(&options, &sealer) == CSN_OK &&
                csv_seal_hello(sealer, records[0], FAKE_RECORD_MAX, &size) == CSN_OK,
            "no sealer");
    const struct fake_answer *answer = fake_one(&fake, records[0], size);
    require(answer->code == CSN_WIRE_DONE &&
                csv_reply_open(sealer, answer->body, answer->size, &result, back, &size) == CSN_OK,
            "no handle");
    csv_sealer_short(sealer, result.handle);
    return sealer;
}

int main(int count, char **arguments)
{
    uint32_t size = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 64;
    uint32_t batches = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 20000;
    struct csv_seal_item items[BATCH];
    struct fake_message messages[BATCH];
    struct csn_wire_result result;
    uint32_t got = 0;
    double spent = 0;
    require(size <= PAYLOAD_MAX && batches != 0 && csv_client_init() == CSN_OK, "usage");
    struct csv_sealer *sealer = begin();
    for (uint32_t i = 0; i < BATCH; i++) {
        items[i] = (struct csv_seal_item){.payload = payload,
                                          .payload_size = size,
                                          .operation = FAKE_ECHO,
                                          .record = records[i],
                                          .record_size_max = FAKE_RECORD_MAX};
    }
    for (uint32_t k = 0; k < batches; k++) {
        require(csv_seal_batch(sealer, items, BATCH) == CSN_OK, "a batch is not sealed");
        for (uint32_t i = 0; i < BATCH; i++) {
            messages[i] = (struct fake_message){records[i], items[i].record_size};
        }
        double before = now();
        fake_send(&fake, messages, BATCH);
        spent += now() - before;
        require(fake.answer_count == BATCH && fake.answers[0].code == CSN_WIRE_DONE,
                "a batch is not served");
    }
    require(csv_reply_open(sealer, fake.answers[0].body, fake.answers[0].size, &result, back,
                           &got) == CSN_OK &&
                got == size,
            "an answer does not open");
    printf("payload %u: record %u, answer %u bytes; %.0f ns a record\n", size, items[0].record_size,
           fake.answers[0].size, spent / batches / BATCH * 1e9);
    csv_sealer_destroy(sealer);
    fake_stop(&fake);
    return 0;
}
