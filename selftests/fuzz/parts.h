/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must hold of a kernel image that the reader takes.
 */
#ifndef SELFTESTS_FUZZ_PARTS_H
#define SELFTESTS_FUZZ_PARTS_H

#include "pe.h"
#include "world.h"

/**
 * parts_check() - check what was read of an image
 * @image: the image
 * @pe:    what pe_parse() found
 *
 * The digest covers each byte but the checksum, the directory entry and the table of the
 * certificates; headers and sections follow each other and end before that table.
 */
void parts_check(struct span image, const struct pe *pe);

#endif /* SELFTESTS_FUZZ_PARTS_H */
