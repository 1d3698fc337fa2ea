// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The core's host on bare metal: memory, protection, locks, VPs. Hashes and signatures are in
 * crypto.c, registers in pins.c.
 *
 * Trust boundary: addresses come from VTL0 by way of the core, and are looked up in VTL0's RAM.
 * Locks: those of the core, and one for scratch memory. None is held while a fiber is switched.
 */
#include "anchors.h"
#include "clock.h"
#include "console.h"
#include "core_host.h"
#include "cpu.h"
#include "fiber.h"
#include "hypervisor.h"
#include "image_crypto.h"
#include "lock.h"
#include "memory.h"
#include "pins.h"
#include "random.h"
#include "run.h"
#include "scratch.h"
#include "start_vp.h"
#include "vsm.h"

/* Less than that is of no use: it has to hold a module. */
#define SCRATCH_LEAST (1ull << 20)
#define FIBERS 8

static const struct machine *machine;
static struct heki_core *core;
static bool failed;

static struct lock locks[HEKI_LOCK_COUNT];
static struct lock scratch_lock;
static struct scratch scratch;
static struct fiber fibers[FIBERS];

static int host_read(void *host, struct gpa pa, void *to, size_t n)
{
	(void)host;
	return copy_from_vtl0(vp_this(), to, pa, n);
}

static int host_write(void *host, struct gpa pa, const void *from, size_t n)
{
	(void)host;
	return copy_to_vtl0(vp_this(), pa, from, n);
}

static bool host_is_ram(void *host, struct gpa pa, uint64_t n)
{
	(void)host;
	return machine_is_vtl0(machine, pa, n);
}

static bool host_ram(void *host, uint32_t i, struct gpa *start, uint64_t *n)
{
	(void)host;
	if (i >= machine->rams)
		return false;
	*start = machine->ram[i].start;
	*n = machine->ram[i].size;
	return true;
}

static bool host_splits_exec(void *host)
{
	(void)host;
	return hypervisor_mbec();
}

static uint32_t map_flags(uint32_t attributes)
{
	return (attributes & HEKI_ATTR_READ ? HV_MAP_READ | HV_MAP_USER_EXECUTE : 0) |
	       (attributes & HEKI_ATTR_WRITE ? HV_MAP_WRITE : 0) |
	       (attributes & HEKI_ATTR_EXEC ? HV_MAP_KERNEL_EXECUTE | HV_MAP_USER_EXECUTE : 0);
}

/* Nothing is served any more; this VP leaves what it is doing, as by a fault. */
static void give_up(const char *why) __attribute__((noreturn));
static void give_up(const char *why)
{
	if (!__atomic_exchange_n(&failed, true, __ATOMIC_RELAXED))
		console_line(why);
	__builtin_trap();
}

/*
 * All of it is VTL0's RAM, so the hypervisor has no reason to refuse a part. One that does all the
 * same has left pages of which nobody knows how they are.
 */
static int host_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	struct vp *vp = vp_this();

	(void)host;
	if (!machine_is_vtl0(machine, pa, pages << HEKI_PAGE_SHIFT))
		return -1;
	if (vsm_protect(&vp->hypercall, pa, pages, map_flags(attributes)))
		give_up("a protection has failed half way: no call is served any more");
	return 0;
}

static void take(struct vp *vp, struct lock *lock)
{
	if (!lock_take(lock, &failed))
		give_up("");
	vp->locks++;
}

static void give(struct vp *vp, struct lock *lock)
{
	lock_give(lock);
	vp->locks--;
}

static void *host_alloc(void *host, size_t n)
{
	struct vp *vp = vp_this();
	void *p;

	(void)host;
	take(vp, &scratch_lock);
	p = scratch_take(&scratch, n);
	give(vp, &scratch_lock);
	return p;
}

static void host_free(void *host, void *p, size_t n)
{
	struct vp *vp = vp_this();

	(void)host;
	take(vp, &scratch_lock);
	scratch_give(&scratch, p, n);
	give(vp, &scratch_lock);
}

static void host_lock(void *host, enum heki_lock lock)
{
	(void)host;
	take(vp_this(), &locks[lock]);
}

static void host_unlock(void *host, enum heki_lock lock)
{
	(void)host;
	give(vp_this(), &locks[lock]);
}

static uint64_t host_time_ns(void *host)
{
	(void)host;
	return clock_ns();
}

static uint32_t host_vp(void *host)
{
	(void)host;
	return vp_this()->index;
}

static bool host_vp_restarted(void *host, uint32_t index)
{
	struct vp *vp = vp_at(index);

	(void)host;
	return vp && __atomic_exchange_n(&vp->restarted, false, __ATOMIC_ACQ_REL);
}

static void host_fiber_start(void *host, uint32_t fiber)
{
	(void)host;
	fiber_start(&fibers[fiber]);
}

