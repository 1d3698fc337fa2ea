// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests for the fuzz targets, and the harness that the builders of the host tests expect.
 */
#include <errno.h>
#include <stdarg.h>

#include "bases.h"
#include "slots.h"
#include "world.h"

#define CANARY 0x5a
#define ENTRIES_MOST 100000
#define TEXT_PAGE 2
#define ENTRY_PAGES 64 /* work of one entry */

static struct tally counted;
struct tally *tally = &counted;

/* A finding: the fuzzer keeps the input. */
void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "FINDING %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

void check_result(const char *file, int line, const char *what, int got, int expected)
{
	if (got != expected && (expected || got < 0))
		test_fail(file, line, "%s gave %d (%s), not %d", what, got,
			  got < 0 ? heki_error_name((uint32_t)-got) : "ok", expected);
}

/* --- making guests --- */

static const struct heki_limits limits = {
	.modules = 8,
	.frames = 512,
	.symbols = 1024,
	.patches = 512,
	.certs = 16,
	.cert_bytes = 32 << 10,
	.hashes = HEKI_BLOCKLIST_MAX,
	.deps = 32,
	.functions = 64,
	.module_functions = 16,
	.log_records = 64,
	.vps = GUEST_VPS,
	.scratch_bytes = 64ull << 20,
	.slots = 4,
	.entry_pages = ENTRY_PAGES,
};

static struct world worlds[2][3];
static struct world *current;

/*
 * VTL1 may write where VTL0 may not only what it was asked to patch, and log records. A record of
 * an earlier call's may not be late either, so the mirror is the one of now.
 */
static int checked_write(void *host, struct gpa pa, const void *from, size_t n)
{
	struct world *w = current;
	const struct log_ring *log = &w->g->core->log;
	bool mirror = log->mirror.v && pa.v >= log->mirror.v &&
		      pa.v - log->mirror.v < log->mirror_size;

	for (uint64_t at = page_down(pa.v); at < pa.v + n && at < w->g->size; at += HEKI_PAGE_SIZE)
		if (!(guest_access(w->g, at) & HEKI_ATTR_WRITE) && !mirror &&
		    !is_text_patch((uint32_t)w->call) && w->call != HEKI_CALL_ALLOCATE_RINGBUFFER)
			test_fail(__FILE__, __LINE__, "call %#llx wrote to the protected page %#llx",
				  (unsigned long long)w->call, (unsigned long long)at);
	return w->first.g.ops.write(host, pa, from, n);
}

static int verify_all(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		      struct span sig)
{
	(void)host;
	CHECK(cert.n && sig.n && digest.n == hash_size(algorithm));
	return 0;
}

static void *copy_of(const void *p, size_t n)
{
	void *copy = malloc(n);

	CHECK(copy);
	return memcpy(copy, p, n);
}

