// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the calls of a file of hostile_format.h again, in memory of this module: addresses in the small
 * guest become addresses there, those of its VTL1 become those of the VTL1 that is here.
 */
#include "hostile.h"

#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#define INPUTS_MOST 1024
#define BASES_MOST 32
#define GIVE_BACK_TRIES 64
#define BOOT_TRIES 2
/* Added to what lies behind the guest's memory: nothing may be there. */
#define NOWHERE (1ull << 44)

static void *file;
static size_t file_n;
static size_t inputs[INPUTS_MOST], bases[BASES_MOST];
static unsigned int inputs_count, bases_count;

/* The record at @at and where the next is; NULL at the end. */
static const struct hostile_record *record_at(size_t at, size_t *next)
{
	const struct hostile_record *r = file + at;

	if (at + sizeof(*r) > file_n || r->n > file_n - at - sizeof(*r))
		return NULL;
	*next = at + sizeof(*r) + r->n;
	return r;
}

/* One file after the other may be loaded; bases are numbered in each. */
static int index_file(void)
{
	const struct hostile_record *r;
	unsigned int first = 0;
	size_t at, next;

	inputs_count = 0;
	bases_count = 0;
	for (at = 0; at < file_n; at = next) {
		r = record_at(at, &next);
		if (!r || inputs_count == INPUTS_MOST || bases_count == BASES_MOST)
			return -EINVAL;
		if (!r->kind && r->v[0] == HOSTILE_MAGIC)
			first = bases_count;
		else if (r->kind == HOSTILE_BASE)
			bases[bases_count++] = at;
		else if (r->kind == HOSTILE_INPUT && first + r->v[0] < bases_count)
			inputs[inputs_count++] = at;
	}
	return inputs_count ? 0 : -ENOENT;
}

void replay_drop(void)
{
	vfree(file);
	file = NULL;
	inputs_count = 0;
}

int replay_load(const char *path)
{
	ssize_t n;
	int ret;

	replay_drop();
	n = kernel_read_file_from_path(path, 0, &file, INT_MAX, NULL, HOSTILE_READING);
	if (n < 0)
		return n;
	file_n = n;
	ret = index_file();
	if (ret)
		replay_drop();
	return ret;
}

unsigned int replay_inputs(void)
{
	return inputs_count;
}

static u64 translate(const struct actor *a, u64 address, bool end)
{
	if (address >= HOSTILE_VTL1 && address < HOSTILE_VTL1 + HOSTILE_VTL1_BYTES)
		return memory_place(0) + (address - HOSTILE_VTL1);
	if (address < HOSTILE_RAM || (end && address == HOSTILE_RAM))
		return a->own.pa + address;
	return address < NOWHERE ? address + NOWHERE : address;
}

/* 0 means "none" in some calls. */
static u64 parameter(const struct actor *a, u64 value, u64 what)
{
	if (what == HOSTILE_PA)
		return value ? translate(a, value, false) : 0;
	if (what == HOSTILE_PFN && value <= PHYS_PFN(~0ull))
		return PHYS_PFN(translate(a, value << PAGE_SHIFT, false));
	return value;
}

static void put_page_at(const struct actor *a, const struct hostile_record *r)
{
	if (r->n == PAGE_SIZE && r->v[0] <= HOSTILE_RAM - PAGE_SIZE)
		memory_write(a->own.bytes + r->v[0], r + 1, PAGE_SIZE);
}

static void put_address(const struct actor *a, const struct hostile_record *r)
{
	u64 value = translate(a, r->v[1], r->v[2] == HOSTILE_END);

	/* Next pages, and second pages of patches: 0 is the end. */
	if (!r->v[1])
		value = 0;
	if (r->v[0] <= HOSTILE_RAM - sizeof(value))
		memory_write(a->own.bytes + r->v[0], &value, sizeof(value));
}

static void make_call(struct actor *a, const struct hostile_record *r)
{
	struct call c = { .id = r->v[0] };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c.p); i++)
		c.p[i] = parameter(a, r->v[1 + i], r->v[4] >> 2 * i & 3);
	call_make(a, &c, r->v[5]);
}

static void put_base(struct actor *a, size_t at)
{
	const struct hostile_record *r = record_at(at, &at);

	memory_clear(a->own.bytes, HOSTILE_RAM);
	while ((r = record_at(at, &at)) && r->kind == HOSTILE_PAGE)
		put_page_at(a, r);
}

/* Of the file that the input is in. */
static size_t base_of(size_t at, u64 number)
{
	unsigned int i;

	for (i = bases_count; i--;)
		if (bases[i] < at && ((const struct hostile_record *)(file + bases[i]))->v[0] == number)
			return bases[i];
	return bases[0];
}

/* Whether each page can be written to; asked up to the first that cannot. */
static bool writable(struct actor *a)
{
	u64 at;

	for (at = 0; at < HOSTILE_RAM; at += PAGE_SIZE)
		if (memory_clear(a->own.bytes + at, 1))
			return false;
	return true;
}

/*
 * What earlier inputs have left is given back: modules, images, the ring, and calls in the middle, which
 * the entries of others bring to their ends.
 */
static void give_back(struct actor *a)
{
	struct call release = { HEKI_CALL_KEXEC_VALIDATE };
	struct call ring = { HEKI_CALL_ALLOCATE_RINGBUFFER };
	struct call junk = { HEKI_CALL_VALIDATE_MODULE, { 1, 1, 0 } };
	unsigned int i;

	for (i = 0; !writable(a) && i < GIVE_BACK_TRIES; i++) {
		/* What is protected in the boot phase stays so. */
		if (boot_phase && i == BOOT_TRIES) {
			memory_renew(a);
			return;
		}
		tokens_drop(a);
		release.p[2] = i & 1;
		call_make(a, &release, 0);
		call_make(a, &ring, 0);
		for (junk.p[2] = 1000; junk.p[2] < 1032; junk.p[2]++)
			call_make(a, &junk, 0);
	}
}

void replay_input(struct actor *a, unsigned int index)
{
	size_t at = inputs[index];
	const struct hostile_record *r = record_at(at, &at);

	count(COUNT_inputs);
	give_back(a);
	put_base(a, base_of(inputs[index], r->v[0]));
	while ((r = record_at(at, &at)) && r->kind != HOSTILE_INPUT && r->kind != HOSTILE_BASE) {
		if (r->kind == HOSTILE_PAGE)
			put_page_at(a, r);
		else if (r->kind == HOSTILE_ADDRESS)
			put_address(a, r);
		else if (r->kind == HOSTILE_CALL)
			make_call(a, r);
	}
	tokens_drop(a);
}
