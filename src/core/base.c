/* SPDX-License-Identifier: Apache-2.0 */
/* base.c: names of results. */
#include <caisson/base.h>

const char *csn_err_name(csn_err err)
{
    switch (err) {
    case CSN_OK:
        return "ok";
    case CSN_AGAIN:
        return "again";
    case CSN_BUSY:
        return "busy";
    case CSN_ERR_ARGUMENT:
        return "argument";
    case CSN_ERR_SPACE:
        return "space";
    case CSN_ERR_STATE:
        return "state";
    case CSN_ERR_LIMIT:
        return "limit";
    case CSN_ERR_PEER:
        return "peer";
    case CSN_ERR_FORMAT:
        return "format";
    case CSN_ERR_AUTH:
        return "auth";
    case CSN_ERR_UNKNOWN:
        return "unknown";
    case CSN_ERR_REPLAY:
        return "replay";
    case CSN_ERR_POLICY:
        return "policy";
    case CSN_ERR_SUITE:
        return "suite";
    case CSN_ERR_EVIDENCE:
        return "evidence";
    case CSN_ERR_UNVERIFIED:
        return "unverified";
    case CSN_ERR_SYSTEM:
        return "system";
    case CSN_ERR_MISSING:
        return "missing";
    case CSN_ERR_MEMORY:
        return "memory";
    case CSN_ERR_ENTROPY:
        return "entropy";
    case CSN_ERR_CRASHED:
        return "crashed";
    case CSN_ERR_INTERNAL:
        return "internal";
    }
    return "undefined";
}
