/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_attack.c: what a hostile host, tenant or producer tries (rows B and D of the catalogue).
 *
 * Each attack is a function that returns true if it got through. Built twice: against the real
 * session, where none may, and against session_mutant, where each must get through once the one
 * check that stops it is removed (the negative control). csn_mutant selects that check.
 */
#include "../../src/crypto/curve.h"
#include "../../src/enclave/state.h"
#include "solo.h"
#include "twokey.h"
#include <stdlib.h>

#define TENANTS   16
#define CONTEXTS  64      /* of the fake's manifest */
#define FLOOD     1000000 /* made-up encapsulations, most of them beyond the budget */
#define FLOOD_FEW 200

static struct fake_tenant tenants[TENANTS];
static uint32_t record_size;
static uint32_t exchanges = 20000; /* made-up encapsulations that each cost a key exchange */

static void begin(uint32_t tenant_count, uint32_t flags)
{
    fake_start(&fake, &(struct fake_options){.flags = flags, .tenant_count_max = TENANTS});
    for (uint32_t i = 0; i < tenant_count; i++) {
        fake_tenant_new(&tenants[i]);
        fake_grant(&fake, &tenants[i], 1);
    }
}

static void seal(struct csv_sealer *sealer, uint16_t operation, uint32_t purpose)
{
    static const uint8_t payload[400] = {'s', 'e', 'c', 'r', 'e', 't'};
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = sizeof payload,
                                 .operation = operation,
                                 .purpose = purpose,
                                 .record = record,
                                 .record_size_max = sizeof record};
    assert_int_equal(csv_seal_batch(sealer, &item, 1), CSN_OK);
    assert_int_equal(item.result, CSN_OK);
    record_size = item.record_size;
}

/* Sends the record; true if it was served (its reply opens with status OK). */
static uint32_t send_record(void)
{
    return fake_one(&fake, record, record_size)->code;
}

static enum csn_wire_status status_of(struct csv_sealer *sealer)
{
    struct csn_wire_result result = {.status = 0xffff};
    uint8_t payload[4096];
    uint32_t size;
    const struct fake_answer *answer = fake_one(&fake, record, record_size);
    if (answer->code != CSN_WIRE_DONE) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    if (csv_reply_open(sealer, answer->body, answer->size, &result, payload, &size) != CSN_OK) {
        return CSN_WIRE_STATUS_INTERNAL;
    }
    return (enum csn_wire_status)result.status;
}

static struct csn_wire_record *header(void)
{
    return (struct csn_wire_record *)(void *)record;
}

/* ---- grants ---- */

/* A grant in a's name, altered by `change`, signed by `seed`. */
static bool granted(const struct fake_tenant *a, const uint8_t seed[32],
                    const struct csn_wire_delegation *delegation, uint64_t version,
                    const struct csv_recipient *instance)
{
    static uint8_t message[65536];
    uint32_t size;
    struct csv_grant grant;
    struct csv_tenant forged = a->tenant;
    const struct csv_grant_options options = {.tenant = &forged,
                                              .instance = instance,
                                              .version = version,
                                              .security_version_min = 1,
                                              .policy = "P",
                                              .policy_size = 1,
                                              .delegate_seed = delegation != NULL ? seed : NULL,
                                              .delegation = delegation};
    if (delegation == NULL) {
        memcpy(forged.root_seed, seed, 32);
    }
    assert_int_equal(csv_grant_build(&options, message, sizeof message, &size, &grant), CSN_OK);
    return fake_one(&fake, message, size)->code == CSN_WIRE_GRANTED;
}

/* The root key of a, the signature and signer key of b. */
static bool grant_signed_by(const struct fake_tenant *a, const struct fake_tenant *b)
{
    static uint8_t message[65536];
    uint32_t size;
    struct csv_grant grant;
    struct csv_recipient instance = fake_recipient(&fake);
    struct csn_wire_delegation none = {.reserved = 0};
    const struct csv_grant_options options = {.tenant = &a->tenant,
                                              .instance = &instance,
                                              .version = 9,
                                              .policy = "P",
                                              .policy_size = 1,
                                              .delegate_seed = b->tenant.root_seed,
                                              .delegation = &none};
    assert_int_equal(csv_grant_build(&options, message, sizeof message, &size, &grant), CSN_OK);
    return fake_one(&fake, message, size)->code == CSN_WIRE_GRANTED;
}

static bool attack_grant_other_signer(void)
{
    return grant_signed_by(&tenants[0], &tenants[1]);
}

static bool attack_grant_bad_signature(void)
{
    struct csv_recipient instance = fake_recipient(&fake);
    return granted(&tenants[0], tenants[1].tenant.root_seed, NULL, 9, &instance);
}

