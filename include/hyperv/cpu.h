/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* CPUID leaves and synthetic MSRs (TLFS "Feature and Interface Discovery", "Synthetic MSRs"). */
#ifndef _HYPERV_CPU_H
#define _HYPERV_CPU_H

#include "types.h"

#define HV_CPUID_VENDOR_AND_MAX 0x40000000u
#define HV_CPUID_INTERFACE 0x40000001u
#define HV_CPUID_VERSION 0x40000002u
#define HV_CPUID_FEATURES 0x40000003u
#define HV_CPUID_RECOMMENDATIONS 0x40000004u
#define HV_CPUID_LIMITS 0x40000005u
#define HV_CPUID_HARDWARE 0x40000006u
#define HV_CPUID_MAX HV_CPUID_HARDWARE

/* "Microsoft Hv" in EBX, ECX, EDX of the vendor leaf; "Hv#1" in EAX of the interface leaf. */
#define HV_CPUID_VENDOR_EBX 0x7263694du
#define HV_CPUID_VENDOR_ECX 0x666f736fu
#define HV_CPUID_VENDOR_EDX 0x76482074u
#define HV_CPUID_INTERFACE_EAX 0x31237648u

/* Privileges in EAX and EBX of the feature leaf. */
#define HV_ACCESS_SYNIC_REGS (1u << 2)
#define HV_ACCESS_HYPERCALL_MSRS (1u << 5)
#define HV_ACCESS_VP_INDEX (1u << 6)
#define HV_ACCESS_FREQUENCY_MSRS (1u << 11)
#define HV_ACCESS_TSC_INVARIANT (1u << 15)
#define HV_ACCESS_VSM (1u << 16)
#define HV_ACCESS_VP_REGISTERS (1u << 17)

/* In EDX of the feature leaf. */
#define HV_FREQUENCY_MSRS (1u << 8)

#define HV_MSR_GUEST_OS_ID 0x40000000u
#define HV_MSR_HYPERCALL 0x40000001u
#define HV_MSR_VP_INDEX 0x40000002u
#define HV_MSR_TSC_FREQUENCY 0x40000022u
#define HV_MSR_APIC_FREQUENCY 0x40000023u
#define HV_MSR_VP_ASSIST_PAGE 0x40000073u
#define HV_MSR_SCONTROL 0x40000080u
#define HV_MSR_SVERSION 0x40000081u
#define HV_MSR_SIEFP 0x40000082u
#define HV_MSR_SIMP 0x40000083u
#define HV_MSR_EOM 0x40000084u
#define HV_MSR_SINT0 0x40000090u
#define HV_MSR_SINT15 0x4000009fu
#define HV_MSR_TSC_INVARIANT_CONTROL 0x40000118u

/* HV_MSR_HYPERCALL, HV_MSR_VP_ASSIST_PAGE, HV_MSR_SIMP, HV_MSR_SIEFP: enable, page frame. */
#define HV_MSR_ENABLE (1ull << 0)
#define HV_MSR_HYPERCALL_LOCKED (1ull << 1)
#define HV_MSR_PFN_MASK 0xfffffffffffff000ull

#define HV_SINT_VECTOR_MASK 0xffull
#define HV_SINT_MASKED (1ull << 16)
#define HV_SINT_AUTO_EOI (1ull << 17)
#define HV_SINT_POLLING (1ull << 18)

#endif /* _HYPERV_CPU_H */
