/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcap_rules.c: see dcap_rules.h.
 *
 * Silence: measurements and statuses are refused; what is zero unless somebody set it must be zero;
 * attribute bits are off, but for those that protect. What Intel's collateral decides already (the
 * TDX module, the QE's version, the platform's model) needs no line, and can be narrowed by one.
 */
#include "verify/dcap/dcap_rules.h"
#include "verify/dcap/tcb_status.h"
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

/* Those that a valid verdict can have. */
static bool is_status(const char *text, const char **why)
{
    *why = "a TCB status is expected: \"UpToDate\", \"SWHardeningNeeded\", …";
    for (int i = CSV_TCB_UP_TO_DATE; i < CSV_TCB_COUNT; i++) {
        if (i != CSV_TCB_REVOKED && strcmp(csv_tcb_name((enum csv_tcb)i), text) == 0) {
            return true;
        }
    }
    return false;
}

/* What both kinds of quote have. */
#define QUOTE_RULES                                                                                \
    {.key = "tcb_statuses",                                                                        \
     .claim = "tcb_status",                                                                        \
     .finding = "tcb.allowed",                                                                     \
     .kind = CSV_RULE_TEXT,                                                                        \
     .valid = is_status},                                                                          \
        {.key = "advisories",                                                                      \
         .claim = "advisories",                                                                    \
         .finding = "tcb.advisories",                                                              \
         .kind = CSV_RULE_TEXT,                                                                    \
         .silence = CSV_SILENCE_ZERO},                                                             \
        {.key = "tcb_evaluation_min",                                                              \
         .claim = "tcb_evaluation_data_number",                                                    \
         .finding = "tcb.evaluation",                                                              \
         .kind = CSV_RULE_MINIMUM},                                                                \
        {.key = "fmspc",                                                                           \
         .claim = "fmspc",                                                                         \
         .finding = "pck.platform",                                                                \
         .kind = CSV_RULE_BYTES,                                                                   \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 6},                                                                               \
        {.key = "fmspc_denied",                                                                    \
         .claim = "fmspc",                                                                         \
         .finding = "pck.platform",                                                                \
         .kind = CSV_RULE_DENY,                                                                    \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 6},                                                                               \
        {.key = "ppid",                                                                            \
         .claim = "ppid",                                                                          \
         .finding = "pck.instance",                                                                \
         .kind = CSV_RULE_BYTES,                                                                   \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 16},                                                                              \
        {.key = "ppid_denied",                                                                     \
         .claim = "ppid",                                                                          \
         .finding = "pck.instance",                                                                \
         .kind = CSV_RULE_DENY,                                                                    \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 16},                                                                              \
        {.key = "piid",                                                                            \
         .claim = "piid",                                                                          \
         .finding = "pck.instance",                                                                \
         .kind = CSV_RULE_BYTES,                                                                   \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 16},                                                                              \
        {.key = "piid_denied",                                                                     \
         .claim = "piid",                                                                          \
         .finding = "pck.instance",                                                                \
         .kind = CSV_RULE_DENY,                                                                    \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 16,                                                                               \
         .optional = true},                                                                        \
        {.key = "pck_ca",                                                                          \
         .claim = "pck_ca",                                                                        \
         .finding = "pck.ca",                                                                      \
         .kind = CSV_RULE_TEXT,                                                                    \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
        {.key = "qe_svn_min",                                                                      \
         .claim = "qe_isvsvn",                                                                     \
         .finding = "qe.svn",                                                                      \
         .kind = CSV_RULE_MINIMUM,                                                                 \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
        {.key = "versions",                                                                        \
         .claim = "version",                                                                       \
         .finding = "quote.version",                                                               \
         .kind = CSV_RULE_NUMBER,                                                                  \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
    {                                                                                              \
        .key = "trailing", .claim = "trailing", .finding = "quote.trailing",                       \
        .kind = CSV_RULE_MAXIMUM, .silence = CSV_SILENCE_ALLOWS                                    \
    }

const struct csv_rule csv_tdx_rules[CSV_TDX_RULE_COUNT] = {
    QUOTE_RULES,
    {.key = "mrtd",
     .claim = "mrtd",
     .finding = "tdx.measurement",
     .kind = CSV_RULE_BYTES,
     .size = 48},
    {.key = "rtmr0", .claim = "rtmr0", .finding = "tdx.rtmr", .kind = CSV_RULE_BYTES, .size = 48},
    {.key = "rtmr1", .claim = "rtmr1", .finding = "tdx.rtmr", .kind = CSV_RULE_BYTES, .size = 48},
    {.key = "rtmr2", .claim = "rtmr2", .finding = "tdx.rtmr", .kind = CSV_RULE_BYTES, .size = 48},
    {.key = "rtmr3",
     .claim = "rtmr3",
     .finding = "tdx.rtmr",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    {.key = "mrseam",
     .claim = "mrseam",
     .finding = "tdx.module",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 48},
    {.key = "mrconfigid",
     .claim = "mrconfigid",
     .finding = "tdx.owner",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    {.key = "mrowner",
     .claim = "mrowner",
     .finding = "tdx.owner",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    {.key = "mrownerconfig",
     .claim = "mrownerconfig",
     .finding = "tdx.owner",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48},
    {.key = "mrservicetd",
     .claim = "mrservicetd",
     .finding = "tdx.service-td",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48,
     .optional = true},
    {.key = "init_servtd_hash",
     .claim = "init_servtd_hash",
     .finding = "tdx.service-td",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48,
     .optional = true},
    {.key = "current_servtd_hash",
     .claim = "current_servtd_hash",
     .finding = "tdx.service-td",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48,
     .optional = true},
    {.key = "dev_info",
     .claim = "dev_info",
     .finding = "tdx.devices",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 48,
     .optional = true},
    {.key = "vmid",
     .claim = "vmid",
     .finding = "tdx.partition",
     .kind = CSV_RULE_NUMBER,
     .silence = CSV_SILENCE_ZERO,
     .optional = true},
    {.key = "xfam", .claim = "xfam", .finding = "tdx.xfam", .kind = CSV_RULE_BYTES, .size = 8},
    {.key = "body_types",
     .claim = "body_type",
     .finding = "tdx.body",
     .kind = CSV_RULE_NUMBER,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "debug",
     .claim = "td_flags",
     .finding = "tdx.debug",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(0)},
    {.key = "hgs_plus_prof",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(1)},
    {.key = "perf_prof",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(2)},
    {.key = "pmt_prof",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(3)},
    {.key = "icssd",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(16)},
    {.key = "lass",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(27)},
    {.key = "sept_ve_disable",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .silence = CSV_SILENCE_REQUIRES,
     .mask = BIT(28)},
    {.key = "migratable",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(29)},
    {.key = "pks",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(30)},
    {.key = "kl",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(31)},
    {.key = "tpa",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(62)},
    {.key = "perfmon",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(63)},
    {.key = "unknown_attributes",
     .claim = "td_flags",
     .finding = "tdx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = UINT64_C(0x3fffffff07fefff0)},
};

const struct csv_rule csv_sgx_rules[CSV_SGX_RULE_COUNT] = {
    QUOTE_RULES,
    {.key = "mrenclave",
     .claim = "mrenclave",
     .finding = "sgx.enclave",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 32},
    {.key = "mrsigner",
     .claim = "mrsigner",
     .finding = "sgx.signer",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ALLOWS,
     .size = 32},
    {.key = "isvprodid",
     .claim = "isvprodid",
     .finding = "sgx.signer",
     .kind = CSV_RULE_NUMBER,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "isvsvn_min",
     .claim = "isvsvn",
     .finding = "sgx.signer",
     .kind = CSV_RULE_MINIMUM,
     .silence = CSV_SILENCE_ALLOWS},
    {.key = "isvextprodid",
     .claim = "isvextprodid",
     .finding = "sgx.signer",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 16},
    {.key = "isvfamilyid",
     .claim = "isvfamilyid",
     .finding = "sgx.signer",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 16},
    {.key = "configid",
     .claim = "configid",
     .finding = "sgx.config",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 64},
    {.key = "configsvn_min",
     .claim = "configsvn",
     .finding = "sgx.config",
     .kind = CSV_RULE_MINIMUM,
     .silence = CSV_SILENCE_ZERO},
    {.key = "miscselect",
     .claim = "miscselect",
     .finding = "sgx.miscselect",
     .kind = CSV_RULE_BYTES,
     .silence = CSV_SILENCE_ZERO,
     .size = 4},
    {.key = "xfrm", .claim = "xfrm", .finding = "sgx.xfrm", .kind = CSV_RULE_BYTES, .size = 8},
    {.key = "init",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .silence = CSV_SILENCE_REQUIRES,
     .mask = BIT(0)},
    {.key = "debug",
     .claim = "sgx_flags",
     .finding = "sgx.debug",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(1)},
    {.key = "mode64",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .silence = CSV_SILENCE_REQUIRES,
     .mask = BIT(2)},
    {.key = "provision_key",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(4)},
    {.key = "einittoken_key",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(5)},
    {.key = "cet",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(6)},
    {.key = "kss",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(7)},
    {.key = "aex_notify",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = BIT(10)},
    {.key = "unknown_attributes",
     .claim = "sgx_flags",
     .finding = "sgx.attributes",
     .kind = CSV_RULE_FLAG,
     .mask = UINT64_C(0xfffffffffffffb08)},
};

const struct csv_entry csv_dcap_entries[CSV_DCAP_ENTRY_COUNT] = {
    {"quote.structure", "the quote is well formed", "bytes that do not parse prove nothing",
     "fetch the quote again; check its version and type"},
    {"quote.vendor", "the quoting enclave is of Intel's kind",
     "the layout of the rest is this vendor's", "find out what made this quote"},
    {"quote.version", "the quote's version is one that the policy lists",
     "older versions show less of what is running",
     "list the version, or ask for a quote of another"},
    {"quote.trailing", "nothing but allowed padding follows the quote",
     "bytes that nobody signed must not travel under a quote's name",
     "cut the quote where its lengths end; some platforms pad with zeros"},
    {"quote.signature", "the attestation key signed header and body",
     "this is what ties the claims to the platform", "treat the quote as forged or damaged"},
    {"pck.chain", "the PCK certificate leads to Intel's root",
     "anybody can make a chain that looks like Intel's",
     "supply the PCK chain of this platform, from Intel's service or a cache"},
    {"pck.certificate", "the leaf is an SGX PCK certificate",
     "other keys below Intel's root sign other things",
     "supply the PCK certificate of this platform"},
    {"pck.revoked", "the PCK certificate is not revoked",
     "Intel revokes platforms whose keys have leaked",
     "supply a current pck_crl of the CA that issued the PCK; move off a revoked platform"},
    {"pck.ca-revoked", "the PCK's CA is not revoked",
     "a CA whose key has leaked can certify anything", "supply a current root_ca_crl"},
    {"pck.platform", "the platform's model (FMSPC) is one that the policy accepts",
     "some models are known to be broken in ways that no update mends",
     "list the FMSPC, or run elsewhere"},
    {"pck.instance", "the platform (PPID, PIID) is one that the policy accepts",
     "a machine whose keys have been extracted forges quotes until Intel revokes it",
     "list the machine, or run elsewhere"},
    {"pck.ca", "the PCK's CA is one that the policy lists",
     "Processor and Platform CA certify different kinds of machine",
     "list the CA, or run elsewhere"},
    {"collateral.signer", "the collateral's signer leads to Intel's root",
     "collateral decides what is up to date: forged collateral makes anything so",
     "supply tcb_signing_chain as Intel's service gives it with the TCB info"},
    {"collateral.revoked", "the collateral's signer is not revoked",
     "a signer whose key has leaked can call anything up to date", "supply a current root_ca_crl"},
    {"tcb-info.format", "the TCB info is well formed",
     "what does not parse cannot be compared with",
     "fetch tcb_info again, and keep its bytes as they are"},
    {"tcb-info.signature", "Intel signed the TCB info", "it decides which versions are good",
     "supply tcb_info with the chain that it came with, byte for byte"},
    {"tcb-info.current", "the TCB info holds at the time of the appraisal",
     "old collateral does not know of newer holes", "fetch collateral again"},
    {"tcb-info.kind", "the TCB info is for this kind of quote",
     "levels of another TEE say nothing of this one", "fetch the TCB info of the quote's TEE"},
    {"tcb-info.platform", "the TCB info is for this platform",
     "levels of another model say nothing of this one",
     "fetch the TCB info for the FMSPC of the PCK certificate"},
    {"qe-identity.format", "the QE identity is well formed",
     "what does not parse cannot be compared with",
     "fetch qe_identity again, and keep its bytes as they are"},
    {"qe-identity.signature", "Intel signed the QE identity",
     "without it any enclave could pose as the quoting enclave",
     "supply qe_identity with the chain that it came with, byte for byte"},
    {"qe-identity.current", "the QE identity holds at the time of the appraisal",
     "old collateral does not know of newer holes", "fetch collateral again"},
    {"qe-identity.kind", "the QE identity is for this kind of quote",
     "the SGX and TDX quoting enclaves are different code",
     "fetch the identity of QE for SGX, of TD_QE for TDX"},
    {"qe.signature", "the PCK signed the QE report",
     "it shows that the quoting enclave runs on this platform", "treat the quote as forged"},
    {"qe.key", "the QE report names the attestation key", "otherwise any key could sign the quote",
     "treat the quote as forged"},
    {"qe.identity", "the QE report is of Intel's quoting enclave",
     "any enclave gets reports; only this one makes quotes that mean something",
     "treat the quote as forged"},
    {"qe.svn", "the quoting enclave's version is at least the policy's",
     "older quoting enclaves have known holes", "update the platform's software"},
    {"tdx-module.identity", "the TDX module is one of Intel's",
     "the module is what keeps the host out of a TD",
     "fetch TCB info that knows the module; else refuse the platform"},
    {"tcb.level", "the platform reaches a level that Intel describes",
     "below every level nobody says what is broken",
     "update firmware and microcode, and fetch a new PCK certificate"},
    {"tcb.revoked", "the platform's level is not revoked",
     "Intel no longer trusts machines of this level", "move off the platform"},
    {"tcb.allowed", "the TCB status is one that the policy lists",
     "all but UpToDate stand for known holes or settings that open some",
     "update the platform, or list the status if you accept its advisories"},
    {"tcb.advisories", "each advisory that applies is one that the policy lists",
     "each stands for a known hole", "read the advisory; list it only if it does not concern you"},
    {"tcb.evaluation", "the collateral is at least of the policy's evaluation number",
     "older evaluations call up to date what newer ones do not", "fetch collateral again"},
    {"tdx.measurement", "MRTD is one that the policy lists",
     "it is the code and data that the TD starts with",
     "compare with the MRTD of a firmware that you built or trust"},
    {"tdx.rtmr", "the RTMRs are ones that the policy lists",
     "they are what was loaded and configured after the start",
     "replay the event log to see what differs"},
    {"tdx.module", "MRSEAM is one that the policy lists", "it is the TDX module that runs",
     "list the module's measurement, or leave the choice to Intel's identities"},
    {"tdx.owner", "MRCONFIGID, MROWNER and MROWNERCONFIG are zero or listed",
     "whoever starts a TD sets them, and software may obey them", "list the values that you set"},
    {"tdx.service-td", "no service TD is bound, or one that the policy lists",
     "a service TD can move or change the TD", "list it only if you trust its code as your own"},
    {"tdx.devices", "no devices are assigned, or those that the policy lists",
     "devices inside the trust boundary can read what it holds", "list the value that you expect"},
    {"tdx.partition", "the quote is of the TD itself, or of a partition that the policy lists",
     "a partition runs under another guest's control",
     "list the partition if you trust what runs above it"},
    {"tdx.xfam", "XFAM is one that the policy lists", "it decides which CPU features the TD uses",
     "list the value of your platforms"},
    {"tdx.body", "the type of the body is one that the policy lists",
     "older bodies show less of what is running", "list the type, or ask for another quote"},
    {"tdx.debug", "the TD is not debuggable", "the host can read and change a debuggable TD",
     "start the TD without debug"},
    {"tdx.attributes", "the TD's attributes are as the policy wants them",
     "each opens something to the host, or closes it",
     "start the TD with other attributes, or decide on the bit in the policy"},
    {"sgx.enclave", "MRENCLAVE is one that the policy lists", "it is the code of the enclave",
     "compare with `caisson predict sgx` of an enclave that you built"},
    {"sgx.signer", "signer, product and version are ones that the policy accepts",
     "only signers that you named may bring new code, and old code has known holes",
     "list the signer with product and least version, or refuse"},
    {"sgx.config", "configuration id and version are zero or accepted",
     "whoever starts the enclave sets them, and its code may obey them",
     "list the values that you set"},
    {"sgx.debug", "the enclave is not debuggable", "the host can read and change a debug enclave",
     "start the enclave without debug"},
    {"sgx.attributes", "the enclave's attributes are as the policy wants them",
     "each opens something, or closes it",
     "start the enclave with other attributes, or decide on the bit in the policy"},
    {"sgx.miscselect", "MISCSELECT is zero or listed", "it lets the host see more of exceptions",
     "list the value if your enclave wants it"},
    {"sgx.xfrm", "XFRM is one that the policy lists",
     "it decides which CPU features the enclave uses", "list the value of your platforms"},
    {"event-log.structure", "the event log is well formed",
     "bytes that do not parse explain nothing", "fetch the log again; cut nothing off"},
    {"event-log.replay", "the event log gives the signed RTMRs",
     "only then was each event really measured, in that order",
     "fetch log and quote at the same time; events between them break the replay"},
};
