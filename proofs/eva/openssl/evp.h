/* SPDX-License-Identifier: Apache-2.0 */
/* evp.h: what the parsers of proofs/eva name of libcrypto, for an analysis that cannot read its own
 * headers. Nothing here has a body: a call would be seen as one that may do anything. */
#ifndef PROOFS_EVA_OPENSSL_EVP_H
#define PROOFS_EVA_OPENSSL_EVP_H

#include <stddef.h>

typedef struct evp_md_st EVP_MD;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct engine_st ENGINE;

const EVP_MD *EVP_sha256(void);
const EVP_MD *EVP_sha384(void);
const EVP_MD *EVP_sha512(void);
int EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned int *size,
               const EVP_MD *type, ENGINE *engine);

#endif
