// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real modules and images of the stock kernels, with their real signatures: accepted as they are
 * (modules as the loader leaves them under several kinds of processor), refused with one byte
 * changed.  The kernel's exports are those of its Module.symvers, at addresses of the test's own.
 */
#include "cms.h"
#include "kimage.h"
#include "pe.h"
#include "place.h"
#include "stock.h"

#define SAMPLE 120 /* modules of a kernel, besides those that are named */

static bool named(const char *path)
{
	static const char *const names[] = { "/ext4.ko", "/jbd2.ko", "/mbcache.ko", "/crc16.ko", "/kvm.ko" };

	for (size_t i = 0; i < HEKI_ARRAY_SIZE(names); i++)
		if (strstr(path, names[i]))
			return true;
	return false;
}

struct count {
	unsigned int modules;
	unsigned int tampered;
};

static void check_sites(struct guest *g, struct placed *m)
{
	for (size_t i = 0; i < m->l.jumps_count; i++) {
		const struct loader_jump *j = &m->l.jumps[i];
		uint64_t last = placed_va_pa(m, j->va + j->size - 1);

		CHECK_OK(patch_text(g, placed_va_pa(m, j->va), page_down(last), (uint8_t[]){ 0xcc }, 1));
	}
}

/*
 * A byte of text that no kernel rewrites: with its neighbours it is the same under all profiles.
 * False: none was found.
 */
static bool fixed_byte(const struct placed *m, uint64_t start, uint64_t *offset)
{
	struct loader other = {
		.file = m->l.file, .size = m->l.size, .base = m->l.base, .percpu = m->l.percpu,
		.seed = 2, .symbol = m->l.symbol, .context = m->l.context,
	};
	uint64_t n = m->l.pages[HEKI_MOD_TEXT] * HEKI_PAGE_SIZE, run = 0;
	bool found = false;

	other.profile = m->l.profile ? 0 : 0x3ff;
	if (!n || loader_load(&other))
		return false;
	for (uint64_t i = 0; i < n && !found; i++) {
		*offset = (start + i) % n;
		run = m->l.bytes[HEKI_MOD_TEXT][*offset] == other.bytes[HEKI_MOD_TEXT][*offset] ?
			      run + 1 : 0;
		found = run == 17;
	}
	*offset -= 8;
	loader_drop(&other);
	return found;
}

/*
 * Every compared byte is in one account, and all bytes that this profile rewrote are among those of
 * sites: they differ from what the loader makes without rewriting.
 */
static void check_account(const struct placed *m, const struct module *module)
{
	struct loader plain = {
		.file = m->l.file, .size = m->l.size, .base = m->l.base, .percpu = m->l.percpu,
		.seed = 1, .symbol = m->l.symbol, .context = m->l.context,
	};
	uint64_t sum = 0, sites = 0, memory = 0, differ = 0;

	CHECK(!loader_load(&plain));
	for (uint32_t type = 0; type < LOADER_TYPES; type++) {
		memory += module->compared[type];
		if (type != HEKI_MOD_TEXT && type != HEKI_MOD_INIT_TEXT)
			continue;
		CHECK_EQUAL(module->compared[type], m->l.pages[type] * HEKI_PAGE_SIZE);
		for (uint64_t i = 0; i < module->compared[type]; i++)
			differ += plain.bytes[type][i] != m->l.bytes[type][i];
	}
	for (uint32_t i = 0; i < HEKI_ACCOUNT_COUNT; i++) {
		sum += module->account[i];
		sites += i > HEKI_ACCOUNT_PADDING ? module->account[i] : 0;
	}
	CHECK_EQUAL(sum, memory);
	CHECK(sites >= differ && sites <= memory);
	CHECK(!differ == !(m->l.profile & LOADER_RETURNS) || !module->compared[HEKI_MOD_TEXT]);
	loader_drop(&plain);
}

/* One load under a profile, once as it is and once with a changed byte of text. */
static void one_load(struct guest *g, const struct file *f, const char *path, unsigned int profile,
		     struct count *count)
{
	struct file copy = { malloc(f->n), f->n };
	uint64_t next = g->next_page, offset;
	struct placed m;
	uint8_t *byte;
	int token;

