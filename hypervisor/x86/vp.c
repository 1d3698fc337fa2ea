// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual processors: their control blocks, the loop that runs them, what CPUs ask of each other.
 *
 * A VP is in a guest or in the hypervisor. In the hypervisor its CPU takes neither interrupts nor
 * NMIs, so nobody waits for it there: whoever asks something of a VP sets a bit in @requests and, if
 * it is in a guest, fetches it out by an NMI; it looks at the bits before it goes in again. Locks
 * are held for a few entries of a table at most, and never while waiting for a guest.
 */
#include "console.h"
#include "vp.h"

struct partition partition;

/*
 * Of the registers that a function keeps for its caller, the guest's values are in them afterwards:
 * the compiler saves what it needs.
 */
static inline void vmcb_enter(uint64_t *gpr, uint64_t vmcb)
{
	__asm__ volatile("call vmcb_run"
			 : "+D"(gpr), "+a"(vmcb)
			 :
			 : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "cc", "memory");
}

#define FIXED_MISC1 \
	(VMCB_INTERCEPT_NMI | VMCB_INTERCEPT_INIT | VMCB_INTERCEPT_CPUID | VMCB_INTERCEPT_INVLPGA | \
	 VMCB_INTERCEPT_MSR | VMCB_INTERCEPT_SHUTDOWN)
#define FIXED_MISC2 \
	(VMCB_INTERCEPT_VMRUN | VMCB_INTERCEPT_VMMCALL | VMCB_INTERCEPT_VMLOAD | \
	 VMCB_INTERCEPT_VMSAVE | VMCB_INTERCEPT_STGI | VMCB_INTERCEPT_CLGI | VMCB_INTERCEPT_SKINIT)

#define PAT_RESET 0x0007040600070406ull
#define CR0_RESET (CR0_ET | CR0_CD | CR0_NW)

#define REAL_CODE 0x009b /* attributes: present, code, accessed */
#define REAL_DATA 0x0093

static struct vmcb *new_vmcb(void)
{
	struct vmcb *vmcb = (struct vmcb *)pool_get(&partition.pool);

	if (!vmcb)
		panic("no page for a control block");
	return vmcb;
}

void vp_use_tree(struct vp *vp, bool user)
{
	const struct npt *npt = &partition.vtl[vp->level].npt;

	vp_vmcb(vp)->nested_cr3 = npt->root[user ? NPT_USER : NPT_KERNEL];
	vp->user_tree = user;
	vp->flush = true;
}

static void init_vmcb(struct vp *vp, uint32_t vtl)
{
	struct vmcb *vmcb = new_vmcb();

	/* Those that can be raised again while they are delivered would never let another exit in. */
	vmcb->exceptions = BIT(VECTOR_SX) | BIT(VECTOR_AC) | BIT(VECTOR_DB);
	vmcb->misc1 = FIXED_MISC1 | (vtl ? 0 : VMCB_INTERCEPT_IOIO);
	vmcb->misc2 = FIXED_MISC2;
	vmcb->io_map = (uint64_t)partition.io_map;
	vmcb->msr_map = (uint64_t)(vtl ? partition.open_map : vp->msr_map);
	vmcb->interrupt = vtl ? VMCB_V_INTR_MASKING : 0;
	vmcb->asid = 1 + vtl;
	vmcb->nested = VMCB_NESTED_PAGING;
	vmcb->nested_cr3 = partition.vtl[vtl].npt.root[NPT_KERNEL];
	vp->vtl[vtl].vmcb = vmcb;
}

/* The state after INIT, waiting for a start-up IPI. */
static void reset_vtl0(struct vp *vp)
{
	struct vmcb *vmcb = vp->vtl[0].vmcb;
	const struct vmcb_segment data = { .attributes = REAL_DATA, .limit = 0xffff };
	const struct vmcb_segment table = { .limit = 0xffff };

	memset(vp->gpr, 0, sizeof(vp->gpr));
	memset(&vmcb->es, 0, sizeof(*vmcb) - offsetof(struct vmcb, es));
	vmcb->es = vmcb->ss = vmcb->ds = vmcb->fs = vmcb->gs = data;
	vmcb->cs = data;
	vmcb->cs.attributes = REAL_CODE;
	vmcb->gdtr = vmcb->idtr = table;
	vmcb->ldtr = (struct vmcb_segment){ .attributes = 0x82, .limit = 0xffff };
	vmcb->tr = (struct vmcb_segment){ .attributes = 0x8b, .limit = 0xffff };
	vmcb->efer = EFER_SVME;
	vmcb->cr0 = CR0_RESET;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->rflags = RFLAGS_FIXED;
	vmcb->pat = PAT_RESET;
	vmcb->event = 0;
	vmcb->interrupt_shadow = 0;
	vp->gpr[RDX] = cpuid(1, 0).eax;
}

