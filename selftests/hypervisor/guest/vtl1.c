// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test guest of VTL1, a servant: it does what VTL0 commands, one primitive a call, and meets
 * intercepts as VTL0 has planned. It trusts VTL0, and so protects nothing by itself.
 */
#include "shared.h"
#include "traps.h"

#define PAGE_PRESENT 3ull
#define PAGE_LARGE 0x83ull
#define PARAMS_ENTRIES 0x1e8
#define PARAMS_MAP 0x2d0
#define RANGE_SIZE 20u
#define RAM 1u
#define LENGTH_MASK 0xfu

/* As serve_entry pushes them. */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
};

struct vp {
	struct hv_message messages[HV_MESSAGE_SLOTS] __attribute__((aligned(4096)));
	struct hv_vp_assist_page assist __attribute__((aligned(4096)));
	uint8_t extended[EXTENDED_SIZE] __attribute__((aligned(4096)));
	struct shared *shared;
	bool ready;
	uint32_t interrupts_off; /* for so many entries */
};

uint8_t stacks[CPUS_MAX][STACK_SIZE] __attribute__((aligned(16384)));
extern const uint8_t serve_entry[];
void vtl1_start(const uint8_t *params);
void serve(struct frame *f);

static struct vp vps[CPUS_MAX];
static uint64_t pml4[512] __attribute__((aligned(4096)));
static uint64_t pdpt[512] __attribute__((aligned(4096)));
static uint64_t directories[4][512] __attribute__((aligned(4096)));
static uint64_t own_start;
static uint64_t own_end;

/* Private registers, by which each VP knows its own. */
static const uint32_t private_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_LSTAR, MSR_CSTAR,
	MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

void trap_interrupt(const struct trap_frame *f)
{
	struct vp *vp = &vps[this_cpu()->index];

	if (!vp->shared)
		return;
	if (f->vector == VECTOR_SINT)
		vp->shared->interrupts++;
	else
		vp->shared->foreign++;
}

/* Nobody can be told: the machine ends by the port that ends it. */
void trap_unexpected(const struct trap_frame *f)
{
	static const char text[] = "# VTL1: an exception that nobody waits for, RIP ";

	for (const char *c = text; *c; c++)
		out8(0x3f8, (uint8_t)*c);
	for (uint32_t i = 0; i < 16; i++)
		out8(0x3f8, (uint8_t)"0123456789abcdef"[f->rip >> (60 - 4 * i) & 15]);
	out8(0x3f8, '\n');
	while (true)
		out32(0xf4, f->vector + 1);
}

static void find_own(const uint8_t *params)
{
	for (uint32_t i = 0; i < params[PARAMS_ENTRIES]; i++) {
		const uint8_t *range = params + PARAMS_MAP + i * RANGE_SIZE;
		uint64_t size;
		uint32_t kind;

		memcpy(&kind, range + 16, sizeof(kind));
		memcpy(&size, range + 8, sizeof(size));
		if (kind != RAM)
			continue;
		memcpy(&own_start, range, sizeof(own_start));
		own_end = own_start + size;
	}
}

/* One to one, 4 GiB. */
static void make_tables(void)
{
	pml4[0] = (uint64_t)pdpt | PAGE_PRESENT;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = (uint64_t)directories[i] | PAGE_PRESENT;
	for (uint64_t i = 0; i < 4 * 512; i++)
		directories[i / 512][i % 512] = i * LARGE_SIZE | PAGE_LARGE;
	write_cr3((uint64_t)pml4);
}

static uint64_t private_value(uint32_t index, uint32_t msr)
{
	return mix(index + 1000, msr) & 0x00007fffffffffffull;
}

static void set_private(uint32_t index)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(private_msrs); i++)
		if (!index || i > 1) /* the bases of FS and GS of the others show how they started */
			try_wrmsr(private_msrs[i], private_value(index, private_msrs[i]));
}

static bool is_private(uint32_t index)
{
	for (uint32_t i = index ? 2 : 0; i < ARRAY_SIZE(private_msrs); i++)
		if (rdmsr(private_msrs[i]) != private_value(index, private_msrs[i]))
			return false;
	return true;
}

