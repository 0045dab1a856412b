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

/* Bytes that are one of those listed. */
#define BYTES(name, of, id, bytes, quiet)                                                          \
    {                                                                                              \
        .key = name, .claim = of, .finding = id, .kind = CSV_RULE_BYTES, .silence = quiet,         \
        .size = bytes                                                                              \
    }
/* Any passes where no line asks for more: of kind MINIMUM, VERSION or BITS. */
#define AT_LEAST(name, of, id, sort)                                                               \
    {                                                                                              \
        .key = name, .claim = of, .finding = id, .kind = sort, .silence = CSV_SILENCE_ALLOWS       \
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
    BYTES("chips", "chip_id", "snp.chip-listed", 64, CSV_SILENCE_ALLOWS),
    {.key = "chips_denied",
     .claim = "chip_id",
     .finding = "snp.chip-denied",
     .kind = CSV_RULE_DENY,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 64},
    {.key = "crl", .kind = CSV_RULE_TEXT, .single = true, .valid = is_wish, .init = "crl"},
    BYTES("measurements", "measurement", "snp.measurement", 48, CSV_SILENCE_REFUSES),
    BYTES("host_data", "host_data", "snp.host-data", 32, CSV_SILENCE_ZERO),
    BYTES("id_keys", "id_key_digest", "snp.id-key", 48, CSV_SILENCE_ZERO),
    BIT("author_key", "author_key_en", "snp.author-key", 1, CSV_SILENCE_REFUSES),
    BYTES("author_keys", "author_key", "snp.author-key-listed", 48, CSV_SILENCE_ZERO),
    BYTES("family_ids", "family_id", "snp.family-id", 16, CSV_SILENCE_ZERO),
    BYTES("image_ids", "image_id", "snp.image-id", 16, CSV_SILENCE_ZERO),
    BYTES("migration_agents", "migration_agent", "snp.migration-agent", 32, CSV_SILENCE_ZERO),
    {.key = "vmpl", .claim = "vmpl", .finding = "snp.vmpl", .kind = CSV_RULE_NUMBER},
    AT_LEAST("guest_svn_min", "guest_svn", "snp.guest-svn", CSV_RULE_MINIMUM),
    AT_LEAST("firmware_min", "fw", "snp.firmware", CSV_RULE_VERSION),
    AT_LEAST("committed_firmware_min", "committed_fw", "snp.firmware-committed", CSV_RULE_VERSION),
    AT_LEAST("launch_mitigations", "launch_mit", "snp.mitigations-launch", CSV_RULE_BITS),
    AT_LEAST("current_mitigations", "current_mit", "snp.mitigations", CSV_RULE_BITS),

    AT_LEAST("policy.abi_min", "abi", "snp.policy-abi", CSV_RULE_VERSION),
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