void vp_init(struct vp *vp)
{
	msr_map_init(vp->msr_map, true);
	for (uint32_t vtl = 0; vtl < VTLS; vtl++)
		init_vmcb(vp, vtl);
	for (uint32_t i = 0; i < HV_MESSAGE_SLOTS; i++)
		vp->vtl[1].sint[i] = HV_SINT_MASKED;
	vp->vtl[0].enabled = true;
	vp->vmcb = vp->vtl[0].vmcb;
	reset_vtl0(vp);
	vp_intercepts(vp);
	store_release(vp->state, VP_WAIT_SIPI);
}

static struct vmcb_segment segment(const struct hv_segment *s)
{
	return (struct vmcb_segment){
		.selector = s->selector,
		.attributes = (uint16_t)((s->attributes & 0xff) | (s->attributes >> 4 & 0xf00)),
		.limit = s->limit,
		.base = s->base,
	};
}

static struct vmcb_segment table(const struct hv_table *t)
{
	return (struct vmcb_segment){ .limit = t->limit, .base = t->base };
}

void vp_context(struct vp *vp, uint32_t vtl, const struct hv_initial_vp_context *context)
{
	struct vmcb *vmcb = vp->vtl[vtl].vmcb;

	vmcb->es = segment(&context->es);
	vmcb->cs = segment(&context->cs);
	vmcb->ss = segment(&context->ss);
	vmcb->ds = segment(&context->ds);
	vmcb->fs = segment(&context->fs);
	vmcb->gs = segment(&context->gs);
	vmcb->tr = segment(&context->tr);
	vmcb->ldtr = segment(&context->ldtr);
	vmcb->idtr = table(&context->idtr);
	vmcb->gdtr = table(&context->gdtr);
	vmcb->rip = context->rip;
	vmcb->rsp = context->rsp;
	vmcb->rflags = context->rflags | RFLAGS_FIXED;
	vmcb->efer = context->efer | EFER_SVME;
	if (context->efer & EFER_LME && context->cr0 & CR0_PG)
		vmcb->efer |= EFER_LMA;
	vmcb->cr0 = context->cr0 | CR0_ET;
	vmcb->cr3 = context->cr3;
	vmcb->cr4 = context->cr4;
	vmcb->pat = context->pat;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->cpl = (uint8_t)(context->ss.selector & 3);
}

/* --- what a VP takes when it goes on --- */

void vp_exception(struct vp *vp, uint8_t vector, bool has_code, uint32_t code)
{
	vp_vmcb(vp)->event = VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | vector |
			     (has_code ? VMCB_EVENT_CODE_VALID | VMCB_EVENT_CODE(code) : 0);
}

void vp_fault(struct vp *vp)
{
	vp_exception(vp, VECTOR_GP, true, 0);
}

void vp_undefined(struct vp *vp)
{
	vp_exception(vp, VECTOR_UD, false, 0);
}

void vp_skip(struct vp *vp, uint32_t length)
{
	struct vmcb *vmcb = vp_vmcb(vp);

	/* Only silicon: of a nested fault the processor does not know the next instruction. */
	if (partition.features & FEATURE_NEXT_RIP && vmcb->exit_code != VMCB_EXIT_NPF)
		vmcb->rip = vmcb->next_rip;
	else
		vmcb->rip += length;
	vmcb->interrupt_shadow = 0;
	if (vmcb->rflags & BIT(8)) { /* single steps go on */
		vmcb->dr6 |= BIT(14);
		vp_exception(vp, VECTOR_DB, false, 0);
	}
}

/* --- what VPs ask of each other --- */

void vp_request(struct vp *vp, uint32_t request)
{
	__atomic_fetch_or(&vp->requests, request, __ATOMIC_SEQ_CST);
	/* One NMI of ours is under way at most, so that any other can be told from it. */
	if ((load_acquire(vp->in_guest) || load_acquire(vp->state) != VP_RUNNING) &&
	    !exchange(vp->kicked, 1u))
		apic_kick(vp);
}

