/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_socket.h: how `caisson evidence` and `caisson grant` speak to whoever runs enclaves.
 *
 * A unix stream socket; each request and each reply is type u32, size u32 (little-endian), bytes.
 * The socket belongs to the untrusted host: what crosses it is public or sealed.
 *
 * Trust: neither end trusts the other; every size is checked before it is used.
 */
#ifndef CSN_GATEWAY_CONTROL_SOCKET_H
#define CSN_GATEWAY_CONTROL_SOCKET_H

#include <caisson/host.h>
#include <stdbool.h>
#include <stdint.h>

#define CSN_CONTROL_SIZE_MAX   UINT32_C(1048576)
#define CSN_CONTROL_NONCE_SIZE 32u
#define CSN_CONTROL_EVIDENCE   UINT32_C(1) /* request: 32-byte nonce; reply: evidence bundle */
/* request: grant; reply: struct csn_wire_answer and body, from each worker in turn */
#define CSN_CONTROL_GRANT UINT32_C(2)
#define CSN_CONTROL_ERROR UINT32_C(255) /* reply: text */

struct sockaddr_un;
/* False: the path is too long for a socket. */
bool csn_control_address(const char *path, struct sockaddr_un *address);
/* Connected, or -1 with errno. */
int csn_control_dial(const struct sockaddr_un *address);
/* Listening socket (mode 0600, replaced if it is a dead one) or -1 with detail. */
int csn_control_listen(const char *path, struct csn_detail *detail);
/* Reads one message into a malloc'd buffer; false: the peer is gone or broke the framing. */
bool csn_control_read(int fd, uint32_t *type, uint8_t **bytes, uint32_t *size);
bool csn_control_write(int fd, uint32_t type, const void *bytes, uint32_t size);

#endif
