// SPDX-License-Identifier: GPL-2.0-only
/*
 * What LOAD_KDATA takes but certificates and patches: symbol tables, blocklist, trampoline,
 * snapshot. Input: the kind; for the parts of a snapshot their lengths and bytes; for symbols where
 * the tables lie and then the kernel's read-only data.
 */
#include "world.h"

enum { SYMBOLS, BLOCKLIST, REVOKED, TRAMPOLINE, SNAPSHOT, KINDS };

#define SNAPSHOT_PARTS 4u

#define DATA_MOST (16 * HEKI_PAGE_SIZE)

static uint16_t offset_of(const struct world *w, uint64_t va)
{
	return (uint16_t)(va - w->k.rodata_va);
}

static size_t put_part(uint8_t *to, const void *part, uint16_t n)
{
	memcpy(to, &n, sizeof(n));
	memcpy(to + sizeof(n), part, n);
	return sizeof(n) + n;
}

/* In the order of their types. */
static void seed_snapshot(void)
{
	const struct heki_snapshot snapshot = {
		.return_thunk = KERNEL_VA + 0x40, .percpu_end = 0x1000,
		.pv_ops = KERNEL_VA + 0x100, .feature_words = 1, .features = { 0x55555555 },
	};
	const uint32_t functions[] = { (uint32_t)KERNEL_VA, 0xffffffff, 3, 0, 0x40, 0x80, 0xc0 };
	const uint64_t tracer = KERNEL_VA + 0x80, pv_ops[] = { KERNEL_VA + 0xc0, 0 };
	uint8_t bytes[1024] = { SNAPSHOT };
	size_t n = 1;

	n += put_part(bytes + n, &snapshot, sizeof(snapshot));
	n += put_part(bytes + n, functions, sizeof(functions));
	n += put_part(bytes + n, &tracer, sizeof(tracer));
	n += put_part(bytes + n, pv_ops, sizeof(pv_ops));
	seed("snapshot", bytes, n);
}

void target_seeds(void)
{
	struct world *w = world_get(HEKI_GRADE_AUDIT, false);
	uint8_t bytes[1 + 8 + 1024] = { SYMBOLS };
	uint16_t at[4] = { offset_of(w, w->k.info.ksymtab_start), offset_of(w, w->k.info.ksymtab_end),
			   offset_of(w, w->k.info.ksymtab_gpl_start),
			   offset_of(w, w->k.info.ksymtab_gpl_end) };

	memcpy(bytes + 1, at, sizeof(at));
	memcpy(bytes + 9, guest_at(w->g, w->k.rodata), 1024);
	seed("symbols", bytes, 9 + page_up(w->k.strings) % 1024 + 256);
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = BLOCKLIST;
	for (unsigned int i = 0; i < 2; i++) {
		char *record = (char *)bytes + 1 + i * HEKI_BLOCKLIST_RECORD;

		snprintf(record, HEKI_BLOCKLIST_RECORD, "%s:%064x", i ? "tbs" : "bin", 0xabcdef);
	}
	seed("blocklist", bytes, 1 + 2 * HEKI_BLOCKLIST_RECORD);
	bytes[0] = TRAMPOLINE;
	bytes[1] = 3;
	seed("trampoline", bytes, 64);
	seed_snapshot();
}

static void add_symbols(struct world *w, struct ranges *list, struct input *in)
{
	struct heki_kernel_info info;
	struct span data;
	uint64_t *at = (uint64_t[4]){ 0 };

	for (unsigned int i = 0; i < 4; i++)
		at[i] = w->k.rodata_va + input_u16(in);
	memcpy(&info, at, sizeof(info));
	data = input_bytes(in, DATA_MOST);
	add_range(list, DIRECT_MAP, put_bytes(w->g, &info, sizeof(info)), sizeof(info),
		  HEKI_KDATA_KERNEL_INFO);
	add_range(list, w->k.rodata_va, put_bytes(w->g, data.p, data.n), data.n,
		  HEKI_KDATA_KERNEL_DATA);
}

static void add_bytes(struct world *w, struct ranges *list, struct input *in, uint64_t type)
{
	struct span data = input_bytes(in, DATA_MOST);

	add_range(list, DIRECT_MAP, put_bytes(w->g, data.p, data.n), data.n, type);
}

static void add_trampoline(struct world *w, struct ranges *list, struct input *in)
{
	uint64_t pages = input_u8(in) & 7;
	uint64_t pa = w->pages + input_u16(in);

	add_range(list, DIRECT_MAP + pa, pa, pages * HEKI_PAGE_SIZE + input_u16(in),
		  HEKI_KDATA_KEXEC_TRAMPOLINE);
}

static void add_snapshot(struct world *w, struct ranges *list, struct input *in)
{
	for (uint64_t i = 0; i < SNAPSHOT_PARTS; i++) {
		struct span part = input_bytes(in, input_u16(in));

		if (part.n)
			add_range(list, DIRECT_MAP, put_bytes(w->g, part.p, part.n), part.n,
				  HEKI_KDATA_SNAPSHOT + i);
	}
}

/* What was accepted keeps its bounds, and look-ups find exactly what was sent. */
static void check_snapshot(struct world *w)
{
	struct heki_core *core = w->g->core;
	const struct kernel_snapshot *s = &core->snapshot;

	CHECK(s->functions_count <= core->limits.functions);
	CHECK(s->tracers_count <= HEKI_TRACERS_MAX && s->pv_ops_count <= HEKI_PV_OPS_MAX);
	CHECK(s->set || (!s->functions_count && !s->tracers_count && !s->pv_ops_count));
	for (uint32_t i = 1; i < s->functions_count; i++)
		CHECK(core->functions[i - 1] < core->functions[i]);
}

/* What is counted is what is there; the same bytes may be sent at several addresses. */
static void check_symbols(struct world *w)
{
	const struct heki_core *core = w->g->core;

	CHECK_EQUAL(core->kernel_symbols.count, core->stats.symbols + core->stats.symbols_gpl);
	CHECK(core->kernel_symbols.count <= core->limits.symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = world_get(size & 1 ? HEKI_GRADE_ENFORCE : HEKI_GRADE_AUDIT, false);
	struct input in = { data, size };
	uint8_t kind = input_u8(&in) % KINDS;
	struct ranges list = { 0 };

	if (size < 2)
		return 0;
	switch (kind) {
	case SYMBOLS:
		add_symbols(w, &list, &in);
		break;
	case BLOCKLIST:
		add_bytes(w, &list, &in, HEKI_KDATA_BLOCKLIST_HASHES);
		break;
	case REVOKED:
		add_bytes(w, &list, &in, HEKI_KDATA_REVOCATION_CERTS);
		break;
	case SNAPSHOT:
		add_snapshot(w, &list, &in);
		break;
	default:
		add_trampoline(w, &list, &in);
	}
	if (!list.n)
		return 0;
	if (!world_ranges(w, HEKI_CALL_LOAD_KDATA, &list, 0) && kind == SYMBOLS)
		check_symbols(w);
	check_snapshot(w);
	drop_ranges(&list);
	return 0;
}
