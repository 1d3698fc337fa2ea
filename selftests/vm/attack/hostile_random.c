// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls: mostly known ids, structures that are nearly right, addresses where VTL1 might be.
 *
 * No range leads out of this module's memory but to where no memory is: VTL1 would protect what it
 * holds for a while, and this kernel would die of that by right.
 */
#include "hostile.h"

#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#define FILE_MOST (HOSTILE_RAM - ARENA_FILES)
#define CERT_AT (HOSTILE_RAM - 0x10000)
#define CERT_MOST 0x10000

struct blob {
	void *bytes;
	size_t n;
};

static struct blob module_file, cert_file;

static const u64 ids[] = {
#define RANDOM_ID(id, name, handler, phase, context, arguments) id,
	HEKI_CALLS(RANDOM_ID)
#undef RANDOM_ID
};

static int blob_load(struct blob *blob, const char *path, size_t most)
{
	ssize_t n;

	vfree(blob->bytes);
	blob->bytes = NULL;
	n = kernel_read_file_from_path(path, 0, &blob->bytes, most, NULL, HOSTILE_READING);
	blob->n = n < 0 ? 0 : n;
	return n < 0 ? n : 0;
}

int random_files(const char *module, const char *cert)
{
	int ret = blob_load(&module_file, module, FILE_MOST - CERT_MOST);

	return ret ? ret : blob_load(&cert_file, cert, CERT_MOST);
}

void random_drop(void)
{
	vfree(module_file.bytes);
	vfree(cert_file.bytes);
}

void random_begin(struct actor *a)
{
	memory_clear(a->own.bytes, HOSTILE_RAM);
	memory_write(a->own.bytes + ARENA_FILES, module_file.bytes, module_file.n);
	memory_write(a->own.bytes + CERT_AT, cert_file.bytes, cert_file.n);
}

static u64 parameter(struct actor *a)
{
	switch (random_below(a, 6)) {
	case 0:
		return random_next(a);
	case 1:
		return random_below(a, 16);
	case 2:
		return tokens_any(a);
	default:
		return memory_any(a);
	}
}

static u64 any_id(struct actor *a)
{
	u64 id = ids[random_below(a, ARRAY_SIZE(ids))];

	switch (random_below(a, 16)) {
	case 0:
		return random_next(a);
	case 1:
		return id + random_below(a, 3) - 1;
	case 2:
		return id | 1ull << (32 + random_below(a, 32));
	default:
		return id;
	}
}

/* A page frame, where the call takes one. */
static void call_plain(struct actor *a)
{
	struct call c = { any_id(a), { parameter(a), parameter(a), parameter(a) } };

	if ((u32)c.id == HEKI_CALL_ENABLE_APS_VTL || (u32)c.id == HEKI_CALL_BOOT_APS) {
		c.p[0] = random_below(a, 8) ? PHYS_PFN(memory_any(a)) : ~0ull;
		c.p[1] = PHYS_PFN(memory_any(a));
	}
	call_make(a, &c, random_below(a, 4));
}

static void call_reply(struct actor *a)
{
	static const u64 replies[] = { HEKI_CALL_QUERY, HEKI_CALL_STATS, HEKI_CALL_AUDIT, HEKI_CALL_LIST };
	struct call c = { replies[random_below(a, ARRAY_SIZE(replies))] };

	c.p[0] = random_below(a, 4) ? memory_arena(a)->pa + random_below(a, 64) * PAGE_SIZE :
				      memory_any(a);
	c.p[1] = c.id == HEKI_CALL_LIST ? random_below(a, 9) : random_below(a, 3);
	c.p[2] = random_below(a, 3) ? random_below(a, 5000) : random_next(a);
	call_make(a, &c, 0);
}

/* --- chains --- */

static u64 any_type(struct actor *a, u64 id)
{
	if (!random_below(a, 16))
		return random_next(a) >> random_below(a, 64);
	if (!random_below(a, 4))
		return 0x100 + random_below(a, 5);
	return random_below(a, id == HEKI_CALL_KEXEC_VALIDATE ? 3 : 9);
}

static struct heki_range any_range(struct actor *a, u64 id)
{
	struct arena *arena = memory_arena(a);
	u64 at = random_below(a, HOSTILE_RAM >> PAGE_SHIFT) << PAGE_SHIFT;
	u64 n = random_below(a, min(64ull, (HOSTILE_RAM - at) >> PAGE_SHIFT) + 1) << PAGE_SHIFT;
	struct heki_range r = { .attributes = any_type(a, id) };