static bool attack_grant_self_delegation(void)
{
    struct csn_wire_delegation delegation;
    struct csv_recipient instance = fake_recipient(&fake);
    /* b says that b may sign for a. */
    assert_int_equal(
        csv_delegate(&tenants[1].tenant, tenants[1].tenant.root_key, 100, 1, &delegation), CSN_OK);
    return granted(&tenants[0], tenants[1].tenant.root_seed, &delegation, 9, &instance);
}

static bool attack_grant_beyond_delegation(void)
{
    struct csn_wire_delegation delegation;
    struct csv_recipient instance = fake_recipient(&fake);
    assert_int_equal(
        csv_delegate(&tenants[0].tenant, tenants[1].tenant.root_key, 5, 1, &delegation), CSN_OK);
    return granted(&tenants[0], tenants[1].tenant.root_seed, &delegation, 6, &instance);
}

static bool attack_grant_old_version(void)
{
    struct csv_recipient instance = fake_recipient(&fake);
    fake_grant(&fake, &tenants[0], 2);
    return granted(&tenants[0], tenants[0].tenant.root_seed, NULL, 1, &instance) ||
           granted(&tenants[0], tenants[0].tenant.root_seed, NULL, 2, &instance);
}

/* A grant of the boot before: same instance key (a host cannot do better), another boot id. */
static bool attack_grant_after_restart(void)
{
    struct csv_recipient instance = fake_recipient(&fake);
    instance.boot_id[3] ^= 1;
    return granted(&tenants[0], tenants[0].tenant.root_seed, NULL, 9, &instance);
}

static bool attack_grant_other_image(void)
{
    struct csv_recipient instance = fake_recipient(&fake);
    instance.measurement[47] ^= 1;
    return granted(&tenants[0], tenants[0].tenant.root_seed, NULL, 9, &instance);
}

static bool attack_second_tenant(void)
{
    fake_stop(&fake);
    begin(1, CSN_WIRE_FLAG_SINGLE_TENANT);
    struct csv_recipient instance = fake_recipient(&fake);
    fake_tenant_new(&tenants[1]);
    return granted(&tenants[1], tenants[1].tenant.root_seed, NULL, 1, &instance);
}

/* ---- records ---- */

/* Key and nonce of a record with these header fields, under one of two secrets. */
static struct twokey_side derive(const struct csn_wire_record *head, const uint8_t secret[32],
                                 const uint8_t ephemeral[32], uint8_t commitment[32],
                                 uint8_t encapsulation[32])
{
    struct csn_binding binding = {
        .direction = head->direction, .mode = head->mode, .credential = head->credential};
    struct csn_record_secrets secrets;
    struct twokey_side side;
    uint8_t material[44];
    memcpy(binding.tenant, head->tenant, 32);
    memcpy(binding.key_id, head->key_id, 8);
    assert_int_equal(csn_record_sender(&binding, secret, tenants[0].recipient.public_key, ephemeral,
                                       encapsulation, &secrets),
                     CSN_OK);
    assert_int_equal(csn_hkdf(head->salt, 16, secrets.base, 32, "caisson-salt-v1", 15, material,
                              sizeof material),
                     CSN_OK);
    memcpy(commitment, secrets.commitment, 32);
    memcpy(side.key, material, 32);
    csn_aead_nonce(material + 32, head->sequence, side.nonce);
    return side;
}

/*
 * B7: one record, byte for byte, that is authentic under the credential's secret of grant 1 and
 * under its secret of grant 2. It may count under the one that it commits to, not under both.
 */
static bool attack_two_keys(void)
{
    uint8_t secrets[2][32];
    uint8_t ephemeral[32] = {1, 2, 3};
    uint8_t other[32];
    struct twokey_side sides[2];
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0); /* for its header fields */
    csv_sealer_destroy(sealer);
    memcpy(secrets[0], tenants[0].tenant.credentials[1].secret, 32);
    memcpy(secrets[1], secrets[0], 32);
    secrets[1][0] ^= 1;
    sides[1] = derive(header(), secrets[1], ephemeral, other, header()->encapsulation);
    sides[0] =
        derive(header(), secrets[0], ephemeral, header()->commitment, header()->encapsulation);
    uint32_t head = sizeof(struct csn_wire_record);
    uint32_t size = header()->cipher_size;
    twokey_solve(sides, record, head, record + head, size, record + head + size);

    assert_int_equal(send_record(), CSN_WIRE_DONE); /* authentic under grant 1 */
    memcpy(tenants[0].tenant.credentials[1].secret, secrets[1], 32);
    fake_grant(&fake, &tenants[0], 2);
    return send_record() == CSN_WIRE_DONE;
}

