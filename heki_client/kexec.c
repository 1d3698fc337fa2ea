// SPDX-License-Identifier: GPL-2.0-only
/*
 * kexec: a loaded image is shown to VTL1 before the kernel accepts it.
 *
 * kimage_load_segment() is taken over: at the last segment the image is complete and the signed
 * file of the kernel is still there. VTL1 freezes the image and verifies the file; its refusal is
 * the error of the system call. kimage_free() is taken over to give an image back: an unload, an
 * image that is replaced, a load that fails later.
 *
 * The old kexec_load() brings no file, so there is no signature to verify. It is vetoed by the
 * policy that vetoes unsigned modules, reported otherwise.
 *
 * The kernel's kexec lock is held in both.
 *
 * Running an image copies it over memory that VTL1 protects and changes registers that it has pinned.
 * Under the grade enforce each of these writes would be a violation, so it is not begun: reboot(2)
 * fails, and a panic goes on to its end without the crash image.
 */
#include <linux/io.h>
#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/static_call.h>

#include "hooks.h"

/* Images that VTL1 has validated: normal, crash. */
static const struct kimage *validated[2];

static int segment_prototype(struct kimage *image, struct kexec_segment *segment)
{
	return -EOPNOTSUPP;
}

static void free_prototype(struct kimage *image)
{
}

DEFINE_STATIC_CALL(kexec_segment_original, segment_prototype);
DEFINE_STATIC_CALL(kexec_free_original, free_prototype);

/* The kernel's segment points into the file; all others were made by the loader. */
static bool segment_is_kernel(const struct kimage *image, const struct kexec_segment *segment)
{
	const void *start = image->kernel_buf, *end = start + image->kernel_buf_len;

	return segment->kbuf >= start && segment->kbuf < end;
}

static struct heki_kexec_segment *image_segments(const struct kimage *image)
{
	struct heki_kexec_segment *segments;
	unsigned long i;

	segments = kcalloc(image->nr_segments, sizeof(*segments), GFP_KERNEL);
	if (!segments)
		return NULL;
	for (i = 0; i < image->nr_segments; i++) {
		segments[i].mem = image->segment[i].mem;
		segments[i].memsz = image->segment[i].memsz;
		segments[i].bufsz = image->segment[i].bufsz;
		if (segment_is_kernel(image, &image->segment[i]))
			segments[i].flags = HEKI_SEGMENT_KERNEL;
	}
	return segments;
}

/* Where the pages of a normal image wait: in the order of the segments, page by page. */
static int add_source_pages(struct client_ranges *ranges, const struct kimage *image)
{
	const kimage_entry_t *entry = &image->head;
	int err;

	while (*entry && !(*entry & IND_DONE)) {
		if (*entry & IND_SOURCE) {
			err = client_ranges_add(ranges, phys_to_virt(*entry & PAGE_MASK),
						PAGE_SIZE, HEKI_KEXEC_PAGES);
			if (err)
				return err;
		}
		if (*entry & IND_INDIRECTION)
			entry = phys_to_virt(*entry & PAGE_MASK);
		else
			entry++;
	}
	return 0;
}

/* A crash image lies where it will run. The kernel goes on changing its ELF core header. */
static int add_crash_pages(struct client_ranges *ranges, const struct kimage *image)
{
	const struct kexec_segment *segment = image->segment;
	unsigned long i;
	int err;

	for (i = 0; i < image->nr_segments; i++, segment++) {
		if (segment->mem == image->elf_load_addr)
			continue;
		err = client_ranges_add(ranges, phys_to_virt(segment->mem), segment->memsz,
					HEKI_KEXEC_PAGES);
		if (err)
			return err;
	}
	return 0;
}

static int image_validate(const struct kimage *image)
{
	struct heki_kexec_segment *segments = image_segments(image);
	struct client_ranges ranges;
	int err = -ENOMEM;

	client_ranges_init(&ranges);
	if (!segments)
		goto out;
	err = client_ranges_add(&ranges, segments, image->nr_segments * sizeof(*segments),
				HEKI_KEXEC_SEGMENTS);
	if (!err)
		err = image->type == KEXEC_TYPE_CRASH ? add_crash_pages(&ranges, image) :
							add_source_pages(&ranges, image);
	if (!err)
		err = client_ranges_add(&ranges, image->kernel_buf, image->kernel_buf_len,
					HEKI_KEXEC_KERNEL_BLOB);
	if (!err)
		err = client_ranges_call(&ranges, HEKI_CALL_KEXEC_VALIDATE, image->type);
out:
	client_ranges_free(&ranges);
	kfree(segments);
	return err;
}

static void image_gone(unsigned int type)
{
	int err = client_call(HEKI_CALL_KEXEC_VALIDATE, 0, 0, type);

	if (err < 0)
		client_report("kexec", type == KEXEC_TYPE_CRASH ? "crash" : "normal", err,
			      "giving an image back");
	validated[type] = NULL;
}

/* VTL1 has let go of the image that was validated before, or does so now; the kernel keeps it. */
static int image_refused(const struct kimage *image, int err)
{
	struct heki_log_record record;
	const char *text = "";

	if (client_refusal(HEKI_CALL_KEXEC_VALIDATE, &record))
		text = record.text;
	client_count(CLIENT_COUNT_kexec_refused);
	client_report("kexec", image->type == KEXEC_TYPE_CRASH ? "crash" : "normal", err, text);
	if (validated[image->type])
		image_gone(image->type);
	return err;
}