/* What each VP does when VTL1 starts there. */
static void start_vp(uint32_t index)
{
	struct vp *vp = &vps[index];
	struct cpu *cpu = (struct cpu *)stacks[index];

	cpu->index = index;
	traps_init(cpu);
	if (!index)
		hypercall_init();
	try_write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXSAVE);
	set_private(index);
	try_wrmsr(HV_MSR_VP_ASSIST_PAGE, (uint64_t)&vp->assist | HV_MSR_ENABLE);
	try_wrmsr(HV_MSR_SIMP, (uint64_t)vp->messages | HV_MSR_ENABLE);
	try_wrmsr(HV_MSR_SINT0, VECTOR_SINT | HV_SINT_AUTO_EOI);
	try_wrmsr(HV_MSR_SCONTROL, 1);
	vp->ready = true;
}

void vtl1_start(const uint8_t *params)
{
	find_own(params);
	make_tables();
	start_vp(0);
	extended_init();
}

/* --- commands --- */

static struct hv_initial_vp_context context(uint32_t index)
{
	const struct hv_segment code = { .limit = ~0u, .selector = 8, .attributes = 0xa09b };
	const struct hv_segment data = { .limit = ~0u, .selector = 0x10, .attributes = 0xc093 };
	struct cpu *cpu = (struct cpu *)stacks[0];
	struct hv_initial_vp_context c = { .rip = (uint64_t)serve_entry };

	c.rsp = (uint64_t)stacks[index] + STACK_SIZE - 8;
	c.rflags = 2;
	c.cs = code;
	c.ds = c.es = c.fs = c.gs = c.ss = data;
	c.fs.base = INITIAL_FS_BASE;
	c.gs.base = INITIAL_GS_BASE;
	c.tr = (struct hv_segment){ .base = (uint64_t)cpu->tss, .limit = 103, .selector = 0x28,
				    .attributes = 0x8b };
	c.ldtr = (struct hv_segment){ .base = INITIAL_LDT_BASE, .selector = 0x40,
				      .attributes = 0x82 };
	c.gdtr = (struct hv_table){ .limit = sizeof(cpu->gdt) - 1, .base = (uint64_t)cpu->gdt };
	c.idtr = (struct hv_table){ .limit = traps_idt().limit, .base = traps_idt().base };
	c.efer = rdmsr(MSR_EFER);
	c.cr0 = read_cr0();
	c.cr3 = read_cr3();
	c.cr4 = read_cr4();
	c.pat = INITIAL_PAT;
	return c;
}

static uint64_t enable_vp(uint32_t index)
{
	static struct hv_enable_vp_vtl in __attribute__((aligned(4096)));

	in = (struct hv_enable_vp_vtl){ HV_PARTITION_SELF, index, 1, { 0 }, context(index) };
	return STATUS(hypercall(HV_CALL_ENABLE_VP_VTL, (uint64_t)&in, 0));
}

static uint64_t protect(uint64_t pfn, uint64_t count, uint32_t access)
{
	static struct {
		struct hv_modify_vtl_protection_mask head;
		uint64_t pfns[HV_MODIFY_VTL_PROTECTION_MASK_MAX];
	} inputs[CPUS_MAX] __attribute__((aligned(4096)));
	struct hv_modify_vtl_protection_mask *in = &inputs[this_cpu()->index].head;
	uint64_t n = 0;

	*in = (struct hv_modify_vtl_protection_mask){ .partition = HV_PARTITION_SELF,
						      .map_flags = access };
	while (n < count && n < HV_MODIFY_VTL_PROTECTION_MASK_MAX)
		in->pfns[n++] = pfn++;
	return hypercall(HV_CALL_MODIFY_VTL_PROTECTION_MASK | REP(n, 0), (uint64_t)in, 0);
}

/* Looked at at once, when the hypercall is back: a VTL return would give a late write its time. */
static uint64_t revoke(uint64_t pfn, uint32_t access)
{
	const uint64_t *word = (const uint64_t *)(pfn * PAGE_SIZE);
	uint64_t result = protect(pfn, 1, access);
	uint64_t first = load_acquire(*word);

	for (uint32_t i = 0; i < 300; i++)
		if (load_acquire(*word) != first)
			return ~0ull;
	return result;
}

static void wait(struct shared *shared, const uint32_t *at, uint32_t old)
{
	uint64_t start = read_tsc();

	store_release(shared->waits, 1);
	while (load_acquire(*at) == old && read_tsc() - start < PATIENCE)
		pause();
	store_release(shared->waits, 0);
}

