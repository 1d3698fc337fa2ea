#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# linux.sh [--full] 6.1|6.12 - stock kernels in VTL0 of the hypervisor: KTAP, last line "N passed,
# N failed"
#
# Each processor model with one and two CPUs, VTL calls beside fork storms (with --full 400,000 of
# them), then the ways in which a kernel ends.  PARALLEL (1) is how many VMs run at a time.  In
# build/vm/VERSION/hypervisor/ are the logs, and junit.xml with all results.  ENGINE is another QEMU, as for
# scripts/vm.

set -u

cd "$(dirname "$0")/../.." || exit
vtl_calls=5000
if [ "${1:-}" = --full ]; then
	vtl_calls=200000
	shift
fi
case "${1:-}" in 6.1 | 6.12) ;; *) echo "usage: linux.sh [--full] 6.1|6.12" >&2; exit 2 ;; esac
version=$1
logs=build/vm/$version/hypervisor
. scripts/vm-jobs
begin_jobs "$version-hypervisor" "$version" "$logs"

# The page pool of the hypervisor is as it was before the VTL calls.
judge_pool() {
	local used
	used=$(tr -d '\r' <"$logs/vtl-calls.hypervisor" | awk '/ pool_/ { v[$3] = v[$3] " " $4; told = 1 }
		END { for (k in v) { split(v[k], n); bad += n[1] != n[2] } print bad + !told }')
	judge "$used" "VTL calls take no memory of the hypervisor: $logs/vtl-calls.hypervisor"
}

scripts/build-hypervisor && scripts/build-host && scripts/build-vm "$version" || {
	echo "not ok 1 build"
	echo "0 passed, 1 failed"
	exit 1
}
export MODE=off HYPERVISOR=1 VTL1=${VTL1:-none} TIMEOUT=${TIMEOUT:-120}
for model in max EPYC EPYC-Milan; do
	for cpus in 1 2; do
		QEMU_OPTIONS="-cpu $model" CPUS=$cpus job_of_tests "$model-$cpus" hypervisor
	done
done
# All CPUs in VTL1 and out of it
VTL1=build/hypervisor/vtl1.elf HYPERVISOR_APPEND=counters TIMEOUT=500 \
	job vtl-calls "VTL_CALLS=$vtl_calls /selftests/run.sh vtl_calls"
EXPECT=poweroff job end-poweroff "poweroff -f"
EXPECT=reboot job end-reboot "reboot -f"
EXPECT=panic job end-panic "echo c >/proc/sysrq-trigger"
run_jobs
judge_pool
end_jobs
