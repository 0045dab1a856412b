/* SPDX-License-Identifier: Apache-2.0 */
/* backends.c: the list of all backends, in the order in which "auto" tries them. */
#include "backend.h"

const struct csn_backend *const csn_backends[] = {
    &csn_backend_kvm,
    &csn_backend_process,
    NULL,
};
