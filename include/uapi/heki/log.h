/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * VTL1's log: a header and fixed-size records.  ALLOCATE_RINGBUFFER names memory of VTL0's that
 * becomes read-only for it; VTL1 writes there.
 */
#ifndef _UAPI_HEKI_LOG_H
#define _UAPI_HEKI_LOG_H

#include "data.h"

#define HEKI_LOG_MAGIC 0x31474f4c494b4548ull /* "HEKILOG1" */
#define HEKI_LOG_VERSION 1
#define HEKI_LOG_TEXT 136

enum heki_log_event {
	HEKI_LOG_REFUSAL = 1, /* a call failed: error, address */
	HEKI_LOG_END_OF_BOOT = 2,
	HEKI_LOG_MODULE = 3, /* a module was validated: address = token */
	HEKI_LOG_UNLOAD = 4, /* a module is gone: address = token */
	HEKI_LOG_KEXEC = 5, /* a kexec image was validated: address = slot */
	HEKI_LOG_KEY = 6, /* a certificate joined or was revoked */
	HEKI_LOG_VIOLATION = 7, /* memory or a patch site is not as it should be: address = pa */
	HEKI_LOG_TRUNCATED = 8, /* further differences of the same call were not logged */
	HEKI_LOG_INTERCEPT = 9, /* VTL0 was stopped: address = what it reached for; text says how */
	HEKI_LOG_FAULT = 10 /* VTL1 itself has faulted: address = where */
};

/*
 * A tracer that VTL1 does not know makes tens of thousands of refused patches in a row. The first
 * HEKI_LOG_RUN of them since the last other record have a record each, then one in HEKI_LOG_STEP;
 * all are counted.
 */
#define HEKI_LOG_RUN 64
#define HEKI_LOG_STEP 1024

/**
 * struct heki_log_record - one record
 * @seq:     number of the record, from 1
 * @time_ns: the host's clock, 0 where it has none
 * @address: what the event is about: a physical or virtual address, a token
 * @call:    call id, 0 when there is none
 * @event:   enum heki_log_event
 * @error:   enum heki_error
 * @vp:      virtual processor
 * @name:    module name, NUL-padded
 * @text:    details for people, NUL-padded: section, offset and bytes of a difference
 * @omitted: refusals of text patches between the record before and this one that have none
 * @reserved: 0
 */
struct heki_log_record {
	uint64_t seq;
	uint64_t time_ns;
	uint64_t address;
	uint32_t call;
	uint32_t event;
	uint32_t error;
	uint32_t vp;
	char name[HEKI_MODULE_NAME_LEN];
	char text[HEKI_LOG_TEXT];
	uint64_t omitted;
	uint64_t reserved[2];
};
HEKI_ASSERT_SIZE(struct heki_log_record, 256);

/**
 * struct heki_log_header - first record-sized block of the ring
 * @magic:       HEKI_LOG_MAGIC
 * @version:     HEKI_LOG_VERSION
 * @record_size: 256
 * @capacity:    records that fit behind the header
 * @reserved:    0
 * @write_index: records written so far; record n (from 0) is at slot n % capacity
 * @dropped:     records that were overwritten
 * @omitted:     sum of the records' omitted, of all that were ever written
 * @padding:     0
 */
struct heki_log_header {
	uint64_t magic;
	uint32_t version;
	uint32_t record_size;
	uint32_t capacity;
	uint32_t reserved;
	uint64_t write_index;
	uint64_t dropped;
	uint64_t omitted;
	uint64_t padding[26];
};
HEKI_ASSERT_SIZE(struct heki_log_header, 256);
HEKI_ASSERT_OFFSET(struct heki_log_header, write_index, 24);

#define HEKI_RING_MIN 4096u
#define HEKI_RING_MAX (1u << 20)

#endif /* _UAPI_HEKI_LOG_H */
