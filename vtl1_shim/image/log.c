// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The log ring.  A writer takes a number and fills the slot of that number; a reader finds the
 * number in the slot when the record is whole.
 *
 * Trust boundary: VTL0 cannot reach the ring. Locks: none. Two writers meet in a slot only when
 * one is interrupted for a whole turn of the ring.
 */
#include "log.h"

static struct heki_log_record ring[LOG_RECORDS];
static uint64_t written;

void log_write(const struct heki_log_record *record)
{
	uint64_t seq = __atomic_add_fetch(&written, 1, __ATOMIC_RELAXED);
	struct heki_log_record *slot = &ring[(seq - 1) % LOG_RECORDS];

	__atomic_store_n(&slot->seq, 0, __ATOMIC_RELEASE);
	memcpy((uint8_t *)slot + sizeof(slot->seq), (const uint8_t *)record + sizeof(record->seq),
	       sizeof(*slot) - sizeof(slot->seq));
	__atomic_store_n(&slot->seq, seq, __ATOMIC_RELEASE);
}

uint64_t log_written(void)
{
	return __atomic_load_n(&written, __ATOMIC_RELAXED);
}

int log_read(uint64_t seq, struct heki_log_record *record)
{
	const struct heki_log_record *slot = &ring[(seq - 1) % LOG_RECORDS];

	if (!seq || __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) != seq)
		return -1;
	memcpy(record, slot, sizeof(*record));
	return record->seq == seq ? 0 : -1;
}
