# SPDX-License-Identifier: GPL-2.0-only
#
# doctor, on trees of machines.
# shellcheck shell=bash disable=SC2016,SC2154,SC2181

machine=$work/machine
release=6.1.0-56-amd64
mkdir -p "$machine/proc/sys/kernel" "$machine/sys/module/heki_client" "$machine/sys/module/vtl1_shim" \
	"$machine/sys/kernel/debug/kprobes" "$machine/boot" "$machine/dev" "$machine/etc/modprobe.d" \
	"$machine/sys/kernel/security" "$machine/sys/module/module/parameters"
cp machines/config "$machine/boot/config-$release"
cp machines/kallsyms "$machine/proc/kallsyms"
echo "securityfs /sys/kernel/security securityfs rw 0 0" >"$machine/proc/mounts"
echo 1 >"$machine/proc/sys/kernel/ftrace_enabled"
echo 1 >"$machine/sys/kernel/debug/kprobes/enabled"
echo N >"$machine/sys/module/module/parameters/sig_enforce"
echo "[none] integrity confidentiality" >"$machine/sys/kernel/security/lockdown"
echo "alias crypto-hmac(sha256) heki_client" >"$machine/etc/modprobe.d/heki.conf"
: >"$machine/dev/heki"

# examine TREE FILTER NAME STATUS: doctor on the machine; exit code and findings
examine() {
	export HEKI_FS=trees/$1
	run doctor --root "$machine" --release "$release" --json
	unset HEKI_FS
	local verdict=0
	[ "$status" = "$4" ] || verdict=1
	jq -e "[.findings[] | select(.finding == \"missing\") | .check] as \$missing | $2" \
		<"$work/out" >/dev/null || verdict=1
	[ "$verdict" = 0 ] || explain "$work/out"
	result "$verdict" "doctor: $3"
}

examine watched '$missing == []' "nothing is missing" 0
HEKI_FS=trees/watched run doctor --root "$machine" --release "$release"
[ "$status" = 0 ] && [ "$(tail -n 1 "$work/out")" = "nothing is missing" ]
result $? "doctor: says so"
examine waiting '$missing == ["lock"]' "a client that waits" 1
examine future '$missing == ["securityfs format"]' "another format version" 1
HEKI_FS=trees/watched run doctor --root "$machine" --release 6.1.0-99-amd64 --json
jq -e '[.findings[] | select(.finding == "missing") | .check] == ["kernel"]' <"$work/out" >/dev/null
result $? "doctor: files of another kernel"

sed -i 's/^CONFIG_KPROBES=y/# CONFIG_KPROBES is not set/' "$machine/boot/config-$release"
examine watched '$missing == ["KPROBES"]' "an option that is not set" 1
grep -v FTRACE_WITH_ machines/config >"$machine/boot/config-$release"
examine watched '$missing == ["DYNAMIC_FTRACE_WITH_REGS", "DYNAMIC_FTRACE_WITH_ARGS"]' \
	"what the hooks need" 1
gzip -c machines/config >"$machine/proc/config.gz"
examine watched '$missing == []' "/proc/config.gz goes first" 0
rm "$machine/proc/config.gz" "$machine/boot/config-$release"
examine watched '$missing == [] and any(.findings[]; .check == "configuration" and .finding == "note")' \
	"no configuration" 0
cp machines/config "$machine/boot/config-$release"

grep -v __text_poke machines/kallsyms >"$machine/proc/kallsyms"
examine watched '$missing == ["kallsyms"]' "a symbol that is gone" 1
cp machines/kallsyms "$machine/proc/kallsyms"
echo 0 >"$machine/proc/sys/kernel/ftrace_enabled"
examine watched '$missing == ["ftrace"]' "ftrace switched off" 1
echo 1 >"$machine/proc/sys/kernel/ftrace_enabled"
echo 0 >"$machine/sys/kernel/debug/kprobes/enabled"
examine watched '$missing == ["kprobes"]' "kprobes switched off" 1
echo 1 >"$machine/sys/kernel/debug/kprobes/enabled"
: >"$machine/proc/mounts"
examine watched '$missing == ["securityfs"]' "securityfs not mounted" 1
echo "securityfs /sys/kernel/security securityfs rw 0 0" >"$machine/proc/mounts"
echo "none integrity [confidentiality]" >"$machine/sys/kernel/security/lockdown"
examine nowhere '$missing == ["lockdown"]' "lockdown that forbids kprobes" 1
echo "none [integrity] confidentiality" >"$machine/sys/kernel/security/lockdown"
examine nowhere '$missing == []' "lockdown that does not" 0
echo Y >"$machine/sys/module/module/parameters/sig_enforce"
examine nowhere 'any(.findings[]; .check == "module signing" and .finding == "note")' \
	"a kernel that wants signatures" 0
rmdir "$machine/sys/module/vtl1_shim"
examine nowhere '$missing == ["vtl1_shim"]' "a module that is not installed" 1
examine enforced '[.findings[] | select(.check == "VTL1" or .check == "vtl1_shim")] |
	length == 1 and .[0].finding == "ok"' "no shim is needed where VTL1 is a hypervisor's" 1
mkdir -p "$machine/lib/modules/$release/updates/dkms"
: >"$machine/lib/modules/$release/updates/dkms/vtl1_shim.ko.xz"
examine nowhere '$missing == ["vtl1_shim"] and any(.findings[]; .check == "vtl1_shim"
	and (.seen | startswith("installed")))' "a module that is not loaded" 1
examine watched 'any(.findings[]; .check == "certificates" and .seen == "VTL1 trusts 1")' \
	"certificates that VTL1 has" 1
: >"$machine/boot/vmlinuz-$release"
examine nowhere 'any(.findings[]; .check == "certificates" and .finding == "note")' \
	"a kernel image that is none" 1
kernel=$top/build/kernel/6.1/vmlinuz
if [ -e "$kernel" ]; then
	ln -sf "$kernel" "$machine/boot/vmlinuz-$release"
	examine nowhere 'any(.findings[]; .check == "certificates" and .finding == "ok"
		and (.seen | startswith("1 in ")))' "the certificate of a kernel image" 1
else
	skip "doctor: the certificate of a kernel image" "no kernel fetched"
fi
run doctor --root "$work/nowhere" --release "$release"
[ "$status" = 1 ] && [ -s "$work/out" ]
result $? "doctor: survives an empty machine"

disk=$work/disk
mkdir -p "$disk/boot" "$disk/proc" "$disk/sys" "$disk/dev" "$disk/etc/modprobe.d" \
	"$disk/lib/modules/$release/updates/dkms"
cp machines/config "$disk/boot/config-$release"
cp "$machine/etc/modprobe.d/heki.conf" "$disk/etc/modprobe.d/"
: >"$disk/lib/modules/$release/updates/dkms/heki_client.ko"
: >"$disk/lib/modules/$release/updates/dkms/vtl1_shim.ko"
run doctor --root "$disk" --release "$release" --json
[ "$status" = 0 ] && jq -e '.missing == 0 and any(.findings[]; .check == "kernel" and .finding == "note")
	and any(.findings[]; .check == "heki_client" and (.seen | startswith("installed")))' <"$work/out" >/dev/null
result $? "doctor: the disk of a machine"
rm "$disk/lib/modules/$release/updates/dkms/heki_client.ko"
run doctor --root "$disk" --release "$release" --json
[ "$status" = 1 ] && jq -e '[.findings[] | select(.finding == "missing") | .check] == ["heki_client"]' \
	<"$work/out" >/dev/null
result $? "doctor: a disk without the client"
