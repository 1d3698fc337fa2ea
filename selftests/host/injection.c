// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures of the host: for each call, each use of each host operation is made to fail in turn.
 * The call must be refused with a named error and leave tables, permissions and memory as they
 * were; or succeed as if nothing had happened.
 */
#include "kimage.h"
#include "place.h"

/* State of a scenario; what is not used is zero. */
struct scene {
	struct guest *g;
	struct kernel k;
	struct placed m[2];
	struct image image;
	struct ranges list;
	struct file file;
	uint64_t pa;
	int token;
};

/**
 * struct scenario - a call to try
 * @prepare: everything before it; may be NULL
 * @call:    the call; its result
 * @survives: bit mask of operations whose failure the call may survive
 * @releases: bit mask of operations whose failure is told as a violation: the host keeps a page
 *            that VTL1 has given back
 * @writes:  memory that the call may have written to before it fails is not compared
 */
struct scenario {
	void (*prepare)(struct scene *s);
	int (*call)(struct scene *s);
	uint32_t survives;
	uint32_t releases;
	bool writes;
};

static void scene_start(struct scene *s, const struct scenario *scenario, bool boot)
{
	memset(s, 0, sizeof(*s));
	s->g = vtl0_start(HEKI_GRADE_AUDIT);
	if (boot) {
		trust_kexec(s->g, "kexecca.der");
		kernel_boot(s->g, &s->k);
	} else {
		kernel_make(s->g, &s->k, NULL, 0);
		kernel_site(s->g, &s->k, 0x100, 5);
		kernel_site(s->g, &s->k, 0xffe, 5);
	}
	if (scenario->prepare)
		scenario->prepare(s);
	guest_clear(s->g);
}

static void scene_end(struct scene *s, bool check)
{
	unplace(&s->m[0]);
	unplace(&s->m[1]);
	drop_image(&s->image);
	drop_ranges(&s->list);
	drop_file(&s->file);
	kernel_drop(&s->k);
	guest_clear(s->g);
	if (check)
		vtl0_end(s->g);
	else
		guest_destroy(s->g);
}

static uint8_t *copy_memory(struct guest *g, size_t *n)
{
	uint8_t *copy;

	*n = g->next_page << HEKI_PAGE_SHIFT;
	copy = malloc(*n);
	CHECK(copy);
	memcpy(copy, g->ram, *n);
	return copy;
}

static void compare_memory(struct guest *g, const uint8_t *copy, size_t n)
{
	for (size_t i = 0; i < n; i += HEKI_PAGE_SIZE)
		if (memcmp(copy + i, g->ram + i, HEKI_PAGE_SIZE))
			test_fail(__FILE__, __LINE__, "page %#zx was written to", i);
}

/* One failure; false when the call does not use the operation so often. */
static bool fail_once(const struct scenario *scenario, bool boot, enum guest_op op, uint64_t nth,
		      unsigned int *refused)
{
	struct scene s;
	struct snapshot *before;
	uint64_t violations;
	uint8_t *memory;
	size_t n;
	int result;
	bool reached;

	scene_start(&s, scenario, boot);
	before = snapshot_take(s.g);
	memory = copy_memory(s.g, &n);
	violations = s.g->core->stats.violations;
	s.g->fail[op] = nth;
	result = scenario->call(&s);
	reached = s.g->count[op] >= nth;
	if (result < 0) {
		CHECK(reached);
		snapshot_check(s.g, before);
		if (!scenario->writes)
			compare_memory(s.g, memory, n);
		*refused += 1;
	} else {
		if (reached && !((scenario->survives | scenario->releases) >> op & 1))
			test_fail(__FILE__, __LINE__, "use %llu of operation %d failed unnoticed",
				  (unsigned long long)nth, op);
		snapshot_drop(before);
	}
	if (s.g->core->stats.violations != violations) {
		CHECK(result >= 0 && scenario->releases >> op & 1);
		scene_end(&s, false);
	} else {
		scene_end(&s, true);
	}
	free(memory);
	return reached;
}

static void all_failures(const struct scenario *scenario, bool boot)
{
	unsigned int refused = 0;
	struct scene s;

	scene_start(&s, scenario, boot);
	CHECK_OK(scenario->call(&s)); /* without a failure it is accepted */
	scene_end(&s, true);
	for (int op = 0; op < GUEST_UNLOCK; op++)
		for (uint64_t nth = 1; fail_once(scenario, boot, (enum guest_op)op, nth, &refused); nth++)
			;
	test_note("%u failures refused", refused);
}

#define OP(name) (1u << GUEST_##name)
#define HASHING (OP(HASH_BEGIN) | OP(HASH_UPDATE) | OP(HASH_END))

/* --- before end of boot --- */

