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
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/smp.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "hooks.h"

typedef void poke_writer(void *to, const void *from, size_t n);

/* One slot for each CPU, aligned to its size: a heki_patch never straddles pages. */
struct poke_slot {
	struct heki_patch patch;
	u64 pa; /* of it */
} __aligned(32);

static struct poke_slot *slots;
static unsigned long text_start, text_end;

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

static bool kernel_text(unsigned long address, size_t n)
{
	return address >= text_start && address < text_end && n <= text_end - address;
}

static __always_inline u64 text_pa(unsigned long address)
{
	if (kernel_text(address, 1))
		return __pa(address);
	return ((u64)vmalloc_to_pfn((void *)address) << PAGE_SHIFT) | offset_in_page(address);
}

/* At most HEKI_POKE_MAX bytes: a call would cost more than it does. */
static bool written(const u8 *there, const u8 *code, size_t n)
{
	while (n--)
		if (READ_ONCE(there[n]) != code[n])
			return false;
	return true;
}

/* Have VTL1 write what @writer would write. Interrupts are off: the slot is ours. */
static int poke_call(poke_writer *writer, unsigned long address, const void *from, size_t n)
{
	struct poke_slot *slot = &slots[smp_processor_id()];
	struct heki_patch *patch = &slot->patch;
	unsigned long last = address + n - 1;
	int err;

	patch->pa[0] = text_pa(address);
	patch->pa[1] = 0;
	if (unlikely((address ^ last) & PAGE_MASK))
		patch->pa[1] = text_pa(last & PAGE_MASK);
	memset(patch->code, 0, sizeof(patch->code));
	patch->size = n;
	/* The source is bytes for one writer and an int to fill with for the other. */
	writer(patch->code, from, n);
	err = client_call_atomic(HEKI_CALL_PATCH_TEXT, slot->pa, 0, 0);
	if (err < 0)
		return err;
	return written((const u8 *)address, patch->code, n) ? 0 : -EIO;
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

/* Return: whether the original is to be left out. */
static bool poke_taken_over(poke_writer *writer, void *address, const void *from, size_t n)
{
	unsigned long at = (unsigned long)address, flags;
	int err = -ENOENT;

	if ((!client_locked() && !client.text_protected) || !n)
		return false;
	if (!kernel_text(at, n) && !client_modules_text(at, n)) {
		client_count(CLIENT_COUNT_pokes_unprotected);
		return false;
	}
	if (n <= HEKI_POKE_MAX) {
		local_irq_save(flags);
		err = poke_call(writer, at, from, n);
		local_irq_restore(flags);
	}
	if (!err) {
		client_count(CLIENT_COUNT_pokes_allowed);
		return true;
	}
	/* Until end of boot some text is neither protected nor known. */
	if (client_phase() == CLIENT_LOCKING)
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
	unsigned int cpu;
	int err;

	text_start = client_symbol("_stext");
	text_end = client_symbol("_etext");
	if (!text_start || text_end <= text_start)
		return -ENOENT;
	slots = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO,
					 get_order(nr_cpu_ids * sizeof(*slots)));
	if (!slots)
		return -ENOMEM;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		slots[cpu].pa = virt_to_phys(&slots[cpu].patch);
	/* Without messages about what was left out: text_mutex is held there. */
	ratelimit_set_flags(&unlisted_limit, RATELIMIT_MSG_ON_RELEASE);
	ratelimit_set_flags(&refused_limit, RATELIMIT_MSG_ON_RELEASE);
	err = client_hook_install(&poke_hook, poke_prepare);
	if (err)
		client_text_patch_exit();
	return err;
}

void client_text_patch_exit(void)
{
	client_hook_remove(&poke_hook);
	free_pages((unsigned long)slots, get_order(nr_cpu_ids * sizeof(*slots)));
	slots = NULL;
}