/* A producer that hides bytes in the padding. */
static bool attack_padding(void)
{
    uint8_t ephemeral[32] = {4, 5, 6};
    struct csn_gcm_key key;
    struct csn_wire_result result;
    uint8_t plain[4096];
    uint32_t size;
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0); /* for its header fields */
    csv_sealer_destroy(sealer);
    struct twokey_side side = derive(header(), tenants[0].replier.secret, ephemeral,
                                     header()->commitment, header()->encapsulation);
    uint32_t head = sizeof(struct csn_wire_record);
    memset(record + head, 0, header()->cipher_size);
    const struct csn_wire_prelude prelude = {.version = 1, .operation = FAKE_ECHO};
    memcpy(record + head, &prelude, sizeof prelude);
    record[head + header()->cipher_size - 1] = 1;
    csn_gcm_key_init(&key, side.key);
    struct csn_gcm_item item = {.key = &key,
                                .aad = record,
                                .aad_size = head,
                                .size = header()->cipher_size,
                                .input = record + head,
                                .output = record + head,
                                .tag = record + head + header()->cipher_size};
    memcpy(item.nonce, side.nonce, 12);
    csn_gcm_seal_batch(&item, 1);
    const struct fake_answer *answer = fake_one(&fake, record, record_size);
    assert_int_equal(answer->code, CSN_WIRE_DONE);
    /* Read the reply with the same context. */
    struct csn_wire_record out;
    struct csn_record_key reply;
    struct csn_record_secrets secrets;
    struct csn_binding binding = {.direction = 1, .mode = 1, .credential = header()->credential};
    uint8_t encapsulation[32];
    uint8_t commitment[32];
    memcpy(binding.tenant, header()->tenant, 32);
    memcpy(binding.key_id, header()->key_id, 8);
    assert_int_equal(csn_record_sender(&binding, tenants[0].replier.secret,
                                       tenants[0].recipient.public_key, ephemeral, encapsulation,
                                       &secrets),
                     CSN_OK);
    memcpy(&out, answer->body, sizeof out);
    csn_reply_key(secrets.reply, out.encapsulation, out.sequence, &reply, commitment);
    size = out.cipher_size;
    item = (struct csn_gcm_item){.key = &reply.key,
                                 .aad = answer->body,
                                 .aad_size = head,
                                 .size = size,
                                 .input = answer->body + head,
                                 .output = plain,
                                 .tag = answer->body + head + size};
    memcpy(item.nonce, reply.iv, 12);
    csn_gcm_open_batch(&item, 1);
    assert_int_equal(item.result, CSN_OK);
    memcpy(&result, plain, sizeof result);
    return result.status != CSN_WIRE_STATUS_MALFORMED;
}

/* B10: the salt's last record, then a new salt. */
static bool attack_salt_limit(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].producer, NULL);
    struct cse_sender *sender = &fake.session->tenants[0].grant->consumers[0].output;
    uint8_t salt[16];
    uint32_t parts = fake.manifest.outputs_per_input_max;
    sender->salt_count = CSN_WIRE_SALT_RECORDS_MAX - parts;
    memcpy(salt, sender->salt, 16);
    seal(sealer, FAKE_ECHO, 0);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    assert_memory_equal(((struct csn_wire_record *)(void *)fake.answers[0].body)->salt, salt, 16);
    seal(sealer, FAKE_ECHO, 0);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
    const struct csn_wire_record *out = (struct csn_wire_record *)(void *)fake.answers[0].body;
    return memcmp(out->salt, salt, 16) == 0;
}

static bool attack_tag(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    record[record_size - 1] ^= 1;
    return send_record() == CSN_WIRE_DONE;
}

static bool attack_suite(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    header()->suite ^= 1;
    return send_record() != CSN_WIRE_REJECT_SUITE;
}

static bool attack_key_id(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    header()->key_id[0] ^= 1;
    return send_record() != CSN_WIRE_REJECT_KEY;
}

static bool attack_reflection(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    header()->direction = CSN_WIRE_DIRECTION_OUTPUT;
    return send_record() != CSN_WIRE_REJECT_MODE;
}

static bool attack_floor(void)
{
    tenants[0].recipient.grant_version = 2; /* the producer asks for grant 2; 1 is in force */
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    tenants[0].recipient.grant_version = 1;
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    return send_record() == CSN_WIRE_DONE;
}

