// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * VTL1's log: a ring of its own, and a mirror in memory that VTL0 gave and can only read.
 *
 * Trust boundary: nothing is ever read back from the mirror. Locks: takes HEKI_LOCK_LOG, which may
 * be taken with HEKI_LOCK_TABLES held.
 */
#include "core.h"

/* The part of the header that changes with each record. */
struct mirror_counts {
	uint64_t write_index;
	uint64_t dropped;
	uint64_t omitted;
};

HEKI_ASSERT(offsetof(struct heki_log_header, omitted) -
	    offsetof(struct heki_log_header, write_index) == offsetof(struct mirror_counts, omitted));

/* A host that cannot write stops the mirror, not the log. */
static void mirror_write(struct heki_core *core, const struct heki_log_record *record)
{
	struct log_ring *log = &core->log;
	struct mirror_counts counts;
	uint64_t slot = log->mirror_written % log->mirror_capacity;
	uint64_t pa = log->mirror.v + (slot + 1) * sizeof(*record);

	/* The record first: whoever sees the new index may read it. */
	if (core->ops->write(core->host, gpa(pa), record, sizeof(*record)))
		goto stop;
	log->mirror_written++;
	counts.write_index = log->mirror_written;
	counts.dropped = log->mirror_written > log->mirror_capacity ?
				 log->mirror_written - log->mirror_capacity : 0;
	counts.omitted = log->omitted_ever - log->omitted;
	pa = log->mirror.v + offsetof(struct heki_log_header, write_index);
	if (!core->ops->write(core->host, gpa(pa), &counts, sizeof(counts)))
		return;
stop:
	log->mirror = gpa(0);
}

bool log_omit(struct heki_core *core)
{
	struct log_ring *log = &core->log;
	bool omit;

	core->ops->lock(core->host, HEKI_LOCK_LOG);
	log->run++;
	omit = log->run > HEKI_LOG_RUN && (log->run - HEKI_LOG_RUN) % HEKI_LOG_STEP;
	log->omitted += omit;
	log->omitted_ever += omit;
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
	return omit;
}

void log_write(struct heki_core *core, struct heki_log_record *record)
{
	struct log_ring *log = &core->log;

	record->vp = core->ops->vp(core->host);
	record->time_ns = core->ops->time_ns(core->host);
	core->ops->lock(core->host, HEKI_LOCK_LOG);
	record->seq = log->written + 1;
	record->omitted = log->omitted;
	log->omitted = 0;
	if (record->event != HEKI_LOG_REFUSAL || !is_text_patch(record->call))
		log->run = 0;
	log->records[log->written % log->capacity] = *record;
	log->written++;
	if (log->mirror.v)
		mirror_write(core, record);
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
}

void heki_core_log(struct heki_core *core, struct heki_log_record *record)
{
	if (record->event == HEKI_LOG_INTERCEPT)
		__atomic_fetch_add(&core->stats.intercepts, 1, __ATOMIC_RELAXED);
	log_write(core, record);
}

int log_mirror(struct heki_core *core, struct gpa pa, uint32_t size)
{
	struct log_ring *log = &core->log;
	struct heki_log_header header = {
		.magic = HEKI_LOG_MAGIC,
		.version = HEKI_LOG_VERSION,
		.record_size = sizeof(struct heki_log_record),
		.capacity = size / (uint32_t)sizeof(struct heki_log_record) - 1,
	};

	if (core->ops->write(core->host, pa, &header, sizeof(header)))
		return -HEKI_E_COPY_TO_VTL0;
	core->ops->lock(core->host, HEKI_LOCK_LOG);
	log->mirror = pa;
	log->mirror_size = size;
	log->mirror_capacity = header.capacity;
	log->mirror_written = 0;
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
	return 0;
}

void log_mirror_stop(struct heki_core *core)
{
	core->ops->lock(core->host, HEKI_LOCK_LOG);
	core->log.mirror = gpa(0);
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
}

uint64_t log_read(struct heki_core *core, uint64_t seq, struct heki_log_record *out, uint32_t n,
		  uint32_t *count)
{
	struct log_ring *log = &core->log;
	uint64_t first;

	*count = 0;
	core->ops->lock(core->host, HEKI_LOCK_LOG);
	first = log->written > log->capacity ? log->written - log->capacity + 1 : 1;
	if (seq < first)
		seq = first;
	for (; seq <= log->written && *count < n; seq++)
		out[(*count)++] = log->records[(seq - 1) % log->capacity];
	if (seq > log->written)
		seq = 0;
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
	return seq;
}

void log_counts(struct heki_core *core, struct heki_stats_reply *stats)
{
	struct log_ring *log = &core->log;

	core->ops->lock(core->host, HEKI_LOCK_LOG);
	stats->log_written = log->written;
	stats->log_dropped = log->written > log->capacity ? log->written - log->capacity : 0;
	stats->log_omitted = log->omitted_ever;
	core->ops->unlock(core->host, HEKI_LOCK_LOG);
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i];
}

void log_violation(struct heki_core *core, struct gpa pa, const char *text)
{
	struct heki_log_record record = { .event = HEKI_LOG_VIOLATION, .address = pa.v };

	copy_text(record.text, sizeof(record.text), text);
	log_write(core, &record);
}
