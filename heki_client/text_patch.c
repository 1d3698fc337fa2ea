// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text patches: takes over __text_poke(), through which every change of live kernel text passes.
 *
 * Text that VTL1 protects is patched by VTL1, which knows the sites and what may stand there. All
 * else (BPF programs, kprobe slots, trampolines) and everything before lock is left to the
 * original. With the grade audit a refused patch is reported and then made all the same: to drop it
 * behind the kernel's back would end in a BUG of its jump labels. With the grade enforce it is dropped:
 * the original would fault on the protected page, with text_mutex held.
 *
 * Context: text_mutex is held (or all other CPUs are stopped), interrupts may be off; never sleeps.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/static_call.h>
#include <linux/string.h>

#include "text_patch.h"

/* Pokes come one at a time: one slot, in a page of its own. */
static struct heki_patch *slot;
static u64 slot_pa;
unsigned long client_text_start, client_text_end;

/*
 * Tracers change thousands of sites whose new code VTL1 does not know. All are counted; what is
 * told is limited, apart for either kind, so that one cannot hide the other.
 */
static DEFINE_RATELIMIT_STATE(unlisted_limit, 5 * HZ, 3);
static DEFINE_RATELIMIT_STATE(refused_limit, 5 * HZ, 10);

static void *poke_prototype(poke_writer *writer, void *address, const void *from, size_t n)
{
	return address;
}

DEFINE_STATIC_CALL(poke_original, poke_prototype);

/* Have VTL1 write what @writer would write. */
static int poke_call(poke_writer *writer, unsigned long address, const void *from, size_t n,
		     bool kernel)
{
	struct heki_patch *patch = slot;
	int err;

	text_patch_address(patch, address, n, kernel);
	memset(patch->code, 0, sizeof(patch->code));
	/* The source is bytes for one writer and an int to fill with for the other. */
	writer(patch->code, from, n);
	err = client_call_atomic(HEKI_CALL_PATCH_TEXT, slot_pa, 0, 0);
	if (err < 0)
		return err;
	return text_is(address, patch->code, n) ? 0 : -EIO;
}

static void poke_refused(unsigned long address, size_t n, int err)
{
	bool unlisted = err == -ENOENT;
	char name[64], text[64];

	client_count(CLIENT_COUNT_pokes_refused);
	if (unlisted)
		client_count(CLIENT_COUNT_pokes_unlisted);
	if (!__ratelimit(unlisted ? &unlisted_limit : &refused_limit))
		return;
	snprintf(name, sizeof(name), "%ps", (void *)address);
	snprintf(text, sizeof(text), "%zu bytes, %s", n,
		 unlisted ? "not a site that VTL1 lists" : "not what may stand there");
	client_report("poke", name, err, text);
}

/* What VTL1 has been sent it protects, where it enforces. */
static bool text_is_sent(unsigned long address, size_t n, bool kernel)
{
	return client.text_protected && (kernel || client_modules_text_sent(address, n));
}

/* Return: whether the original is to be left out. */
static bool poke_taken_over(poke_writer *writer, void *address, const void *from, size_t n)
{
	unsigned long at = (unsigned long)address;
	int err = -ENOENT;
	bool kernel;

	if ((!client_locked() && !client.text_protected) || !n)
		return false;
	if (client_batch_possible() && client_batch_poke(writer, at, from, n))
		return true;
	kernel = text_is_kernel(at, n);
	/* A program that goes is written over. */
	if (!kernel && client.text_protected && client_exec_kept(at)) {
		client_count(CLIENT_COUNT_pokes_kept);
		return true;
	}
	if (!kernel && !client_modules_text(at, n)) {
		client_count(CLIENT_COUNT_pokes_unprotected);
		return false;
	}
	if (n <= HEKI_POKE_MAX)
		err = poke_call(writer, at, from, n, kernel);
	if (!err) {
		client_count(CLIENT_COUNT_pokes_allowed);
		return true;
	}
	/* Until end of boot the text of some modules is neither protected nor known. */
	if (client_phase() == CLIENT_LOCKING && !text_is_sent(at, n, kernel))
		return false;
	poke_refused(at, n, err);
	return client_enforced();
}

static void *poke_replacement(poke_writer *writer, void *address, const void *from, size_t n)
{
	int cookie = client_hook_enter();

	client_count(CLIENT_COUNT_pokes);
	if (!poke_taken_over(writer, address, from, n))
		address = static_call(poke_original)(writer, address, from, n);
	client_hook_leave(cookie);
	return address;
}

static struct client_hook poke_hook = {
	.symbol = "__text_poke",
	.replacement = poke_replacement,
};

static void poke_prepare(struct client_hook *hook)
{
	static_call_update(poke_original, (typeof(&poke_prototype))hook->address);
}

int client_text_patch_init(void)
{
	int err;

	client_text_start = client_symbol("_stext");
	client_text_end = client_symbol("_etext");
	if (!client_text_start || client_text_end <= client_text_start)
		return -ENOENT;
	slot = (void *)get_zeroed_page(GFP_KERNEL);
	if (!slot)
		return -ENOMEM;
	slot_pa = virt_to_phys(slot);
	/* Without messages about what was left out: text_mutex is held there. */
	ratelimit_set_flags(&unlisted_limit, RATELIMIT_MSG_ON_RELEASE);
	ratelimit_set_flags(&refused_limit, RATELIMIT_MSG_ON_RELEASE);
	err = client_batch_init();
	if (!err)
		err = client_hook_install(&poke_hook, poke_prepare);
	if (err)
		client_text_patch_exit();
	return err;
}

void client_text_patch_exit(void)
{
	client_hook_remove(&poke_hook);
	client_batch_exit();
	free_page((unsigned long)slot);
	slot = NULL;
}
