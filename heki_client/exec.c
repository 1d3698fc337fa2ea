// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec=strict: this kernel executes what VTL1 has protected for it, and no more.
 *
 * What the kernel has made executable by itself until then is protected as well: the slots in which
 * probed instructions are executed, and programs that BPF has compiled. New ones would fault where they
 * run, so they are refused where that can fail: a BPF program when it is to be compiled.
 *
 * Locks: pack_mutex of BPF while its list is walked.
 */
#include <linux/bpf.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/static_call.h>

#include "hooks.h"

/* Of kernel/bpf/core.c: where compiled programs lie. */
struct bpf_pack {
	struct list_head list;
	void *ptr;
};

bool client_exec_strict(void)
{
	return client.exec == CLIENT_EXEC_STRICT;
}

/* The kernel gives a pack one large page where it can, else one small one. */
static size_t pack_size(const void *at)
{
	return is_vmalloc_addr(at) && IS_ALIGNED((unsigned long)at, PMD_SIZE) ?
		       PMD_SIZE * num_possible_nodes() : PAGE_SIZE;
}

static int packs_add(struct client_ranges *ranges)
{
	struct mutex *lock = (struct mutex *)client_symbol("pack_mutex");
	struct list_head *packs = (struct list_head *)client_symbol("pack_list");
	const struct bpf_pack *pack;
	int error = 0;

	if (!lock || !packs)
		return -ENOENT;
	mutex_lock(lock);
	list_for_each_entry(pack, packs, list) {
		if (!error)
			error = client_ranges_add(ranges, pack->ptr, pack_size(pack->ptr),
						  CLIENT_TEXT_ATTRIBUTES);
	}
	mutex_unlock(lock);
	return error;
}

int client_exec_protect(struct client_ranges *ranges)
{
	int error;

	if (!client_exec_strict())
		return 0;
	error = packs_add(ranges);
	return error ? error : client_policy_slots(ranges);
}

int client_exec_send(void)
{
	u64 policy = 0;

	/* What enforce does not let through anyway is not asked for. */
	if (client.patches == CLIENT_PATCHES_TRACING ||
	    (client.patches == CLIENT_PATCHES_REPORT && !client_enforced()))
		policy |= HEKI_POLICY_PATCHES_TRACING;
	if (client_exec_strict())
		policy |= HEKI_POLICY_EXEC_STRICT;
	if (client_exec_strict() && !(client.features & HEKI_FEATURE_EXEC_STRICT)) {
		pr_err("exec=strict asks for a hypervisor that tells user and kernel execution apart (MBEC); VTL1 has none\n");
		return -EOPNOTSUPP;
	}
	if (!(client.features & HEKI_FEATURE_POLICY))
		return 0;
	return client_call(HEKI_CALL_SET_POLICY, policy, 0, 0);
}
