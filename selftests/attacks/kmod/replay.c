// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that the client has made and VTL1 accepted, made again with a change: what is told of a module, in
 * memory of this module, while the other CPU changes it; what is told of an image for kexec, at once, while
 * all that it names is still there.
 *
 * The client tells of its calls by a tracepoint.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kexec.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include <heki/heki.h>

#include "attacks.h"

#define KEPT_SIZE (512ul << 10)
#define KEPT_RANGES HEKI_MAX_RANGES
#define SAMPLE 16

typedef void (*look)(const u64 *p);

/* Of the module's call: its ranges, with offsets in @bytes instead of addresses. */
static struct heki_range ranges[KEPT_RANGES];
static unsigned int ranges_count;
static u8 *bytes;
static size_t used;
static struct heki_page *chain;

static const char *call_wanted;
static look call_seen;

static void on_call(void *unused, const char *call, const u64 *p, int result)
{
	/* Our own calls are not told. */
	if (result < 0 || !call_wanted || strcmp(call, call_wanted) || !p[0])
		return;
	call_wanted = NULL;
	/* What listens stays until listen_end(): it may sleep, as VTL1 in the same kernel must. */
	preempt_enable_notrace();
	cond_resched();
	call_seen(p);
	preempt_disable_notrace();
}

static struct tracepoint *found;

static int on_tracepoints(struct notifier_block *block, unsigned long event, void *data)
{
	struct tp_module *from = data;
	int i;

	for (i = 0; event == MODULE_STATE_COMING && i < from->mod->num_tracepoints; i++) {
		struct tracepoint *t = tracepoint_ptr_deref(&from->mod->tracepoints_ptrs[i]);

		if (!strcmp(t->name, "heki_call"))
			found = t;
	}
	return NOTIFY_OK;
}

static struct notifier_block finder = { .notifier_call = on_tracepoints };

/* Have @seen called at the next call of that name that is accepted. */
static int listen(const char *name, look seen)
{
	int error;

	found = NULL;
	error = register_tracepoint_module_notifier(&finder);
	unregister_tracepoint_module_notifier(&finder);
	if (error)
		return error;
	if (!found)
		return -ENODEV;
	call_seen = seen;
	call_wanted = name;
	return tracepoint_probe_register(found, on_call, NULL);
}

static void listen_end(void)
{
	call_wanted = NULL;
	tracepoint_probe_unregister(found, on_call, NULL);
	tracepoint_synchronize_unregister();
}

/* Whole pages, so that each byte lies in its page as it did. */
static bool keep(const struct heki_range *r)
{
	u64 start = round_down(r->pa, PAGE_SIZE), n = round_up(r->epa, PAGE_SIZE) - start;

	if (ranges_count == KEPT_RANGES || n > KEPT_SIZE - used)
		return false;
	memcpy(bytes + used, __va(start), n);
	ranges[ranges_count] = *r;
	ranges[ranges_count].pa = used + offset_in_page(r->pa);
	ranges[ranges_count++].epa = used + (r->epa - start);
	used += n;
	return true;
}

static void keep_module(const u64 *p)
{
	const struct heki_page *page;
	u64 at, i;

	for (at = p[0]; at; at = page->next_pa) {
		page = __va(at);
		for (i = 0; i < page->nranges; i++)
			if (!keep(&page->ranges[i]))
				ranges_count = KEPT_RANGES + 1;
	}
}

/* A module is loaded between this and the next. */
static int keep_run(const struct attack *attack, struct result *result)
{
	ranges_count = 0;
	used = 0;
	bytes = bytes ? bytes : alloc_pages_exact(KEPT_SIZE, GFP_KERNEL);
	chain = chain ? chain : (void *)get_zeroed_page(GFP_KERNEL);
	return bytes && chain ? listen("VALIDATE_MODULE", keep_module) : -ENOMEM;
}

static int keep_end(const struct attack *attack, struct result *result)
{
	listen_end();
	return ranges_count && ranges_count <= KEPT_RANGES ? 0 : -ENOENT;
}

/* The first range of a kind; NULL when there is none. */
static struct heki_range *range_of(u64 kind)
{
	u64 i;

	for (i = 0; i < chain->nranges; i++)
		if (chain->ranges[i].attributes == kind)
			return &chain->ranges[i];
	return NULL;
}

