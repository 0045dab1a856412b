/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_verify.c: evidence over a fresh nonce, and the keys that it vouches for. Only what passes
 * here becomes caller->recipient and caller->config, which everything else seals to.
 */
#include "../core/bytes.h"
#include "../crypto/sha2.h"
#include "caller.h"
#include "sealed.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVIDENCE_PATH "/.well-known/caisson/evidence?nonce="
#define EVIDENCE_TYPE "application/vnd.caisson.evidence"
#define KEYS_TYPE     "application/ohttp-keys"
#define KEYS_SIZE_MAX 4096u

/* ---- why not ---- */

__attribute__((format(printf, 2, 3))) static void explain(struct csv_caller *caller,
                                                          const char *format, ...)
{
    size_t used = strlen(caller->explain);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(caller->explain + used, sizeof caller->explain - used, format, arguments);
    va_end(arguments);
}

/* What did not pass, in the verifier's own words. */
static void explain_verdict(struct csv_caller *caller)
{
    uint32_t result = csv_verdict_result(caller->verdict);
    explain(caller, "the evidence is %s",
            result == CSV_INVALID ? "invalid" : "not enough to verify it");
    for (size_t i = 0; i < csv_verdict_finding_count(caller->verdict); i++) {
        const struct csv_finding *finding = csv_verdict_finding(caller->verdict, i);
        if (finding->outcome == CSV_FAILED || finding->outcome == CSV_MISSING) {
            explain(caller, "\n%s: %s. Expected: %s. Got: %s. Why: %s. To do: %s.", finding->id,
                    finding->claim, finding->expected, finding->got, finding->why, finding->todo);
        }
    }
}

void csv_verify_fail_waiting(struct csv_caller *caller)
{
    bool invalid = caller->result == CSN_ERR_EVIDENCE;
    struct csv_call *call;
    while ((call = caller->waiting.first) != NULL) {
        csv_queue_remove(&caller->waiting, call);
        csv_call_fail(call, invalid ? &csv_fault_invalid : &csv_fault_unverified, "%s",
                      caller->explain);
        if (call->problem.retry_after == 0) {
            call->problem.retry_after = caller->retry_after;
        }
    }
}

/* caller->explain says why. */
static void refuse(struct csv_caller *caller, csn_err err)
{
    caller->phase = CSV_PHASE_REFUSED;
    caller->result = err == CSN_ERR_EVIDENCE ? CSN_ERR_EVIDENCE : CSN_ERR_UNVERIFIED;
    caller->refused_at = caller->now;
    csn_wipe(caller->nonce, sizeof caller->nonce);
    csn_wipe(&caller->recipient, sizeof caller->recipient);
    csn_wipe(&caller->config, sizeof caller->config);
    csv_caller_drop_context(caller);
    csv_verify_fail_waiting(caller);
}

/* An answer that is not what was asked for: nothing was verified. False, and refused. */
static bool is_there(struct csv_caller *caller, const struct csv_fetched *fetched, const char *what,
                     const char *media_type)
{
    if (fetched->status == 0) {
        explain(caller, "no %s: %s", what,
                fetched->fault != NULL ? fetched->fault : "the gateway did not answer");
    } else if (fetched->status != 200) {
        explain(caller, "no %s: the gateway answers with status %u", what, fetched->status);
    } else if (!csv_fetched_is(fetched, media_type)) {
        explain(caller, "no %s: the answer is not %s", what, media_type);
    } else {
        return true;
    }
    refuse(caller, CSN_ERR_UNVERIFIED);
    return false;
}

/* ---- evidence ---- */

struct csv_trip *csv_verify_evidence(struct csv_caller *caller)
{
    caller->explain[0] = 0;
    struct csv_trip *trip = csv_trip_new(caller, CSV_TRIP_EVIDENCE, NULL);
    if (trip == NULL || csv_random(caller->nonce, sizeof caller->nonce) != CSN_OK) {
        explain(caller, "no nonce: %s", trip == NULL ? "out of memory" : "no random numbers");
        refuse(caller, CSN_ERR_UNVERIFIED);
        csv_trip_free(trip);
        return NULL;
    }
    char hex[2 * CSV_NONCE_SIZE + 1];
    for (size_t i = 0; i < sizeof caller->nonce; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", caller->nonce[i]);
    }
    (void)snprintf(trip->path, sizeof trip->path, EVIDENCE_PATH "%s%s%s", hex,
                   caller->service[0] != 0 ? "&service=" : "", caller->service);
    trip->accept = EVIDENCE_TYPE;
    trip->answer_size_max = CSN_WIRE_EVIDENCE_SIZE_MAX;
    caller->phase = CSV_PHASE_EVIDENCE;
    return trip;
}

static csn_err appraise(struct csv_caller *caller, const struct csv_fetched *fetched)
{
    struct csv_input *input = NULL;
    csv_verdict_free(caller->verdict);
    caller->verdict = NULL;
    CSN_TRY(csv_input_create(&input));
    csv_input_set_time(input, caller->now);
    csn_err err = csv_input_set_nonce(input, caller->nonce, sizeof caller->nonce);
    if (err == CSN_OK) {
        err = csv_input_add(input, CSV_PART_EVIDENCE, NULL, fetched->body, fetched->body_size);
    }
    if (err == CSN_OK) {
        err = csv_appraise(caller->policy, input, CSV_FORMAT_CAISSON, &caller->verdict);
    }
    csv_input_free(input);
    return err;
}

