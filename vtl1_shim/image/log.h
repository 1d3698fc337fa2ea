/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the bare-metal half adds to VTL1's log.
 */
#ifndef VTL1_IMAGE_LOG_H
#define VTL1_IMAGE_LOG_H

#include "words.h"

/**
 * image_log() - add a record
 * @event:   HEKI_LOG_INTERCEPT or HEKI_LOG_FAULT
 * @address: what it is about
 * @w:       its words
 *
 * Where the log cannot be reached, because the code that failed may be in the middle of it, the words
 * go to the console.
 */
void image_log(enum heki_log_event event, uint64_t address, const struct words *w);

#endif /* VTL1_IMAGE_LOG_H */