static int chain_make(void)
{
	unsigned int i;

	if (!ranges_count || ranges_count > KEPT_RANGES)
		return -ENOENT;
	memset(chain, 0, sizeof(*chain));
	chain->nranges = ranges_count;
	for (i = 0; i < ranges_count; i++) {
		chain->ranges[i] = ranges[i];
		chain->ranges[i].pa += __pa(bytes);
		chain->ranges[i].epa += __pa(bytes);
	}
	return range_of(HEKI_MOD_TEXT) && range_of(HEKI_MOD_ELF_BUFFER) ? 0 : -ENOENT;
}

/* Bytes of text that stand in the file as they are: sets where, and where in the file. */
static int text_in_file(u8 **text, u8 **file)
{
	const struct heki_range *t = range_of(HEKI_MOD_TEXT), *e = range_of(HEKI_MOD_ELF_BUFFER);
	u8 *start = __va(t->pa), *end = __va(t->epa), *first = __va(e->pa), *last = bytes + used;
	u8 *at, *there;

	for (at = start + SAMPLE; at + SAMPLE < end; at++) {
		if (!memchr_inv(at, at[0], SAMPLE))
			continue;
		for (there = first; there + SAMPLE < last; there++) {
			if (memcmp(there, at, SAMPLE))
				continue;
			*text = at;
			*file = there;
			return 0;
		}
	}
	return -ENOENT;
}

/* The effect is that the module is accepted; it is given back. */
static int validate(struct result *result)
{
	int error, answer, ignored;

	error = call_vtl1(HEKI_CALL_VALIDATE_MODULE, __pa(chain), chain->nranges, 0, &answer);
	if (error)
		return error;
	result->effect = answer > 0;
	result->error = answer < 0 ? answer : 0;
	if (answer > 0)
		call_vtl1(HEKI_CALL_UNLOAD_MODULE, answer, 0, 0, &ignored);
	return 0;
}

static int validate_racing(struct writer *writer, struct result *result)
{
	int error = writer_start(writer);

	if (error)
		return error;
	error = validate(result);
	kthread_stop(writer->task);
	return error;
}

/*
 * Text is not as its file has it. The file is, in turn, the one that was signed and one that agrees with
 * the text.
 */
static int elf_run(const struct attack *attack, struct result *result)
{
	struct writer writer = { .turn = 1 };
	u8 *text, *file;
	int error = chain_make();

	if (!error)
		error = text_in_file(&text, &file);
	if (error)
		return error;
	writer.at = (unsigned long)file;
	writer.value = *file;
	result->address = __pa(file);
	*text ^= 1;
	error = validate_racing(&writer, result);
	*text ^= 1;
	*file = *text;
	return error;
}

/* The same text, whose range is in turn text and data, of which nothing is compared. */
static int ranges_run(const struct attack *attack, struct result *result)
{
	struct writer writer = { .value = HEKI_MOD_TEXT, .turn = HEKI_MOD_TEXT ^ HEKI_MOD_DATA };
	struct heki_range *range;
	u8 *text, *file;
	int error = chain_make();

	if (!error)
		error = text_in_file(&text, &file);
	if (error)
		return error;
	range = range_of(HEKI_MOD_TEXT);
	writer.at = (unsigned long)&range->attributes;
	result->address = __pa(writer.at);
	*text ^= 1;
	error = validate_racing(&writer, result);
	*text ^= 1;
	return error;
}

/* The same text, with another per-CPU section in turn. */
static int info_run(const struct attack *attack, struct result *result)
{
	struct writer writer = { .turn = 1 };
	struct heki_range *info;
	u8 *text, *file;
	int error = chain_make();

	if (!error)
		error = text_in_file(&text, &file);
	info = error ? NULL : range_of(HEKI_MOD_INFO);
	if (!info)
		return error ? error : -ENOENT;
	writer.at = (unsigned long)__va(info->pa) + offsetof(struct heki_module_info, percpu) + 1;
	writer.value = *(u8 *)writer.at;
	result->address = __pa(writer.at);
	*text ^= 1;
	error = validate_racing(&writer, result);
	*text ^= 1;
	*(u8 *)writer.at = writer.value;
	return error;
}