	CHECK(copy.p);
	memcpy(copy.p, f->p, f->n);
	place_file(g, &m, &copy, profile, MODULES_VA);
	token = validate(&m);
	if (token < 0)
		test_fail(__FILE__, __LINE__, "%s, profile %#x: %s: %s", path, profile,
			  heki_error_name((uint32_t)-token), last_log(g)->text);
	check_account(&m, modules_find(g->core, (uint64_t)token));
	check_sites(g, &m);
	CHECK_OK(unload(g, token));
	for (size_t i = 0; i < m.l.jumps_count; i++)
		memcpy(guest_at(g, placed_va_pa(&m, m.l.jumps[i].va)), loader_at(&m.l, m.l.jumps[i].va), 1);
	if (fixed_byte(&m, 64 * count->modules, &offset)) {
		byte = placed_at(&m, HEKI_MOD_TEXT, offset);
		*byte ^= 0x21;
		CHECK_REFUSED(MODULE_DIFFERS, validate(&m));
		count->tampered++;
	}
	unplace(&m);
	g->next_page = next;
}

static void real_modules(const char *version)
{
	static const unsigned int profiles[] = { 0, 0x2f5, 0x3eb };
	struct stock_lines paths;
	struct count count = { 0 };
	struct kernel k;
	struct guest *g;
	struct file cert;
	char path[256];

	snprintf(path, sizeof(path), "build/kernel/%s/kernel-cert.der", version);
	cert = load_path(path);
	if (!cert.p)
		test_skip("this kernel has not been fetched: make kernels");
	g = vtl0_start_limits(HEKI_GRADE_ENFORCE, &stock_limits);
	stock_kernel(g, &k, version);
	kernel_load_bytes(g, &k, &cert);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	paths = stock_command("find build/kernel/%s/modules/kernel -name '*.ko*' | LC_ALL=C sort",
			      version);
	for (size_t i = 0; i < paths.n; i++) {
		struct file f;

		if (i % (paths.n / SAMPLE) && !named(paths.line[i]))
			continue;
		f = stock_module(paths.line[i]);
		one_load(g, &f, paths.line[i], profiles[count.modules % HEKI_ARRAY_SIZE(profiles)],
			 &count);
		drop_file(&f);
		count.modules++;
	}
	CHECK(count.tampered > SAMPLE / 2);
	test_note("%s: %u modules of %zu accepted with %llu relocations and %llu sites, %u refused with one byte changed",
		  version, count.modules, paths.n, (unsigned long long)g->core->stats.relocations,
		  (unsigned long long)g->core->stats.sites, count.tampered);
	stock_drop_lines(&paths);
	drop_file(&cert);
	kernel_drop(&k);
	vtl0_end(g);
}

static void modules_6_1(void)
{
	real_modules("6.1");
}

static void modules_6_12(void)
{
	real_modules("6.12");
}

/* The stock kernel's image under its own signer as the anchor, and without one. */
static void kernel_image(const char *version)
{
	struct guest *g = vtl0_start(HEKI_GRADE_AUDIT);
	char path[256];
	struct x509 signer;
	struct file blob;
	struct image m;
	struct cms cms;
	struct pe pe;

	snprintf(path, sizeof(path), "build/kernel/%s/vmlinuz", version);
	blob = load_path(path);
	if (!blob.p)
		test_skip("this kernel has not been fetched: make kernels");
	CHECK(!pe_parse((struct span){ blob.p, blob.n }, &pe));
	CHECK(!cms_parse(pe.cms, CMS_KEXEC, &cms) && cms_embedded(&cms, &signer));
	trust_kexec(g, "kexecca.der");
	image_file(g, &m, blob, NORMAL);
	CHECK_REFUSED(NO_KEY, send_image(&m));
	CHECK_OK(call_bytes(g, HEKI_CALL_LOAD_KDATA, signer.der.p, signer.der.n,
			    HEKI_KDATA_KEXEC_CERTS));
	CHECK_EQUAL(send_image(&m), 0);
	*(uint8_t *)guest_at(g, m.blob_pa + blob.n / 2) ^= 1;
	CHECK_REFUSED(PE_DIGEST, send_image(&m));
	*(uint8_t *)guest_at(g, m.blob_pa + blob.n / 2) ^= 1;
	*(uint8_t *)guest_at(g, m.ranges.r[m.pages + 2].pa) ^= 1;
	CHECK_REFUSED(KEXEC_UNBOUND, send_image(&m));
	drop_image(&m);
	vtl0_end(g);
}

static void kernel_image_6_1(void)
{
	kernel_image("6.1");
}

static void kernel_image_6_12(void)
{
	kernel_image("6.12");
}

const struct test real_tests[] = {
	{ "modules_6_1", modules_6_1 },
	{ "modules_6_12", modules_6_12 },
	{ "kernel_image_6_1", kernel_image_6_1 },
	{ "kernel_image_6_12", kernel_image_6_12 },
	{ NULL, NULL },
};
