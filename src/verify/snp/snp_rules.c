/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_rules.c: see snp_rules.h.
 *
 * Silence refuses what opens a guest or a platform (debug, migration, SMT, unknown bits) and what
 * only the relying party can judge (measurement, VMPL, levels). Bits that only close something may
 * be required, and are nobody's risk where no line names them.
 */
#include "verify/snp/snp_rules.h"
#include <string.h>

static bool is_wish(const char *text, const char **why)
{
    *why = "\"required\" or \"any\" is expected";
    return strcmp(text, "required") == 0 || strcmp(text, "any") == 0;
}

static bool is_product(const char *text, const char **why)
{
    *why = "\"Milan\", \"Genoa\" or \"Turin\" is expected";
    return strcmp(text, "Milan") == 0 || strcmp(text, "Genoa") == 0 || strcmp(text, "Turin") == 0;
}

static bool is_key(const char *text, const char **why)
{
    *why = "\"VCEK\" or \"VLEK\" is expected";
    return strcmp(text, "VCEK") == 0 || strcmp(text, "VLEK") == 0;
}

/* A bit of the guest policy or of the platform. */
#define BIT(name, of, id, bits, quiet)                                                             \
    {                                                                                              \
        .key = name, .claim = of, .finding = id, .kind = CSV_RULE_FLAG, .silence = quiet,          \
        .mask = bits                                                                               \
    }
#define GUEST(name, id, bit, quiet)                                                                \
    BIT("policy." name, "policy", "snp.policy-" id, UINT64_C(1) << bit, quiet)
#define PLATFORM(name, id, bit, quiet)                                                             \
    BIT("platform." name, "platform_info", "snp.platform-" id, UINT64_C(1) << bit, quiet)

/* The least level of one component of one product, in one of a report's TCB versions. */
#define LEVEL(list, set, id, part, quiet)                                                          \
    {                                                                                              \
        .key = list "." part, .claim = set "." part, .finding = id, .kind = CSV_RULE_MINIMUM,      \
        .silence = quiet, .optional = true                                                         \
    }
#define OLD_LEVELS(list, set, id, product, quiet)                                                  \
    LEVEL(list, set, id, product ".bl", quiet), LEVEL(list, set, id, product ".tee", quiet),       \
        LEVEL(list, set, id, product ".snp", quiet), LEVEL(list, set, id, product ".ucode", quiet)
#define LEVELS(list, set, id, quiet)                                                               \
    OLD_LEVELS(list, set, id, "milan", quiet), OLD_LEVELS(list, set, id, "genoa", quiet),          \
        LEVEL(list, set, id, "turin.fmc", quiet), OLD_LEVELS(list, set, id, "turin", quiet)

#define UNKNOWN_POLICY   (~UINT64_C(0x3ffffff))
#define UNKNOWN_PLATFORM (~UINT64_C(0xff))