	r.pa = arena->pa + at;
	r.epa = r.pa + n;
	switch (random_below(a, 12)) {
	case 0: /* not whole pages */
		r.pa += n ? random_below(a, PAGE_SIZE) : 0;
		r.epa -= n && random_next(a) & 1 ? random_below(a, PAGE_SIZE) : 0;
		break;
	case 1: /* far over the end of all memory */
		r.epa = r.pa + (1ull << (42 + random_below(a, 22)));
		break;
	case 2: /* what is not ours */
		r.pa = random_next(a) & 1 ? memory_place(0) : memory_protected(a);
		r.epa = r.pa + PAGE_SIZE;
		break;
	case 3:
		swap(r.pa, r.epa);
		break;
	}
	r.va = (random_next(a) & 1 ? 0xffffffffc0000000ull : 0xffff888000000000ull) + at;
	if (!random_below(a, 16))
		r.va = random_next(a);
	return r;
}

static u64 any_count(struct actor *a)
{
	static const u64 odd[] = { 0, HEKI_MAX_RANGES, HEKI_MAX_RANGES + 1, 1ull << 32, ~0ull };

	return random_below(a, 16) ? 1 + random_below(a, 6) : odd[random_below(a, ARRAY_SIZE(odd))];
}

/* Of 1 to 3 pages, the last of which may lead anywhere; how many ranges they have. */
static u64 build_chain(struct actor *a, u64 id, u64 *first)
{
	unsigned int pages = 1 + random_below(a, 3), i, k;
	struct arena *arena = memory_arena(a);
	u64 at = random_below(a, 32) * PAGE_SIZE, total = 0;
	struct heki_page *page = a->page;

	*first = arena->pa + at;
	for (i = 0; i < pages; i++, at += PAGE_SIZE) {
		memset(page, 0, sizeof(*page));
		page->nranges = any_count(a);
		for (k = 0; k < page->nranges && k < HEKI_MAX_RANGES; k++)
			page->ranges[k] = any_range(a, id);
		if (i + 1 < pages)
			page->next_pa = arena->pa + at + PAGE_SIZE;
		else if (!random_below(a, 8))
			page->next_pa = random_next(a) & 1 ? *first : memory_any(a);
		total += page->nranges;
		memory_write(arena->bytes + at, page, sizeof(*page));
	}
	return random_below(a, 16) ? total : any_count(a);
}

static void call_chain(struct actor *a)
{
	static const u64 chains[] = {
		HEKI_CALL_VALIDATE_MODULE, HEKI_CALL_KEXEC_VALIDATE, HEKI_CALL_REVOKE,
		HEKI_CALL_COPY_SECONDARY_KEY, HEKI_CALL_LOAD_KDATA, HEKI_CALL_PROTECT_MEMORY,
	};
	struct call c = { chains[random_below(a, ARRAY_SIZE(chains))] };

	c.p[1] = build_chain(a, c.id, &c.p[0]);
	c.p[2] = random_below(a, 8) ? 0 : random_below(a, 5);
	call_make(a, &c, random_below(a, 3) ? 0 : 1 + random_below(a, 4));
}

/* A chain of one page, with @n ranges of these. */
static void send_ranges(struct actor *a, u64 id, const struct heki_range *r, unsigned int n)
{
	struct heki_page *page = a->page;
	struct call c = { id, { a->own.pa + random_below(a, 64) * PAGE_SIZE, n, 0 } };

	memset(page, 0, sizeof(*page));
	page->nranges = n;
	memcpy(page->ranges, r, n * sizeof(*r));
	memory_write(a->own.bytes + (c.p[0] - a->own.pa), page, sizeof(*page));
	call_make(a, &c, random_below(a, 4) ? 0 : 1 + random_below(a, 4));
}

static void change_byte(struct actor *a, u64 at, size_t n)
{
	u8 byte;

	if (random_next(a) & 1)
		return;
	at += random_below(a, n);
	byte = a->own.bytes[at] ^ (1 << random_below(a, 8));
	memory_write(a->own.bytes + at, &byte, 1);
}

/* A file with a good signature, or nearly, and memory that is not what it says. */
static void call_module(struct actor *a)
{
	struct heki_range r[4];
	unsigned int i, n = 1 + random_below(a, 3);
	u64 at = ARENA_MEMORY;

	for (i = 0; i < n; i++) {
		u64 bytes = (1 + random_below(a, 3)) * PAGE_SIZE;

		r[i] = (struct heki_range){ 0xffffffffc0800000ull + at, a->own.pa + at,
					    a->own.pa + at + bytes, random_below(a, 7) };
		at += bytes;
	}
	change_byte(a, ARENA_FILES, module_file.n);
	r[n] = (struct heki_range){ 0xffff888000000000ull, a->own.pa + ARENA_FILES,
				    a->own.pa + ARENA_FILES + module_file.n, HEKI_MOD_ELF_BUFFER };
	send_ranges(a, HEKI_CALL_VALIDATE_MODULE, r, n + 1);
	memory_write(a->own.bytes + ARENA_FILES, module_file.bytes, module_file.n);
}

