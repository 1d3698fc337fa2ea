// SPDX-License-Identifier: GPL-2.0-only
/*
 * The userspace host of the core. Trust boundary: none, a test plays both sides; what the core
 * does against the rules of host.h is kept in guest->misuse.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto.h"
#include "guest.h"

#define ACCESS_DEFAULT (HEKI_ATTR_READ | HEKI_ATTR_WRITE | HEKI_ATTR_EXEC)

static __thread uint32_t current_vp;
static __thread unsigned int held; /* bit mask of enum heki_lock */
static __thread bool in_atomic; /* an atomic call is being served */

static void misuse(struct guest *g, const char *what)
{
	const char *none = NULL;

	__atomic_compare_exchange_n(&g->misuse, &none, what, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

static void run_hooks(struct guest *g, enum guest_op op, uint64_t use, bool after)
{
	for (unsigned int i = 0; i < GUEST_HOOKS; i++) {
		struct guest_hook *h = &g->hooks[i];

		if (h->run && h->op == op && h->after == after && (!h->nth || h->nth == use))
			h->run(g, h->context);
	}
}

/* Count a use; false when it has to fail. */
static bool begin(struct guest *g, enum guest_op op, uint64_t *use)
{
	*use = __atomic_add_fetch(&g->count[op], 1, __ATOMIC_RELAXED);
	run_hooks(g, op, *use, false);
	return *use != g->fail[op];
}

static bool all_kind(const struct guest *g, uint64_t pa, uint64_t n, enum guest_page kind)
{
	if (!in_bounds(pa, n, g->size))
		return false;
	for (uint64_t at = page_down(pa); at < pa + n; at += HEKI_PAGE_SIZE)
		if (g->kind[at >> HEKI_PAGE_SHIFT] != kind)
			return false;
	return true;
}

static void may_sleep(struct guest *g)
{
	if (held)
		misuse(g, "slept with a lock held");
	if (in_atomic)
		misuse(g, "slept in an atomic call");
}

static int op_read(void *host, struct gpa pa, void *to, size_t n)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_READ, &use) && all_kind(g, pa.v, n, GUEST_RAM);

	if (ok)
		memcpy(to, g->ram + pa.v, n);
	run_hooks(g, GUEST_READ, use, true);
	return ok ? 0 : -1;
}

static int op_write(void *host, struct gpa pa, const void *from, size_t n)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_WRITE, &use);

	if (!all_kind(g, pa.v, n, GUEST_RAM)) {
		misuse(g, "wrote outside of VTL0's memory");
		ok = false;
	}
	if (ok)
		memcpy(g->ram + pa.v, from, n);
	run_hooks(g, GUEST_WRITE, use, true);
	return ok ? 0 : -1;
}

static bool op_is_ram(void *host, struct gpa pa, uint64_t n)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_IS_RAM, &use) && all_kind(g, pa.v, n, GUEST_RAM);

	run_hooks(g, GUEST_IS_RAM, use, true);
	return ok;
}

static bool op_ram(void *host, uint32_t i, struct gpa *start, uint64_t *n)
{
	struct guest *g = host;
	uint64_t page = 0;
	uint64_t pages = g->size >> HEKI_PAGE_SHIFT;

	for (;; i--) {
		uint64_t first;

		while (page < pages && g->kind[page] != GUEST_RAM)
			page++;
		for (first = page; page < pages && g->kind[page] == GUEST_RAM; page++)
			;
		*start = gpa(first << HEKI_PAGE_SHIFT);
		*n = (page - first) << HEKI_PAGE_SHIFT;
		if (!i || first == page)
			return *n;
	}
}

static bool op_splits_exec(void *host)
{
	struct guest *g = host;
	uint64_t use;
	bool splits = begin(g, GUEST_SPLITS_EXEC, &use) && g->splits_exec;

	run_hooks(g, GUEST_SPLITS_EXEC, use, true);
	return splits;
}

static int op_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_PROTECT, &use);

	if (!page_aligned(pa.v) || !pages || attributes & ~ACCESS_DEFAULT) {
		misuse(g, "protected with bad arguments");
		ok = false;
	} else if (pages > g->size >> HEKI_PAGE_SHIFT ||
		   !all_kind(g, pa.v, pages << HEKI_PAGE_SHIFT, GUEST_RAM)) {
		ok = false;
	}
	if (ok)
		memset(g->access + (pa.v >> HEKI_PAGE_SHIFT), (int)attributes, pages);
	run_hooks(g, GUEST_PROTECT, use, true);
	return ok ? 0 : -1;
}

