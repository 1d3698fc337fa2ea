// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forged text patches, past the kernel's own patching.  The effect is that VTL1 takes one.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/text-patching.h>

#include <heki/heki.h>

#include "attacks.h"

static u8 *site_address(const struct jump_entry *entry)
{
	return (u8 *)jump_entry_code(entry);
}

/* A jump label of the kernel's text with a NOP of 5 bytes, all in one page. */
static u8 *site_find(void)
{
	const struct jump_entry *entry = pointer("__start___jump_table");
	const struct jump_entry *end = pointer("__stop___jump_table");
	unsigned long text = symbol("_stext"), etext = symbol("_etext");

	for (; entry && entry < end; entry++) {
		unsigned long at = (unsigned long)site_address(entry);

		if (at >= text && at < etext && offset_in_page(at) < PAGE_SIZE - 5 &&
		    !memcmp((void *)at, "\x0f\x1f\x44\x00\x00", 5))
			return (u8 *)at;
	}
	return NULL;
}

/**
 * struct forged - a patch
 * @offset: where it begins, from the site
 * @size:   of it
 * @code:   its bytes
 * @second: it names a second page that it does not touch
 */
struct forged {
	u8 offset;
	u8 size;
	u8 code[5];
	bool second;
};

static int patch_send(const struct forged *forged, u64 pa, struct result *result)
{
	struct heki_patch *patch = (void *)get_zeroed_page(GFP_ATOMIC);
	int error, answer;

	if (!patch)
		return -ENOMEM;
	patch->pa[0] = pa + forged->offset;
	patch->pa[1] = forged->second ? (pa & PAGE_MASK) + PAGE_SIZE : 0;
	patch->size = forged->size;
	memcpy(patch->code, forged->code, forged->size);
	result->address = patch->pa[0];
	error = call_vtl1(HEKI_CALL_PATCH_TEXT, __pa(patch), 0, 0, &answer);
	free_page((unsigned long)patch);
	if (error)
		return error;
	result->error = answer < 0 ? answer : 0;
	result->effect = answer >= 0;
	return 0;
}

/* Where it is not refused, what was there is put back the same way, with interrupts off meanwhile. */
static int patch_try(const struct forged *forged, const u8 *there, u64 pa, struct result *result)
{
	struct result ignored = { };
	struct forged back = { .size = 5 };
	unsigned long flags;
	int error;

	memcpy(back.code, there, sizeof(back.code));
	local_irq_save(flags);
	error = patch_send(forged, pa, result);
	if (memcmp(back.code, there, sizeof(back.code)))
		patch_send(&back, pa, &ignored);
	local_irq_restore(flags);
	return error;
}

static int site_run(const struct attack *attack, struct result *result)
{
	const u8 *site = site_find();

	if (!site)
		return -ENOENT;
	return patch_try(attack->data, site, physical((unsigned long)site), result);
}

static int unlisted_run(const struct attack *attack, struct result *result)
{
	const u8 *text = (u8 *)target_text();

	if (!text)
		return -ENOENT;
	return patch_try(attack->data, text, physical((unsigned long)text), result);
}

/* The argument is a site of a module that is gone; what is there now is nobody's. */
static int freed_run(const struct attack *attack, struct result *result)
{
	if (!argument())
		return -EINVAL;
	return patch_try(attack->data, phys_to_virt(argument()), argument(), result);
}

#define RACE_ROUNDS 500

/*
 * What stands at a site is written there again, and in turn another NOP, which nobody has listed: a NOP all
 * the same, whatever comes of it.  The effect is also that it ever stands there.
 */
static int racing_run(const struct attack *attack, struct result *result)
{
	const u64 *id = attack->data;
	u8 *site = site_find();
	struct heki_patch_batch *batch = (void *)get_zeroed_page(GFP_KERNEL);
	struct heki_patch *patch = &batch->patches[0];
	struct race race = { .id = *id, .rounds = RACE_ROUNDS, .writer = { .turn = 1 } };
	int error = -ENOENT, ignored;

	if (!site || !batch)
		goto out;
	race.p[0] = *id == HEKI_CALL_PATCH_TEXT ? __pa(patch) : __pa(batch);
	batch->count = 1;
	patch->pa[0] = physical((unsigned long)site);
	patch->size = sizeof(patch->code);
	memcpy(patch->code, site, sizeof(patch->code));
	result->address = patch->pa[0];
	race.writer.at = (unsigned long)&patch->code[sizeof(patch->code) - 1];
	race.writer.value = patch->code[sizeof(patch->code) - 1];
	race.watched = &site[sizeof(patch->code) - 1];
	race.before = *race.watched;
	error = race_run(&race, result);
	patch->code[sizeof(patch->code) - 1] = race.writer.value;
	call_vtl1(race.id, race.p[0], 0, 0, &ignored);
out:
	free_page((unsigned long)batch);
	return error;
}

#define RACE(case, id) { case, racing_run, NULL, &(const u64){ id } }
#define PATCH(case, run, ...) { case, run, NULL, &(const struct forged){ __VA_ARGS__ } }

const struct attack patch_attacks[] = {
	PATCH("patch-other-bytes", site_run, 0, 5, { 0xe9, 0x10, 0x20, 0x30, 0x40 }),
	PATCH("patch-call", site_run, 0, 5, { 0xe8, 0, 0, 0, 0 }),
	PATCH("patch-wrong-order", site_run, 1, 4, { 0x1f, 0x44, 0, 0 }),
	PATCH("patch-first-byte", site_run, 0, 1, { 0xc3 }),
	PATCH("patch-beside", site_run, 1, 1, { 0xcc }),
	PATCH("patch-second-page", site_run, 0, 1, { 0xcc }, true),
	PATCH("patch-unlisted", unlisted_run, 0, 1, { 0xcc ^ 1 }),
	PATCH("patch-freed-module", freed_run, 0, 1, { 0xcc }),
	RACE("race-patch", HEKI_CALL_PATCH_TEXT),
	RACE("race-patch-batch", HEKI_CALL_PATCH_TEXT_BATCH),
	{ }
};
