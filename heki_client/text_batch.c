// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of text patches: one call of VTL1 for each step of the kernel's batch patching.
 *
 * The kernel patches many sites together, in three steps: INT3 at each, the tails, the first bytes.
 * While it does, bp_desc names all of them, and from before its first poke INT3s at any of them are
 * handled. So at the first poke of a step VTL1 is asked for the whole step; the others then find
 * their bytes there and need no call. Between two steps the kernel synchronises all CPUs, as ever.
 * What does not match to the letter, and what VTL1 refuses as a batch, goes poke by poke.
 *
 * Locks: all of this is used under text_mutex, which a poke's caller holds.
 */
#include <linux/gfp.h>
#include <linux/io.h>

#include "compat.h"
#include "text_patch.h"

#define INT3 0xcc

/* What the kernel puts together at most. */
#define SITES_MAX (PAGE_SIZE / sizeof(struct compat_poke))

enum step {
	STEP_INT3,
	STEP_TAIL,
	STEP_FIRST,
	STEP_NONE
};

/**
 * struct batch - the step that is being made
 * @page:     of the call
 * @pa:       of it
 * @writer:   of the step's pokes
 * @step:     which step
 * @refused:  VTL1 has refused a batch of these sites
 * @next:     site whose poke comes next
 * @count:    sites whose pokes VTL1 has written
 */
static struct batch {
	struct heki_patch_batch *page;
	u64 pa;
	poke_writer *writer;
	enum step step;
	bool refused;
	unsigned int next;
	unsigned int count;
} batch;

static const struct compat_poke_batch nothing;
const struct compat_poke_batch *client_patching = &nothing;
/* Users of perf's records of text, which say what stood there before each poke. */
static const atomic_t *poke_events;

static unsigned long site_address(const struct compat_poke *site)
{
	return client_text_start + site->offset;
}

/* The first poke of which step is it? */
static enum step step_begun(const struct compat_poke *site, unsigned long address,
			    const u8 *code, size_t n)
{
	if (address == site_address(site) && n == 1) {
		if (code[0] == INT3)
			return STEP_INT3;
		return code[0] == site->text[0] ? STEP_FIRST : STEP_NONE;
	}
	if (address == site_address(site) + 1 && n + 1 == site->len && n < HEKI_POKE_MAX)
		return memcmp(code, site->text + 1, n) ? STEP_NONE : STEP_TAIL;
	return STEP_NONE;
}

/* False for a site that is not patched in three steps, or that VTL1 does not protect. */
static bool enter(struct heki_patch *patch, const struct compat_poke *site, enum step step)
{
	unsigned long address = site_address(site);
	bool kernel = text_is_kernel(address, site->len);

	if (site->len < 2 || site->len > HEKI_POKE_MAX || site->text[0] == INT3 ||
	    (!kernel && !client_modules_text(address, site->len)))
		return false;
	memset(patch->code, 0, sizeof(patch->code));
	if (step == STEP_TAIL) {
		memcpy(patch->code, site->text + 1, site->len - 1);
		text_patch_address(patch, address + 1, site->len - 1, kernel);
	} else {
		patch->code[0] = step == STEP_INT3 ? INT3 : site->text[0];
		text_patch_address(patch, address, 1, kernel);
	}
	return true;
}

/* The part of a step that begins at site @first: for how many sites VTL1 has written it. */
static unsigned int send(unsigned int first)
{
	const struct compat_poke *site = client_patching->vec + first;
	unsigned int count = min_t(unsigned int, client_patching->nr - first, HEKI_PATCH_BATCH_MAX);
	struct heki_patch *patch = batch.page->patches, *end = patch + count;

	for (; patch < end; patch++, site++)
		if (!enter(patch, site, batch.step))
			return 0;
	batch.page->count = count;
	if (client_call_atomic(HEKI_CALL_PATCH_TEXT_BATCH, batch.pa, 0, 0) < 0) {
		client_count(CLIENT_COUNT_batches_refused);
		batch.refused = true;
		return 0;
	}
	client_count(CLIENT_COUNT_batches);
	return count;
}

/*
 * Is it the poke that comes next? Its bytes are those that VTL1 was told: they stand there, and
 * nobody else may write. More than one site means that vec is the kernel's own array, which is
 * there for ever.
 */
static __always_inline bool expected(poke_writer *writer, unsigned long address, const void *from,
				     size_t n)
{
	const struct compat_poke *site = client_patching->vec + batch.next;
	bool tail = batch.step == STEP_TAIL;

	if (batch.next >= batch.count || address != site_address(site) + tail ||
	    n != (tail ? site->len - 1 : 1) || writer != batch.writer || !text_is(address, from, n))
		return false;
	batch.next++;
	return true;
}

static noinline bool begin(poke_writer *writer, unsigned long address, const void *from, size_t n)
{
	const struct compat_poke_batch *all = client_patching;
	unsigned int sent;

	if (!atomic_read(&all->refs) || all->nr > SITES_MAX || atomic_read(poke_events))
		return false;
	batch.next = 0;
	batch.count = 0;
	batch.writer = writer;
	batch.step = step_begun(all->vec, address, from, n);
	if (batch.step == STEP_INT3)
		batch.refused = false;
	if (batch.step == STEP_NONE || batch.refused)
		return false;
	do {
		sent = send(batch.count);
		batch.count += sent;
	} while (sent && batch.count < all->nr);
	client_count_many(CLIENT_COUNT_pokes_allowed, batch.count);
	client_count_many(CLIENT_COUNT_pokes_batched, batch.count);
	return expected(writer, address, from, n);
}

bool client_batch_poke(poke_writer *writer, unsigned long address, const void *from, size_t n)
{
	return expected(writer, address, from, n) || begin(writer, address, from, n);
}

/* With an older VTL1, or on a kernel without one of the symbols, patches are made poke by poke. */
int client_batch_init(void)
{
	const struct compat_poke_batch *patching = (void *)client_symbol("bp_desc");

	poke_events = (void *)client_symbol("nr_text_poke_events");
	if (!patching || !poke_events || !(client.features & HEKI_FEATURE_PATCH_BATCH))
		return 0;
	batch.page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!batch.page)
		return -ENOMEM;
	batch.pa = virt_to_phys(batch.page);
	client_patching = patching;
	return 0;
}

/* After the last poke. */
void client_batch_exit(void)
{
	client_patching = &nothing;
	free_page((unsigned long)batch.page);
	batch.page = NULL;
}