static bool attack_idempotent_mode(void)
{
    fake_stop(&fake);
    begin(1, 0); /* not declared deterministic */
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    return send_record() == CSN_WIRE_DONE;
}

/* A record of a window from before the re-grant: the window is gone, so the record must be too. */
static bool attack_window_after_regrant(void)
{
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, &challenge);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    fake_grant(&fake, &tenants[0], 2);
    return send_record() == CSN_WIRE_DONE;
}

static bool attack_window_replay(void)
{
    struct csn_wire_challenge challenge = solo_challenge(&fake);
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, &challenge);
    seal(sealer, FAKE_ECHO, 0);
    assert_int_equal(status_of(sealer), CSN_WIRE_STATUS_OK);
    bool through = status_of(sealer) != CSN_WIRE_STATUS_REPLAY;
    csv_sealer_destroy(sealer);
    return through;
}

/* Random encapsulations beyond the budget must be refused without a key exchange. */
static bool attack_open_budget(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    for (uint32_t i = 0; i < tenants[0].tenant.open_failures_max; i++) {
        memcpy(header()->encapsulation, &i, sizeof i);
        assert_int_equal(send_record(), CSN_WIRE_REJECT_AUTH);
    }
    header()->encapsulation[9] ^= 1;
    return send_record() != CSN_WIRE_REJECT_QUOTA;
}

static bool attack_rights(void)
{
    /* The producer credential may not detokenize; answers go to the sink, so count instead. */
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].producer, NULL);
    seal(sealer, FAKE_UNFIELD, 0);
    csv_sealer_destroy(sealer);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    uint8_t opened[4096];
    struct csv_opener *opener = solo_opener(&tenants[0].consumer);
    struct csv_open_item item = solo_open(opener, &fake.answers[0], opened);
    assert_int_equal(item.result, CSN_OK);
    csv_opener_destroy(opener);
    return item.header.status != CSN_WIRE_STATUS_RIGHTS;
}

/* What was sealed as one field is sent back as another. */
static bool attack_place(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    struct csn_wire_result result;
    uint8_t sealed[FAKE_RECORD_MAX];
    uint32_t size = 0;
    seal(sealer, FAKE_FIELD, 0);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    assert_int_equal(
        csv_reply_open(sealer, fake.answers[0].body, fake.answers[0].size, &result, sealed, &size),
        CSN_OK);
    struct csv_seal_item item = {.payload = sealed,
                                 .payload_size = size,
                                 .operation = FAKE_MOVED,
                                 .record = record,
                                 .record_size_max = sizeof record};
    assert_int_equal(csv_seal_batch(sealer, &item, 1), CSN_OK);
    record_size = item.record_size;
    bool through = status_of(sealer) == CSN_WIRE_STATUS_OK;
    csv_sealer_destroy(sealer);
    return through;
}

static bool attack_purpose(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 2);
    bool through = status_of(sealer) != CSN_WIRE_STATUS_RIGHTS;
    csv_sealer_destroy(sealer);
    return through;
}

/* A grant for purpose 1 only; the credential would allow 0 as well. */
static bool attack_grant_purpose(void)
{
    struct fake_tenant *owner = &tenants[0];
    struct csv_recipient instance = fake_recipient(&fake);
    const struct csv_grant_options options = {.tenant = &owner->tenant,
                                              .instance = &instance,
                                              .version = 2,
                                              .security_version_min = 1,
                                              .purpose = 1,
                                              .policy = "P",
                                              .policy_size = 1};
    assert_int_equal(csv_grant_build(&options, owner->message, sizeof owner->message,
                                     &owner->message_size, &owner->grant),
                     CSN_OK);
    assert_int_equal(fake_one(&fake, owner->message, owner->message_size)->code, CSN_WIRE_GRANTED);
    struct csv_sealer *sealer = solo_sealer(owner, &owner->replier, NULL);
    seal(sealer, FAKE_ECHO, 1);
    assert_int_equal(status_of(sealer), CSN_WIRE_STATUS_OK);
    seal(sealer, FAKE_ECHO, 0);
    bool through = status_of(sealer) != CSN_WIRE_STATUS_RIGHTS;
    csv_sealer_destroy(sealer);
    return through;
}

static uint32_t spend(struct csv_sealer *sealer, uint32_t times)
{
    uint32_t served = 0;
    for (uint32_t i = 0; i < times; i++) {
        seal(sealer, FAKE_SECRET, 0);
        served += status_of(sealer) == CSN_WIRE_STATUS_OK;
    }
    return served;
}

static bool attack_budget(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    uint32_t served = spend(sealer, 8);
    csv_sealer_destroy(sealer);
    assert_true(served >= 5);
    return served != 5;
}

