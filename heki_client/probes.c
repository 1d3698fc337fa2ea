// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes that stand in text when it is protected.
 *
 * A kprobe within a function is an INT3 or a jump in its text. Once VTL1 enforces nobody can take it
 * away: the kernel would free the probe, and die of what it left behind. So a kernel with such a
 * probe is not locked. None can be armed from here to the end of the lock sequence, in modules that
 * VTL1 has not been sent either; those that have waited for that find the text protected, and their
 * patch is left out.
 *
 * Probes at the entry of functions are ftrace's, whose sites VTL1 knows. Those of the client stay.
 *
 * Locks: the kernel's kprobe_mutex, which comes before all others of kprobes and of text patching.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "hooks.h"
#include "internal.h"

/* Of kernel/kprobes.c. */
#define TABLE_SIZE 64

/* One that was removed as a jump stays in text until the kernel's worker comes by. */
#define TRIES 20
#define WAIT_MS 20

static struct mutex *lock;

/* What the kernel notes of it may be ahead of the text. That of a module that has gone is no more. */
static bool stands_in_text(const struct kprobe *p)
{
	return !(p->flags & (KPROBE_FLAG_FTRACE | KPROBE_FLAG_GONE)) &&
	       READ_ONCE(*p->addr) != p->opcode && !client_policy_probe(p->addr);
}

static const struct kprobe *find(const struct hlist_head *table)
{
	const struct kprobe *p;
	size_t i;

	for (i = 0; i < TABLE_SIZE; i++) {
		hlist_for_each_entry(p, &table[i], hlist) {
			if (stands_in_text(p))
				return p;
		}
	}
	return NULL;
}

static void report(const struct kprobe *p)
{
	char name[96];

	snprintf(name, sizeof(name), "%pS", p->addr);
	client_report("lock", name, -ETXTBSY,
		      "a kprobe stands in text that would be protected: remove it and start again");
}

int client_probes_hold(void)
{
	const struct hlist_head *table = (void *)client_symbol("kprobe_table");
	const struct kprobe *p;
	unsigned int tries;

	if (!client_enforced())
		return 0;
	lock = (struct mutex *)client_symbol("kprobe_mutex");
	if (!table || !lock) {
		client_report("lock", "-", -ENOENT, "this kernel has no table of kprobes");
		return -ENOENT;
	}
	for (tries = 1;; tries++) {
		mutex_lock(lock);
		p = find(table);
		if (!p)
			return 0;
		if (tries == TRIES)
			break;
		mutex_unlock(lock);
		msleep(WAIT_MS);
	}
	report(p);
	client_probes_release();
	return -ETXTBSY;
}

void client_probes_release(void)
{
	if (client_enforced())
		mutex_unlock(lock);
}
