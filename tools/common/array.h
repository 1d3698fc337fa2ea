/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Number of elements of an array.
 */
#ifndef TOOLS_COMMON_ARRAY_H
#define TOOLS_COMMON_ARRAY_H

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* TOOLS_COMMON_ARRAY_H */
