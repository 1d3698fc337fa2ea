// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast time stamp counter and local APIC timer run, for VTL1: counted while the interval timer of
 * the PC (i8254, channel 2) runs down. VTL0 finds out by itself, as it does on a machine.
 */
#include "start.h"
#include "vp.h"

#define PORT_COUNTER_2 0x42u
#define PORT_COUNTER_MODE 0x43u
#define PORT_GATE 0x61u

#define COUNTER_2_ONCE 0xb0u /* both bytes, mode 0: the output goes up when it has run down */
#define GATE_ON BIT(0)
#define GATE_SPEAKER BIT(1)
#define GATE_OUTPUT BIT(5)

#define COUNTER_HZ 1193182u
#define COUNTER_START 1193u /* a millisecond */
#define POLLS_MAX 1000000u /* of a port: no machine is as fast */
#define ROUNDS 3u

/* Both frequencies by one measurement; false when the counter does not run down. */
static bool measure(uint64_t *tsc, uint64_t *apic)
{
	uint32_t polls = 0;
	uint64_t start;
	uint64_t ticks;

	out8(PORT_COUNTER_MODE, COUNTER_2_ONCE);
	out8(PORT_COUNTER_2, COUNTER_START & 0xff);
	apic_timer_start(~0u);
	out8(PORT_COUNTER_2, COUNTER_START >> 8); /* it runs */
	start = read_tsc();
	while (!(in8(PORT_GATE) & GATE_OUTPUT))
		if (++polls == POLLS_MAX)
			return false;
	*tsc = (read_tsc() - start) * COUNTER_HZ / COUNTER_START;
	ticks = ~0u - apic_timer_left();
	*apic = ticks * COUNTER_HZ / COUNTER_START;
	return true;
}

static uint64_t middle(const uint64_t v[ROUNDS])
{
	uint64_t low = v[0] < v[1] ? v[0] : v[1];
	uint64_t high = v[0] < v[1] ? v[1] : v[0];

	if (v[2] < low)
		return low;
	return v[2] < high ? v[2] : high;
}

void clock_init(void)
{
	uint8_t gate = in8(PORT_GATE);
	uint64_t tsc[ROUNDS];
	uint64_t apic[ROUNDS];
	uint32_t n = 0;

	out8(PORT_GATE, (uint8_t)((gate & ~GATE_SPEAKER) | GATE_ON));
	while (n < ROUNDS && measure(&tsc[n], &apic[n]))
		n++;
	out8(PORT_GATE, gate);
	apic_timer_start(0);
	if (n < ROUNDS)
		return;
	partition.tsc_frequency = middle(tsc);
	partition.apic_frequency = middle(apic);
}