static int call_list_of(struct scene *s, uint32_t id, uint64_t p2)
{
	return call_ranges(s->g, id, &s->list, p2);
}

static void everything(struct scene *s)
{
	static const struct {
		const char *name;
		uint64_t type;
	} files[] = {
		{ "system.der", HEKI_KDATA_SYSTEM_CERTS },
		{ "revoked.der", HEKI_KDATA_REVOCATION_CERTS },
		{ "kexecca.der", HEKI_KDATA_KEXEC_CERTS },
	};
	char record[HEKI_BLOCKLIST_RECORD] =
		"bin:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	uint64_t pa;

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(files); i++) {
		struct file f = load_file(files[i].name);

		pa = put_bytes(s->g, f.p, f.n);
		add_range(&s->list, DIRECT_MAP + pa, pa, f.n, files[i].type);
		drop_file(&f);
	}
	pa = put_bytes(s->g, record, sizeof(record));
	add_range(&s->list, DIRECT_MAP + pa, pa, sizeof(record), HEKI_KDATA_BLOCKLIST_HASHES);
	kernel_symbol_ranges(s->g, &s->k, &s->list);
	pa = put_bytes(s->g, s->k.sites.bytes, s->k.sites.n);
	add_range(&s->list, DIRECT_MAP + pa, pa, s->k.sites.n, HEKI_KDATA_PATCH_INFO);
	pa = guest_pages(s->g, 2);
	add_range(&s->list, DIRECT_MAP + pa + 3072, pa + 3072, 2048, HEKI_KDATA_KEXEC_TRAMPOLINE);
}

static int load_everything(struct scene *s)
{
	return call_list_of(s, HEKI_CALL_LOAD_KDATA, 0);
}

static void load_kdata(void)
{
	/* a hash that cannot be computed is one of the blocklist that does not apply */
	static const struct scenario scenario = { everything, load_everything, HASHING, 0, false };

	all_failures(&scenario, false);
}

static int protect_kernel(struct scene *s)
{
	return kernel_protect(s->g, &s->k);
}

static void protect_memory(void)
{
	static const struct scenario scenario = { NULL, protect_kernel, 0, 0, false };

	all_failures(&scenario, false);
}

static int lock(struct scene *s)
{
	return vtlcall(s->g, HEKI_CALL_LOCK_REGS, 0, 0, 0);
}

static void lock_regs(void)
{
	static const struct scenario scenario = { NULL, lock, 0, 0, false };

	all_failures(&scenario, false);
}

static void masks(struct scene *s)
{
	uint8_t bytes[HEKI_PAGE_SIZE] = { 7 };

	s->pa = put_bytes(s->g, bytes, sizeof(bytes));
	guest_pages(s->g, 1);
}

static int boot(struct scene *s)
{
	uint64_t pfn = s->pa >> HEKI_PAGE_SHIFT;
	int result = vtlcall(s->g, HEKI_CALL_ENABLE_APS_VTL, pfn, 0, 0);

	return result < 0 ? result : vtlcall(s->g, HEKI_CALL_BOOT_APS, pfn, pfn + 1, 0);
}

static void boot_aps(void)
{
	static const struct scenario scenario = { masks, boot, 0, 0, true };

	all_failures(&scenario, false);
}

/* --- modules --- */

static void one_module(struct scene *s)
{
	place(s->g, &s->m[0], "tiny-rsa2048.ko");
}

static int validate_first(struct scene *s)
{
	return validate(&s->m[0]);
}

static void validate_module(void)
{
	static const struct scenario scenario = { one_module, validate_first, 0, 0, false };

	all_failures(&scenario, true);
}

static void two_modules(struct scene *s)
{
	place(s->g, &s->m[0], "tiny-rsa2048.ko");
	CHECK_OK(validate(&s->m[0]));
	place(s->g, &s->m[1], "user-signed.ko");
}

static int validate_second(struct scene *s)
{
	return validate(&s->m[1]);
}

static void validate_dependent_module(void)
{
	static const struct scenario scenario = { two_modules, validate_second, 0, 0, false };

	all_failures(&scenario, true);
}

static void loaded(struct scene *s)
{
	one_module(s);
	s->token = validate(&s->m[0]);
	CHECK_OK(s->token);
}

static int free_it(struct scene *s)
{
	return free_init(s->g, s->token);
}

static void free_module_init(void)
{
	static const struct scenario scenario = { loaded, free_it, 0, OP(PROTECT), false };

	all_failures(&scenario, true);
}

static int unload_it(struct scene *s)
{
	return unload(s->g, s->token);
}

static void unload_module(void)
{
	static const struct scenario scenario = { loaded, unload_it, 0, OP(PROTECT), false };

	all_failures(&scenario, true);
}

/* --- others --- */

static void key_file(struct scene *s)
{
	s->file = load_file("secondary.der");
}

