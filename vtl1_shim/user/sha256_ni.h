/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SHA-256 transform by the SHA extensions of the processor.  Freestanding.
 */
#ifndef HEKI_USER_SHA256_NI_H
#define HEKI_USER_SHA256_NI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that one block has. */
#define SHA256_NI_BLOCK 64

/* Whether this processor has the instructions of sha256_ni_blocks(). */
bool sha256_ni_present(void);

/**
 * sha256_ni_blocks() - go on with a SHA-256
 * @state:  the eight words between two blocks
 * @bytes:  whole blocks, of any alignment
 * @blocks: their number
 *
 * Uses vector registers; see the file.
 */
void sha256_ni_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks);

#endif /* HEKI_USER_SHA256_NI_H */