/* Addresses of the module and image builders. */
static void world_fill(struct world *w)
{
	static const char *const modules[WORLD_MODULES] = { "tiny-rsa2048.ko", "tiny-signed.ko" };
	const struct export *exports;
	size_t count;

	trust_kexec(w->g, "kexecca.der");
	exports = bases_exports(&count);
	kernel_make(w->g, &w->k, exports, count);
	kernel_start(w->g, &w->k);
	if (!w->early)
		CHECK_OK(vtlcall(w->g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	for (unsigned int i = 0; i < WORLD_MODULES; i++) {
		place(w->g, &w->m[i], modules[i]);
		place_info(&w->m[i], "tiny");
	}
	image(w->g, &w->image[NORMAL], "kernel-signed.pe", NORMAL);
	image(w->g, &w->image[CRASH], "kernel-signed.pe", CRASH);
}

static void world_make(struct world *w, enum heki_grade grade, bool booted, bool early)
{
	w->g = guest_create(grade, WORLD_RAM, &limits);
	CHECK(w->g);
	w->booted = booted;
	w->early = early;
	guest_set_kind(w->g, HOLE_PA, HOLE_BYTES, GUEST_NOTHING);
	guest_set_kind(w->g, WORLD_VTL1, WORLD_VTL1_BYTES, GUEST_VTL1);
	memset(guest_at(w->g, WORLD_VTL1), CANARY, WORLD_VTL1_BYTES);
	if (booted) {
		world_fill(w);
	} else {
		kernel_make(w->g, &w->k, NULL, 0);
		kernel_site(w->g, &w->k, 0x200, 5);
		kernel_site(w->g, &w->k, 0x300, 2);
		kernel_site(w->g, &w->k, 0x1ffe, 5);
		memset(guest_at(w->g, w->k.text + WORLD_LOCK), 0x3e, WORLD_LOCKS);
	}
	w->pages = guest_pages(w->g, WORLD_PAGES);
	CHECK(w->pages);
	w->first.g = *w->g;
	w->first.ram = copy_of(w->g->ram, w->g->size);
	w->first.access = copy_of(w->g->access, w->g->size >> HEKI_PAGE_SHIFT);
	w->first.core = copy_of(w->g->core_memory, w->g->core_size);
}

/* Calls that the last run left are abandoned, so that they give back what they hold. */
static void end_fibers(struct world *w)
{
	for (unsigned int i = 0; i < GUEST_FIBERS; i++) {
		if (!w->g->fibers[i].active)
			continue;
		w->g->core->slots[i].call.abandoned = true;
		while (!fiber_resume(&w->g->fibers[i].fiber))
			;
		w->g->fibers[i].active = false;
	}
}

static struct world *get(enum heki_grade grade, bool booted, bool early)
{
	struct world *w = &worlds[grade == HEKI_GRADE_ENFORCE][booted + early];
	struct guest_fiber fibers[GUEST_FIBERS];

	if (!w->g)
		world_make(w, grade, booted, early);
	end_fibers(w);
	memcpy(fibers, w->g->fibers, sizeof(fibers));
	*w->g = w->first.g;
	memcpy(w->g->fibers, fibers, sizeof(fibers)); /* their stacks */
	memcpy(w->g->ram, w->first.ram, w->g->size);
	memcpy(w->g->access, w->first.access, w->g->size >> HEKI_PAGE_SHIFT);
	memcpy(w->g->core_memory, w->first.core, w->g->core_size);
	w->g->ops.write = checked_write;
	w->call = 0;
	w->entries = 0;
	memset(w->pending, 0, sizeof(w->pending));
	guest_set_vp(0);
	current = w;
	return w;
}

struct world *world_get(enum heki_grade grade, bool booted)
{
	return get(grade, booted, false);
}

struct world *world_get_early(enum heki_grade grade)
{
	return get(grade, true, true);
}

void world_trust_all(struct world *w)
{
	w->g->ops.verify = verify_all;
}

void world_know(struct world *w, struct input *in)
{
	struct heki_core *core = w->g->core;
	struct kernel_snapshot *s = &core->snapshot;

	s->set = true;
	s->data = (struct heki_snapshot){
		.flags = input_u8(in) & HEKI_SNAPSHOT_FLAGS,
		.return_thunk = KERNEL_VA + input_u16(in),
		.thunks = KERNEL_VA + input_u16(in),
		.jump_thunks = KERNEL_VA,
		.call_thunks = KERNEL_VA,
		.percpu_end = input_u16(in),
		.pv_ops = KERNEL_VA,
		.feature_words = 2,
		.features = { (uint32_t)input_u64(in), input_u16(in) },
	};
	s->pv_ops_count = input_u8(in) % HEKI_PV_OPS_MAX;
	s->functions_base = KERNEL_VA;
	s->functions_count = input_u8(in) % core->limits.functions;
	for (uint32_t i = 0; i < s->functions_count; i++)
		core->functions[i] = i * 16;
}

/* --- calls --- */

/* What an entry may do: its share, or what the short calls may that are never cut. */
static void entry_check(struct world *w, uint64_t id)
{
	static const uint64_t longs[] = {
#define FUZZ_LONG(number, name, handler, phase, context, arguments)                                \
	HEKI_CONTEXT_##context == HEKI_CONTEXT_LONG ? number : 0,
		HEKI_CALLS(FUZZ_LONG)
#undef FUZZ_LONG
	};
	uint32_t most = ENTRY_PAGES;

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(longs); i++)
		if (longs[i] == id)
			most = w->g->core->limits.entry_pages;
	CHECK(w->g->core->entry_budget.used <= most);
}

/* Entries of one call, at most so many; true when it has ended. */
static bool enter(struct world *w, const struct world_pending *p, unsigned int entries, int *result)
{
	w->call = p->id;
	do {
		w->g->core->entry_budget.used = 0;
		*result = guest_enter(w->g, p->id, p->p[0], p->p[1], p->p[2]);
		entry_check(w, p->id);
	} while (*result == -EAGAIN && --entries);
	w->call = 0;
	world_check(w);
	return *result != -EAGAIN;
}

/* A call that VTL1 may cut; -1 for each failure. A call that is left is kept for later. */
static int call_cut(struct world *w, const struct world_pending *p)
{
	int result;

	if (enter(w, p, w->entries ? w->entries : ENTRIES_MOST, &result))
		return result < 0 ? -1 : result;
	CHECK(w->entries);
	memmove(w->pending + 1, w->pending, sizeof(w->pending) - sizeof(w->pending[0]));
	w->pending[0] = *p;
	return -1;
}

void world_continue(struct world *w)
{
	w->g->core->limits.entry_pages = 1;
	w->g->core->entry_budget.limit = 1;
	CHECK_OK(guest_continue(w->g));
}

void world_resume(struct world *w, unsigned int which, unsigned int entries)
{
	struct world_pending *p = &w->pending[which % WORLD_PENDING];
	int result;

	if (p->id && enter(w, p, entries, &result))
		p->id = 0;
}

void world_abandon(struct world *w)
{
	struct world_pending other = { HEKI_CALL_VALIDATE_MODULE, { 1, 1, ~0ull } };
	int result;

	/* Each refused, each another call. */
	for (unsigned int i = 0; w->g->core->slots_budget.used; i++) {
		CHECK(i < ENTRIES_MOST);
		other.p[0] += 2;
		w->call = other.id;
		result = guest_enter(w->g, other.id, other.p[0], other.p[1], other.p[2]);
		w->call = 0;
		CHECK(result < 0);
	}
	world_check(w);
}

void (*world_tell)(const struct world *w, uint64_t id, const uint64_t *p);

int world_call(struct world *w, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2)
{
	uint32_t vp = guest_current_vp();
	/* the image that a slot held is gone first, also when the next one is refused */
	bool replaces = id == HEKI_CALL_KEXEC_VALIDATE && p2 < 2 && w->g->core->kexec[p2].valid;
	struct snapshot *before;
	bool unwritten;
	int result;

	if (world_tell)
		world_tell(w, id, (const uint64_t[]){ p0, p1, p2 });
	if (w->g->core->continues)
		return call_cut(w, &(struct world_pending){ id, { p0, p1, p2 } });
	/* that a VP was started again is taken note of, whatever becomes of the call */
	if (id == HEKI_CALL_LOCK_REGS && w->g->vp[vp].restarted)
		w->g->core->vps[vp].locked = 0;
	before = snapshot_take(w->g);
	w->call = id;
	result = vtlcall(w->g, id, p0, p1, p2);
	w->call = 0;
	/* a mirror of the log that cannot be written to is given up, also while a refusal is told */
	unwritten = w->g->fail[GUEST_WRITE] && w->g->count[GUEST_WRITE] >= w->g->fail[GUEST_WRITE];
	if (result < 0 && !replaces && !unwritten)
		snapshot_check(w->g, before);
	else
		snapshot_drop(before);
	world_check(w);
	return result;
}

/* Memory as it was before a patch. */
struct region {
	uint64_t pa;
	size_t n;
	uint8_t *bytes; /* NULL: not looked at */
};

/* Not where there is no memory, or where VTL1 writes its log. */
static struct region region_copy(const struct world *w, uint64_t pa, size_t n)
{
	const struct log_ring *log = &w->g->core->log;
	struct region r = { pa, n, NULL };

	if (in_bounds(pa, n, w->g->size) &&
	    !(log->mirror.v && pa < log->mirror.v + log->mirror_size && log->mirror.v < pa + n))
		r.bytes = copy_of(guest_at(w->g, pa), n);
	return r;
}

/* Write a byte in the copies; false when none of them holds it. */
static bool regions_write(struct region *r, size_t n, uint64_t pa, uint8_t byte)
{
	bool written = false;

	for (; n; n--, r++) {
		if (!r->bytes || pa < r->pa || pa - r->pa >= r->n)
			continue;
		r->bytes[pa - r->pa] = byte;
		written = true;
	}
	return written;
}

/* What a patch does to the copies. */
static void regions_patch(struct region *r, size_t n, const struct heki_patch *patch)
{
	uint64_t room = HEKI_PAGE_SIZE - (patch->pa[0] & HEKI_PAGE_MASK);

	for (uint64_t i = 0; i < patch->size; i++)
		CHECK(regions_write(r, n, i < room ? patch->pa[0] + i : patch->pa[1] + (i - room),
				    patch->code[i]));
}

static void regions_compare(const struct world *w, struct region *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CHECK(!r[i].bytes || !memcmp(r[i].bytes, guest_at(w->g, r[i].pa), r[i].n));
		free(r[i].bytes);
	}
}

