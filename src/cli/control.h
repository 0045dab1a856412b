/* SPDX-License-Identifier: Apache-2.0 */
/* control.h: the client's end of a control socket (gateway/control_socket.h). */
#ifndef CSN_CLI_CONTROL_H
#define CSN_CLI_CONTROL_H

#include "gateway/control_socket.h"

/* Connected socket or -1 with a message. */
int cli_control_connect(const char *path);
/* One request and its reply, malloc'd; NULL with a message. The reply must be of the same type. */
uint8_t *cli_control_call(int fd, uint32_t type, const void *bytes, uint32_t size,
                          uint32_t *reply_size);

#endif