static bool host_fiber_resume(void *host, uint32_t fiber)
{
	(void)host;
	return fiber_resume(&fibers[fiber]);
}

static void host_fiber_suspend(void *host, uint32_t fiber)
{
	(void)host;
	fiber_suspend(&fibers[fiber]);
}

void fiber_main(uint32_t index)
{
	heki_core_fiber(core, index);
}

/* Relocated at start: these are addresses. */
static const struct heki_host_ops ops = {
	.name = "vtl1.elf",
	.grade = HEKI_GRADE_ENFORCE,
	.read = host_read,
	.write = host_write,
	.is_ram = host_is_ram,
	.is_kexec_target = host_is_ram,
	.ram = host_ram,
	.splits_exec = host_splits_exec,
	.protect = host_protect,
	.alloc = host_alloc,
	.free = host_free,
	.lock = host_lock,
	.unlock = host_unlock,
	.time_ns = host_time_ns,
	.vp = host_vp,
	.vp_enable = start_vp_enable,
	.vp_up = start_vp_up,
	.vp_restarted = host_vp_restarted,
	.read_regs = pins_read_regs,
	.pin_regs = pins_set,
	.hash_begin = user_hash_begin,
	.hash_update = user_hash_update,
	.hash_end = user_hash_end,
	.hash_copy = user_hash_copy,
	.verify = image_verify,
	.cert_check = image_cert_check,
	.fiber_start = host_fiber_start,
	.fiber_resume = host_fiber_resume,
	.fiber_suspend = host_fiber_suspend,
};

static const char *create_fibers(void)
{
	uint32_t i;

	for (i = 0; i < FIBERS; i++) {
		fibers[i].index = i;
		fibers[i].stack = memory_stack(FIBER_STACK_PAGES);
		if (!fibers[i].stack)
			return "too little memory for its fibers";
	}
	return NULL;
}

/* What is left when all else has its memory; its map comes first. */
static bool create_scratch(void)
{
	uint64_t pages;
	uint8_t *rest = memory_rest(&pages);
	uint64_t map = page_up(scratch_map_size(pages)) >> HEKI_PAGE_SHIFT;

	if (pages <= map || (pages - map) << HEKI_PAGE_SHIFT < SCRATCH_LEAST)
		return false;
	scratch_init(&scratch, rest + (map << HEKI_PAGE_SHIFT), pages - map, (uint64_t *)rest);
	return true;
}

const char *core_host_init(const struct machine *m)
{
	struct heki_limits limits = HEKI_LIMITS_DEFAULT;
	const char *wrong = create_fibers();
	uint8_t seed[16];
	void *memory;

	if (wrong)
		return wrong;
	machine = m;
	limits.slots = FIBERS;
	limits.vps = m->cpus;
	memory = memory_take(heki_core_size(&limits) >> HEKI_PAGE_SHIFT);
	if (!memory || !create_scratch())
		return "too little memory for its tables; give VTL1 32 MiB more";
	limits.scratch_bytes = scratch.pages << HEKI_PAGE_SHIFT;
	random_seed(seed);
	core = heki_core_init(memory, &limits, &ops, NULL, seed);
	return anchors_trust(core);
}

static void refused(struct vp *vp)
{
	vp->regs.r8 = (uint64_t)(int64_t)-heki_error_errno(HEKI_E_INTERNAL);
}

void core_host_call(struct vp *vp)
{
	struct heki_vtlcall_regs regs = {
		.rdi = vp->regs.rdi,
		.rsi = vp->regs.rsi,
		.rdx = vp->regs.rdx,
		.rcx = vp->regs.rcx,
		.r8 = vp->regs.r8,
	};

	if (__atomic_load_n(&failed, __ATOMIC_RELAXED)) {
		refused(vp);
		return;
	}
	heki_core_call(core, &regs);
	vp->regs.r8 = regs.r8;
}

enum heki_write core_host_register_write(size_t reg, uint64_t value)
{
	if (__atomic_load_n(&failed, __ATOMIC_RELAXED))
		return HEKI_WRITE_REFUSED;
	return heki_core_register_write(core, reg, value);
}

bool core_host_start_allowed(struct gpa pa)
{
	return !__atomic_load_n(&failed, __ATOMIC_RELAXED) && heki_core_start_allowed(core, pa);
}

bool core_host_log(struct heki_log_record *record)
{
	if (!core || __atomic_load_n(&failed, __ATOMIC_RELAXED) || vp_this()->locks)
		return false;
	heki_core_log(core, record);
	return true;
}

void core_host_fault(struct vp *vp)
{
	if (!vp->locks)
		return;
	vp->locks = 0;
	if (!__atomic_exchange_n(&failed, true, __ATOMIC_RELAXED))
		console_line("failed with a lock held: no call is served any more");
}

struct heki_core *core_host_core(void)
{
	return core;
}