static bool attack_budget_regrant(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    assert_int_equal(spend(sealer, 5), 5);
    fake_grant(&fake, &tenants[0], 2);
    uint32_t served = spend(sealer, 5);
    csv_sealer_destroy(sealer);
    return served != 0;
}

/* No trace of a plaintext where the next batch's inputs will be copied to. */
static bool attack_residue(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    return memmem(fake.inputs, record_size, "secret", 6) != NULL;
}

static bool attack_sizes(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    uint32_t served = fake_one(&fake, record, record_size)->size;
    seal(sealer, FAKE_FAIL, 0);
    uint32_t refused = fake_one(&fake, record, record_size)->size;
    csv_sealer_destroy(sealer);
    return served != refused;
}

/* Placeholders of work that was put off, instead of the answers, in a batch of several. */
static bool attack_put_off(void)
{
    enum { COUNT = 5 };
    static uint8_t records[COUNT][2048];
    struct fake_message messages[COUNT];
    bool unfinished = false;
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        seal(sealer, i == 2 ? FAKE_FAIL : FAKE_LATE, 0);
        memcpy(records[i], record, record_size);
        messages[i] = (struct fake_message){.bytes = records[i], .size = record_size};
    }
    fake_send(&fake, messages, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct csn_wire_result result;
        uint8_t payload[4096];
        uint32_t size = 0;
        assert_int_equal(csv_reply_open(sealer, fake.answers[i].body, fake.answers[i].size, &result,
                                        payload, &size),
                         CSN_OK);
        assert_int_equal(result.status, i == 2 ? CSN_WIRE_STATUS_MALFORMED : CSN_WIRE_STATUS_OK);
        assert_int_equal(size, i == 2 ? 0 : 400);
        unfinished |= size != 0 && memcmp(payload, "secret", 6) != 0;
    }
    csv_sealer_destroy(sealer);
    return unfinished;
}

/* The counters that the host reads move alike for a record that is served and one that is not. */
static bool attack_counters(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    uint64_t refused = fake.stats.records_refused;
    uint64_t served = fake.stats.records_served;
    seal(sealer, FAKE_ECHO, 0);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    assert_int_equal(fake.stats.records_served, served + 1);
    seal(sealer, FAKE_FAIL, 0);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    csv_sealer_destroy(sealer);
    return fake.stats.records_served != served + 2 || fake.stats.records_refused != refused;
}

/* A bogus record under a made-up encapsulation must not get into the cache. */
static bool attack_insert(void)
{
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    record[record_size - 1] ^= 1;
    assert_int_equal(send_record(), CSN_WIRE_REJECT_AUTH);
    return fake.session->tenants[0].contexts[0].used;
}

/* A host knows every public value, but no credential: it seals under a secret that it made up. */
static bool attack_no_credential(void)
{
    struct csv_credential made_up = tenants[0].replier;
    memset(made_up.secret, 0x11, sizeof made_up.secret);
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &made_up, NULL);
    seal(sealer, FAKE_ECHO, 0);
    csv_sealer_destroy(sealer);
    return send_record() == CSN_WIRE_DONE;
}

/* Honest producers fill tenant 0's cache: every one of its contexts, in short form. */
static void fill_cache(struct csv_sealer *honest[CONTEXTS], uint64_t budget)
{
    tenants[0].tenant.open_failures_max = budget;
    fake_grant(&fake, &tenants[0], 2);
    assert_int_equal(fake.manifest.context_count_max, CONTEXTS);
    for (uint32_t i = 0; i < CONTEXTS; i++) {
        struct csn_wire_result result;
        uint8_t payload[4096];
        uint32_t size;
        honest[i] = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
        assert_int_equal(csv_seal_hello(honest[i], record, sizeof record, &size), CSN_OK);
        const struct fake_answer *answer = fake_one(&fake, record, size);
        assert_int_equal(
            csv_reply_open(honest[i], answer->body, answer->size, &result, payload, &size), CSN_OK);
        csv_sealer_short(honest[i], result.handle);
    }
}

/* How many of them can no longer be reached by their handle. */
static uint32_t count_evicted(struct csv_sealer *honest[CONTEXTS])
{
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < CONTEXTS; i++) {
        seal(honest[i], FAKE_ECHO, 0);
        evicted += send_record() != CSN_WIRE_DONE;
        csv_sealer_destroy(honest[i]);
    }
    return evicted;
}

