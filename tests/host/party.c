/* SPDX-License-Identifier: Apache-2.0 */
/* party.c: see party.h. */
#include "party.h"
#include "crypto/curve.h"
#include "named.h"
#include <caisson/evidence.h>
#include <caisson/wire/message.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PAYLOAD_MIN 100u
#define PAYLOAD_MAX 600u

void site_start(struct site *site)
{
    struct csn_detail detail = {""};
    struct csn_image parsed;
    uint8_t seed[32];
    memset(site, 0, sizeof *site);
    if (csn_enclave_create(&named_options, &site->enclave, &detail) != CSN_OK) {
        fail_msg("create: %s", detail.text);
    }
    assert_int_equal(csn_image_measure_file(named_options.image, named_options.image_size, &parsed,
                                            site->measurement, NULL),
                     CSN_OK);
    assert_int_equal(getrandom(seed, sizeof seed, 0), sizeof seed);
    csn_signature_make(&site->signature, &parsed, site->measurement, seed);
    assert_int_equal(getrandom(site->root_seed, 32, 0), 32);
    csn_ed25519_public(site->root_key, site->root_seed);
    site->target = malloc(csn_enclave_manifest(site->enclave)->output_size_max);
    assert_non_null(site->target);
}

void site_stop(struct site *site)
{
    csn_enclave_destroy(site->enclave);
    free(site->target);
    memset(site, 0, sizeof *site);
}

/* This image, by this signer, on this development machine. */
static struct csv_policy *site_policy(const struct site *site)
{
    struct csv_policy *policy = NULL;
    assert_int_equal(csv_policy_create(&policy), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "formats", "caisson"), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "caisson.platforms", "software"), CSN_OK);
    assert_int_equal(csv_policy_allow(policy, "caisson.insecure_dev", "true"), CSN_OK);
    assert_int_equal(csv_policy_allow_bytes(policy, "caisson.software_roots", site->root_key, 32),
                     CSN_OK);
    assert_int_equal(
        csv_policy_allow_bytes(policy, "caisson.signers", site->signature.signer_key, 32), CSN_OK);
    assert_int_equal(csv_policy_allow_bytes(policy, "caisson.measurements", site->measurement, 48),
                     CSN_OK);
    return policy;
}

struct csv_verdict *site_verdict(struct site *site)
{
    static struct csn_wire_boot_made made;
    static struct csn_evidence_batch batch;
    static uint8_t bundle[65536];
    struct csn_enclave_report report;
    struct csv_verdict *verdict = NULL;
    uint8_t nonce[1][32];
    size_t size = 0;
    assert_int_equal(getrandom(nonce, sizeof nonce, 0), sizeof nonce);
    assert_int_equal(csn_enclave_made(site->enclave, &made), CSN_OK);
    csn_enclave_report(site->enclave, &report);
    const struct csn_evidence_subject subject = {.manifest = csn_enclave_manifest(site->enclave),
                                                 .report = &report,
                                                 .made = &made,
                                                 .signer_key = site->signature.signer_key,
                                                 .signer_signature = site->signature.signature};
    assert_int_equal(csn_evidence_report(&batch, &csn_evidence_software, site->root_seed, &subject,
                                         (const uint8_t(*)[32])nonce, 1),
                     CSN_OK);
    assert_int_equal(csn_evidence_bundle(&batch, 0, bundle, sizeof bundle, &size), CSN_OK);
    struct csv_policy *policy = site_policy(site);
    csn_err result = csv_appraise_bundle(policy, bundle, size, nonce[0], &verdict);
    csv_policy_free(policy);
    if (result != CSN_OK) {
        static char text[8192];
        csv_verdict_text(verdict, false, text, sizeof text);
        fail_msg("%s", text);
    }
    return verdict;
}

csn_err site_receive(struct site *site, struct answer *answer)
{
    struct csn_output output;
    csn_err result = csn_enclave_receive(site->enclave, 0, site->target, &output);
    while (result == CSN_AGAIN) {
        result = csn_enclave_wait(site->enclave, 0, PARTY_WAIT_NS);
        assert_int_not_equal(result, CSN_AGAIN); /* lost */
        csn_err received = csn_enclave_receive(site->enclave, 0, site->target, &output);
        result = received == CSN_OK || result == CSN_OK ? received : result;
    }
    if (result == CSN_OK) {
        struct csn_wire_answer head;
        uint32_t begin;
        assert_true(output.final);
        assert_true(csn_wire_answer_read(site->target, output.size, &head, &begin));
        *answer = (struct answer){output.tag, head.code, head.size, site->target + begin};
    }
    return result;
}

csn_err site_submit(struct site *site, uint64_t tag, const void *bytes, uint32_t size)
{
    csn_err result = csn_enclave_submit(site->enclave, 0, tag, bytes, size);
    return result == CSN_OK ? csn_enclave_flush(site->enclave, 0) : result;
}

