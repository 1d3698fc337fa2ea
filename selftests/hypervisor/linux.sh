#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# linux.sh [--full] 6.1|6.12 - stock kernels in VTL0 of the hypervisor: KTAP, last line "N passed,
# N failed"
#
# Processor models with one or two CPUs, VTL calls beside fork storms, then the ways in which a kernel ends.
# Each machine and each end is tried with one of the two kernels, with --full with each, which makes 400,000
# VTL calls too.  PARALLEL (1) is how many VMs run at a time.  In build/vm/VERSION/hypervisor/ are the logs,
# and junit.xml with all results.  ENGINE is another QEMU, as for scripts/vm.

set -u

cd "$(dirname "$0")/../.." || exit
vtl_calls=5000
machines="" ends=""
if [ "${1:-}" = --full ]; then
	vtl_calls=200000
	machines="max-1 max-2 EPYC-1 EPYC-2 EPYC-Milan-1 EPYC-Milan-2"
	ends="poweroff reboot panic"
	shift
fi
case "${1:-}" in
6.1)
	: "${machines:=max-1 EPYC-2 EPYC-Milan-1}" "${ends:=poweroff}"
	;;
6.12)
	: "${machines:=max-2 EPYC-1 EPYC-Milan-2}" "${ends:=reboot panic}"
	;;
*)
	echo "usage: linux.sh [--full] 6.1|6.12" >&2
	exit 2
	;;
esac
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
export MODE=off HYPERVISOR=1 VTL1=${VTL1:-none} TIMEOUT=${TIMEOUT:-120} MODULES=selftests/vm/few_modules
for machine in $machines; do
	QEMU_OPTIONS="-cpu ${machine%-*}" CPUS=${machine##*-} job_of_tests "$machine" hypervisor
done
# All CPUs in VTL1 and out of it
VTL1=build/hypervisor/vtl1.elf HYPERVISOR_APPEND=counters TIMEOUT=500 \
	job vtl-calls "VTL_CALLS=$vtl_calls /selftests/run.sh vtl_calls"
for how in $ends; do
	case $how in
	panic) command="echo c >/proc/sysrq-trigger" ;;
	*) command="$how -f" ;;
	esac
	EXPECT=$how job "end-$how" "$command"
done
run_jobs
judge_pool
end_jobs