/* All segments are in place. */
static int image_complete(const struct kimage *image)
{
	int err;

	err = image_validate(image);
	if (err < 0)
		return image_refused(image, err);
	validated[image->type] = image;
	client_count(CLIENT_COUNT_kexec_validated);
	return 0;
}

/* Counts and reports. Return: 0, or the error under the policy that vetoes. */
static int image_verdict(const char *name, int err, const char *text)
{
	client_count(CLIENT_COUNT_kexec_refused);
	client_report("kexec", name, err, text);
	return client.modules == CLIENT_MODULES_ENFORCE || client.mode == CLIENT_ENFORCE ? err : 0;
}

/* An image of the old system call, before its first segment is copied. */
static int image_unsigned(void)
{
	return image_verdict("kexec_load", -ENODATA, "this system call brings no signed file");
}

static int segment_replacement(struct kimage *image, struct kexec_segment *segment)
{
	int cookie = client_hook_enter(), err = 0;

	if (client_locked() && !image->file_mode && segment == image->segment)
		err = image_unsigned();
	if (!err)
		err = static_call(kexec_segment_original)(image, segment);
	if (!err && client_locked() && image->file_mode &&
	    segment == &image->segment[image->nr_segments - 1])
		err = image_complete(image);
	client_hook_leave(cookie);
	return err;
}

static void free_replacement(struct kimage *image)
{
	int cookie = client_hook_enter();

	if (image && validated[image->type] == image)
		image_gone(image->type);
	static_call(kexec_free_original)(image);
	client_hook_leave(cookie);
}

static int run_prototype(void)
{
	return -EOPNOTSUPP;
}

static void crash_prototype(struct pt_regs *regs)
{
}

DEFINE_STATIC_CALL(kexec_run_original, run_prototype);
DEFINE_STATIC_CALL(kexec_crash_original, crash_prototype);

/* The kernel's. */
static struct kimage **crash_image;
static struct kimage **normal_image;

/* One from before lock, or one whose successor was refused. */
static int run_verdict(void)
{
	const struct kimage *image = normal_image ? READ_ONCE(*normal_image) : NULL;

	if (!client_locked() || !image || image == validated[KEXEC_TYPE_DEFAULT])
		return 0;
	return image_verdict("execute", -EPERM, "VTL1 does not hold the image that is loaded");
}

static int run_replacement(void)
{
	int cookie = client_hook_enter(), err = -EPERM;

	if (READ_ONCE(client.text_protected)) {
		client_count(CLIENT_COUNT_kexec_refused);
		client_report("kexec", "execute", err,
			      "HEKI runs no image under grade enforce, it would write over protected memory; reboot instead");
	} else {
		err = run_verdict();
		if (!err)
			err = static_call(kexec_run_original)();
	}
	client_hook_leave(cookie);
	return err;
}

/* In a panic, maybe in an NMI: nobody waits for its end, and it only prints. */
static void crash_replacement(struct pt_regs *regs)
{
	if (!READ_ONCE(client.text_protected))
		static_call(kexec_crash_original)(regs);
	else if (crash_image && *crash_image)
		pr_emerg("HEKI runs no crash image under grade enforce, it would write over protected memory; the panic ends here\n");
}

static struct client_hook segment_hook = {
	.symbol = "kimage_load_segment",
	.replacement = segment_replacement,
};

static struct client_hook free_hook = {
	.symbol = "kimage_free",
	.replacement = free_replacement,
};

static struct client_hook run_hook = {
	.symbol = "kernel_kexec",
	.replacement = run_replacement,
};

static struct client_hook crash_hook = {
	.symbol = "__crash_kexec",
	.replacement = crash_replacement,
};

static void segment_prepare(struct client_hook *hook)
{
	static_call_update(kexec_segment_original, (typeof(&segment_prototype))hook->address);
}

static void free_prepare(struct client_hook *hook)
{
	static_call_update(kexec_free_original, (typeof(&free_prototype))hook->address);
}

static void run_prepare(struct client_hook *hook)
{
	static_call_update(kexec_run_original, (typeof(&run_prototype))hook->address);
}

static void crash_prepare(struct client_hook *hook)
{
	static_call_update(kexec_crash_original, (typeof(&crash_prototype))hook->address);
}

int client_kexec_init(void)
{
	int err;

	crash_image = (struct kimage **)client_symbol("kexec_crash_image");
	normal_image = (struct kimage **)client_symbol("kexec_image");
	err = client_hook_add(&free_hook, free_prepare);
	if (!err)
		err = client_hook_add(&segment_hook, segment_prepare);
	if (!err)
		err = client_hook_add(&run_hook, run_prepare);
	if (!err)
		err = client_hook_add(&crash_hook, crash_prepare);
	if (err)
		client_kexec_exit();
	return err;
}

void client_kexec_exit(void)
{
	client_hook_remove(&crash_hook);
	client_hook_remove(&run_hook);
	client_hook_remove(&segment_hook);
	client_hook_remove(&free_hook);
}
