// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls made again and again while the other CPU changes a byte of what VTL1 copies, which is in turn what
 * VTL1 serves and what it refuses.  Time on both CPUs is cut in short pieces, so that changes come at any
 * point of a call.
 */
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kernel_read_file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <heki/heki.h>

#include "attacks.h"

#define ROUNDS 48
#define MORE_ROUNDS 4000 /* until both have been seen */
#define PIECE_NS (200 * NSEC_PER_USEC)
#define ABSENT_CPU 7

static enum hrtimer_restart piece_over(struct hrtimer *timer)
{
	hrtimer_forward_now(timer, ns_to_ktime(PIECE_NS));
	return HRTIMER_RESTART;
}

static void round_run(struct race *race)
{
	int answer;

	race->error = call_vtl1(race->id, race->p[0], race->p[1], race->p[2], &answer);
	if (race->error)
		return;
	race->accepted += answer >= 0;
	race->refused += answer < 0;
	race->answer = answer < 0 ? answer : race->answer;
	race->wrong |= race->watched && READ_ONCE(*race->watched) != race->before;
}

static bool goes_on(const struct race *race)
{
	unsigned int rounds = race->accepted + race->refused;

	if (race->error || rounds >= MORE_ROUNDS)
		return false;
	return rounds < race->rounds || !race->accepted || !race->refused;
}

int race_run(struct race *race, struct result *result)
{
	cpumask_t before = *current->cpus_ptr;
	struct hrtimer timer;

	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	race->error = writer_start(&race->writer);
	if (race->error)
		goto out;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED);
	timer.function = piece_over;
	hrtimer_start(&timer, ns_to_ktime(PIECE_NS), HRTIMER_MODE_REL_PINNED);
	while (goes_on(race)) {
		round_run(race);
		/* The other CPU's turn, where both have one thread of the host. */
		cpu_relax();
		cond_resched();
	}
	hrtimer_cancel(&timer);
	kthread_stop(race->writer.task);
	result->error = race->answer;
	/* What is refused half of the time was never refused. */
	result->effect = !race->refused || race->wrong;
	if (!race->error && !race->accepted)
		race->error = -ETIME;
out:
	set_cpus_allowed_ptr(current, &before);
	return race->error;
}

/**
 * struct key_race - a certificate that the other CPU changes
 * @path:  of its file
 * @id:    call that it is for
 * @at:    of the byte that changes, from the start; 0: of the middle, where its key is
 * @turn:  bits that change
 * @chain: the byte is of its address instead, which is in turn that of a changed copy
 */
struct key_race {
	const char *path;
	u64 id;
	unsigned int at;
	u8 turn;
	bool chain;
};

#define PAGE_BIT 0x10 /* of the second byte of an address */

/* Two pages, at @pages the certificate and behind it the same with a changed byte. */
static int certs_put(const struct key_race *how, u8 *pages, size_t *size)
{
	void *der = NULL;
	ssize_t n;

	n = kernel_read_file_from_path(how->path, 0, &der, PAGE_SIZE, NULL,
				       READING_X509_CERTIFICATE);
	if (n < 0)
		return n;
	memcpy(pages, der, n);
	memcpy(pages + PAGE_SIZE, der, n);
	pages[PAGE_SIZE + n / 2] ^= 1;
	*size = n;
	vfree(der);
	return 0;
}

static int key_run(const struct attack *attack, struct result *result)
{
	const struct key_race *how = attack->data;
	u8 *pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	struct heki_page *chain = (void *)get_zeroed_page(GFP_KERNEL);
	struct race race = { .id = how->id, .rounds = ROUNDS, .writer = { .turn = how->turn } };
	int error = -ENOMEM;
	size_t n;

	if (pages && chain)
		error = certs_put(how, pages, &n);
	if (error)
		goto out;
	chain->nranges = 1;
	chain->ranges[0].va = (u64)pages;
	chain->ranges[0].pa = __pa(pages);
	chain->ranges[0].epa = __pa(pages) + n;
	race.p[0] = __pa(chain);
	race.p[1] = 1;
	race.writer.at = (unsigned long)(how->at ? pages + how->at : pages + n / 2);
	if (how->chain)
		race.writer.at = (unsigned long)&chain->ranges[0].pa + 1;
	race.writer.value = *(u8 *)race.writer.at;
	result->address = __pa(pages);
	error = race_run(&race, result);
out:
	free_page((unsigned long)chain);
	free_pages((unsigned long)pages, 1);
	return error;
}

/* The mask of CPUs, which names in turn one that there is not; that one must get no token. */
static int mask_run(const struct attack *attack, struct result *result)
{
	u8 *pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);
	struct race race = {
		.id = HEKI_CALL_BOOT_APS,
		.rounds = ROUNDS,
		.watched = pages + PAGE_SIZE + ABSENT_CPU,
		.writer = { .at = (unsigned long)pages, .value = 1, .turn = 1 << ABSENT_CPU },
	};
	int error;

	if (!pages)
		return -ENOMEM;
	race.p[0] = PHYS_PFN(__pa(pages));
	race.p[1] = race.p[0] + 1;
	error = race_run(&race, result);
	free_pages((unsigned long)pages, 1);
	return error;
}

#define KEY(case, ...) { case, key_run, NULL, &(const struct key_race){ __VA_ARGS__ } }

const struct attack races_attacks[] = {
	KEY("race-key", "/testdata/secondary.der", HEKI_CALL_COPY_SECONDARY_KEY, 0, 1, false),
	KEY("race-key-ranges", "/testdata/secondary.der", HEKI_CALL_COPY_SECONDARY_KEY, 0, PAGE_BIT, true),
	KEY("race-revoke", "/testdata/unrelated.der", HEKI_CALL_REVOKE, 3, 1, false),
	{ "race-cpu-mask", mask_run, NULL, NULL },
	{ }
};