static void call_key(struct actor *a)
{
	struct heki_range r = { 0xffff888000000000ull, a->own.pa + CERT_AT,
				a->own.pa + CERT_AT + cert_file.n, 0 };

	change_byte(a, CERT_AT, cert_file.n);
	send_ranges(a, random_next(a) & 1 ? HEKI_CALL_REVOKE : HEKI_CALL_COPY_SECONDARY_KEY, &r, 1);
	memory_write(a->own.bytes + CERT_AT, cert_file.bytes, cert_file.n);
}

/*
 * At a place that VTL1 protects, or in memory of ours. What begins as a step of a legal patch does is left
 * out: the kernel would go on with it.
 */
static struct heki_patch any_patch(struct actor *a)
{
	static const u8 steps[] = { 0xcc, 0x0f, 0x66, 0x90, 0xe8, 0xe9, 0xeb, 0x2e, 0x3e, 0xf0 };
	struct heki_patch patch = { { memory_protected(a) + random_below(a, PAGE_SIZE), 0 } };
	u64 code = random_next(a);

	if (!random_below(a, 3))
		patch.pa[0] = memory_any(a);
	if (!random_below(a, 4))
		patch.pa[1] = memory_any(a);
	patch.size = random_below(a, 16) ? 1 + random_below(a, HEKI_POKE_MAX) : random_next(a);
	memcpy(patch.code, &code, sizeof(patch.code));
	if (memchr(steps, patch.code[0], sizeof(steps)))
		patch.code[0] = 0xf4;
	return patch;
}

void random_patch(struct actor *a)
{
	struct call c = { HEKI_CALL_PATCH_TEXT };
	struct heki_patch patch = any_patch(a);
	struct arena *arena = memory_arena(a);
	u64 at = random_below(a, 32) * PAGE_SIZE + random_below(a, PAGE_SIZE);

	memory_write(arena->bytes + at, &patch, sizeof(patch));
	c.p[0] = random_below(a, 8) ? arena->pa + at : memory_any(a);
	c.p[1] = random_below(a, 8) ? round_up(c.p[0] + 1, PAGE_SIZE) : memory_any(a);
	call_make(a, &c, 0);
}

static void call_batch(struct actor *a)
{
	static const u32 odd[] = { 0, HEKI_PATCH_BATCH_MAX, HEKI_PATCH_BATCH_MAX + 1, ~0u };
	struct heki_patch_batch *batch = a->page;
	struct arena *arena = memory_arena(a);
	u64 at = random_below(a, 32) * PAGE_SIZE;
	struct call c = { HEKI_CALL_PATCH_TEXT_BATCH, { arena->pa + at } };
	unsigned int i;

	memset(batch, 0, sizeof(*batch));
	batch->count = random_below(a, 8) ? 1 + random_below(a, 20) : odd[random_below(a, ARRAY_SIZE(odd))];
	for (i = 0; i < batch->count && i < HEKI_PATCH_BATCH_MAX; i++)
		batch->patches[i] = any_patch(a);
	if (!random_below(a, 8))
		c.p[0] += random_below(a, PAGE_SIZE);
	memory_write(arena->bytes + at, batch, sizeof(*batch));
	call_make(a, &c, 0);
}

static void call_token(struct actor *a)
{
	struct call c = { HEKI_CALL_UNLOAD_MODULE, { tokens_any(a), parameter(a), parameter(a) } };

	if (random_next(a) & 1)
		c.id = HEKI_CALL_FREE_MODULE_INIT;
	if (!random_below(a, 4))
		c.p[0] = random_next(a) >> random_below(a, 64);
	call_make(a, &c, random_below(a, 4));
}

/* Changes under VTL1's eyes, of what the other CPU may just be sending. */
static void scribble(struct actor *a)
{
	u64 at = random_below(a, HOSTILE_RAM / 8) * 8, value = random_below(a, 4) ? memory_any(a) : 1;

	memory_write(shared.bytes + at, &value, sizeof(value));
}

static void call_other(struct actor *a)
{
	switch (random_below(a, 4)) {
	case 0:
		call_odd(random_next(a) >> random_below(a, 64));
		break;
	case 1:
		scribble(a);
		fallthrough;
	default:
		call_plain(a);
	}
}

void random_call(struct actor *a)
{
	static void (*const kinds[])(struct actor *a) = {
		call_plain, call_plain, call_reply, call_chain, call_chain, call_module, call_key,
		random_patch, call_batch, call_token, call_other, capture_send,
	};

	kinds[random_below(a, ARRAY_SIZE(kinds))](a);
}
