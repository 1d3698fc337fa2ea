#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# linux.sh [--full] 6.1|6.12 - stock kernels in VTL0 of the hypervisor: KTAP, last line "N passed,
# N failed"
#
# Each processor model with one and two CPUs, VTL calls beside fork storms (with --full 400,000 of
# them), then the ways in which a kernel ends.  Logs are in build/vm/VERSION/.  ENGINE is another QEMU,
# as for scripts/vm.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/selftests/hypervisor/lib.sh"
vtl_calls=5000
if [ "${1:-}" = --full ]; then
	vtl_calls=200000
	shift
fi
case "${1:-}" in 6.1 | 6.12) ;; *) echo "usage: linux.sh [--full] 6.1|6.12" >&2; exit 2 ;; esac
version=$1
logs=$top/build/vm/$version
mkdir -p "$logs"

# vm NAME COMMAND: a VM under the hypervisor, without VTL1 unless VTL1 says which; its status
vm() {
	KERNEL=$version MODE=off HYPERVISOR=1 VTL1=${VTL1:-none} TIMEOUT=${TIMEOUT:-120} CMD=$2 LOG=$logs/$1.log \
		HYPERVISOR_LOG=$logs/$1.hypervisor "$top/scripts/vm" 2>"$logs/$1.err" | tr -d '\r'
	return "${PIPESTATUS[0]}"
}

# boot MODEL CPUS: the tests of hypervisor.sh; what it says on its last line is added up
boot() {
	local name=hypervisor-$1-$2 p="" f="" status=0
	echo "# boot: $1, $2 CPUs"
	QEMU_OPTIONS="-cpu $1" CPUS=$2 vm "$name" "/selftests/run.sh hypervisor" || status=$?
	read -r p f < <(tr -d '\r' <"$logs/$name.log" |
		sed -n 's/^\([0-9]\+\) passed, \([0-9]\+\) failed$/\1 \2/p' | tail -n 1)
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
	[ -n "$p" ] && { [ "$status" = 0 ] || [ "$f" != 0 ]; } && return
	sed 's/^/# /' "$logs/$name.err"
	result 1 "$name ended with status $status"
}

# ends NAME COMMAND: COMMAND makes the machine end in a way that hekivm calls NAME
ends() {
	vm "end-$1" "$2" >/dev/null
	grep -q "hekivm: [^ ]*: $1" "$logs/end-$1.err"
	result $? "$2 ends in $1"
}

"$top/scripts/build-hypervisor" && "$top/scripts/build-host" && "$top/scripts/build-vm" "$version" || {
	echo "not ok 1 build"
	echo "0 passed, 1 failed"
	exit 1
}
# calls: all CPUs in VTL1 and out of it, each CPU a thread of the host; the page pool stays as it is
calls() {
	local name=vtl-calls status=0 used
	echo "# boot: VTL calls"
	VTL1=$top/build/hypervisor/vtl1.elf ACCEL=tcg HYPERVISOR_APPEND=counters TIMEOUT=500 \
		vm $name "VTL_CALLS=$vtl_calls /selftests/run.sh vtl_calls" || status=$?
	result $status "$vtl_calls VTL calls on each of two CPUs"
	used=$(tr -d '\r' <"$logs/$name.hypervisor" | awk '/ pool_/ { v[$3] = v[$3] " " $4 }
		END { for (k in v) { split(v[k], n); bad += n[1] != n[2] } print bad + 0 }')
	result "${used:-1}" "they take no memory of the hypervisor's"
}

for model in max EPYC EPYC-Milan; do
	for cpus in 1 2; do
		boot "$model" "$cpus"
	done
done
calls
ends poweroff "poweroff -f"
ends reboot "reboot -f"
ends panic "echo c >/proc/sysrq-trigger"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
