// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench-host VERSION... - measure the core in userspace
 * bench-host tables - only what is the same on each machine: sizes, and nodes met by look-ups
 *
 * Prints a line "NAME VALUE UNIT" for each figure; times are CPU time of this process.  Modules are
 * those of the stock kernels: for the signature path all of the first VERSION and some of the
 * others, for the comparison of loaded memory some of each, ROUNDS times.
 */
#include <malloc.h>
#include <stdarg.h>
#include <time.h>

#include "host_bench.h"

#define LOOKUPS 1000000u
#define ROUNDS 5 /* the fastest counts: what else a machine does only adds */
#define NS 1e9

struct tally *tally;

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench-host: %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void check_result(const char *file, int line, const char *what, int got, int expected)
{
	if (got != expected && (expected || got < 0))
		test_fail(file, line, "%s gave %d", what, got);
}

double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / NS;
}

void report(double value, const char *unit, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" %.3f %s\n", value, unit);
	fflush(stdout);
}

struct guest *guest_that_trusts(const char *version, struct file *cert)
{
	struct guest *g = vtl0_start_limits(HEKI_GRADE_ENFORCE, &stock_limits);
	char path[256];

	snprintf(path, sizeof(path), "build/kernel/%s/kernel-cert.der", version);
	*cert = load_path(path);
	CHECK(g && cert->p);
	return g;
}

struct stock_lines modules_of(const char *version)
{
	return stock_command("find build/kernel/%s/modules/kernel -name '*.ko*' | LC_ALL=C sort",
			     version);
}

/* --- comparison of loaded memory --- */

/*
 * Everything but the comparison is taken out: any digest is good, any signature holds, and memory is
 * not filled with a pattern first, as it is for the host tests.
 */
static void *plain_alloc(void *host, size_t n)
{
	(void)host;
	return malloc(n);
}

static void plain_free(void *host, void *p, size_t n)
{
	(void)host;
	(void)n;
	free(p);
}

static int no_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	(void)host;
	(void)algorithm;
	(void)state;
	return 0;
}

static int no_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	(void)host;
	(void)state;
	(void)bytes;
	(void)n;
	return 0;
}

static int no_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	(void)host;
	(void)state;
	memset(digest, 0, 32); /* the corpus is signed with SHA-256 */
	return 0;
}

static int no_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from)
{
	(void)host;
	(void)to;
	(void)from;
	return 0;
}

static int no_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		     struct span sig)
{
	(void)host;
	(void)cert;
	(void)algorithm;
	(void)digest;
	(void)sig;
	return 0;
}

struct compared {
	double taken;
	double text;
	double memory;
	unsigned int modules;
};

static void compare_one(struct guest *g, const char *path, const struct file *stock,
			struct compared *sum)
{
	struct file f = { .p = malloc(stock->n), .n = stock->n };
	uint64_t next = g->next_page;
	struct placed m;
	double start;
	int token;

	CHECK(f.p);
	memcpy(f.p, stock->p, f.n);
	place_file(g, &m, &f, LOADER_ALTERNATIVES | LOADER_RETURNS, MODULES_VA);
	start = cpu_time();
	token = validate(&m);
	sum->taken += cpu_time() - start;
	if (token < 0)
		test_fail(__FILE__, __LINE__, "%s: %s", path, heki_error_name((uint32_t)-token));
	sum->text += modules_find(g->core, (uint64_t)token)->text_bytes;
	for (uint32_t type = 0; type < LOADER_TYPES; type++)
		sum->memory += (double)(m.l.pages[type] * HEKI_PAGE_SIZE);
	sum->modules++;
	CHECK_OK(unload(g, token));
	unplace(&m);
	g->next_page = next;
}

static void comparison(const char *version)
{
	struct stock_lines paths = modules_of(version);
	struct file *files = calloc(paths.n, sizeof(*files));
	size_t step = paths.n / SAMPLE;
	struct compared sum, best = { 0 };
	struct kernel k;
	struct file cert;
	struct guest *g = guest_that_trusts(version, &cert);

	stock_kernel(g, &k, version);
	kernel_load_bytes(g, &k, &cert);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	g->ops.alloc = plain_alloc;
	g->ops.free = plain_free;
	g->ops.hash_begin = no_begin;
	g->ops.hash_update = no_update;
	g->ops.hash_end = no_end;
	g->ops.hash_copy = no_copy;
	g->ops.verify = no_verify;
	/* What unpacks a file leaves caches without anything of ours: not between two comparisons. */
	CHECK(files);
	for (size_t i = 0; i < paths.n; i += step)
		files[i] = stock_module(paths.line[i]);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		sum = (struct compared){ 0 };
		for (size_t i = 0; i < paths.n; i += step)
			compare_one(g, paths.line[i], &files[i], &sum);
		if (!round || sum.taken < best.taken)
			best = sum;
	}
	for (size_t i = 0; i < paths.n; i += step)
		drop_file(&files[i]);
	report(best.modules, "modules", "host.%s.compare.modules", version);
	report(best.text / best.taken / 1e6, "MB/s", "host.%s.compare.text", version);
	report(best.memory / best.taken / 1e6, "MB/s", "host.%s.compare.memory", version);
	report(best.taken / best.modules * 1e6, "us/module", "host.%s.compare.time", version);
	free(files);
	stock_drop_lines(&paths);
	drop_file(&cert);
	kernel_drop(&k);
	vtl0_end(g);
}

/* --- tables --- */