static int patch_call(struct world *w, uint64_t id, uint64_t at, const struct heki_patch *patches,
		      uint32_t n)
{
	struct region regions[2 * WORLD_BATCH + 1];
	size_t count = 0;
	int result;

	CHECK(n <= WORLD_BATCH);
	for (uint32_t i = 0; i < n; i++) {
		const uint64_t *pa = patches[i].pa;

		regions[count++] = region_copy(w, page_down(pa[0]), HEKI_PAGE_SIZE);
		regions[count++] = region_copy(w, page_down(pa[1]), pa[1] ? HEKI_PAGE_SIZE : 0);
	}
	regions[count++] = region_copy(w, w->k.text, w->k.text_pages * HEKI_PAGE_SIZE);
	result = world_call(w, id, at, 0, 0);
	for (uint32_t i = 0; result >= 0 && i < n; i++)
		regions_patch(regions, count, &patches[i]);
	regions_compare(w, regions, count);
	return result;
}

int world_patch(struct world *w, uint64_t at, const struct heki_patch *patch)
{
	guest_store(w->g, at, patch, sizeof(*patch));
	return patch_call(w, HEKI_CALL_PATCH_TEXT, at, patch, 1);
}

int world_patch_batch(struct world *w, uint64_t at, const struct heki_patch_batch *batch)
{
	guest_store(w->g, at, batch, sizeof(*batch));
	return patch_call(w, HEKI_CALL_PATCH_TEXT_BATCH, at, batch->patches,
			  batch->count <= WORLD_BATCH ? batch->count : 0);
}