static int copy_key(struct scene *s)
{
	return call_bytes(s->g, HEKI_CALL_COPY_SECONDARY_KEY, s->file.p, s->file.n, 0);
}

static void copy_secondary_key(void)
{
	static const struct scenario scenario = { key_file, copy_key, 0, 0, false };

	all_failures(&scenario, true);
}

static void several(struct scene *s)
{
	s->file = load_file("system.der");
}

static int revoke_them(struct scene *s)
{
	return call_bytes(s->g, HEKI_CALL_REVOKE, s->file.p, s->file.n, 0);
}

static void revoke(void)
{
	static const struct scenario scenario = { several, revoke_them, 0, 0, false };

	all_failures(&scenario, true);
}

static void normal_image(struct scene *s)
{
	image(s->g, &s->image, "kernel-signed.pe", NORMAL);
}

static int validate_image(struct scene *s)
{
	return send_image(&s->image);
}

static void kexec(void)
{
	static const struct scenario scenario = { normal_image, validate_image, 0, 0, false };

	all_failures(&scenario, true);
}

static void image_there(struct scene *s)
{
	normal_image(s);
	CHECK_OK(send_image(&s->image));
}

static int invalidate(struct scene *s)
{
	return vtlcall(s->g, HEKI_CALL_KEXEC_VALIDATE, 0, 0, NORMAL);
}

static void kexec_invalidate(void)
{
	static const struct scenario scenario = { image_there, invalidate, 0, OP(PROTECT), false };

	all_failures(&scenario, true);
}

static void ring_place(struct scene *s)
{
	s->pa = guest_pages(s->g, 2);
}

static int make_ring(struct scene *s)
{
	return vtlcall(s->g, HEKI_CALL_ALLOCATE_RINGBUFFER, s->pa, 8192, 0);
}

static void ring(void)
{
	static const struct scenario scenario = { ring_place, make_ring, 0, 0, false };

	all_failures(&scenario, true);
}

static int patch_across(struct scene *s)
{
	struct patch_site site;

	CHECK(patches_find(s->g->core, gpa(s->k.text + 0x1ffe), &site));
	return patch_text(s->g, site.pa.v, site.next.v, site.code, 5);
}

static void patch(void)
{
	static const struct scenario scenario = { NULL, patch_across, 0, 0, false };

	all_failures(&scenario, true);
}

/* INT3 at every site of the kernel's. */
static int patch_all(struct scene *s)
{
	static const uint8_t int3 = PATCH_INT3;
	struct heki_patch patches[8];
	struct patch_site site;
	uint32_t index, n = 0;

	for (index = 1; patches_next(s->g->core, &index, &site); index++)
		patches[n++] = make_patch(site.pa.v, 0, &int3, 1);
	CHECK(n == 3);
	return patch_batch(s->g, patches, n);
}

static void batch(void)
{
	static const struct scenario scenario = { NULL, patch_all, 0, 0, false };

	all_failures(&scenario, true);
}

static void reply_place(struct scene *s)
{
	s->pa = guest_pages(s->g, 1);
}

static int ask(struct scene *s)
{
	static const uint32_t calls[] = { HEKI_CALL_QUERY, HEKI_CALL_STATS, HEKI_CALL_LIST };
	static const uint64_t p1[] = { 0, 0, HEKI_LIST_FRAMES };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(calls); i++) {
		int result = vtlcall(s->g, calls[i], s->pa, p1[i], 0);

		if (result < 0)
			return result;
	}
	return 0;
}

static void queries(void)
{
	static const struct scenario scenario = { reply_place, ask, 1u << GUEST_SPLITS_EXEC, 0,
						true };

	all_failures(&scenario, true);
}

static int audit_slice(struct scene *s)
{
	return vtlcall(s->g, HEKI_CALL_AUDIT, s->pa, 0, 0);
}

/* A page that cannot be read once is tried again. */
static void audit(void)
{
	static const struct scenario scenario = { reply_place, audit_slice, OP(READ), 0, false };

	all_failures(&scenario, true);
}

const struct test injection_tests[] = {
	{ "load_kdata", load_kdata },
	{ "protect_memory", protect_memory },
	{ "lock_regs", lock_regs },
	{ "boot_aps", boot_aps },
	{ "validate_module", validate_module },
	{ "validate_dependent_module", validate_dependent_module },
	{ "free_module_init", free_module_init },
	{ "unload_module", unload_module },
	{ "copy_secondary_key", copy_secondary_key },
	{ "revoke", revoke },
	{ "kexec", kexec },
	{ "kexec_invalidate", kexec_invalidate },
	{ "ring", ring },
	{ "patch", patch },
	{ "patch_batch", batch },
	{ "queries", queries },
	{ "audit", audit },
	{ NULL, NULL },
};