static bool take_request(struct vp *vp, uint32_t request)
{
	return __atomic_fetch_and(&vp->requests, ~request, __ATOMIC_SEQ_CST) & request;
}

void vp_shootdown(struct vp *self)
{
	self->flush = true;
	self->count[COUNT_SHOOTDOWN]++;
	for (uint32_t i = 0; i < partition.vps; i++) {
		struct vp *vp = &partition.vp[i];

		if (vp != self && load_acquire(vp->state) == VP_RUNNING)
			vp_request(vp, REQUEST_FLUSH);
	}
	for (uint32_t i = 0; i < partition.vps; i++) {
		struct vp *vp = &partition.vp[i];

		/* The request is gone when it has left the guest since. */
		while (vp != self && load_acquire(vp->in_guest) &&
		       load_acquire(vp->requests) & REQUEST_FLUSH)
			spin_wait();
	}
}

bool vp_start(struct vp *vp, const struct hv_initial_vp_context *context)
{
	uint32_t waits = VP_WAIT_SIPI;

	/* Whoever brings it to this state is the only one that starts it. */
	if (!__atomic_compare_exchange_n(&vp->state, &waits, VP_STARTING, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return false;
	vp->context = *context;
	vp_request(vp, REQUEST_CONTEXT);
	return true;
}

static void start_at(struct vp *vp, uint32_t page)
{
	struct vmcb *vmcb = vp->vtl[0].vmcb;

	vmcb->cs.selector = (uint16_t)(page << 8);
	vmcb->cs.base = (uint64_t)page << PAGE_SHIFT;
}

static void wait_for_start(struct vp *vp)
{
	bool sipi = false;

	while (!sipi && !take_request(vp, REQUEST_CONTEXT)) {
		sipi = take_request(vp, REQUEST_SIPI);
		if (sipi || load_acquire(vp->requests) & REQUEST_CONTEXT)
			continue;
		wait_nmi();
		store_release(vp->kicked, 0u);
	}
	if (sipi)
		start_at(vp, load_acquire(vp->sipi_vector));
	else
		vp_context(vp, 0, &vp->context);
	vp->flush = true;
	vmcb_load(vp->vtl[0].vmcb);
	store_release(vp->state, VP_RUNNING);
}

/*
 * Tell VTL1 of one start-up; of the next when it has returned. When it is told, the VP that is to
 * start has come to where it can: it may just be on its way. Until one has, this VP comes back here
 * and serves its own requests, for that one may wait for this one's INIT. While VTL1 leaves its slot
 * full, VTL0 goes on: the end of message asks for the rest.
 */
static void tell_startup(struct vp *vp)
{
	if (!vp->startups || vp->message_waits) {
		take_request(vp, REQUEST_STARTUP);
		return;
	}
	for (uint32_t i = 0; i < partition.vps; i++) {
		if (vp->startups & BIT(i) && !(load_acquire(partition.vp[i].requests) & REQUEST_INIT)) {
			intercept_startup(vp, i);
			return;
		}
	}
	spin_wait();
}

/* INIT and NMI are VTL0's: they wait while VTL1 runs. */
static void serve_requests(struct vp *vp)
{
	if (take_request(vp, REQUEST_FLUSH))
		vp->flush = true;
	if (vp->level)
		return;
	if (load_acquire(vp->requests) & REQUEST_INIT) {
		reset_vtl0(vp);
		vp->cr_control = 0;
		vp->startups = 0;
		vp_intercepts(vp);
		store_release(vp->state, VP_WAIT_SIPI);
		take_request(vp, REQUEST_INIT);
		wait_for_start(vp);
	}
	take_request(vp, REQUEST_SIPI);
	if (load_acquire(vp->requests) & REQUEST_STARTUP) {
		tell_startup(vp);
		return;
	}
	if (!(vp_vmcb(vp)->event & VMCB_EVENT_VALID) && take_request(vp, REQUEST_NMI))
		vp_vmcb(vp)->event = VMCB_EVENT_VALID | VMCB_EVENT_NMI | 2;
}

/* --- exits --- */

static void exit_nmi(struct vp *vp)
{
	take_nmi();
	vp_count(vp, COUNT_NMI);
	if (!exchange(vp->kicked, 0u))
		__atomic_fetch_or(&vp->requests, REQUEST_NMI, __ATOMIC_SEQ_CST);
}

/* User mode and the kernel have a tree each; a fetch that fails in one may be right in the other. */
static bool other_tree(struct vp *vp, uint32_t access)
{
	bool kernel = access & HV_MAP_KERNEL_EXECUTE;
	/* With SMEP off, what the kernel may execute counts for user mode too. */
	bool user = (access & HV_MAP_USER_EXECUTE) && vp_vmcb(vp)->cpl == 3 &&
		    vp_vmcb(vp)->cr4 & CR4_SMEP;

	if (vp->level || !(vp->secure_config & HV_VSM_SECURE_CONFIG_MBEC) || vp->user_tree != (kernel ? 1 : 0) ||
	    !(kernel || user))
		return false;
	vp_use_tree(vp, !vp->user_tree);
	vp_count(vp, COUNT_TREE_SWITCH);
	return true;
}

static bool allowed(struct vp *vp, uint64_t info, uint32_t access)
{
	uint32_t execute = HV_MAP_KERNEL_EXECUTE;

	if (vp->user_tree)
		execute = access & HV_MAP_KERNEL_EXECUTE ? 0 : HV_MAP_USER_EXECUTE;
	if (!(access & HV_MAP_READ))
		return false;
	if (info & NPF_WRITE && !(access & HV_MAP_WRITE))
		return false;
	return !(info & NPF_FETCH) || (access & execute);
}

static void exit_nested_fault(struct vp *vp)
{
	const struct vmcb *vmcb = vp_vmcb(vp);
	struct npt *npt = &partition.vtl[vp->level].npt;
	uint64_t gpa = vmcb->exit_info2;
	uint64_t info = vmcb->exit_info1;
	uint32_t access = npt_access(npt, gpa);
	const char *what = "read of memory";
	uint8_t kind = HV_INTERCEPT_READ;

	vp_count(vp, COUNT_NESTED_FAULT);
	vp->flush = true;
	if (allowed(vp, info, access) || (info & NPF_FETCH && other_tree(vp, access)))
		return; /* the processor knew less than the tables say */
	if (!vp->level && (info & NPF_WRITE) &&
	    (gpa & PAGE_MASK) == (vp->apic_base & APIC_BASE_ADDRESS)) {
		apic_write_fault(vp, gpa);
		return;
	}
	if (!vp->level && info & NPF_WRITE && device_write_fault(vp, gpa))
		return;
	if (!memory_find(&partition.map, gpa) && gpa >= memory_top(&partition.map) &&
	    !(access & HV_MAP_READ) && npt_map_device(npt, gpa))
		return;
	if (info & NPF_WRITE) {
		kind = HV_INTERCEPT_WRITE;
		what = "write of memory";
	} else if (info & NPF_FETCH) {
		kind = HV_INTERCEPT_EXECUTE;
		what = "execution of memory";
	}
	if (!vp->level && memory_is_guest(&partition.map, gpa, 1) && intercept_memory(vp, gpa, kind))
		return;
	vp_refuse(vp, what, gpa, 0);
}

/*
 * QEMU says this of an instruction that sets a reserved bit of CR4, where a processor raises #GP. Said
 * of the same place again, the level cannot be run at all.
 */
static void exit_invalid(struct vp *vp)
{
	uint64_t rip = vp_vmcb(vp)->rip;

	if (vp->invalid == vp->entries - 1 && vp->invalid_rip == rip) {
		console_print("hypervisor: VP %u: VTL%u cannot run at %lx", vp->index, vp->level, rip);
		machine_reset();
	}
	vp->invalid = vp->entries;
	vp->invalid_rip = rip;
	vp_fault(vp);
}

static void exit_other(struct vp *vp, uint64_t code)
{
	vp_count(vp, COUNT_OTHER);
	switch (code) {
	case VMCB_EXIT_INIT:
	case VMCB_EXIT_EXCEPTION + VECTOR_SX:
		return; /* by a device, #SX on silicon only; what the ICR sends does not come here */
	case VMCB_EXIT_SHUTDOWN:
		console_print("hypervisor: VP %u: triple fault in VTL%u at %lx", vp->index, vp->level,
			      vp_vmcb(vp)->rip);
		machine_reset();
	case VMCB_EXIT_EXCEPTION + VECTOR_DB:
		vp_exception(vp, VECTOR_DB, false, 0);
		return;
	case VMCB_EXIT_EXCEPTION + VECTOR_AC: /* only silicon: QEMU checks no alignment */
		vp_exception(vp, VECTOR_AC, true, 0);
		return;
	case VMCB_EXIT_INVALID:
	case (uint32_t)VMCB_EXIT_INVALID:
		exit_invalid(vp);
		return;
	case VMCB_EXIT_INVLPGA:
	case VMCB_EXIT_VMRUN:
	case VMCB_EXIT_VMLOAD:
	case VMCB_EXIT_VMSAVE:
	case VMCB_EXIT_STGI:
	case VMCB_EXIT_CLGI:
	case VMCB_EXIT_SKINIT:
		vp_undefined(vp);
		return;
	default:
		panic("VP %u: exit %lx in VTL%u at %lx", vp->index, code, vp->level,
		      vp_vmcb(vp)->rip);
	}
}

static void serve_exit(struct vp *vp, uint64_t code)
{
	switch (code) {
	case VMCB_EXIT_VMMCALL:
		exit_hypercall(vp);
		return;
	case VMCB_EXIT_NPF:
		exit_nested_fault(vp);
		return;
	case VMCB_EXIT_CPUID:
		exit_cpuid(vp);
		return;
	case VMCB_EXIT_MSR:
		exit_msr(vp);
		return;
	case VMCB_EXIT_IOIO:
		exit_io(vp);
		return;
	case VMCB_EXIT_NMI:
		exit_nmi(vp);
		return;
	case VMCB_EXIT_CR_READ ... VMCB_EXIT_CR_WRITE + 15:
		exit_control(vp);
		return;
	case VMCB_EXIT_IDTR_WRITE ... VMCB_EXIT_TR_WRITE:
		exit_table_register(vp);
		return;
	case VMCB_EXIT_XSETBV:
		exit_xsetbv(vp);
		return;
	default:
		exit_other(vp, code);
	}
}

/*
 * An event whose delivery the exit has cut short is delivered again. QEMU reports an interrupt as an
 * exception; what is no exception by its number is one. A software interrupt is executed again.
 */
static void keep_event(struct vmcb *vmcb)
{
	uint64_t event = vmcb->exit_interrupt;

	vmcb->event = 0;
	if (!(event & VMCB_EVENT_VALID) || (event & VMCB_EVENT_TYPE_MASK) == VMCB_EVENT_TYPE(4))
		return;
	if ((event & VMCB_EVENT_TYPE_MASK) == VMCB_EVENT_EXCEPTION && (event & 0xff) >= 32)
		event &= ~(VMCB_EVENT_TYPE_MASK | VMCB_EVENT_CODE_VALID);
	vmcb->event = event;
}

/* Requests that can be served now: INIT and NMI are VTL0's, and an NMI does not displace an event. */
static uint32_t wanted(struct vp *vp)
{
	if (vp->level)
		return REQUEST_FLUSH;
	return vp_vmcb(vp)->event & VMCB_EVENT_VALID ? ~REQUEST_NMI : ~0u;
}

/*
 * Whether the VP may go in. @in_guest is set first, then the requests are read: whoever sets one and
 * then sees that the VP is not in a guest knows that it will be seen.
 */
static bool go_in(struct vp *vp)
{
	vp->entries++;
	store_full(vp->in_guest, 1u);
	if (!(__atomic_load_n(&vp->requests, __ATOMIC_SEQ_CST) & wanted(vp)))
		return true;
	store_release(vp->in_guest, 0u);
	serve_requests(vp);
	return false;
}

static void run_once(struct vp *vp)
{
	struct vmcb *vmcb;

	while (!go_in(vp))
		;
	vmcb = vp_vmcb(vp);
	/* Only silicon: QEMU forgets all at each entry and exit. */
	vmcb->tlb_control = vp->flush ? VMCB_TLB_FLUSH_ALL : VMCB_TLB_NOTHING;
	vp->flush = false;
	if (partition.counters && vp->exited)
		vp->spent[vp->last] += read_tsc() - vp->exited;
	vmcb_enter(vp->gpr, (uint64_t)vmcb);
	if (partition.counters)
		vp->exited = read_tsc();
	store_release(vp->in_guest, 0u);
	keep_event(vmcb);
	serve_exit(vp, vmcb->exit_code);
}

void vp_run(struct vp *vp)
{
	if (load_acquire(vp->state) != VP_RUNNING)
		wait_for_start(vp);
	vmcb_load(vp_vmcb(vp));
	while (true)
		run_once(vp);
}