static void *op_alloc(void *host, size_t n)
{
	struct guest *g = host;
	uint64_t use;
	void *p = NULL;

	may_sleep(g);
	if (begin(g, GUEST_ALLOC, &use))
		p = malloc(n);
	if (p) {
		memset(p, 0xa5, n); /* the core may not count on zeroes */
		__atomic_add_fetch(&g->scratch, n, __ATOMIC_RELAXED);
	}
	run_hooks(g, GUEST_ALLOC, use, true);
	return p;
}

static void op_free(void *host, void *p, size_t n)
{
	struct guest *g = host;

	may_sleep(g);
	__atomic_sub_fetch(&g->scratch, n, __ATOMIC_RELAXED);
	free(p);
}

static void op_lock(void *host, enum heki_lock lock)
{
	struct guest *g = host;

	if (held & (1u << lock | 1u << HEKI_LOCK_LOG))
		misuse(g, "took a lock out of order");
	pthread_mutex_lock(&g->locks[lock]);
	held |= 1u << lock;
}

static void op_unlock(void *host, enum heki_lock lock)
{
	struct guest *g = host;
	uint64_t use;

	if (!(held & 1u << lock))
		misuse(g, "dropped a lock that it does not hold");
	begin(g, GUEST_UNLOCK, &use);
	held &= ~(1u << lock);
	pthread_mutex_unlock(&g->locks[lock]);
	if (!held)
		run_hooks(g, GUEST_UNLOCK, use, true);
}

static uint64_t op_time_ns(void *host)
{
	(void)host;
	return 0;
}

static uint32_t op_vp(void *host)
{
	(void)host;
	return current_vp;
}

static int op_vp_enable(void *host, uint32_t cpu)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_VP_ENABLE, &use) && cpu < GUEST_VPS && g->vp[cpu].present;

	if (ok)
		g->vp[cpu].enabled = true;
	run_hooks(g, GUEST_VP_ENABLE, use, true);
	return ok ? 0 : -1;
}

static int op_vp_up(void *host, uint32_t vp)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_VP_UP, &use) && vp < GUEST_VPS && g->vp[vp].present;

	if (ok)
		g->vp[vp].up = true;
	run_hooks(g, GUEST_VP_UP, use, true);
	return ok ? 0 : -1;
}

static bool op_vp_restarted(void *host, uint32_t vp)
{
	struct guest *g = host;
	bool restarted = vp < GUEST_VPS && g->vp[vp].restarted;

	if (restarted)
		g->vp[vp].restarted = false;
	return restarted;
}

static int op_read_regs(void *host, struct heki_vp_regs *regs)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_READ_REGS, &use) && current_vp < GUEST_VPS;

	if (ok)
		*regs = g->vp[current_vp].regs;
	run_hooks(g, GUEST_READ_REGS, use, true);
	return ok ? 0 : -1;
}

static int op_pin_regs(void *host)
{
	struct guest *g = host;
	uint64_t use;
	bool ok = begin(g, GUEST_PIN_REGS, &use) && current_vp < GUEST_VPS;

	if (ok)
		g->vp[current_vp].pinned = true;
	run_hooks(g, GUEST_PIN_REGS, use, true);
	return ok ? 0 : -1;
}

static int op_hash_begin(void *host, enum heki_hash algorithm, struct heki_hash_state *state)
{
	struct guest *g = host;
	uint64_t use;
	bool ok;

	may_sleep(g);
	ok = begin(g, GUEST_HASH_BEGIN, &use) && !user_hash_begin(NULL, algorithm, state);
	run_hooks(g, GUEST_HASH_BEGIN, use, true);
	return ok ? 0 : -1;
}

static int op_hash_update(void *host, struct heki_hash_state *state, const void *bytes, size_t n)
{
	struct guest *g = host;
	uint64_t use;
	bool ok;

	may_sleep(g);
	ok = begin(g, GUEST_HASH_UPDATE, &use) && !user_hash_update(NULL, state, bytes, n);
	run_hooks(g, GUEST_HASH_UPDATE, use, true);
	return ok ? 0 : -1;
}

static int op_hash_end(void *host, struct heki_hash_state *state, uint8_t *digest)
{
	struct guest *g = host;
	uint64_t use;
	bool ok;

	may_sleep(g);
	ok = begin(g, GUEST_HASH_END, &use) && !user_hash_end(NULL, state, digest);
	run_hooks(g, GUEST_HASH_END, use, true);
	return ok ? 0 : -1;
}

static int op_hash_copy(void *host, struct heki_hash_state *to, const struct heki_hash_state *from)
{
	struct guest *g = host;
	uint64_t use;
	bool ok;

	may_sleep(g);
	ok = begin(g, GUEST_HASH_COPY, &use) && !user_hash_copy(NULL, to, from);
	run_hooks(g, GUEST_HASH_COPY, use, true);
	return ok ? 0 : -1;
}

