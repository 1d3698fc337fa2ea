/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The log of the bare-metal half, in VTL1's memory.
 */
#ifndef VTL1_IMAGE_LOG_H
#define VTL1_IMAGE_LOG_H

#include "words.h"

#define LOG_RECORDS 256

/**
 * log_write() - add a record
 * @record: its words and numbers; the sequence number is filled in
 *
 * Takes no lock, so that a fault handler may call it whatever it has interrupted.
 */
void log_write(const struct heki_log_record *record);

/* Records ever written. */
uint64_t log_written(void);

/**
 * log_read() - a copy of a record
 * @seq:    its number, from 1
 * @record: the copy
 *
 * Return: 0, or -1 when it is not written yet or overwritten
 */
int log_read(uint64_t seq, struct heki_log_record *record);

#endif /* VTL1_IMAGE_LOG_H */
