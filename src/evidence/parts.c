/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c: what a platform says, part by part, as it stands in a bundle. */
#include <caisson/evidence.h>
#include <string.h>

csn_err csn_evidence_part(struct csn_evidence_platform *platform, uint32_t kind, const void *bytes,
                          size_t size)
{
    struct csn_wire_evidence_part part = {.kind = kind, .size = (uint32_t)size};
    size_t room = sizeof platform->bytes - platform->size;
    if (room < sizeof part || size > room - sizeof part) {
        return CSN_ERR_SPACE;
    }
    memcpy(platform->bytes + platform->size, &part, sizeof part);
    memcpy(platform->bytes + platform->size + sizeof part, bytes, size);
    platform->size += (uint32_t)(sizeof part + size);
    return CSN_OK;
}
