// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec=strict: this kernel executes what VTL1 has protected for it, and no more.
 *
 * What the kernel has made executable by itself until then is protected as well: the slots in which
 * probed instructions are executed, and programs that BPF has compiled. New ones would fault where they
 * run, so they are refused where that can fail: a BPF program when it is to be verified or compiled.
 *
 * The memory of programs stays as it is. What the kernel writes over one that has gone is left out
 * (text_patch.c), and all of it is kept when its last one has gone, since its frames are VTL1's.
 *
 * Locks: pack_mutex of BPF while its list is walked. The kept ones only ever become more, and are read
 * without a lock.
 */
#include <linux/bpf.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/string.h>

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

#define PACK_SIZE (SZ_2M * num_possible_nodes())

/* The start of a pack that is kept. */
struct kept {
	struct list_head list;
	const void *ptr;
};

static LIST_HEAD(kept_packs);

/* No program is compiled any more. From before the protection on: one that has begun comes to its end. */
bool client_exec_closed(void)
{
	enum client_phase phase = client_phase();

	return client_exec_strict() &&
	       (phase == CLIENT_LOCKING || phase == CLIENT_LOCKED || READ_ONCE(client.text_protected));
}

bool client_exec_kept(unsigned long address)
{
	const struct kept *kept;

	list_for_each_entry_rcu(kept, &kept_packs, list, true) {
		if (address - (unsigned long)kept->ptr < PACK_SIZE)
			return true;
	}
	return false;
}

void client_exec_exit(void)
{
	struct kept *kept, *next;

	list_for_each_entry_safe(kept, next, &kept_packs, list)
		kfree(kept);
	INIT_LIST_HEAD(&kept_packs);
}

/* Pages in which there is more than what the kernel fills memory with hold programs. */
static int pack_add(struct client_ranges *ranges, const void *pack)
{
	struct kept *kept = kmalloc(sizeof(*kept), GFP_KERNEL);
	const u8 *at = pack, *end = at + PACK_SIZE;
	int error = 0;

	if (!kept)
		return -ENOMEM;
	kept->ptr = pack;
	list_add_tail_rcu(&kept->list, &kept_packs);
	for (; at < end && !error; at += PAGE_SIZE)
		if (memchr_inv(at, *at, PAGE_SIZE))
			error = client_ranges_add(ranges, at, PAGE_SIZE, CLIENT_TEXT_ATTRIBUTES);
	return error;
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
			error = pack_add(ranges, pack->ptr);
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
