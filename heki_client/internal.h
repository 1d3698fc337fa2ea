/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts that collect, lock and show share, and the hooks need not know.
 */
#ifndef HEKI_CLIENT_INTERNAL_H
#define HEKI_CLIENT_INTERNAL_H

#include "client.h"
#include <heki/device.h>

/* lookup.c */
int client_lookup_init(void);

/* A symbol that a part cannot do without. */
struct client_want {
	const char *name;
	unsigned long *address;
};

/* Look all of them up; -ENOENT, with a message, when one is missing. */
int client_symbols(const struct client_want *want, size_t n);

/* transport.c */

/**
 * struct client_transport - a way to VTL1
 * @name:   shown in status
 * @attach: look for VTL1 and start it; 0, -ENODEV when it is not there, or another -errno
 * @detach: let go of it
 * @call:   make one vtlcall; @regs->r8 receives the result
 */
struct client_transport {
	const char *name;
	int (*attach)(void);
	void (*detach)(void);
	void (*call)(struct heki_vtlcall_regs *regs);
};

/* hyperv.c */
extern const struct client_transport client_hyperv;

int client_transport_init(void);
void client_transport_exit(void);
const char *client_transport_name(void);
const char *client_call_name(u32 id);
const char *client_error_name(u32 error);

/**
 * client_reply() - make a call that answers with a page
 * @id:   QUERY, STATS, AUDIT or LIST
 * @p1:   second parameter
 * @p2:   third parameter
 * @page: a page of the direct map; receives the reply
 *
 * Return: 0 or -errno
 */
int client_reply(u32 id, u64 p1, u64 p2, void *page);

/* certs.c: certificates are collected first and sent once. */
int client_certs_builtin(void);
int client_certs_file(const char *path);
int client_certs_add(const void *der, size_t n);
int client_certs_send(void);
void client_certs_free(void);
/* Trust anchors for kexec, from a file; sent at once. */
int client_certs_kexec(const char *path);

/* kernel_data.c */
int client_kernel_symbols(void);
int client_kernel_revoked_copy(void);
int client_kernel_lists(void);
void client_kernel_data_free(void);

/* snapshot.c */

/**
 * client_snapshot_add() - collect what decides how this kernel rewrites modules
 * @ranges: receives the ranges; nothing when VTL1 does not know them
 * @buffer: their memory; to be freed with vfree() after the call, on errors too
 *
 * Return: 0 or -errno
 */
int client_snapshot_add(struct client_ranges *ranges, void **buffer);

/* patch_sites.c */

/**
 * client_patch_sites_kernel() - collect the patch sites of the kernel
 * @ranges: receives the ranges of the buffer
 * @buffer: the buffer; to be freed with vfree() after the call, on errors too
 *
 * Return: 0 or -errno
 */
int client_patch_sites_kernel(struct client_ranges *ranges, void **buffer);

/* protection.c */
int client_protect_kernel(void);

/* probes.c */

/**
 * client_probes_hold() - keep kprobes from being armed, where VTL1 enforces
 *
 * Every call that succeeds is followed by one of client_probes_release().
 *
 * Return: 0, -ETXTBSY when one stands in text, which has been reported, or -ENOENT
 */
int client_probes_hold(void);
void client_probes_release(void);

/* registers.c */
int client_registers_lock(void);
void client_registers_exit(void);

/* lock.c */
int client_lock_init(const char *extra, const char *kexec);
void client_lock_exit(void);
int client_lock_certs(const void *der, size_t n);
int client_lock_offer(const void *elf, size_t n);
int client_lock_now(void);

/* main.c: after the lock sequence, whatever became of it. */
void client_policy_final(void);
bool client_pinned(void);

/* report.c */
void client_trace_call(u32 id, u64 p0, u64 p1, u64 p2, int result);

/* status.c, device.c */
int client_status_init(void);
void client_status_exit(void);
int client_device_init(void);
void client_device_exit(void);

/**
 * client_audit() - let VTL1 compare everything that it recorded
 * @audit: sums over all slices
 */
int client_audit(struct heki_ioc_audit *audit);

#endif /* HEKI_CLIENT_INTERNAL_H */