/* Records of a real producer, each under an encapsulation of its own, with a broken tag. */
static bool attack_eviction(void)
{
    struct csv_sealer *honest[CONTEXTS];
    fill_cache(honest, FLOOD_FEW);
    for (uint32_t i = 0; i < FLOOD_FEW; i++) {
        struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
        seal(sealer, FAKE_ECHO, 0);
        csv_sealer_destroy(sealer);
        record[record_size - 1] ^= 1;
        assert_int_equal(send_record(), CSN_WIRE_REJECT_AUTH);
    }
    return count_evicted(honest) != 0;
}

/* ---- all of them ---- */

struct attack {
    const char *name;
    bool (*run)(void);
    unsigned check; /* the one that stops it; NONE: its control is a mutant of the source */
};
static const struct attack attacks[] = {
    {"grant signed by another", attack_grant_other_signer, CSE_CHECK_TENANT},
    {"grant with a foreign signature", attack_grant_bad_signature, CSE_CHECK_GRANT_SIGNATURE},
    {"delegation by the delegate", attack_grant_self_delegation, CSE_CHECK_DELEGATION},
    {"beyond the delegation", attack_grant_beyond_delegation, CSE_CHECK_DELEGATE_LIMIT},
    {"old grant version", attack_grant_old_version, CSE_CHECK_GRANT_VERSION},
    {"grant of another boot", attack_grant_after_restart, CSE_CHECK_GRANT_INSTANCE},
    {"grant for another image", attack_grant_other_image, CSE_CHECK_GRANT_IMAGE},
    {"second tenant of a single", attack_second_tenant, CSE_CHECK_SINGLE_TENANT},
    {"authentic under two keys", attack_two_keys, CSE_CHECK_COMMITMENT},
    {"bytes in the padding", attack_padding, CSE_CHECK_PADDING},
    {"salt for ever", attack_salt_limit, CSE_CHECK_SALT_LIMIT},
    {"broken tag", attack_tag, CSE_CHECK_TAG},
    {"other suite", attack_suite, CSE_CHECK_SUITE},
    {"other key id", attack_key_id, CSE_CHECK_KEY_ID},
    {"reflection", attack_reflection, CSE_CHECK_DIRECTION},
    {"older grant than asked for", attack_floor, CSE_CHECK_FLOOR},
    {"idempotent, not deterministic", attack_idempotent_mode, CSE_CHECK_MODE},
    {"window after a re-grant", attack_window_after_regrant, CSE_CHECK_CHALLENGE},
    {"window replay", attack_window_replay, CSE_CHECK_WINDOW},
    {"random encapsulations", attack_open_budget, CSE_CHECK_OPEN_BUDGET},
    {"no right", attack_rights, CSE_CHECK_RIGHTS},
    {"field moved", attack_place, CSE_CHECK_PLACE},
    {"no purpose", attack_purpose, CSE_CHECK_PURPOSE},
    {"purpose of the grant", attack_grant_purpose, CSE_CHECK_GRANT_PURPOSE},
    {"no budget", attack_budget, CSE_CHECK_BUDGET},
    {"budget by re-grant", attack_budget_regrant, CSE_CHECK_BUDGET_KEPT},
    {"plaintext residue", attack_residue, CSE_CHECK_WIPE},
    {"sizes tell", attack_sizes, CSE_CHECK_SAME_CLASS},
    {"work put off for good", attack_put_off, CSE_CHECK_COMPLETE},
    {"counters tell", attack_counters, CSE_CHECK_SAME_COUNT},
    {"context before authentication", attack_insert, CSE_CHECK_INSERT_AFTER},
    {"honest contexts evicted", attack_eviction, CSE_CHECK_INSERT_AFTER},
    {"no credential", attack_no_credential, CSE_CHECK_NONE},
};

static bool run(const struct attack *attack)
{
    begin(2, CSN_WIRE_FLAG_DETERMINISTIC);
    bool through = attack->run();
    fake_stop(&fake);
    return through;
}

static void nothing_gets_through(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        if (run(&attacks[i])) {
            fail_msg("got through: %s", attacks[i].name);
        }
    }
}

#ifdef CSN_MUTANTS
unsigned csn_mutant;