static bool is_text(uint64_t type)
{
	return type == HEKI_MOD_TEXT || type == HEKI_MOD_INIT_TEXT;
}

/* Its patch sites lie in its text. */
static void sites_check(const struct world *w, const uint8_t *seen, uint32_t token)
{
	struct patch_site site;

	for (uint32_t i = 1; patches_next(w->g->core, &i, &site); i++)
		CHECK(site.owner != token || seen[site.pa.v >> HEKI_PAGE_SHIFT] == TEXT_PAGE);
}

/*
 * Memory of an accepted module: whole pages, each once, each type in a row in VTL0's view; patches
 * only in its text.
 */
static void module_check(const struct world *w, const struct ranges *list, uint32_t token)
{
	uint8_t *seen = calloc(1, w->g->size >> HEKI_PAGE_SHIFT);
	uint64_t end[LOADER_TYPES] = { 0 };

	CHECK(seen);
	for (size_t i = 0; i < list->n; i++) {
		const struct heki_range *r = &list->r[i];

		if (r->attributes >= LOADER_TYPES)
			continue;
		CHECK(page_aligned(r->va) && page_aligned(r->pa) && page_aligned(r->epa));
		CHECK(r->pa < r->epa && r->epa <= w->g->size);
		CHECK(!end[r->attributes] || r->va == end[r->attributes]);
		end[r->attributes] = r->va + (r->epa - r->pa);
		for (uint64_t page = r->pa; page < r->epa; page += HEKI_PAGE_SIZE) {
			CHECK(!seen[page >> HEKI_PAGE_SHIFT]);
			seen[page >> HEKI_PAGE_SHIFT] = is_text(r->attributes) ? TEXT_PAGE : 1;
		}
	}
	sites_check(w, seen, token);
	free(seen);
}