/* Text is in frames that another module has. */
static int frames_run(const struct attack *attack, struct result *result)
{
	unsigned long other = target_module_text() & PAGE_MASK;
	struct heki_range *range;
	int error = chain_make();

	if (error || !other)
		return error ? error : -ENOENT;
	range = range_of(HEKI_MOD_TEXT);
	range->pa = physical(other);
	range->epa = range->pa + PAGE_SIZE;
	result->address = range->pa;
	return validate(result);
}

/* What has come of an image's call, made again inside the first. */
static struct result image_result;

static struct heki_range *image_range(u64 at, u64 kind, unsigned int number)
{
	struct heki_page *page;
	u64 i;

	for (; at; at = page->next_pa) {
		page = __va(at);
		for (i = 0; i < page->nranges; i++)
			if (page->ranges[i].attributes == kind && !number--)
				return &page->ranges[i];
	}
	return NULL;
}

static void image_validate(const u64 *p)
{
	int answer;

	image_result.error = call_vtl1(HEKI_CALL_KEXEC_VALIDATE, p[0], p[1], p[2], &answer);
	image_result.effect = !image_result.error && answer >= 0;
	if (!image_result.error && answer < 0)
		image_result.error = answer;
}

/* Another segment than the kernel's is named as the kernel's. */
static void image_segments(const u64 *p)
{
	const struct heki_range *r = image_range(p[0], HEKI_KEXEC_SEGMENTS, 0);
	struct heki_kexec_segment *segments;
	u64 i, n, other;

	if (!r)
		return;
	segments = __va(r->pa);
	n = (r->epa - r->pa) / sizeof(*segments);
	other = segments[0].flags ? 1 : 0;
	for (i = 0; i < n; i++)
		segments[i].flags = i == other ? HEKI_SEGMENT_KERNEL : 0;
	image_validate(p);
}

/* Given back, and changed before it is validated once more: the last page is the kernel's, or empty. */
static void image_pages(const u64 *p)
{
	struct heki_range *r, *last = NULL;
	unsigned int i;
	int ignored;
	u8 *at;

	for (i = 0; (r = image_range(p[0], HEKI_KEXEC_PAGES, i)); i++)
		last = r;
	if (!last || call_vtl1(HEKI_CALL_KEXEC_VALIDATE, 0, 0, p[2], &ignored))
		return;
	at = __va(last->epa - PAGE_SIZE);
	at[0] ^= 1;
	image_result.address = last->epa - PAGE_SIZE;
	image_validate(p);
	at[0] ^= 1;
}

#define BLOB_STEP 512 /* the kernel begins at a sector of its file */
#define BLOB_SAMPLE 64
#define IMAGE_ROUNDS 2
#define PAGES_ROUNDS 8

/* Where the start of a page stands in the file of the kernel; NULL when it does not. */
static u8 *blob_find(const u64 *p, const u8 *page)
{
	struct heki_range *r;
	unsigned int i;
	u64 at;

	if (!memchr_inv(page, page[0], BLOB_SAMPLE))
		return NULL;
	for (i = 0; (r = image_range(p[0], HEKI_KEXEC_KERNEL_BLOB, i)); i++)
		for (at = r->pa; at + BLOB_SAMPLE <= r->epa; at += BLOB_STEP)
			if (!memcmp(__va(at), page, BLOB_SAMPLE))
				return __va(at);
	return NULL;
}

/* The first page that the kernel waits in; sets where its first byte stands in the file. */
static u8 *kernel_page(const u64 *p, u8 **file)
{
	struct heki_range *r;
	unsigned int i;
	u64 at;

	for (i = 0; (r = image_range(p[0], HEKI_KEXEC_PAGES, i)); i++)
		for (at = r->pa; at < r->epa; at += PAGE_SIZE) {
			*file = blob_find(p, __va(at));
			if (*file)
				return __va(at);
		}
	return NULL;
}

/* Given back, and validated anew while the other CPU writes, until it is accepted or that CPU was stopped. */
static void image_races(const u64 *p, struct writer *writer, unsigned int rounds)
{
	int ignored;

	if (writer_start(writer))
		return;
	do {
		call_vtl1(HEKI_CALL_KEXEC_VALIDATE, 0, 0, p[2], &ignored);
		image_validate(p);
	} while (!image_result.effect && --rounds && !READ_ONCE(writer->error));
	/* What was accepted stays frozen. */
	msleep(20);
	kthread_stop(writer->task);
}

