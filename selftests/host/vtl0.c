// SPDX-License-Identifier: GPL-2.0-only
/* VTL0 as the host tests play it: guest, calls, ranges, patches, files. */
#include "vtl0.h"

#define CANARY 0x5a

const struct heki_limits test_limits = {
	.modules = 32,
	.frames = 8192,
	.symbols = 8192,
	.patches = 8192,
	.certs = 32,
	.cert_bytes = 64 << 10,
	.hashes = HEKI_BLOCKLIST_MAX,
	.deps = 256,
	.functions = 256,
	.module_functions = 128,
	.log_records = 256,
	.vps = GUEST_VPS,
	.scratch_bytes = 256ull << 20,
	.slots = 4,
	.entry_pages = 64,
};

const uint8_t nop2[2] = { 0x66, 0x90 };
const uint8_t nop5[5] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

struct guest *vtl0_start_limits(enum heki_grade grade, const struct heki_limits *limits)
{
	struct guest *g = guest_create(grade, RAM_BYTES, limits);

	CHECK(g);
	guest_set_kind(g, HOLE_PA, HOLE_BYTES, GUEST_NOTHING);
	guest_set_kind(g, VTL1_PA, VTL1_BYTES, GUEST_VTL1);
	memset(guest_at(g, VTL1_PA), CANARY, VTL1_BYTES);
	return g;
}

struct guest *vtl0_start(enum heki_grade grade)
{
	return vtl0_start_limits(grade, &test_limits);
}

static void vtl1_untouched(struct guest *g)
{
	const uint8_t *memory = guest_at(g, VTL1_PA);

	for (uint64_t i = 0; i < VTL1_BYTES; i++)
		CHECK(memory[i] == CANARY);
}

void vtl0_end(struct guest *g)
{
	tables_check(g);
	vtl1_untouched(g);
	guest_destroy(g);
}

const struct heki_log_record *last_log(struct guest *g)
{
	const struct log_ring *log = &g->core->log;

	CHECK(log->written);
	return &log->records[(log->written - 1) % log->capacity];
}

static int call_index(uint64_t id)
{
	switch (id) {
#define TEST_INDEX(id, name, handler, phase, context, arguments)                                   \
	case id:                                                                                   \
		return HEKI_INDEX_##name;
	HEKI_CALLS(TEST_INDEX)
#undef TEST_INDEX
	}
	return -1;
}

/* The one error that was counted since @before. */
static uint32_t counted_error(struct guest *g, const uint64_t *before)
{
	uint32_t found = 0;

	for (uint32_t e = 1; e < 128; e++) {
		if (g->core->stats.errors[e] == before[e])
			continue;
		CHECK(!found && g->core->stats.errors[e] == before[e] + 1);
		found = e;
	}
	return found;
}

static void check_refusal(struct guest *g, uint64_t id, uint32_t error, int32_t result)
{
	const struct heki_log_record *log = last_log(g);

	CHECK_EQUAL(result, -heki_error_errno(error));
	/* One of many in a row: counted, without a record. */
	if (is_text_patch((uint32_t)id) && g->core->log.omitted)
		return;
	CHECK_EQUAL(log->event, HEKI_LOG_REFUSAL);
	CHECK_EQUAL(log->call, (uint32_t)id);
	CHECK_EQUAL(log->error, error);
	CHECK_EQUAL(log->vp, guest_current_vp());
	CHECK_EQUAL(log->seq, g->core->log.written);
}

int vtlcall(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2)
{
	struct heki_stats_reply before = g->core->stats;
	uint64_t scratch = g->scratch;
	int index = call_index(id);
	int32_t result = guest_call(g, id, p0, p1, p2);
	uint32_t error = counted_error(g, before.errors);

	if (g->misuse)
		test_fail(__FILE__, __LINE__, "the core %s", g->misuse);
	CHECK_EQUAL(g->scratch, scratch);
	if (index >= 0) {
		__atomic_add_fetch(&tally->calls[index], 1, __ATOMIC_RELAXED);
		CHECK_EQUAL(g->core->stats.calls[index], before.calls[index] + 1);
		CHECK_EQUAL(g->core->stats.refusals[index], before.refusals[index] + (result < 0));
	}
	if (result >= 0) {
		CHECK_EQUAL(error, 0);
		return result;
	}
	CHECK(error);
	check_refusal(g, id, error, result);
	__atomic_add_fetch(&tally->errors[error], 1, __ATOMIC_RELAXED);
	return -(int)error;
}

/* --- ranges --- */

void add_range(struct ranges *list, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t attributes)
{
	if (list->n == list->room) {
		list->room = list->room ? 2 * list->room : 16;
		list->r = realloc(list->r, list->room * sizeof(*list->r));
		CHECK(list->r);
	}
	list->r[list->n++] = (struct heki_range){
		.va = va, .pa = pa, .epa = pa + bytes, .attributes = attributes,
	};
}

void drop_ranges(struct ranges *list)
{
	free(list->r);
	memset(list, 0, sizeof(*list));
}