static int op_verify(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		     struct span sig)
{
	struct guest *g = host;
	uint64_t use;
	int err = -HEKI_E_SIGNATURE;

	may_sleep(g);
	if (begin(g, GUEST_VERIFY, &use))
		err = user_verify(NULL, cert, algorithm, digest, sig);
	run_hooks(g, GUEST_VERIFY, use, true);
	return err;
}

static int op_cert_check(void *host, struct span cert)
{
	struct guest *g = host;
	uint64_t use;
	int err = -HEKI_E_CERT;

	may_sleep(g);
	if (begin(g, GUEST_CERT_CHECK, &use))
		err = user_cert_check(NULL, cert);
	run_hooks(g, GUEST_CERT_CHECK, use, true);
	return err;
}

static void fiber_main(void *context)
{
	struct guest_fiber *f = context;

	heki_core_fiber(f->guest->core, (uint32_t)(f - f->guest->fibers));
}

static void op_fiber_start(void *host, uint32_t fiber)
{
	struct guest *g = host;
	struct guest_fiber *f = &g->fibers[fiber];

	may_sleep(g);
	f->guest = g;
	if (fiber_start(&f->fiber, fiber_main, f))
		abort(); /* no memory for a test's stack */
	f->active = true;
}

static bool op_fiber_resume(void *host, uint32_t fiber)
{
	struct guest *g = host;
	struct guest_fiber *f = &g->fibers[fiber];

	may_sleep(g);
	f->active = !fiber_resume(&f->fiber);
	return !f->active;
}

static void op_fiber_suspend(void *host, uint32_t fiber)
{
	struct guest *g = host;
	uint64_t use;

	may_sleep(g);
	begin(g, GUEST_SUSPEND, &use);
	run_hooks(g, GUEST_SUSPEND, use, true);
	fiber_suspend(&g->fibers[fiber].fiber);
}

static const struct heki_host_ops guest_ops = {
	.name = "user",
	.read = op_read,
	.write = op_write,
	.is_ram = op_is_ram,
	.is_kexec_target = op_is_ram,
	.ram = op_ram,
	.splits_exec = op_splits_exec,
	.protect = op_protect,
	.alloc = op_alloc,
	.free = op_free,
	.lock = op_lock,
	.unlock = op_unlock,
	.time_ns = op_time_ns,
	.vp = op_vp,
	.vp_enable = op_vp_enable,
	.vp_up = op_vp_up,
	.vp_restarted = op_vp_restarted,
	.read_regs = op_read_regs,
	.pin_regs = op_pin_regs,
	.hash_begin = op_hash_begin,
	.hash_update = op_hash_update,
	.hash_end = op_hash_end,
	.hash_copy = op_hash_copy,
	.verify = op_verify,
	.cert_check = op_cert_check,
	.fiber_start = op_fiber_start,
	.fiber_resume = op_fiber_resume,
	.fiber_suspend = op_fiber_suspend,
};

/* What a 64-bit Linux has in its control registers, other than addresses. */
static const struct heki_vp_regs guest_regs = {
	.cr0 = 0x80050033,
	.cr4 = 0x3506f0,
	.efer = 0xd01,
	.apic_base = 0xfee00900,
	.sysenter_cs = 0x10,
	.sysenter_eip = 0xffffffff81c01430,
	.sysenter_esp = 0xfffffe0000003000,
	.star = 0x23001000000000,
	.lstar = 0xffffffff81c00010,
	.cstar = 0xffffffff81c01550,
	.sfmask = 0x257fd5,
};

static void *map_memory(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void init_vps(struct guest *g)
{
	for (uint32_t vp = 0; vp < GUEST_VPS; vp++) {
		g->vp[vp].regs = guest_regs;
		g->vp[vp].regs.sysenter_esp += (uint64_t)vp << 16; /* the per-CPU one */
		g->vp[vp].present = true;
	}
	g->vp[0].up = true;
	g->vp[0].regs.apic_base |= 0x100; /* the boot processor */
}

static int allocate(struct guest *g, const struct heki_limits *limits)
{
	g->core_size = heki_core_size(limits);
	g->core_memory = map_memory(g->core_size);
	g->ram = map_memory(g->size);
	g->kind = malloc(g->size >> HEKI_PAGE_SHIFT);
	g->access = malloc(g->size >> HEKI_PAGE_SHIFT);
	return g->core_memory && g->ram && g->kind && g->access ? 0 : -1;
}

/* Every test can be run with its long calls cut: see guest_create(). */
static void start_core(struct guest *g, const struct heki_limits *limits)
{
	static const uint8_t seed[16] = "heki-user-guest";
	const char *pages = getenv("HEKI_TEST_CONTINUES");
	struct heki_limits cut = *limits;

	if (pages)
		cut.entry_pages = (uint32_t)strtoul(pages, NULL, 10);
	g->core = heki_core_init(g->core_memory, &cut, &g->ops, g, seed);
	if (pages)
		guest_continue(g);
	guest_clear(g);
}

struct guest *guest_create(enum heki_grade grade, uint64_t size, const struct heki_limits *limits)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->size = size;
	if (allocate(g, limits)) {
		guest_destroy(g);
		return NULL;
	}
	memset(g->kind, GUEST_RAM, size >> HEKI_PAGE_SHIFT);
	memset(g->access, ACCESS_DEFAULT, size >> HEKI_PAGE_SHIFT);
	for (unsigned int i = 0; i < HEKI_LOCK_COUNT; i++)
		pthread_mutex_init(&g->locks[i], NULL);
	init_vps(g);
	g->next_page = 1; /* address 0 means "none" in several calls */
	g->ops = guest_ops;
	g->ops.grade = grade;
	start_core(g, limits);
	return g;
}

