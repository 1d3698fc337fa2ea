#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packaging: "make install" into an empty root, and a DKMS build of what it installed.

set -u

cd "$(dirname "$0")/../.." || exit
work=$(mktemp -d "$PWD/build/packaging.XXXXXX")
trap 'rm -rf "$work"' EXIT
number=0
passed=0
failed=0

# result STATUS NAME
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $number - $2"
	else
		failed=$((failed + 1))
		echo "not ok $number - $2"
	fi
}

# dkms_build RELEASE KDIR: what "dkms build" does for a kernel that is not installed here
dkms_build() {
	local version
	version=$(sed -n 's/^PACKAGE_VERSION="\?\([^"]*\)"\?$/\1/p' dkms.conf)
	mkdir -p "$work/dkms"
	dkms build -m heki -v "$version" -k "$1" --kernelsourcedir "$2" --dkmstree "$work/dkms" \
		--sourcetree "$work/root/usr/src" >"$work/dkms.log" 2>&1 || {
		sed 's/^/# /' "$work/dkms.log" | tail -n 20
		return 1
	}
	[ "$(find "$work/dkms" -path "*$1*" -name 'vtl1_shim.ko*' -o -path "*$1*" -name 'heki_client.ko*' |
		wc -l)" -ge 2 ]
}

echo "KTAP version 1"
echo "1..6"
DESTDIR=$work/root PREFIX=/usr scripts/install
result $? "install into an empty root"
"$work/root/usr/sbin/hekictl" version >/dev/null
result $? "installed hekictl runs"
"$work/root/usr/bin/hekivm" --help >/dev/null && [ -e "$work/root/usr/share/man/man1/hekivm.1" ]
result $? "installed hekivm runs and has its man page"
PATH=$work/root/usr/bin:$PATH bash -c '. "$1" && COMP_WORDS=(hekivm res) COMP_CWORD=1 && _hekivm &&
	[ "${COMPREPLY[*]}" = resume ]' - "$work/root/usr/share/bash-completion/completions/hekivm"
result $? "installed completion knows the verbs of hekivm"
printf '#include <heki/heki.h>\n#include <heki/device.h>\n' |
	gcc -std=c11 -Wall -Werror -fsyntax-only -I "$work/root/usr/include" -x c -
result $? "installed headers compile"
dkms_build "$(cat build/kernel/6.1/release)" "$PWD/build/kernel/6.1/build"
result $? "dkms build on 6.1"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