static void each_check_is_needed(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        if (attacks[i].check == CSE_CHECK_NONE) {
            continue;
        }
        csn_mutant = attacks[i].check;
        bool through = run(&attacks[i]);
        csn_mutant = CSE_CHECK_NONE;
        if (!through) {
            fail_msg("the seeded bug changed nothing: %s", attacks[i].name);
        }
    }
}
#else
/* D10: all ordered pairs of 16 tenants x signer, delegation. */
static void foreign_grants(void **state)
{
    (void)state;
    uint32_t tried = 0;
    begin(TENANTS, CSN_WIRE_FLAG_DETERMINISTIC);
    struct csv_recipient instance = fake_recipient(&fake);
    for (uint32_t a = 0; a < TENANTS; a++) {
        for (uint32_t b = 0; b < TENANTS; b++) {
            struct csn_wire_delegation delegation;
            if (a == b) {
                continue;
            }
            assert_int_equal(
                csv_delegate(&tenants[b].tenant, tenants[b].tenant.root_key, 100, 1, &delegation),
                CSN_OK);
            assert_false(grant_signed_by(&tenants[a], &tenants[b]));
            assert_false(granted(&tenants[a], tenants[b].tenant.root_seed, NULL, 9, &instance));
            assert_false(
                granted(&tenants[a], tenants[b].tenant.root_seed, &delegation, 9, &instance));
            tried += 3;
        }
    }
    assert_int_equal(tried, 720);
    /* The control: what the owner signs, or its delegate, is taken. */
    struct csn_wire_delegation delegation;
    assert_int_equal(
        csv_delegate(&tenants[0].tenant, tenants[1].tenant.root_key, 20, 1, &delegation), CSN_OK);
    assert_true(granted(&tenants[0], tenants[1].tenant.root_seed, &delegation, 9, &instance));
    assert_true(granted(&tenants[0], tenants[0].tenant.root_seed, NULL, 10, &instance));
    fake_stop(&fake);
}

/* D1: a's record with b's tenant id, credential, key id, in all mixtures. */
static void foreign_records(void **state)
{
    (void)state;
    uint32_t tried = 0;
    begin(TENANTS, CSN_WIRE_FLAG_DETERMINISTIC);
    for (uint32_t a = 0; a < TENANTS; a++) {
        struct csv_sealer *sealer = solo_sealer(&tenants[a], &tenants[a].replier, NULL);
        seal(sealer, FAKE_ECHO, 0);
        csv_sealer_destroy(sealer);
        uint8_t original[sizeof record / 64];
        memcpy(original, record, record_size);
        for (uint32_t b = 0; b < TENANTS; b++) {
            for (uint32_t mix = 1; mix < 8 && a != b; mix++) {
                memcpy(record, original, record_size);
                if ((mix & 1) != 0) {
                    memcpy(header()->tenant, tenants[b].tenant.id, 32);
                }
                if ((mix & 2) != 0) {
                    header()->credential = tenants[b].replier.id;
                }
                if ((mix & 4) != 0) {
                    uint8_t *key_id = header()->key_id;
                    csn_key_id(tenants[b].recipient.public_key, key_id);
                }
                assert_int_not_equal(send_record(), CSN_WIRE_DONE);
                tried++;
            }
        }
        memcpy(record, original, record_size);
        assert_int_equal(send_record(), CSN_WIRE_DONE);
    }
    assert_int_equal(tried, 240 * 7);
    fake_stop(&fake);
}

/* Answer of a record of the tenant's, with this payload; its status. */
static enum csn_wire_status ask(const struct fake_tenant *owner, uint16_t operation,
                                const void *payload, uint32_t size, uint8_t *answer,
                                uint32_t *answer_size)
{
    struct csn_wire_result result;
    struct csv_sealer *sealer = solo_sealer(owner, &owner->replier, NULL);
    uint32_t sealed = solo_seal(sealer, operation, payload, size);
    const struct fake_answer *got = fake_one(&fake, record, sealed);
    assert_int_equal(got->code, CSN_WIRE_DONE);
    assert_int_equal(csv_reply_open(sealer, got->body, got->size, &result, answer, answer_size),
                     CSN_OK);
    csv_sealer_destroy(sealer);
    return (enum csn_wire_status)result.status;
}

/* A field that the enclave sealed for a opens for a alone, whatever ids a host writes over it. */
static void foreign_fields(void **state)
{
    (void)state;
    static const char secret[] = "4111111111111111";
    uint8_t field[1024];
    uint8_t changed[1024];
    uint8_t answer[4096];
    uint32_t size;
    uint32_t answer_size;
    begin(TENANTS, CSN_WIRE_FLAG_DETERMINISTIC);
    for (uint32_t a = 0; a < TENANTS; a++) {
        assert_int_equal(ask(&tenants[a], FAKE_FIELD, secret, sizeof secret, field, &size),
                         CSN_WIRE_STATUS_OK);
        for (uint32_t b = 0; b < TENANTS; b++) {
            for (uint32_t mix = 0; mix < 2 && a != b; mix++) {
                struct csn_wire_record *head = (struct csn_wire_record *)(void *)changed;
                memcpy(changed, field, size);
                if (mix == 1) {
                    memcpy(head->tenant, tenants[b].tenant.id, 32);
                    head->credential = tenants[b].consumer.credential;
                    csn_key_id(tenants[b].consumer.public_key, head->key_id);
                }
                assert_int_equal(
                    ask(&tenants[b], FAKE_UNFIELD, changed, size, answer, &answer_size),
                    CSN_WIRE_STATUS_NOT_FOUND);
            }
        }
        assert_int_equal(ask(&tenants[a], FAKE_UNFIELD, field, size, answer, &answer_size),
                         CSN_WIRE_STATUS_OK);
        assert_memory_equal(answer, secret, sizeof secret);
    }
    fake_stop(&fake);
}