/* With interrupts on: VTL0's do not come here. */
static void spin(uint64_t ticks)
{
	uint64_t start = read_tsc();

	interrupts_on();
	while (read_tsc() - start < ticks)
		pause();
	interrupts_off();
}

static uint64_t *general(struct frame *f, uint32_t i)
{
	uint64_t *const at[] = { &f->rax, &f->rcx, &f->rdx, &f->rbx, NULL, &f->rbp, &f->rsi, &f->rdi,
				 &f->r8, &f->r9, &f->r10, &f->r11, &f->r12, &f->r13, &f->r14, &f->r15 };

	return at[i];
}

static void compare(struct shared *shared, uint64_t got, uint64_t wanted, uint64_t index)
{
	if (got == wanted)
		return;
	shared->bad++;
	shared->bad_index = index;
}

/* What the levels share must be VTL0's pattern, what they do not must be ours. */
static void check_pattern(struct vp *vp, struct frame *f, uint64_t seed)
{
	struct shared *shared = vp->shared;

	for (uint32_t i = 2; i < 16; i++) /* RAX and RCX are the call's, RSI and RDI the command */
		if (i != 4 && i != 6 && i != 7)
			compare(shared, *general(f, i), mix(seed, i), i);
	for (uint32_t i = 0; i < 4; i++)
		compare(shared, state_get(STATE_DR0 + i), mix(seed, PATTERN_DR0 + i), PATTERN_DR0 + i);
	compare(shared, read_cr2(), mix(seed, PATTERN_CR2), PATTERN_CR2);
	extended_save(vp->extended);
	compare(shared, extended_is(vp->extended, seed), true, 100);
	compare(shared, is_private(this_cpu()->index), true, 101);
}

static void set_pattern(struct vp *vp, struct frame *f, uint64_t seed)
{
	for (uint32_t i = 0; i < 16; i++)
		if (i != 4)
			*general(f, i) = mix(seed, i);
	for (uint32_t i = 0; i < 4; i++)
		state_set(STATE_DR0 + i, mix(seed, PATTERN_DR0 + i));
	write_cr2(mix(seed, PATTERN_CR2));
	extended_pattern(vp->extended, seed);
	extended_load(vp->extended);
}

static void attach(struct vp *vp, uint64_t at)
{
	vp->shared = (struct shared *)at;
	vp->shared->start = own_start;
	vp->shared->end = own_end;
}

static uint32_t bad_return(uint64_t control)
{
	catch_start();
	__asm__ volatile(CATCH("call *%1") : "+c"(control) : "r"(hypercall_return) : "rax", "memory");
	return caught();
}

static uint64_t leaf(struct shared *shared, uint32_t number)
{
	struct cpuid r = cpuid(number, 0);

	shared->value.low = r.eax | (uint64_t)r.ebx << 32;
	shared->value.high = r.ecx | (uint64_t)r.edx << 32;
	return 0;
}

static uint64_t primitive(struct vp *vp, const struct frame *f)
{
	struct shared *shared = vp->shared;
	uint64_t v = 0;

	switch (f->rdi) {
	case COMMAND_HYPERCALL:
		return hypercall(f->rsi, f->rdx, f->r8);
	case COMMAND_RDMSR:
		try_rdmsr((uint32_t)f->rsi, &v);
		return v;
	case COMMAND_WRMSR:
		return try_wrmsr((uint32_t)f->rsi, f->rdx);
	case COMMAND_READ:
		try_read(f->rsi, &v);
		return v;
	case COMMAND_WRITE:
		return try_write(f->rsi, f->rdx);
	case COMMAND_EXECUTE:
		return try_call(f->rsi);
	case COMMAND_GET:
		return state_get((enum state)f->rsi);
	case COMMAND_SET:
		return state_set((enum state)f->rsi, f->rdx);
	case COMMAND_PROTECT:
		return protect(f->rsi, f->rdx, (uint32_t)f->r8);
	case COMMAND_REVOKE:
		return revoke(f->rsi, (uint32_t)f->r8);
	case COMMAND_GET_REGISTER:
		return register_get((uint32_t)f->rsi, (uint8_t)f->rdx, &shared->value);
	case COMMAND_SET_REGISTER:
		return register_set((uint32_t)f->rsi, (uint8_t)f->rdx, shared->value);
	case COMMAND_ENABLE_VP:
		return enable_vp((uint32_t)f->rsi);
	case COMMAND_RETURN:
		return bad_return(f->rsi);
	case COMMAND_CPUID:
		return leaf(shared, (uint32_t)f->rsi);
	default:
		return 0;
	}
}

