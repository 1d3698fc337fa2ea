// SPDX-License-Identifier: GPL-2.0-only
/* How long a VP stays in VTL1: the entries of VALIDATE_MODULE when VTL0 continues its calls. */
#include <errno.h>

#include "host_bench.h"
#include "place.h"
#include "stock.h"

#define ENTRIES_MAX 65536
#define REPEATS 5 /* the least of these is taken: what interrupts a run is no matter */
#define US 1e6

/* What the entries of all modules took. */
struct entries {
	double longest;
	double sum;
	unsigned int n;
	unsigned int most; /* of one module */
};

static unsigned int validate_by_entries(struct guest *g, struct placed *m, double *taken)
{
	uint64_t pa = put_ranges(g, &m->ranges);
	unsigned int n = 0;
	int32_t result;
	double start;

	do {
		CHECK(n < ENTRIES_MAX);
		start = cpu_time();
		result = guest_enter(g, HEKI_CALL_VALIDATE_MODULE, pa, m->ranges.n, 0);
		start = cpu_time() - start;
		if (!taken[n] || start < taken[n])
			taken[n] = start;
		n++;
	} while (result == -EAGAIN);
	CHECK(result > 0);
	CHECK_OK(unload(g, result));
	return n;
}

static void one_module(struct guest *g, const char *path, struct entries *all)
{
	static double taken[ENTRIES_MAX];
	struct file f = stock_module(path);
	uint64_t next = g->next_page;
	unsigned int n = 0;
	struct placed m;

	memset(taken, 0, sizeof(taken));
	place_file(g, &m, &f, LOADER_ALTERNATIVES | LOADER_RETURNS, MODULES_VA);
	for (unsigned int i = 0; i < REPEATS; i++)
		n = validate_by_entries(g, &m, taken);
	for (unsigned int i = 0; i < n; i++) {
		all->sum += taken[i];
		if (taken[i] > all->longest)
			all->longest = taken[i];
	}
	all->n += n;
	if (n > all->most)
		all->most = n;
	unplace(&m);
	g->next_page = next;
}

void bench_entries(const char *version)
{
	struct stock_lines paths = modules_of(version);
	struct entries all = { 0 };
	struct kernel k;
	struct file cert;
	struct guest *g = guest_that_trusts(version, &cert);

	stock_kernel(g, &k, version);
	kernel_load_bytes(g, &k, &cert);
	CHECK_OK(vtlcall(g, HEKI_CALL_SIGNAL_END_OF_BOOT, 0, 0, 0));
	CHECK_OK(guest_continue(g));
	g->core->entry_budget.peak = 0;
	for (size_t i = 0; i < paths.n; i += paths.n / SAMPLE)
		one_module(g, paths.line[i], &all);
	report(all.n, "entries", "host.%s.entries.count", version);
	report(all.most, "entries", "host.%s.entries.of_one_module", version);
	report(all.longest * US, "us", "host.%s.entries.longest", version);
	report(all.sum / all.n * US, "us", "host.%s.entries.mean", version);
	report(g->core->entry_budget.peak, "pages", "host.%s.entries.most_work", version);
	stock_drop_lines(&paths);
	drop_file(&cert);
	kernel_drop(&k);
	vtl0_end(g);
}
