// SPDX-License-Identifier: GPL-2.0-only
/* CPUs of the test guest, their local APICs, and work for them. */
#include "traps.h"
#include "vtl0.h"

#define APIC_BASE_X2 BIT(10)
#define ICR_BUSY 0x1000u
#define SVR_ON 0x1ffu
#define TIMER_PERIODIC 0x20000u
#define TIMER_MASKED 0x10000u
#define DIVIDE_BY_1 0xbu

struct worker {
	void (*job)(void *argument);
	void *argument;
	uint32_t busy;
	uint32_t starts;
};

extern uint8_t stacks[CPUS_MAX][STACK_SIZE];
extern const uint8_t ap_start[];
extern const uint8_t ap_start_end[];
extern const uint32_t ap_cr3;
void ap_main(uint32_t index);

uint32_t cpus_online = 1;
static struct worker workers[CPUS_MAX];

struct cpu *cpu_of(uint32_t index)
{
	return (struct cpu *)stacks[index];
}

bool apic_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_X2;
}

uint32_t apic_read(uint32_t offset)
{
	if (apic_x2())
		return (uint32_t)rdmsr(MSR_X2APIC + offset / 16);
	return load_acquire(*(uint32_t *)(APIC_PAGE + offset));
}

void apic_write(uint32_t offset, uint32_t v)
{
	if (apic_x2())
		try_wrmsr(MSR_X2APIC + offset / 16, v);
	else
		store_release(*(uint32_t *)(APIC_PAGE + offset), v);
}

void apic_icr(uint32_t destination, uint32_t low)
{
	if (apic_x2()) {
		try_wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)destination << 32 | low);
		return;
	}
	apic_write(APIC_ICR2, destination << 24);
	apic_write(APIC_ICR, low);
	while (apic_read(APIC_ICR) & ICR_BUSY)
		pause();
}

void apic_timer(bool periodic, uint32_t count)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER, VECTOR_TIMER | (periodic ? TIMER_PERIODIC : 0));
	apic_write(APIC_TIMER_COUNT, count);
}

void apic_timer_stop(void)
{
	apic_write(APIC_TIMER, TIMER_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_COUNT, 0);
	interrupts_on(); /* one that has just come is not the next test's */
	pause();
	interrupts_off();
}

void trap_interrupt(const struct trap_frame *f)
{
	if (f->vector >= 32 && f->vector != 0xff)
		apic_write(APIC_EOI, 0);
}

void cpu_init(uint32_t index)
{
	struct cpu *cpu = cpu_of(index);

	memset(cpu, 0, sizeof(*cpu));
	cpu->index = index;
	traps_init(cpu);
	extended_init();
	apic_write(APIC_SVR, SVR_ON);
}

void ap_main(uint32_t index)
{
	struct worker *w = &workers[index];

	cpu_init(index);
	store_release(w->busy, 0);
	store_release(w->starts, w->starts + 1);
	while (true) {
		if (load_acquire(w->busy)) {
			w->job(w->argument);
			store_release(w->busy, 0);
		}
		pause();
	}
}

void cpu_run(uint32_t index, void (*job)(void *argument), void *argument)
{
	workers[index].job = job;
	workers[index].argument = argument;
	store_release(workers[index].busy, 1);
}

bool cpu_idle(uint32_t index)
{
	return !load_acquire(workers[index].busy);
}

void cpu_wait(uint32_t index)
{
	while (!cpu_idle(index))
		pause();
}

uint32_t cpu_starts(uint32_t index)
{
	return load_acquire(workers[index].starts);
}

const uint32_t *cpu_starts_at(uint32_t index)
{
	return &workers[index].starts;
}

void delay(uint64_t ticks)
{
	uint64_t start = read_tsc();

	while (read_tsc() - start < ticks)
		pause();
}

bool wait_count(const uint64_t *count, uint64_t wanted)
{
	uint64_t start = read_tsc();

	while (load_acquire(*count) < wanted)
		if (read_tsc() - start > PATIENCE)
			return false;
	return true;
}

bool cpu_start(uint32_t index)
{
	uint32_t before = cpu_starts(index);
	uint64_t start = read_tsc();

	apic_icr(index, ICR_INIT | ICR_ASSERT);
	apic_icr(index, ICR_START | ICR_ASSERT | AP_VECTOR);
	apic_icr(index, ICR_START | ICR_ASSERT | AP_VECTOR);
	while (cpu_starts(index) == before && read_tsc() - start < PATIENCE)
		pause();
	return cpu_starts(index) != before;
}

/* VTL0 is not told how many CPUs there are: the next one is there when its number is known. */
static bool exists(uint32_t index)
{
	struct hv_get_vp_index_from_apic_id *in = (void *)scratch[0];
	uint32_t *out = (uint32_t *)scratch[1];

	*in = (struct hv_get_vp_index_from_apic_id){ .partition = HV_PARTITION_SELF };
	in->apic_ids[0] = index;
	return !STATUS(hypercall(HV_CALL_GET_VP_INDEX_FROM_APIC_ID | REP(1, 0), (uint64_t)in,
				 (uint64_t)out));
}

void cpus_start(void)
{
	memcpy((void *)AP_PAGE, ap_start, (uint64_t)(ap_start_end - ap_start));
	*(uint32_t *)(AP_PAGE + ((uint64_t)&ap_cr3 - (uint64_t)ap_start)) = (uint32_t)read_cr3();
	while (cpus_online < CPUS_MAX && exists(cpus_online) && cpu_start(cpus_online))
		cpus_online++;
}
