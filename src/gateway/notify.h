/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h: what a service tells systemd (sd_notify(3)): one datagram for each change, to the
 * socket that the environment names. Without one, all functions do nothing.
 */
#ifndef CSN_GATEWAY_NOTIFY_H
#define CSN_GATEWAY_NOTIFY_H

#include <stdint.h>

struct csn_notify {
    int fd;               /* -1: nobody to tell */
    uint64_t watchdog_ns; /* 0: none wanted; else tell twice in that time */
};

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment, so that no child has them. */
void csn_notify_init(struct csn_notify *notify);
void csn_notify_end(struct csn_notify *notify);
/* "READY=1", "STOPPING=1", "WATCHDOG=1", or "STATUS=" and a line for people. */
void csn_notify_tell(const struct csn_notify *notify, const char *state);
/* RELOADING=1 with the time that belongs to it; READY=1 ends it. */
void csn_notify_reloading(const struct csn_notify *notify);

#endif
