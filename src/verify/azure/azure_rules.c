/* SPDX-License-Identifier: Apache-2.0 */
/* azure_rules.c: see azure_rules.h. */
#include "verify/azure/azure_rules.h"
#include "verify/tpm/tpm.h"
#include <caisson/verify.h>

#define AZURE_RULES                                                                                \
    {.key = "secure_boot",                                                                         \
     .claim = "secure_boot",                                                                       \
     .finding = "hcl.secure-boot",                                                                 \
     .kind = CSV_RULE_FLAG,                                                                        \
     .silence = CSV_SILENCE_REQUIRES,                                                              \
     .mask = 1},                                                                                   \
        {.key = "console",                                                                         \
         .claim = "console_enabled",                                                               \
         .finding = "hcl.console",                                                                 \
         .kind = CSV_RULE_FLAG,                                                                    \
         .silence = CSV_SILENCE_REFUSES,                                                           \
         .mask = 1},                                                                               \
        {.key = "vm_ids",                                                                          \
         .claim = "vm_unique_id",                                                                  \
         .finding = "hcl.vm-id",                                                                   \
         .kind = CSV_RULE_TEXT,                                                                    \
         .silence = CSV_SILENCE_ALLOWS},                                                           \
        {.key = "user_data",                                                                       \
         .claim = "user_data_bytes",                                                               \
         .finding = "hcl.user-data",                                                               \
         .kind = CSV_RULE_BYTES,                                                                   \
         .silence = CSV_SILENCE_ALLOWS,                                                            \
         .size = 64},                                                                              \
        CSV_TPM_RULES

const struct csv_rule csv_azure_rules_snp[CSV_AZURE_RULE_COUNT] = {AZURE_RULES};
const struct csv_rule csv_azure_rules_tdx[CSV_AZURE_RULE_COUNT] = {AZURE_RULES};

const struct csv_entry csv_azure_entries[CSV_AZURE_ENTRY_COUNT] = {
    {"hcl.framing", "the HCL report is well formed and of the hardware asked for",
     "bytes that do not parse prove nothing", "read NV index 0x01400001 again"},
    {"hcl.json", "what the hardware report binds is strict JSON",
     "a name that stands twice could mean one thing here and another elsewhere",
     "treat the evidence as damaged"},
    {"hcl.ak", "the bound JSON names exactly one attestation key that may attest",
     "the virtual TPM's quotes are checked with this key and no other",
     "treat the evidence as forged"},
    {"hcl.ak-agrees", "the key supplied beside the report is the one inside it",
     "a key from elsewhere signs whatever its owner likes",
     "leave the key out, or find out whose it is"},
    {"hcl.vmpl", "the SNP report is the paravisor's own (VMPL 0)",
     "the guest can ask for reports too, and could put any JSON under one of its own",
     "treat the evidence as forged"},
    {"hcl.td-quote", "the TD quote was supplied",
     "the TDREPORT in an HCL report has no signature: only a quote can be verified elsewhere",
     "supply the quote that the instance metadata service makes of this report"},
    {"hcl.td-report", "the TDREPORT inside says what the TD quote says",
     "a quote of another machine could stand beside it", "treat the evidence as forged"},
    {"hcl.secure-boot", "secure boot is as the policy wants", "without it anything may have booted",
     "switch secure boot on"},
    {"hcl.console", "the serial console is as the policy wants",
     "who holds the console may talk to the boot loader", "switch the console off, or allow it"},
    {"hcl.vm-id", "the machine is one that the policy lists",
     "another machine of the same image passes everything else", "list its id"},
    {"hcl.user-data", "the user data is one that the policy lists",
     "the guest sets it: it says what the guest wants said", "list it, or leave the line out"},
};