/*
 * A page is not as the file has it. The file is, in turn, the one that was signed and one that agrees with the
 * page; or it has the kernel in turn in this segment and in none.
 */
static void image_races_changed(const u64 *p, u8 *page, u8 *at, u8 turn)
{
	struct writer writer = { .at = (unsigned long)at, .value = *at, .turn = turn };
	int ignored;

	/* What is frozen cannot be changed. */
	call_vtl1(HEKI_CALL_KEXEC_VALIDATE, 0, 0, p[2], &ignored);
	image_result.address = __pa(page);
	*page ^= 1;
	image_races(p, &writer, IMAGE_ROUNDS);
	*page ^= 1;
	*at = writer.value;
}

static void image_blob_races(const u64 *p)
{
	u8 *file, *page = kernel_page(p, &file);

	if (page)
		image_races_changed(p, page, file, 1);
}

static void image_segments_race(const u64 *p)
{
	const struct heki_range *r = image_range(p[0], HEKI_KEXEC_SEGMENTS, 0);
	struct heki_kexec_segment *segment = r ? __va(r->pa) : NULL;
	u8 *file, *page = kernel_page(p, &file);

	if (!page || !segment)
		return;
	while (!segment->flags)
		segment++;
	image_races_changed(p, page, (u8 *)&segment->flags, HEKI_SEGMENT_KERNEL);
}

/* A page of the kernel is changed, and back; the effect is that it is changed once it was accepted. */
static void image_page_races(const u64 *p)
{
	u8 *file, *page = kernel_page(p, &file);
	struct writer writer = { .at = (unsigned long)page, .turn = 1 };
	int ignored;

	if (!page)
		return;
	writer.value = *page;
	image_result.address = __pa(page);
	call_vtl1(HEKI_CALL_KEXEC_VALIDATE, 0, 0, p[2], &ignored);
	image_races(p, &writer, PAGES_ROUNDS);
	/* Not what the other CPU wrote: the audit may have seen that first. */
	if (!writer.error)
		*page = *file ^ 2;
	image_result.effect = image_result.effect && *page != *file;
}

/* A page of the image that waits, found by the kernel's own list. */
static unsigned long image_page;

static int image_write_run(const struct attack *attack, struct result *result)
{
	struct kimage **image = pointer("kexec_image");
	const kimage_entry_t *entry = image && *image ? &(*image)->head : NULL;

	for (image_page = 0; entry && *entry && !(*entry & IND_DONE) && !image_page;) {
		if (*entry & IND_SOURCE)
			image_page = (unsigned long)__va(*entry & PAGE_MASK);
		entry = *entry & IND_INDIRECTION ? __va(*entry & PAGE_MASK) : entry + 1;
	}
	if (!image_page)
		return -ENOENT;
	result->address = __pa(image_page);
	result->error = write_by_vmap(image_page, ~*(volatile u8 *)image_page);
	result->effect = !result->error;
	return 0;
}

/* An image is loaded between this and the next. */
static int image_run(const struct attack *attack, struct result *result)
{
	image_result = (struct result){ .error = 1 };
	return listen("KEXEC_VALIDATE", *(const look *)attack->data);
}

static int image_end(const struct attack *attack, struct result *result)
{
	listen_end();
	*result = image_result;
	return image_result.error == 1 ? -ENOENT : 0;
}

#define IMAGE(case, see) { case, image_run, NULL, &(const look){ see } }

const struct attack replay_attacks[] = {
	{ "keep", keep_run, NULL, NULL },
	{ "keep-end", keep_end, NULL, NULL },
	{ "race-elf", elf_run, NULL, NULL },
	{ "race-ranges", ranges_run, NULL, NULL },
	{ "race-info", info_run, NULL, NULL },
	{ "call-other-frames", frames_run, NULL, NULL },
	IMAGE("kexec-segments", image_segments),
	IMAGE("kexec-replaced", image_pages),
	IMAGE("race-kexec-image", image_blob_races),
	IMAGE("race-kexec-segments", image_segments_race),
	IMAGE("race-kexec-pages", image_page_races),
	{ "kexec-written", image_write_run, NULL, NULL },
	{ "image-end", image_end, NULL, NULL },
	{ }
};