const struct csv_rule csv_snp_rules[CSV_SNP_RULE_COUNT] = {
    {.key = "products",
     .claim = "product",
     .finding = "snp.product-listed",
     .kind = CSV_RULE_TEXT,
     .optional = true, /* unknown only where the VEK is missing, which is said */
     .valid = is_product},
    {.key = "signing_keys",
     .claim = "signing_key",
     .finding = "snp.signing-key-listed",
     .kind = CSV_RULE_TEXT,
     .valid = is_key},
    {.key = "clouds",
     .claim = "cspID",
     .finding = "snp.cloud",
     .kind = CSV_RULE_TEXT,
     .optional = true}, /* VLEKs alone name one */
    {.key = "chips",
     .claim = "chip_id",
     .finding = "snp.chip-listed",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 64},
    {.key = "chips_denied",
     .claim = "chip_id",
     .finding = "snp.chip-denied",
     .kind = CSV_RULE_DENY,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 64},
    {.key = "crl", .kind = CSV_RULE_TEXT, .single = true, .valid = is_wish, .init = "crl"},
    {.key = "measurements",
     .claim = "measurement",
     .finding = "snp.measurement",
     .kind = CSV_RULE_BYTES,
     .size = 48},
    {.key = "host_data",
     .claim = "host_data",
     .finding = "snp.host-data",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 32},
    {.key = "id_keys",
     .claim = "id_key_digest",
     .finding = "snp.id-key",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    BIT("author_key", "author_key_en", "snp.author-key", 1, CSV_SILENCE_REFUSES),
    {.key = "author_keys",
     .claim = "author_key",
     .finding = "snp.author-key-listed",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    {.key = "family_ids",
     .claim = "family_id",
     .finding = "snp.family-id",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 16},
    {.key = "image_ids",
     .claim = "image_id",
     .finding = "snp.image-id",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 16},
    {.key = "migration_agents",
     .claim = "migration_agent",
     .finding = "snp.migration-agent",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 32},
    {.key = "vmpl", .claim = "vmpl", .finding = "snp.vmpl", .kind = CSV_RULE_NUMBER},
    {.key = "guest_svn_min",
     .claim = "guest_svn",
     .finding = "snp.guest-svn",
     .kind = CSV_RULE_MINIMUM,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "firmware_min",
     .claim = "fw",
     .finding = "snp.firmware",
     .kind = CSV_RULE_VERSION,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "committed_firmware_min",
     .claim = "committed_fw",
     .finding = "snp.firmware-committed",
     .kind = CSV_RULE_VERSION,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "launch_mitigations",
     .claim = "launch_mit",
     .finding = "snp.mitigations-launch",
     .kind = CSV_RULE_BITS,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "current_mitigations",
     .claim = "current_mit",
     .finding = "snp.mitigations",
     .kind = CSV_RULE_BITS,
     .silence = CSV_SILENCE_ALLOWS},

    {.key = "policy.abi_min",
     .claim = "abi",
     .finding = "snp.policy-abi",
     .kind = CSV_RULE_VERSION,
     .silence = CSV_SILENCE_ALLOWS},
    GUEST("smt", "smt", 16, CSV_SILENCE_REFUSES),
    GUEST("migration", "migration", 18, CSV_SILENCE_REFUSES),
    GUEST("debug", "debug", 19, CSV_SILENCE_REFUSES),
    GUEST("single_socket", "single-socket", 20, CSV_SILENCE_ALLOWS),
    GUEST("cxl", "cxl", 21, CSV_SILENCE_REFUSES),
    GUEST("aes_256_xts", "aes-256-xts", 22, CSV_SILENCE_ALLOWS),
    GUEST("rapl_disabled", "rapl-disabled", 23, CSV_SILENCE_ALLOWS),
    GUEST("ciphertext_hiding", "ciphertext-hiding", 24, CSV_SILENCE_ALLOWS),
    GUEST("page_swap_disabled", "page-swap-disabled", 25, CSV_SILENCE_ALLOWS),
    BIT("policy.unknown", "policy", "snp.policy-unknown", UNKNOWN_POLICY, CSV_SILENCE_REFUSES),

    PLATFORM("smt", "smt", 0, CSV_SILENCE_REFUSES),
    PLATFORM("tsme", "tsme", 1, CSV_SILENCE_ALLOWS),
    PLATFORM("ecc", "ecc", 2, CSV_SILENCE_ALLOWS),
    PLATFORM("rapl_disabled", "rapl-disabled", 3, CSV_SILENCE_ALLOWS),
    PLATFORM("ciphertext_hiding", "ciphertext-hiding", 4, CSV_SILENCE_ALLOWS),
    PLATFORM("alias_check", "alias-check", 5, CSV_SILENCE_REQUIRES),
    PLATFORM("bit_6", "bit-6", 6, CSV_SILENCE_REFUSES),
    PLATFORM("tio", "tio", 7, CSV_SILENCE_REFUSES),
    BIT("platform.unknown", "platform_info", "snp.platform-unknown", UNKNOWN_PLATFORM,
        CSV_SILENCE_REFUSES),

    LEVELS("tcb_min", "reported", "snp.tcb", CSV_SILENCE_REFUSES),
    LEVELS("committed_tcb_min", "committed", "snp.tcb-committed", CSV_SILENCE_ALLOWS),
    LEVELS("launch_tcb_min", "launch", "snp.tcb-launch", CSV_SILENCE_ALLOWS),
};