/* Calls that nobody has continued give their memory back. */
static void end_fibers(struct guest *g)
{
	for (unsigned int i = 0; i < GUEST_FIBERS; i++) {
		struct guest_fiber *f = &g->fibers[i];

		while (f->active)
			f->active = !fiber_resume(&f->fiber);
		fiber_destroy(&f->fiber);
	}
}

void guest_destroy(struct guest *g)
{
	end_fibers(g);
	if (g->core_memory)
		munmap(g->core_memory, g->core_size);
	if (g->ram)
		munmap(g->ram, g->size);
	free(g->kind);
	free(g->access);
	free(g);
}

void guest_set_kind(struct guest *g, uint64_t pa, uint64_t n, enum guest_page kind)
{
	memset(g->kind + (pa >> HEKI_PAGE_SHIFT), kind, n >> HEKI_PAGE_SHIFT);
}

uint64_t guest_pages(struct guest *g, uint64_t pages)
{
	uint64_t first = g->next_page;

	while ((first + pages) << HEKI_PAGE_SHIFT <= g->size) {
		uint64_t run = 0;

		while (run < pages && g->kind[first + run] == GUEST_RAM)
			run++;
		if (run == pages) {
			g->next_page = first + pages;
			return first << HEKI_PAGE_SHIFT;
		}
		first += run + 1;
	}
	return 0;
}

int guest_store(struct guest *g, uint64_t pa, const void *from, size_t n)
{
	if (!all_kind(g, pa, n, GUEST_RAM))
		return -1;
	for (uint64_t at = page_down(pa); at < pa + n; at += HEKI_PAGE_SIZE)
		if (g->ops.grade == HEKI_GRADE_ENFORCE && !(guest_access(g, at) & HEKI_ATTR_WRITE))
			return -1;
	memcpy(g->ram + pa, from, n);
	return 0;
}

void guest_set_vp(uint32_t vp)
{
	current_vp = vp;
}

uint32_t guest_current_vp(void)
{
	return current_vp;
}

void guest_clear(struct guest *g)
{
	memset(g->count, 0, sizeof(g->count));
	memset(g->fail, 0, sizeof(g->fail));
	memset(g->hooks, 0, sizeof(g->hooks));
}

void guest_add_hook(struct guest *g, const struct guest_hook *hook)
{
	for (unsigned int i = 0; i < GUEST_HOOKS; i++) {
		if (!g->hooks[i].run) {
			g->hooks[i] = *hook;
			return;
		}
	}
	misuse(g, "too many hooks");
}

bool guest_locked(void)
{
	return held;
}

static bool call_is_atomic(uint64_t id)
{
	switch (id) {
#define GUEST_CONTEXT(id, name, handler, phase, context, arguments)                                \
	case id:                                                                                   \
		return HEKI_CONTEXT_##context == HEKI_CONTEXT_ATOMIC;
	HEKI_CALLS(GUEST_CONTEXT)
#undef GUEST_CONTEXT
	}
	return false;
}

int32_t guest_enter(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2)
{
	struct heki_vtlcall_regs regs = { .rdi = id, .rsi = p0, .rdx = p1, .r8 = p2 };
	bool outer = in_atomic;

	in_atomic = call_is_atomic(id);
	heki_core_call(g->core, &regs);
	if (held)
		misuse(g, "returned with a lock held");
	in_atomic = outer;
	return (int32_t)regs.r8;
}

int32_t guest_call(struct guest *g, uint64_t id, uint64_t p0, uint64_t p1, uint64_t p2)
{
	int32_t result;

	do
		result = guest_enter(g, id, p0, p1, p2);
	while (result == -EAGAIN && g->continues);
	return result;
}

int guest_continue(struct guest *g)
{
	int32_t result = guest_enter(g, HEKI_CALL_QUERY, 0, HEKI_QUERY_CONTINUES, 0);

	g->continues = result >= 0;
	return result < 0 ? result : 0;
}
