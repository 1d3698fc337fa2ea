/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The state of the secure-kernel core. Locks: HEKI_LOCK_TABLES guards everything but the log,
 * HEKI_LOCK_LOG the log; see host.h for their order.
 */
#ifndef HEKI_CORE_CORE_H
#define HEKI_CORE_CORE_H

#include "certs.h"
#include "digest.h"
#include "frames.h"
#include "host.h"
#include "modules.h"
#include "patches.h"
#include "slab.h"
#include "snapshot.h"
#include "symbols.h"

/* Owners that are not modules, by HEKI_OWNER_* - HEKI_OWNER_KERNEL. */
#define CORE_OWNERS 5

struct cert {
	uint32_t set; /* enum heki_cert_set; becomes HEKI_CERTS_REVOKED when it is revoked */
	uint32_t offset; /* of its DER in cert_bytes */
	uint32_t size;
	uint8_t sha256[32]; /* of the DER */
	struct x509 x509; /* points into cert_bytes */
};

struct hash_record {
	uint8_t tbs; /* 1: of a to-be-signed certificate, 0: of a file */
	uint8_t size;
	uint8_t digest[HEKI_HASH_MAX];
};

struct vp_state {
	uint32_t starts;
	uint32_t locked; /* LOCK_REGS was made since the last start */
	struct heki_vp_regs regs;
};

/* An executable range of the kernel: where VTL0 has it mapped. */
struct kernel_text {
	struct gva va;
	struct gpa pa;
	uint64_t size;
};

#define KERNEL_TEXTS_MAX 16

struct log_ring {
	struct heki_log_record *records; /* VTL1's own ring */
	uint32_t capacity;
	uint64_t written;
	struct gpa mirror; /* VTL0's ring, 0 when there is none */
	uint32_t mirror_capacity;
	uint32_t mirror_size;
	uint64_t mirror_written;
	uint64_t run; /* refusals of text patches since the last other record */
	uint64_t omitted; /* of these, without a record, since the last record */
	uint64_t omitted_ever;
};

/* A kexec slot: normal or crash. */
struct kexec_slot {
	bool valid;
	uint32_t busy;
	uint8_t digest[32]; /* Authenticode SHA-256 of the kernel, for the log */
};

struct slot;

struct heki_core {
	const struct heki_host_ops *ops;
	void *host;
	struct heki_limits limits;
	uint8_t seed[16];
	bool end_of_boot;
	bool exec_strict; /* what has no owner is not executable for VTL0's kernel */
	uint32_t policy; /* HEKI_POLICY_* */
	bool system_certs_set; /* SYSTEM_CERTS may not be replaced */
	bool system_certs_built_in; /* and those of VTL0 are left out */
	bool symbols_set;
	bool smp_locks; /* the kernel will put LOCK prefixes back when a second CPU comes */
	bool keys_busy; /* a call that changes certificates or hashes runs; see exclusive() in dispatch.c */
	bool kernel_busy; /* PROTECT_MEMORY runs */
	bool regs_set; /* regs holds what every other VP is compared with */
	uint32_t regs_vp; /* the VP that gave them */
	struct heki_vp_regs regs;

	struct slab frames;
	struct slab symbols;
	struct slab patches;
	/* Of the PATCH_TEXT (the first) or the PATCH_TEXT_BATCH that holds HEKI_LOCK_TABLES. */
	struct patch_step steps[HEKI_PATCH_BATCH_MAX];
	struct heki_patch_batch batch; /* VTL0's, copied once */
	struct slab deps;
	struct slab starts; /* function starts of modules */
	uint32_t *functions; /* of the kernel, limits.functions; as snapshot says */
	struct kernel_snapshot snapshot;
	struct module *modules; /* limits.modules slots */
	struct kernel_thunks thunks; /* without a snapshot: as modules told before end of boot */
	uint32_t next_token; /* from 1, never used again */
	struct heki_budget modules_budget;

	struct chain owner_frames[CORE_OWNERS];
	struct chain kernel_symbols;
	struct chain kernel_patches;
	uint64_t kernel_text_start; /* VTL0 virtual, lowest and highest executable KERNEL range */
	uint64_t kernel_text_end;
	struct kernel_text kernel_texts[KERNEL_TEXTS_MAX]; /* the same, exactly */
	uint32_t kernel_texts_count;

	struct cert *certs;
	uint8_t *cert_bytes;
	uint32_t certs_count;
	uint32_t cert_bytes_used;
	struct hash_record *hashes;
	uint32_t hashes_count;
	uint64_t revision; /* of certificates and hashes, see certs_commit() */

	struct kexec_slot kexec[2];
	struct slot *slots; /* limits.slots of them, see slots.c */
	struct heki_budget slots_budget;
	struct heki_budget entry_budget;
	uint64_t entries; /* of long calls: a clock for slots */
	uint32_t next_done; /* slot that notes the next call which others brought to its end */
	bool continues; /* VTL0 continues calls that answer EAGAIN */
	struct vp_state *vps;
	struct log_ring log;
	struct heki_budget scratch; /* KiB */
	struct heki_stats_reply stats; /* counters; the rest is filled in by STATS */
};

static inline void core_lock(struct heki_core *core)
{
	core->ops->lock(core->host, HEKI_LOCK_TABLES);
}

static inline void core_unlock(struct heki_core *core)
{
	core->ops->unlock(core->host, HEKI_LOCK_TABLES);
}

/**
 * log_write() - append a record to VTL1's ring and to VTL0's mirror
 * @core:   the core
 * @record: seq, time_ns and vp are filled in here
 */
void log_write(struct heki_core *core, struct heki_log_record *record);

/* Tracers make these calls by the thousand: not each of their refusals has a record. */
static inline bool is_text_patch(uint32_t call)
{
	return call == HEKI_CALL_PATCH_TEXT || call == HEKI_CALL_PATCH_TEXT_BATCH;
}

/**
 * log_omit() - is a refusal of a text patch one of too many in a row?
 * @core: the core
 *
 * It is counted here, and the next record says how many had none.
 *
 * Return: whether it gets no record
 */
bool log_omit(struct heki_core *core);

/* A VIOLATION record; the caller counts it in stats.violations. */
void log_violation(struct heki_core *core, struct gpa pa, const char *text);

/* Start a mirror at @pa, which VTL0 can only read: 0, or -HEKI_E_COPY_TO_VTL0. */
int log_mirror(struct heki_core *core, struct gpa pa, uint32_t size);

/* No byte of the mirror is written after this. */
void log_mirror_stop(struct heki_core *core);

/* Copy at most @n records from number @seq on; the number to go on with, 0 at the end. */
uint64_t log_read(struct heki_core *core, uint64_t seq, struct heki_log_record *out, uint32_t n,
		  uint32_t *count);

/* Records ever written to VTL1's ring, of these overwritten, and refusals without a record. */
void log_counts(struct heki_core *core, struct heki_stats_reply *stats);

#endif /* HEKI_CORE_CORE_H */