static const struct heki_limits table_limits = {
	.modules = 8, .frames = 64, .symbols = 131072, .patches = 131072, .certs = 8,
	.cert_bytes = 4096, .hashes = 8, .deps = 64, .functions = 64, .module_functions = 64, .log_records = 64, .vps = GUEST_VPS,
	.scratch_bytes = 1 << 20,
};

/* The same order in each run; neighbours are not asked for one after the other. */
static uint32_t pick(uint32_t i, uint32_t n)
{
	return (uint32_t)((uint64_t)i * 2654435761u % n);
}

static struct gpa site_pa(uint32_t i)
{
	return gpa(0x1000000 + 48ull * i); /* 48: about the distance of a kernel's sites */
}

/* Nodes that a look-up of something that is there meets, on average. */
static double nodes_met(const struct slab *slab)
{
	uint64_t met = 0, nodes = 0, chain;

	for (uint64_t b = 0; b < slab_buckets(slab); b++) {
		chain = 0;
		for (uint32_t i = slab->buckets[b]; i && !(i & SYMBOL_LAST);
		     i = ((struct node *)slab_node(slab, i))->hnext)
			met += ++chain;
		nodes += chain;
	}
	return (double)met / (double)nodes;
}

static void patch_lookups(struct guest *g, uint32_t n, bool timed)
{
	struct chain chain = { 0 };
	struct patch_site site = {
		.owner = HEKI_OWNER_KERNEL, .type = HEKI_PATCH_JUMP_LABEL, .size = 2,
		.code = { 0xeb, 0x10 },
	}, found;
	double start;

	for (uint32_t i = 0; i < n; i++) {
		site.pa = site_pa(i);
		CHECK_OK(patches_add(g->core, &chain, &site));
	}
	report(nodes_met(&g->core->patches), "nodes", "host.patch_lookup_meets.%u", n);
	start = cpu_time();
	for (uint32_t i = 0; timed && i < LOOKUPS; i++)
		CHECK(patches_find(g->core, site_pa(pick(i, n)), &found));
	if (timed)
		report((cpu_time() - start) / LOOKUPS * NS, "ns", "host.patch_lookup.%u", n);
	patches_remove(&(struct call){ .core = g->core }, &chain);
}

static void symbol_lookups(struct guest *g, uint32_t n, bool timed)
{
	static char names[131072][24];
	struct symbol symbol = { .owner = HEKI_OWNER_KERNEL };
	struct chain chain = { 0 };
	double start;

	for (uint32_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "a_symbol_%u", i);
		symbol.value = KERNEL_VA + 16ull * i;
		CHECK_OK(symbols_add(g->core, &chain, names[i], strlen(names[i]), &symbol));
	}
	report(nodes_met(&g->core->symbols), "nodes", "host.symbol_lookup_meets.%u", n);
	start = cpu_time();
	for (uint32_t i = 0; timed && i < LOOKUPS; i++) {
		const char *name = names[pick(i, n)];

		CHECK(symbols_find(g->core, name, strlen(name), &symbol));
	}
	if (timed)
		report((cpu_time() - start) / LOOKUPS * NS, "ns", "host.symbol_lookup.%u", n);
	symbols_remove(&(struct call){ .core = g->core }, &chain);
}

static void lookups(bool timed)
{
	static const uint32_t counts[] = { 1000, 10000, 100000 };
	struct guest *g = guest_create(HEKI_GRADE_AUDIT, 1 << 20, &table_limits);

	CHECK(g);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(counts); i++)
		patch_lookups(g, counts[i], timed);
	for (size_t i = 0; i < HEKI_ARRAY_SIZE(counts); i++)
		symbol_lookups(g, counts[i], timed);
	guest_destroy(g);
}

/* Memory of the core by entry, its share of the hash buckets among it. */
static void sizes(void)
{
	const uint32_t n = 65536;
	struct heki_limits limits = table_limits;
	size_t before;

	limits.patches = limits.symbols = limits.modules = n;
	before = heki_core_size(&limits);
	limits.patches = 2 * n;
	report((double)(heki_core_size(&limits) - before) / n, "bytes", "host.bytes_per_patch_site");
	limits.patches = n;
	limits.symbols = 2 * n;
	report((double)(heki_core_size(&limits) - before) / n, "bytes", "host.bytes_per_symbol");
	limits.symbols = n;
	limits.modules = 2 * n;
	report((double)(heki_core_size(&limits) - before) / n, "bytes", "host.bytes_per_module");
	limits = HEKI_LIMITS_DEFAULT;
	report((double)heki_core_size(&limits), "bytes", "host.bytes_with_default_budgets");
}

/*
 * Scratch memory of a call is memory of the call before: a VTL1 has its own from the start. What this
 * system takes to find new pages for each module is not measured.
 */
static void keep_memory(void)
{
	if (!mallopt(M_MMAP_MAX, 0) || !mallopt(M_TRIM_THRESHOLD, 1 << 30) ||
	    !mallopt(M_TOP_PAD, 64 << 20))
		test_fail(__FILE__, __LINE__, "mallopt");
}

int main(int argc, char **argv)
{
	struct tally own = { 0 };

	tally = &own;
	keep_memory();
	if (argc < 2) {
		fprintf(stderr, "usage: bench-host VERSION...|tables\n");
		return 2;
	}
	if (!strcmp(argv[1], "tables")) {
		lookups(false);
		sizes();
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		bench_signatures(argv[i], i == 1);
		comparison(argv[i]);
		bench_entries(argv[i]);
	}
	lookups(true);
	sizes();
	return 0;
}