static void command(struct vp *vp, struct frame *f)
{
	catch_start();
	switch (f->rdi) {
	case COMMAND_ATTACH:
		attach(vp, f->rsi);
		break;
	case COMMAND_SAVE:
		extended_save((void *)f->rsi);
		break;
	case COMMAND_LOAD:
		extended_load((const void *)f->rsi);
		break;
	case COMMAND_SPIN:
		spin(f->rsi);
		break;
	case COMMAND_WAIT:
		wait(vp->shared, (const uint32_t *)f->rsi, (uint32_t)f->rdx);
		break;
	case COMMAND_INTERRUPTS:
		vp->interrupts_off = (uint32_t)f->rsi;
		break;
	case COMMAND_CHECK: {
		uint64_t seed = f->rsi;

		check_pattern(vp, f, seed);
		set_pattern(vp, f, seed + 1);
		break;
	}
	default:
		f->r8 = primitive(vp, f);
	}
	if (vp->shared)
		vp->shared->fault = caught();
}

/* --- intercepts --- */

#define VTL0 HV_INPUT_VTL_USE_TARGET

static void inject(struct shared *shared, uint64_t event)
{
	struct hv_register_value v = { .low = event };

	shared->status = register_set(HV_REGISTER_PENDING_EVENT0, VTL0, v);
}

static void skip(struct shared *shared, const struct hv_intercept_header *h)
{
	struct hv_register_value v = { .low = h->rip };

	v.low += shared->plan.value ? shared->plan.value : h->length_and_cr8 & LENGTH_MASK;
	shared->status = register_set(HV_REGISTER_RIP, VTL0, v);
}

static uint32_t register_of(uint32_t msr)
{
	switch (msr) {
	case MSR_EFER:
		return HV_REGISTER_EFER;
	case MSR_STAR ... MSR_SFMASK:
		return HV_REGISTER_STAR + (msr - MSR_STAR);
	case MSR_SYSENTER_CS:
		return HV_REGISTER_SYSENTER_CS;
	case MSR_SYSENTER_EIP:
		return HV_REGISTER_SYSENTER_EIP;
	case MSR_SYSENTER_ESP:
		return HV_REGISTER_SYSENTER_ESP;
	default:
		return HV_REGISTER_APIC_BASE;
	}
}

/* The write that VTL0 wanted. */
static void let_write(struct shared *shared, const struct hv_message *m)
{
	const struct hv_register_intercept *r = (const void *)m->payload;
	const struct hv_msr_intercept *msr = (const void *)m->payload;
	struct hv_register_value v = { r->value_low, r->value_high };

	if (m->type == HV_MESSAGE_MSR_INTERCEPT) {
		v = (struct hv_register_value){ msr->rdx << 32 | (uint32_t)msr->rax, 0 };
		shared->status = register_set(register_of(msr->msr), VTL0, v);
	} else {
		shared->status = register_set(r->name, VTL0, v);
	}
	if (!shared->status)
		skip(shared, &r->header);
}

/* In real mode, as the start-up IPI would. */
static void start(struct shared *shared, const struct hv_startup_intercept *m)
{
	static struct hv_enable_vp_vtl inputs[CPUS_MAX] __attribute__((aligned(4096)));
	const struct hv_segment data = { .limit = 0xffff, .attributes = 0x93 };
	struct hv_enable_vp_vtl *in = &inputs[this_cpu()->index];
	struct hv_initial_vp_context *c = &in->context;
	uint32_t n = shared->startups++ % STARTUPS_MAX;

	shared->startup_target[n] = m->target;
	shared->startup_vector[n] = m->vector;
	*in = (struct hv_enable_vp_vtl){ .partition = HV_PARTITION_SELF, .vp = m->target };
	c->rflags = 2;
	c->cs = (struct hv_segment){ .base = (uint64_t)m->vector * PAGE_SIZE, .limit = 0xffff,
				     .selector = (uint16_t)(m->vector << 8), .attributes = 0x9b };
	c->ds = c->es = c->fs = c->gs = c->ss = data;
	c->tr = (struct hv_segment){ .limit = 0xffff, .attributes = 0x8b };
	c->ldtr = (struct hv_segment){ .limit = 0xffff, .attributes = 0x82 };
	c->gdtr = c->idtr = (struct hv_table){ .limit = 0xffff };
	c->cr0 = 0x60000010;
	c->pat = INITIAL_PAT;
	shared->status = STATUS(hypercall(HV_CALL_START_VIRTUAL_PROCESSOR, (uint64_t)in, 0));
}