uint64_t put_ranges(struct guest *g, const struct ranges *list)
{
	size_t pages = (list->n + HEKI_MAX_RANGES - 1) / HEKI_MAX_RANGES;
	uint64_t first = guest_pages(g, pages);

	CHECK(list->n && first);
	for (size_t i = 0; i < pages; i++) {
		struct heki_page *page = guest_at(g, first + i * HEKI_PAGE_SIZE);
		size_t left = list->n - i * HEKI_MAX_RANGES;

		memset(page, 0, sizeof(*page));
		page->nranges = left < HEKI_MAX_RANGES ? left : HEKI_MAX_RANGES;
		memcpy(page->ranges, list->r + i * HEKI_MAX_RANGES,
		       page->nranges * sizeof(page->ranges[0]));
		if (i + 1 < pages) {
			page->next_pa = first + (i + 1) * HEKI_PAGE_SIZE;
			page->next = DIRECT_MAP + page->next_pa;
		}
	}
	return first;
}

int call_ranges(struct guest *g, uint64_t id, const struct ranges *list, uint64_t p2)
{
	return vtlcall(g, id, put_ranges(g, list), list->n, p2);
}

int call_range(struct guest *g, uint64_t id, uint64_t pa, uint64_t bytes, uint64_t attributes)
{
	struct ranges list = { 0 };
	int result;

	add_range(&list, DIRECT_MAP + pa, pa, bytes, attributes);
	result = call_ranges(g, id, &list, 0);
	drop_ranges(&list);
	return result;
}

uint64_t put_bytes(struct guest *g, const void *bytes, size_t n)
{
	uint64_t pa = guest_pages(g, page_up(n ? n : 1) >> HEKI_PAGE_SHIFT);

	CHECK(pa);
	memcpy(guest_at(g, pa), bytes, n);
	return pa;
}

int call_bytes(struct guest *g, uint64_t id, const void *bytes, size_t n, uint64_t attributes)
{
	return call_range(g, id, put_bytes(g, bytes, n), n, attributes);
}

/* --- patches --- */

static void *patches_grow(struct patches *p, size_t n)
{
	p->bytes = realloc(p->bytes, p->n + n);
	CHECK(p->bytes);
	memset(p->bytes + p->n, 0, n);
	p->n += n;
	return p->bytes + p->n - n;
}

void add_patch_header(struct patches *p, uint32_t type)
{
	struct heki_patch_info *info = patches_grow(p, sizeof(*info));

	info->type = type;
	info->list[0] = info->list[1] = DIRECT_MAP + 0x1000; /* VTL0's own */
	info->max_patch_count = 0;
	p->header = p->n - sizeof(*info);
}

struct heki_patch make_patch(uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size)
{
	struct heki_patch patch = { .pa = { pa }, .size = size };

	if ((pa & HEKI_PAGE_MASK) + size > HEKI_PAGE_SIZE)
		patch.pa[1] = next;
	memcpy(patch.code, code, size < HEKI_POKE_MAX ? size : HEKI_POKE_MAX);
	return patch;
}

void add_patch(struct patches *p, uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size)
{
	struct heki_patch patch = make_patch(pa, next, code, size);
	struct heki_patch_info *info;

	memcpy(patches_grow(p, sizeof(patch)), &patch, sizeof(patch));
	info = (void *)(p->bytes + p->header);
	info->patch_index++;
	info->max_patch_count++;
}

void drop_patches(struct patches *p)
{
	free(p->bytes);
	memset(p, 0, sizeof(*p));
}

int patch_text(struct guest *g, uint64_t pa, uint64_t next, const uint8_t *code, uint8_t size)
{
	struct heki_patch patch = make_patch(pa, next, code, size);

	memcpy(guest_at(g, SCRATCH_PA), &patch, sizeof(patch));
	return vtlcall(g, HEKI_CALL_PATCH_TEXT, SCRATCH_PA, 0, 0);
}

int patch_batch(struct guest *g, const struct heki_patch *patches, uint32_t n)
{
	struct heki_patch_batch *batch = guest_at(g, SCRATCH_PA);

	CHECK(n <= HEKI_PATCH_BATCH_MAX);
	memset(batch, 0, sizeof(*batch));
	batch->count = n;
	memcpy(batch->patches, patches, n * sizeof(*patches));
	return vtlcall(g, HEKI_CALL_PATCH_TEXT_BATCH, SCRATCH_PA, 0, 0);
}

void make_jump(uint64_t va, uint64_t target, uint8_t size, uint8_t *code)
{
	uint64_t distance = target - (va + size);

	code[0] = size == 2 ? 0xeb : 0xe9;
	if (size == 2)
		code[1] = (uint8_t)distance;
	else
		put_le32(code + 1, (uint32_t)distance);
}

/* --- files --- */

struct file load_path(const char *path)
{
	struct file f = { 0 };
	FILE *stream = fopen(path, "rb");
	long size;

	if (!stream)
		return f;
	CHECK(!fseek(stream, 0, SEEK_END));
	size = ftell(stream);
	CHECK(size >= 0 && !fseek(stream, 0, SEEK_SET));
	f.n = (size_t)size;
	f.p = malloc(f.n + 1);
	CHECK(f.p && fread(f.p, 1, f.n, stream) == f.n);
	fclose(stream);
	return f;
}

struct file load_file(const char *name)
{
	const char *directory = getenv("HEKI_TESTDATA");
	char path[512];
	struct file f;

	snprintf(path, sizeof(path), "%s/%s", directory ? directory : "build/testdata", name);
	f = load_path(path);
	if (!f.p)
		test_fail(__FILE__, __LINE__, "%s is not there", path);
	return f;
}

void drop_file(struct file *f)
{
	free(f->p);
	memset(f, 0, sizeof(*f));
}
