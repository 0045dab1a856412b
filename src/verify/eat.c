/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eat.c: what a verdict found, under the claim names of the Entity Attestation Token (RFC 9711).
 *
 * Only claims whose meaning there is the same: eat_nonce, iat, dbgstat, ueid, hwmodel, swname and,
 * for what was measured, measurements by their own names. Bytes are base64url, as RFC 9711 has it
 * in JSON. It is an attestation result in a familiar shape, not a signed token.
 */
#include "verify/eat.h"
#include "verify/text.h"
#include <string.h>

enum form { FORM_DEBUG, FORM_BYTES, FORM_TEXT };

/* Which claim of ours is which of theirs. */
static const struct {
    uint32_t format;
    const char *claim;
    const char *eat;
    enum form form;
} rows[] = {
    {CSV_FORMAT_CAISSON, "debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_CAISSON, "name", "swname", FORM_TEXT},
    {CSV_FORMAT_SNP, "debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_SNP, "product", "hwmodel", FORM_BYTES},
    {CSV_FORMAT_TDX, "td_debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_SGX, "sgx_debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_NITRO, "debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_CCA, "instance_id", "ueid", FORM_BYTES},
    {CSV_FORMAT_AZURE_SNP, "debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_AZURE_TDX, "td_debug", "dbgstat", FORM_DEBUG},
    {CSV_FORMAT_GCS_JWT, "dbgstat", "dbgstat", FORM_TEXT},
    {CSV_FORMAT_GCS_JWT, "hwmodel", "hwmodel", FORM_BYTES},
    {CSV_FORMAT_GCS_JWT, "swname", "swname", FORM_TEXT},
};

static const struct csv_claim *find(const struct csv_verdict *verdict, const char *name)
{
    for (size_t i = 0; i < verdict->claim_count; i++) {
        if (verdict->claims[i].group == NULL && strcmp(verdict->claims[i].name, name) == 0) {
            return &verdict->claims[i];
        }
    }
    return NULL;
}

static const char *value_of(struct csv_arena *arena, const struct csv_claim *claim, enum form form)
{
    if (form == FORM_DEBUG) {
        return claim->number != 0 ? "enabled" : "disabled";
    }
    const char *text = csv_claim_value(arena, claim);
    if (form == FORM_TEXT) {
        return text;
    }
    bool bytes = claim->kind == CSV_CLAIM_BYTES;
    return csv_text_base64url(arena, bytes ? claim->bytes : (const uint8_t *)text,
                              bytes ? claim->size : strlen(text));
}

void csv_eat_settle(struct csv_verdict *verdict, const struct csv_input *input)
{
    struct csv_arena *arena = &verdict->arena;
    uint32_t format = csv_verdict_format(verdict);
    if (verdict->nonce_checked && input->nonce_size != 0) {
        verdict->eat[verdict->eat_count++] = (struct csv_eat){
            "eat_nonce", csv_text_base64url(arena, input->nonce, input->nonce_size), false};
    }
    if (input->time_given) {
        verdict->eat[verdict->eat_count++] =
            (struct csv_eat){"iat", csv_text(arena, "%lld", (long long)input->time), true};
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct csv_claim *claim =
            rows[i].format == format ? find(verdict, rows[i].claim) : NULL;
        if (claim != NULL && verdict->eat_count < CSV_EAT_COUNT_MAX) {
            verdict->eat[verdict->eat_count++] =
                (struct csv_eat){rows[i].eat, value_of(arena, claim, rows[i].form), false};
        }
    }
}
