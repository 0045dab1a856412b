/* SPDX-License-Identifier: Apache-2.0 */
/* snp_launch.c: the chain of digests, page by page. See snp_launch.h. */
#include "predict/snp_launch.h"
#include "predict/snp_firmware.h"
#include "predict/snp_vcpu.h"
#include "verify/digest.h"
#include <openssl/evp.h>

#define GIB_4 (UINT64_C(1) << 32)

/* Page types of SNP_LAUNCH_UPDATE. */
enum page_type {
    PAGE_NORMAL = 1,
    PAGE_VMSA = 2,
    PAGE_ZERO = 3,
    PAGE_UNMEASURED = 4,
    PAGE_SECRETS = 5,
    PAGE_CPUID = 6,
};

/* GUID, size and SHA-256 of each thing that is loaded, under a head of GUID and size. */
#define HASH_HEAD_SIZE  18u
#define HASH_ROW_SIZE   50u
#define HASH_TABLE_SIZE (HASH_HEAD_SIZE + 3 * HASH_ROW_SIZE)

static const uint8_t guid_table[16] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c,
                                       0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21};
static const uint8_t guid_command_line[16] = {0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c,
                                              0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a};
static const uint8_t guid_initrd[16] = {0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b,
                                        0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d};
static const uint8_t guid_kernel[16] = {0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42,
                                        0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b};

struct chain {
    uint8_t digest[CSV_SNP_DIGEST_SIZE];
    bool good; /* libcrypto did its work */
};

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static bool sha384(const void *bytes, size_t size, uint8_t digest[CSV_SNP_DIGEST_SIZE])
{
    return EVP_Digest(bytes, size, digest, NULL, EVP_sha384(), NULL) == 1;
}

/* contents: the page's digest; NULL for pages whose contents are not measured. */
static void add_page(struct chain *chain, enum page_type type, uint64_t address,
                     const uint8_t *contents)
{
    uint8_t info[112] = {0};
    memcpy(info, chain->digest, CSV_SNP_DIGEST_SIZE);
    if (contents != NULL) {
        memcpy(info + 48, contents, CSV_SNP_DIGEST_SIZE);
    }
    put(info + 96, sizeof info, 2);
    info[98] = (uint8_t)type;
    put(info + 104, address, 8);
    chain->good = chain->good && sha384(info, sizeof info, chain->digest);
}

static void add_normal(struct chain *chain, uint64_t address, const uint8_t page[CSV_SNP_PAGE])
{
    uint8_t contents[CSV_SNP_DIGEST_SIZE] = {0};
    chain->good = chain->good && sha384(page, CSV_SNP_PAGE, contents);
    add_page(chain, PAGE_NORMAL, address, contents);
}

static void add_run(struct chain *chain, enum page_type type, const struct csv_snp_section *section)
{
    for (uint32_t offset = 0; offset < section->size; offset += CSV_SNP_PAGE) {
        add_page(chain, type, (uint64_t)section->address + offset, NULL);
    }
}

static bool add_hash(uint8_t *row, const uint8_t guid[16], struct csv_bytes bytes)
{
    memcpy(row, guid, 16);
    put(row + 16, HASH_ROW_SIZE, 2);
    return csv_sha256(bytes.at, bytes.size, row + HASH_HEAD_SIZE);
}

/* The page with the table of hashes, at the place in it that the firmware names. */
static bool make_hashes(const struct csv_snp_launch *launch, uint32_t address,
                        uint8_t page[CSV_SNP_PAGE], const char **why)
{
    const char *text = launch->command_line != NULL ? launch->command_line : "";
    struct csv_bytes command_line = {(const uint8_t *)text, strlen(text) + 1};
    uint8_t *table = page + address % CSV_SNP_PAGE;
    memset(page, 0, CSV_SNP_PAGE);
    if (address % CSV_SNP_PAGE > CSV_SNP_PAGE - HASH_TABLE_SIZE) {
        *why = "the firmware's table of kernel hashes does not fit its page";
        return false;
    }
    memcpy(table, guid_table, 16);
    put(table + 16, HASH_TABLE_SIZE, 2);
    *why = "libcrypto failed";
    return add_hash(table + HASH_HEAD_SIZE, guid_command_line, command_line) &&
           add_hash(table + HASH_HEAD_SIZE + HASH_ROW_SIZE, guid_initrd, launch->initrd) &&
           add_hash(table + HASH_HEAD_SIZE + 2 * HASH_ROW_SIZE, guid_kernel, launch->kernel);
}

static bool add_hashes(struct chain *chain, const struct csv_snp_launch *launch,
                       const struct csv_snp_firmware *firmware,
                       const struct csv_snp_section *section, const char **why)
{
    uint8_t page[CSV_SNP_PAGE];
    if (!launch->kernel_given) {
        add_run(chain, PAGE_ZERO, section);
        return true;
    }
    if (section->size != CSV_SNP_PAGE || !firmware->hashes_given) {
        *why = "the firmware's place for kernel hashes is not one page";
        return false;
    }
    bool made = make_hashes(launch, firmware->hashes, page, why);
    add_normal(chain, section->address, page);
    return made;
}