/* Every single-bit flip of a sealed record is refused, by the enclave. */
static void bit_flips(void **state)
{
    (void)state;
    begin(1, CSN_WIRE_FLAG_DETERMINISTIC);
    struct csv_sealer *sealer = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    static uint8_t payload[900];
    struct csv_seal_item item = {.payload = payload,
                                 .payload_size = sizeof payload,
                                 .operation = FAKE_ECHO,
                                 .record = record,
                                 .record_size_max = sizeof record};
    assert_int_equal(csv_seal_batch(sealer, &item, 1), CSN_OK);
    record_size = item.record_size;
    assert_true(record_size * 8 > 9000);
    assert_int_equal(send_record(), CSN_WIRE_DONE); /* its context is cached from here on */
    uint64_t served = fake.stats.records_served;
    for (uint32_t bit = 0; bit < record_size * 8; bit++) {
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const struct fake_answer *answer = fake_one(&fake, record, record_size);
        assert_int_not_equal(answer->code, CSN_WIRE_DONE);
        assert_int_equal(answer->size, 0); /* nothing of it came out */
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(fake.stats.records_served, served);
    assert_int_equal(send_record(), CSN_WIRE_DONE);
    for (uint32_t size = 0; size < record_size + 64; size++) { /* cut, or with bytes behind it */
        if (size != record_size) {
            assert_int_equal(fake_one(&fake, record, size)->code, CSN_WIRE_REJECT_FRAMING);
        }
    }
    csv_sealer_destroy(sealer);
    fake_stop(&fake);
}

/*
 * Made-up encapsulations, count of them, of which `budget` may cost a key exchange: all honest
 * contexts stay, and another tenant can even open new ones.
 */
static void flood(uint64_t count, uint64_t budget)
{
    struct csv_sealer *honest[CONTEXTS];
    static uint8_t made_up[4096];
    uint64_t quota = 0;
    begin(2, CSN_WIRE_FLAG_DETERMINISTIC);
    fill_cache(honest, budget);
    struct csv_sealer *template = solo_sealer(&tenants[0], &tenants[0].replier, NULL);
    seal(template, FAKE_ECHO, 0);
    csv_sealer_destroy(template);
    uint32_t size = record_size;
    memcpy(made_up, record, size);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t mixed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(((struct csn_wire_record *)(void *)made_up)->encapsulation + 8, &mixed, 8);
        uint32_t code = fake_one(&fake, made_up, size)->code;
        assert_true(code == CSN_WIRE_REJECT_AUTH || code == CSN_WIRE_REJECT_QUOTA);
        quota += code == CSN_WIRE_REJECT_QUOTA;
    }
    assert_int_equal(quota, count > budget ? count - budget : 0);
    assert_int_equal(count_evicted(honest), 0);
    struct csv_sealer *other = solo_sealer(&tenants[1], &tenants[1].replier, NULL);
    seal(other, FAKE_ECHO, 0);
    assert_int_equal(status_of(other), CSN_WIRE_STATUS_OK);
    csv_sealer_destroy(other);
    fake_stop(&fake);
}

static void encapsulation_flood(void **state)
{
    (void)state;
    flood(FLOOD, 1000);
}

static void encapsulation_flood_within_budget(void **state)
{
    (void)state;
    flood(exchanges, (uint64_t)exchanges * 2);
}
#endif

/* Usage: test_attack [EXCHANGES] */
int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gets_through),
#ifdef CSN_MUTANTS
        cmocka_unit_test(each_check_is_needed),
#else
        cmocka_unit_test(foreign_grants),       cmocka_unit_test(foreign_records),
        cmocka_unit_test(foreign_fields),       cmocka_unit_test(bit_flips),
        cmocka_unit_test(encapsulation_flood),  cmocka_unit_test(encapsulation_flood_within_budget),
#endif
    };
    if (count > 1) {
        exchanges = (uint32_t)strtoul(arguments[1], NULL, 10);
    }
    if (csv_client_init() != CSN_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