struct answer site_ask(struct site *site, const void *bytes, uint32_t size)
{
    static uint64_t tag = UINT64_C(1) << 60;
    struct answer answer = {0};
    assert_int_equal(site_submit(site, ++tag, bytes, size), CSN_OK);
    assert_int_equal(site_receive(site, &answer), CSN_OK);
    assert_int_equal(answer.tag, tag);
    return answer;
}

void party_new(struct party *party)
{
    const struct csv_rights rights = {
        .rights = CSN_WIRE_RIGHT_SUBMIT, .consumer = 0, .purpose_mask = 1};
    memset(party, 0, sizeof *party);
    party->operation = 1;
    assert_int_equal(csv_tenant_new(&party->tenant), CSN_OK);
    assert_int_equal(csv_tenant_add_consumer(&party->tenant, "sink", false, &party->consumer),
                     CSN_OK);
    assert_int_equal(csv_tenant_add_producer(&party->tenant, &rights, &party->producer), CSN_OK);
    const struct csv_opener_options options = {.consumer = &party->consumer};
    assert_int_equal(csv_opener_create(&options, &party->opener), CSN_OK);
}

void party_free(struct party *party)
{
    csv_sealer_destroy(party->sealer);
    csv_opener_destroy(party->opener);
    csv_recipient_destroy(party->recipient);
    memset(party, 0, sizeof *party);
}

/* What the tenant tells its producers, once it has verified and granted. */
static void take_statement(struct party *party, const struct csv_recipient *instance,
                           uint64_t version)
{
    struct csv_statement statement;
    assert_int_equal(csv_statement_build(&party->tenant, instance, version, &statement), CSN_OK);
    csv_recipient_destroy(party->recipient);
    assert_int_equal(
        csv_statement_open(&statement, sizeof statement, party->tenant.id, &party->recipient),
        CSN_OK);
}

void party_grant_build(struct party *party, struct site *site, uint64_t version)
{
    struct csv_verdict *verdict = site_verdict(site);
    const struct csv_recipient *instance = csv_verdict_instance(verdict);
    assert_non_null(instance);
    const struct csv_grant_options options = {.tenant = &party->tenant,
                                              .instance = instance,
                                              .version = version,
                                              .security_version_min = 1,
                                              .policy = party->policy,
                                              .policy_size = party->policy_size};
    assert_int_equal(csv_grant_build(&options, party->message, sizeof party->message,
                                     &party->message_size, &party->grant),
                     CSN_OK);
    take_statement(party, instance, version);
    csv_verdict_free(verdict);
}

void party_grant(struct party *party, struct site *site, uint64_t version)
{
    struct csn_wire_result result;
    struct csn_wire_receipt receipt;
    party_grant_build(party, site, version);
    struct answer answer = site_ask(site, party->message, party->message_size);
    assert_int_equal(answer.code, CSN_WIRE_GRANTED);
    assert_int_equal(csv_receipt_open(&party->grant, answer.body, answer.size, &result, &receipt),
                     CSN_OK);
    assert_int_equal(result.status, CSN_WIRE_STATUS_OK);
    if (party->sealer == NULL) {
        const struct csv_sealer_options options = {.recipient = party->recipient,
                                                   .credential = &party->producer};
        assert_int_equal(csv_sealer_create(&options, &party->sealer), CSN_OK);
    }
}

static uint32_t fill_payload(uint32_t salt, uint64_t sequence, uint8_t payload[PAYLOAD_MAX])
{
    uint64_t x = sequence * UINT64_C(0x9e3779b97f4a7c15) + salt;
    uint32_t size = PAYLOAD_MIN + (uint32_t)(sequence * 37 % (PAYLOAD_MAX - PAYLOAD_MIN));
    for (uint32_t i = 0; i < size; i++) {
        x = x * UINT64_C(6364136223846793005) + 1;
        payload[i] = (uint8_t)(x >> 56);
    }
    return size;
}

uint32_t party_seal(struct party *party, uint32_t salt, uint8_t *record, uint32_t record_size_max)
{
    uint8_t payload[PAYLOAD_MAX];
    uint64_t sequence = csv_sealer_count(party->sealer);
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = fill_payload(salt, sequence, payload),
                                 .operation = party->operation,
                                 .record = record,
                                 .record_size_max = record_size_max};
    assert_int_equal(csv_seal_batch(party->sealer, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    assert_int_equal(item.sequence, sequence);
    return item.record_size;
}

csn_err party_open(struct party *party, uint32_t salt, const struct answer *answer,
                   struct csn_wire_result *header)
{
    static uint8_t payload[8192];
    uint8_t wanted[PAYLOAD_MAX];
    assert_true(csv_plain_size(answer->size) <= sizeof payload);
    struct csv_open_item item = {.record = answer->body, .size = answer->size, .payload = payload};
    assert_int_equal(csv_open_batch(party->opener, &item, 1), CSN_OK);
    *header = item.header;
    if (item.result == CSN_OK && item.header.flags == 0) {
        assert_int_equal(item.header.status, CSN_WIRE_STATUS_OK);
        uint32_t size = fill_payload(salt, item.header.sequence, wanted);
        assert_int_equal(item.payload_size, size);
        assert_memory_equal(payload, wanted, size);
    }
    return item.result;
}
