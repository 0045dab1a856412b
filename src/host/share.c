/* SPDX-License-Identifier: Apache-2.0 */
/* share.c: a channel for another process of this machine. */
#include "enclave.h"
#include <caisson/wire/rings.h>
#include <fcntl.h>

csn_err csn_enclave_share(const struct csn_enclave *enclave, uint32_t worker, uint32_t channel,
                          struct csn_wire_rings *rings, int *fd)
{
    const struct csn_wire_manifest *manifest = &enclave->manifest;
    if (worker >= manifest->worker_count || channel >= manifest->channel_count) {
        return CSN_ERR_ARGUMENT;
    }
    if (enclave->instance == NULL) {
        return CSN_ERR_CRASHED;
    }
    int copy = fcntl(enclave->rings_fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return CSN_ERR_SYSTEM;
    }
    *rings = (struct csn_wire_rings){.magic = CSN_WIRE_RINGS_MAGIC,
                                     .version = CSN_WIRE_RINGS_VERSION,
                                     .size = enclave->rings_size,
                                     .worker_offset = csn_wire_worker_offset(manifest, worker),
                                     .channel_offset =
                                         csn_wire_channel_offset(manifest, worker, channel),
                                     .input_line_count = manifest->input_line_count,
                                     .output_line_count = manifest->output_line_count,
                                     .input_size_max = manifest->input_size_max,
                                     .output_size_max = manifest->output_size_max};
    *fd = copy;
    return CSN_OK;
}