static void start_or_allow(struct shared *shared, const struct hv_message *m)
{
	const struct hv_memory_intercept *memory = (const void *)m->payload;

	if (m->type == HV_MESSAGE_STARTUP_INTERCEPT)
		start(shared, (const void *)m->payload);
	else
		protect(memory->gpa / PAGE_SIZE, 1, HV_MAP_ALL);
}

static void act(struct shared *shared, const struct hv_message *m)
{
	const struct hv_memory_intercept *memory = (const void *)m->payload;
	uint64_t gp = HV_PENDING_EVENT | HV_PENDING_EVENT_DELIVER_CODE |
		      (uint64_t)VECTOR_GP << HV_PENDING_EVENT_VECTOR_SHIFT;

	switch (shared->plan.action) {
	case ACTION_EVENT:
		inject(shared, shared->plan.value);
		break;
	case ACTION_ALLOW:
		shared->status = STATUS(protect(memory->gpa / PAGE_SIZE, 1,
						(uint32_t)shared->plan.value));
		break;
	case ACTION_SKIP:
		skip(shared, &memory->header);
		break;
	case ACTION_WRITE:
		let_write(shared, m);
		break;
	case ACTION_LEAVE:
		break;
	case ACTION_START:
		start_or_allow(shared, m);
		break;
	default:
		inject(shared, gp);
	}
}

static void intercept(struct vp *vp)
{
	struct shared *shared = vp->shared;
	volatile struct hv_message *slot = &vp->messages[0];

	if (slot->type == HV_MESSAGE_NONE) {
		shared->empty++;
		return;
	}
	shared->intercepts++;
	memcpy(&shared->message, &vp->messages[0], sizeof(shared->message));
	act(shared, &shared->message);
	if (shared->plan.action == ACTION_KEEP || shared->plan.action == ACTION_LEAVE)
		return;
	slot->type = HV_MESSAGE_NONE;
	if (shared->message.flags & HV_MESSAGE_FLAG_PENDING)
		try_wrmsr(HV_MSR_EOM, 0);
	memcpy(&shared->after, &vp->messages[0], sizeof(shared->after));
	if (shared->plan.action != ACTION_START) /* its interrupt waits: it is the next one's */
		slot->type = HV_MESSAGE_NONE;
}

/* --- the loop's middle --- */

static void take_interrupts(void)
{
	__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

static void finish(struct vp *vp, struct frame *f)
{
	const struct plan *plan = vp->shared ? &vp->shared->plan : NULL;

	vp->assist.return_rax = plan && plan->change & 1 ? plan->rax : f->rax;
	vp->assist.return_rcx = plan && plan->change & 2 ? plan->rcx : f->rcx;
	f->rcx = plan && plan->fast ? HV_VTL_RETURN_FAST : 0;
}

void serve(struct frame *f)
{
	uint32_t index = (uint32_t)((uint64_t)f - (uint64_t)stacks) / STACK_SIZE;
	struct vp *vp = &vps[index];
	uint32_t reason = HV_VTL_ENTRY_VTL_CALL;

	if (vp->ready)
		reason = vp->assist.entry_reason;
	else
		start_vp(index);
	if (vp->interrupts_off)
		vp->interrupts_off--;
	else
		take_interrupts();
	if (vp->shared) {
		vp->shared->entries++;
		vp->shared->entry_reason = reason;
		vp->shared->entry_rax = f->rax;
		vp->shared->entry_rcx = f->rcx;
	}
	if (reason == HV_VTL_ENTRY_INTERRUPT && vp->shared)
		intercept(vp);
	else
		command(vp, f);
	finish(vp, f);
}
