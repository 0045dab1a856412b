/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h: how `caisson evidence` and `caisson grant` speak to a running `caisson run`.
 *
 * A unix stream socket; each request and each reply is type u32, size u32 (little-endian), bytes.
 * The socket belongs to the untrusted host: what crosses it is public or sealed.
 */
#ifndef CSN_CLI_CONTROL_H
#define CSN_CLI_CONTROL_H

#include <caisson/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_CONTROL_SIZE_MAX   UINT32_C(1048576)
#define CLI_CONTROL_NONCE_SIZE 32u
#define CLI_CONTROL_EVIDENCE   UINT32_C(1) /* request: 32-byte nonce; reply: evidence bundle */
/* request: grant; reply: struct csn_wire_answer and body, from each worker in turn */
#define CLI_CONTROL_GRANT UINT32_C(2)
#define CLI_CONTROL_ERROR UINT32_C(255) /* reply: text */

/* Client: connected socket or -1 with a message. */
int cli_control_connect(const char *path);
/* One request and its reply, malloc'd; NULL with a message. The reply must be of the same type. */
uint8_t *cli_control_call(int fd, uint32_t type, const void *bytes, uint32_t size,
                          uint32_t *reply_size);

/* Server: listening socket (mode 0600, replaced if it is a dead socket) or -1 with a message. */
int cli_control_listen(const char *path);
/* Reads one request into a malloc'd buffer; false: the peer is gone or broke the framing. */
bool cli_control_read(int fd, uint32_t *type, uint8_t **bytes, uint32_t *size);
bool cli_control_reply(int fd, uint32_t type, const void *bytes, uint32_t size);

#endif