static bool add_section(struct chain *chain, const struct csv_snp_launch *launch,
                        const struct csv_snp_firmware *firmware,
                        const struct csv_snp_section *section, const char **why)
{
    switch (section->type) {
    case CSV_SNP_SECTION_MEMORY:
        add_run(chain, launch->host == CSV_SNP_HOST_GCE ? PAGE_UNMEASURED : PAGE_ZERO, section);
        return true;
    case CSV_SNP_SECTION_SECRETS:
        add_page(chain, PAGE_SECRETS, section->address, NULL);
        return true;
    case CSV_SNP_SECTION_CPUID:
        if (launch->host != CSV_SNP_HOST_EC2) {
            add_page(chain, PAGE_CPUID, section->address, NULL);
        }
        return true;
    case CSV_SNP_SECTION_CALLING_AREA:
        add_run(chain, PAGE_ZERO, section);
        return true;
    case CSV_SNP_SECTION_HASHES:
        return add_hashes(chain, launch, firmware, section, why);
    default:
        *why = "the firmware wants a kind of page that is not known";
        return false;
    }
}

static bool add_sections(struct chain *chain, const struct csv_snp_launch *launch,
                         const struct csv_snp_firmware *firmware, const char **why)
{
    bool hashes = false;
    for (size_t i = 0; i < firmware->section_count; i++) {
        const struct csv_snp_section *section = &firmware->sections[i];
        hashes = hashes || section->type == CSV_SNP_SECTION_HASHES;
        if (section->size % CSV_SNP_PAGE != 0 || section->address % CSV_SNP_PAGE != 0) {
            *why = "the firmware's sections are not whole pages";
            return false;
        }
        if (!add_section(chain, launch, firmware, section, why)) {
            return false;
        }
    }
    for (size_t i = 0; launch->host == CSV_SNP_HOST_EC2 && i < firmware->section_count; i++) {
        if (firmware->sections[i].type == CSV_SNP_SECTION_CPUID) {
            add_page(chain, PAGE_CPUID, firmware->sections[i].address, NULL);
        }
    }
    if (launch->kernel_given && !hashes) {
        *why = "a kernel is given, but the firmware has no place for its hashes: nothing of it "
               "would be measured";
        return false;
    }
    return true;
}

static bool add_vcpus(struct chain *chain, const struct csv_snp_launch *launch,
                      const struct csv_snp_firmware *firmware, const char **why)
{
    uint8_t page[CSV_SNP_PAGE];
    uint8_t contents[CSV_SNP_DIGEST_SIZE];
    if (launch->vcpu_count == 0 || launch->vcpu_count > CSV_SNP_VCPU_MAX) {
        *why = "from 1 to 4096 processors are expected";
        return false;
    }
    if (launch->vcpu_count > 1 && !firmware->reset_given) {
        *why = "the firmware does not say where further processors start";
        return false;
    }
    for (uint32_t i = 0; i < launch->vcpu_count; i++) {
        if (i < 2) { /* all but the first are alike */
            csv_snp_vcpu_page(launch, i == 0 ? CSV_SNP_RESET_VECTOR : firmware->reset, page);
            chain->good = chain->good && sha384(page, sizeof page, contents);
        }
        add_page(chain, PAGE_VMSA, CSV_SNP_VCPU_ADDRESS, contents);
    }
    return true;
}

bool csv_snp_firmware_digest(struct csv_bytes firmware, uint8_t digest[CSV_SNP_DIGEST_SIZE],
                             const char **why)
{
    struct chain chain = {.good = true};
    if (firmware.size == 0 || firmware.size % CSV_SNP_PAGE != 0 ||
        firmware.size > CSV_SNP_FIRMWARE_MAX) {
        *why = "the firmware is not of whole pages, or larger than 256 MiB";
        return false;
    }
    for (size_t offset = 0; offset < firmware.size; offset += CSV_SNP_PAGE) {
        add_normal(&chain, GIB_4 - firmware.size + offset, firmware.at + offset);
    }
    memcpy(digest, chain.digest, CSV_SNP_DIGEST_SIZE);
    *why = "libcrypto failed";
    return chain.good;
}

bool csv_snp_launch_digest(const struct csv_snp_launch *launch, uint8_t digest[CSV_SNP_DIGEST_SIZE],
                           const char **why)
{
    struct chain chain = {.good = true};
    struct csv_snp_firmware firmware;
    if (launch->firmware_digest != NULL) {
        memcpy(chain.digest, launch->firmware_digest, CSV_SNP_DIGEST_SIZE);
    } else if (!csv_snp_firmware_digest(launch->firmware, chain.digest, why)) {
        return false;
    }
    if (!csv_snp_firmware_read(launch->firmware, &firmware, why) ||
        !add_sections(&chain, launch, &firmware, why) ||
        !add_vcpus(&chain, launch, &firmware, why)) {
        return false;
    }
    memcpy(digest, chain.digest, CSV_SNP_DIGEST_SIZE);
    *why = "libcrypto failed";
    return chain.good;
}