int world_ranges(struct world *w, uint64_t id, const struct ranges *list, uint64_t p2)
{
	int result = world_call(w, id, put_ranges(w->g, list), list->n, p2);

	if (id == HEKI_CALL_VALIDATE_MODULE && result > 0)
		module_check(w, list, (uint32_t)result);
	return result;
}

/* The kernel's text is what it was, but for sites, which are in a legal state. */
static void text_check(struct world *w)
{
	uint64_t bytes = w->k.text_pages * (uint64_t)HEKI_PAGE_SIZE;
	uint8_t *expected = copy_of(w->first.ram + w->k.text, bytes);
	struct patch_site site;
	uint8_t there[HEKI_POKE_MAX];

	for (uint32_t i = 1; patches_next(w->g->core, &i, &site); i++) {
		if (site.owner != HEKI_OWNER_KERNEL)
			continue;
		memcpy(there, guest_at(w->g, site.pa.v), site.size);
		CHECK(patch_state_legal(w->g->core, &site, there));
		memcpy(expected + (site.pa.v - w->k.text), there, site.size);
	}
	CHECK(!memcmp(expected, guest_at(w->g, w->k.text), bytes));
	free(expected);
}

void world_check(struct world *w)
{
	const uint8_t *memory = guest_at(w->g, WORLD_VTL1);

	if (w->g->misuse)
		test_fail(__FILE__, __LINE__, "the core %s", w->g->misuse);
	if (!w->g->core->slots_budget.used) { /* no call is in the middle */
		CHECK(!w->g->scratch);
		tables_check(w->g);
	}
	CHECK(!memcmp(memory, w->first.ram + WORLD_VTL1, WORLD_VTL1_BYTES));
	if (!w->booted)
		return;
	CHECK(w->early || w->g->core->end_of_boot);
	for (uint32_t i = 0; i < w->k.text_pages; i++)
		CHECK_EQUAL(guest_access(w->g, w->k.text + i * HEKI_PAGE_SIZE),
			    HEKI_ATTR_READ | HEKI_ATTR_EXEC);
	for (uint32_t i = 0; i < w->k.rodata_pages; i++)
		CHECK_EQUAL(guest_access(w->g, w->k.rodata + i * HEKI_PAGE_SIZE), HEKI_ATTR_READ);
	if (w->g->ops.grade == HEKI_GRADE_ENFORCE)
		text_check(w);
}

struct call world_begin(struct world *w)
{
	return (struct call){ .core = w->g->core, .arena = { .core = w->g->core } };
}

void world_end(struct world *w, struct call *c)
{
	arena_drop(&c->arena);
	world_check(w);
}

bool span_inside(struct span inner, struct span outer)
{
	return !inner.n || (inner.p >= outer.p && inner.n <= outer.n &&
			    (size_t)(inner.p - outer.p) <= outer.n - inner.n);
}

/* --- input --- */

struct span input_bytes(struct input *in, size_t n)
{
	struct span out = { in->p, n < in->n ? n : in->n };

	in->p += out.n;
	in->n -= out.n;
	return out;
}

uint64_t input_u64(struct input *in)
{
	struct span s = input_bytes(in, 8);
	uint64_t v = 0;

	if (s.n)
		memcpy(&v, s.p, s.n);
	return v;
}

uint16_t input_u16(struct input *in)
{
	struct span s = input_bytes(in, 2);
	uint16_t v = 0;

	if (s.n)
		memcpy(&v, s.p, s.n);
	return v;
}

uint8_t input_u8(struct input *in)
{
	struct span s = input_bytes(in, 1);

	return s.n ? s.p[0] : 0;
}

/* --- seeds --- */

void seed(const char *name, const void *bytes, size_t n)
{
	const char *directory = getenv("HEKI_FUZZ_SEEDS");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "wb");
	CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (getenv("HEKI_FUZZ_SEEDS")) {
		target_seeds();
		exit(0);
	}
	return 0;
}