/* What is sealed to from here on. */
static void trust(struct csv_caller *caller, const uint8_t ohttp_digest[32])
{
    const struct csv_image *image = csv_verdict_image(caller->verdict);
    struct csv_call_pin pin = {.appraised_at = caller->now,
                               .appraisals = caller->pin.appraisals + 1,
                               .changes = caller->pin.changes,
                               .security_version = image->security_version,
                               .evidence_type = image->evidence_type};
    memcpy(pin.boot_id, image->boot_id, sizeof pin.boot_id);
    memcpy(pin.measurement, image->measurement, sizeof pin.measurement);
    memcpy(pin.recipient_key, caller->recipient.public_key, sizeof pin.recipient_key);
    memcpy(pin.name, image->name, sizeof pin.name);
    if (ohttp_digest != NULL) {
        memcpy(pin.ohttp_digest, ohttp_digest, sizeof pin.ohttp_digest);
    }
    bool same = memcmp(pin.boot_id, caller->pin.boot_id, sizeof pin.boot_id) == 0 &&
                memcmp(pin.measurement, caller->pin.measurement, sizeof pin.measurement) == 0 &&
                memcmp(pin.recipient_key, caller->pin.recipient_key, 32) == 0 &&
                memcmp(pin.ohttp_digest, caller->pin.ohttp_digest, 32) == 0;
    pin.changes += pin.appraisals > 1 && !same ? 1 : 0;
    caller->pin = pin;
    caller->result = CSN_OK;
    caller->appraisal++;
    caller->phase = CSV_PHASE_READY;
    csv_caller_drop_context(caller);
}

void csv_verify_take_evidence(struct csv_caller *caller, const struct csv_fetched *fetched)
{
    if (!is_there(caller, fetched, "evidence", EVIDENCE_TYPE)) {
        return;
    }
    csn_err err = appraise(caller, fetched);
    csn_wipe(caller->nonce, sizeof caller->nonce); /* once */
    if (err != CSN_OK) {
        if (caller->verdict != NULL) {
            explain_verdict(caller);
        } else {
            explain(caller, "the evidence was not appraised: %s", csn_err_name(err));
        }
        refuse(caller, err);
        return;
    }
    const struct csv_recipient *recipient =
        csv_verdict_recipient(caller->verdict, caller->credential.tenant, 0);
    if (recipient == NULL) {
        explain(caller, "%s",
                csv_verdict_appraised(caller->verdict)
                    ? "the enclave has no grant of the credential's tenant, or not yet"
                    : "the policy accepts anything, which is not enough to seal for");
        refuse(caller, CSN_ERR_UNVERIFIED);
        return;
    }
    caller->recipient = *recipient;
    if (caller->way == CSV_CALL_RECORDS) {
        trust(caller, NULL);
    } else if (csv_verdict_ohttp(caller->verdict) == NULL) {
        explain(caller, "the image takes no oblivious requests: its evidence lists no such key");
        refuse(caller, CSN_ERR_UNVERIFIED);
    } else {
        caller->phase = CSV_PHASE_KEYS_DUE;
    }
}

/* ---- keys of oblivious requests ---- */

struct csv_trip *csv_verify_keys(struct csv_caller *caller)
{
    struct csv_trip *trip = csv_trip_new(caller, CSV_TRIP_KEYS, NULL);
    if (trip == NULL) {
        explain(caller, "out of memory");
        refuse(caller, CSN_ERR_UNVERIFIED);
        return NULL;
    }
    csv_trip_path(trip, caller, "/gateway");
    trip->accept = KEYS_TYPE;
    trip->answer_size_max = KEYS_SIZE_MAX;
    caller->phase = CSV_PHASE_KEYS;
    return trip;
}

/* The first configuration in bytes that are the evidence's own. */
static csn_err read_keys(struct csv_caller *caller, const struct csv_fetched *fetched)
{
    uint32_t offset = 0;
    csn_err err = CSN_ERR_SUITE;
    while (err == CSN_ERR_SUITE) {
        err = csn_ohttp_keys_next(fetched->body, (uint32_t)fetched->body_size, &offset,
                                  &caller->config);
    }
    return err;
}

void csv_verify_take_keys(struct csv_caller *caller, const struct csv_fetched *fetched)
{
    uint8_t digest[32];
    if (!is_there(caller, fetched, "keys", KEYS_TYPE)) {
        return;
    }
    const uint8_t *expected = csv_verdict_ohttp(caller->verdict);
    csn_sha256(fetched->body, fetched->body_size, digest);
    if (memcmp(digest, expected, sizeof digest) != 0) {
        if (++caller->keys_tries < CSV_CALLER_KEYS_TRIES) {
            caller->phase = CSV_PHASE_EVIDENCE_DUE; /* they may have changed in between */
            return;
        }
        explain(caller, "the gateway's application/ohttp-keys are not those of the evidence: "
                        "somebody else's key, or keys that change faster than they can be fetched");
        refuse(caller, CSN_ERR_EVIDENCE);
        return;
    }
    if (read_keys(caller, fetched) != CSN_OK) {
        explain(caller, "none of the keys is of a suite that is known here");
        refuse(caller, CSN_ERR_UNVERIFIED);
        return;
    }
    trust(caller, digest);
}
