/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h: sockets that listen. Private to the front. */
#ifndef CSN_GATEWAY_LISTENER_H
#define CSN_GATEWAY_LISTENER_H

#include "connection.h"

CSN_MUST_USE csn_err csn_listener_open(struct csn_listener *listener,
                                       const struct csn_front_listener *options,
                                       struct csn_detail *detail);
void csn_listener_close(struct csn_front *front, struct csn_listener *listener);
/* In epoll or not, all of them. */
csn_err csn_listener_accept_all(struct csn_front *front, bool accepts);
/* Its socket is readable. */
void csn_listener_ready(struct csn_listener *listener);
/* CSN_ERR_SYSTEM, and detail says that this call failed, and why (errno). */
csn_err csn_front_system_error(struct csn_detail *detail, const char *call, const char *about);

#endif
