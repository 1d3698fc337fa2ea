/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's verdicts on certificates and signed modules, without a guest: the same code in
 * userspace and in a kernel, on the crypto operations of either host.
 */
#ifndef SELFTESTS_DIFFERENTIAL_JUDGE_H
#define SELFTESTS_DIFFERENTIAL_JUDGE_H

#include "host.h"

/* What is judged; the first byte of a request to the device. */
#define JUDGE_RESET 'R' /* forget all certificates */
#define JUDGE_TRUST 'T' /* a certificate, which is trusted from then on if it is accepted */
#define JUDGE_MODULE 'M' /* a module's file */
#define JUDGE_REQUEST_MAX ((64u << 20) + 1)

int judge_read(void *host, struct gpa pa, void *to, size_t n);
int judge_write(void *host, struct gpa pa, const void *from, size_t n);
bool judge_is_ram(void *host, struct gpa pa, uint64_t n);
int judge_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes);
void *judge_alloc(void *host, size_t n);
void judge_free(void *host, void *p, size_t n);
void judge_lock(void *host, enum heki_lock lock);
uint64_t judge_time_ns(void *host);
uint32_t judge_vp(void *host);
int judge_vp_up(void *host, uint32_t vp);
bool judge_vp_restarted(void *host, uint32_t vp);
int judge_read_regs(void *host, struct heki_vp_regs *regs);

/* A host without a guest, with the crypto operations @crypto_hash_begin() and so on. */
#define JUDGE_OPS(crypto)                                                                          \
	{                                                                                          \
		.name = "judge", .grade = HEKI_GRADE_AUDIT, .read = judge_read,                    \
		.write = judge_write, .is_ram = judge_is_ram, .is_kexec_target = judge_is_ram,     \
		.protect = judge_protect, .alloc = judge_alloc, .free = judge_free,                \
		.lock = judge_lock, .unlock = judge_lock, .time_ns = judge_time_ns,                \
		.vp = judge_vp, .vp_up = judge_vp_up, .vp_restarted = judge_vp_restarted,          \
		.read_regs = judge_read_regs, .hash_begin = crypto##_hash_begin,                   \
		.hash_update = crypto##_hash_update, .hash_end = crypto##_hash_end,                \
		.hash_copy = crypto##_hash_copy, .verify = crypto##_verify,                        \
		.cert_check = crypto##_cert_check,                                                 \
	}

/* Memory that a judge needs. */
size_t judge_size(void);

/**
 * judge() - judge a request
 * @memory: judge_size() bytes, page aligned; must have been reset once
 * @ops:    the host
 * @kind:   JUDGE_*
 * @bytes:  what is judged
 *
 * Return: 0 or an enum heki_error
 */
uint32_t judge(void *memory, const struct heki_host_ops *ops, char kind, struct span bytes);

#endif /* SELFTESTS_DIFFERENTIAL_JUDGE_H */
