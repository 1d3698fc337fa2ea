#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# mkdata.sh [DIR] - make what the host tests read: keys, certificates, signed modules, signed PE
# images.  Private keys are made here, used here and stay below build/.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
dir=${1:-$top/build/testdata}
mkdir -p "$dir/tmp"
cd "$dir"
exec 9>.lock
flock 9
for source in "$here/mkdata.sh" "$here"/data/*; do
	[ "$source" -nt complete ] && rm -f complete
done
[ ! -e complete ] || exit 0

# key NAME ALGORITHM...: a private key
key() {
	local name=$1
	shift
	[ -s "$name.key" ] || openssl genpkey -quiet -out "$name.key" "$@" 2>/dev/null ||
		openssl genpkey -out "$name.key" "$@" 2>/dev/null
}

# config CA KEYUSAGE: extensions for x509; $extra: one more line
extra=
config() {
	printf '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n[ext]\n'
	printf 'basicConstraints=critical,%s\nkeyUsage=%s\n' "$1" "$2"
	printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%s\n' "$extra"
}

# self NAME CA:TRUE|CA:FALSE KEYUSAGE [OPTION...]: a self-signed certificate
self() {
	local name=$1
	config "$2" "$3" >tmp/self.cnf
	shift 3
	openssl req -x509 -new -key "$name.key" -subj "/O=HEKI tests/CN=$name" -days 36500 \
		-config tmp/self.cnf -extensions ext -outform DER -out "$name.der" "$@"
	openssl x509 -inform DER -in "$name.der" -out "$name.pem"
}

# issued NAME ISSUER CA:TRUE|CA:FALSE KEYUSAGE [OPTION...]: a certificate signed by another
issued() {
	local name=$1 issuer=$2
	config "$3" "$4" >tmp/issued.cnf
	shift 4
	openssl req -new -key "$name.key" -subj "/O=HEKI tests/CN=$name" -config tmp/issued.cnf \
		-out tmp/request
	openssl x509 -req -in tmp/request -CA "$issuer.pem" -CAkey "$issuer.key" -days 36500 \
		-set_serial "0x$(openssl rand -hex 8)" -extfile tmp/issued.cnf -extensions ext \
		-outform DER -out "$name.der" "$@" 2>/dev/null
	openssl x509 -inform DER -in "$name.der" -out "$name.pem"
}

rsa2048=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)
rsa4096=(-algorithm RSA -pkeyopt rsa_keygen_bits:4096)
ec() { printf -- '-algorithm EC -pkeyopt ec_paramgen_curve:%s' "$1"; }

key ca "${rsa2048[@]}"
key rsa4096 "${rsa4096[@]}"
# shellcheck disable=SC2046 # several words
{
	key p256 $(ec P-256)
	key p384 $(ec P-384)
	key p521 $(ec P-521)
}
for name in rsa2048 untrusted revoked secondary stranger plainchild kexecca kexecsigner kexectls; do
	key "$name" "${rsa2048[@]}"
done
key ed25519 -algorithm ED25519

self ca CA:TRUE digitalSignature,keyCertSign
self rsa4096 CA:FALSE digitalSignature -sha512
self rsa2048 CA:FALSE digitalSignature
self p256 CA:FALSE digitalSignature
self p384 CA:FALSE digitalSignature -sha384
self p521 CA:FALSE digitalSignature
self ed25519 CA:FALSE digitalSignature
self untrusted CA:TRUE digitalSignature,keyCertSign
self revoked CA:FALSE digitalSignature
self kexecca CA:TRUE digitalSignature,keyCertSign
issued secondary ca CA:FALSE digitalSignature
issued stranger untrusted CA:FALSE digitalSignature
issued plainchild rsa2048 CA:FALSE digitalSignature
issued kexecsigner kexecca CA:FALSE digitalSignature
extra=extendedKeyUsage=serverAuth
issued kexectls kexecca CA:FALSE digitalSignature
extra=
cat ca.der rsa4096.der rsa2048.der p256.der p384.der >system.der

# sign IN SIGNER OUT [OPTION...]: append a module signature as the kernel's sign-file does
sign() {
	local in=$1 signer=$2 out=$3
	shift 3
	openssl cms -sign -binary -noattr -nocerts -nosmimecap -outform DER -in "$in" \
		-signer "$signer.pem" -inkey "$signer.key" -out tmp/cms "$@"
	append "$in" tmp/cms "$out"
}

# append IN CMS OUT
append() {
	local size
	size=$(stat -c %s "$2")
	{
		cat "$1" "$2"
		printf '\0\0\2\0\0\0\0\0'
		printf "\\x$(printf %02x $((size >> 24 & 255)))\\x$(printf %02x $((size >> 16 & 255)))"
		printf "\\x$(printf %02x $((size >> 8 & 255)))\\x$(printf %02x $((size & 255)))"
		printf '~Module signature appended~\n'
	} >"$3"
}

flags=(-c -O2 -std=gnu11 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone
	-mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none
	-ffunction-sections -Wall -Wextra)
for module in tiny user branches; do
	gcc "${flags[@]}" -DMODULE_NAME="\"$module\"" "$here/data/$module.c" -o "tmp/$module.o"
	ld -r --build-id=sha1 -T "$here/data/module.lds" "tmp/$module.o" -o "$module.ko"
	sign "$module.ko" rsa4096 "$module-signed.ko" -md sha256
done
# Modules that are signed but not as they should be.
for variant in LIVEPATCH NO_NAME BAD_RELOCATION STRAY_LOCK UNKNOWN_SYMBOL; do
	gcc "${flags[@]}" -DMODULE_NAME='"tiny"' "-D$variant" "$here/data/tiny.c" -o tmp/variant.o
	ld -r -T "$here/data/module.lds" tmp/variant.o -o tmp/variant.ko
	sign tmp/variant.ko rsa2048 "tiny-$variant.ko" -md sha256
done
# damage NAME OFFSET BYTES: sign a tiny module some of whose bytes are others
damage() {
	cp tiny.ko tmp/damaged.ko
	printf '%b' "$3" | dd of=tmp/damaged.ko bs=1 seek="$(($2))" conv=notrunc status=none
	sign tmp/damaged.ko rsa2048 "elf-$1.ko" -md sha256
}
damage magic 0 '\x7fELG'
damage class 4 '\x01'
damage type 16 '\x02'
damage machine 18 '\x28'
damage shoff 40 '\xff\xff\xff\xff\xff\xff\xff\xff'
damage shoff-high 40 '\x00\x00\x00\x00\x00\x00\x00\x80'
damage shentsize 58 '\x20'
damage shnum 60 '\xff\xff'
damage shnum-zero 60 '\x00\x00'
damage shstrndx 62 '\xff\x00'
head -c 63 tiny.ko >tmp/short
sign tmp/short rsa2048 elf-short.ko -md sha256
echo 'no ELF at all' >tmp/text
sign tmp/text rsa2048 elf-text.ko -md sha256
for signer in rsa2048 p256 p384 untrusted revoked secondary; do
	sign tiny.ko "$signer" "tiny-$signer.ko" -md sha256
done
sign tiny.ko rsa4096 tiny-sha384.ko -md sha384
sign tiny.ko rsa4096 tiny-sha512.ko -md sha512
sign tiny.ko p384 tiny-p384-sha384.ko -md sha384
sign tiny.ko rsa4096 tiny-sha1.ko -md sha1
sign tiny.ko rsa2048 tiny-pss.ko -md sha256 -keyopt rsa_padding_mode:pss
openssl cms -sign -binary -nocerts -nosmimecap -outform DER -in tiny.ko -md sha256 \
	-signer rsa4096.pem -inkey rsa4096.key -out tmp/cms
append tiny.ko tmp/cms tiny-attributes.ko

gcc -c "$here/data/pe.S" -o tmp/pe.o
objcopy -O binary -j .text tmp/pe.o kernel.pe
sbsign --key kexecsigner.key --cert kexecsigner.pem --output kernel-signed.pe kernel.pe 2>/dev/null
sbsign --key untrusted.key --cert untrusted.pem --output kernel-untrusted.pe kernel.pe 2>/dev/null
sbsign --key kexectls.key --cert kexectls.pem --output kernel-tls.pe kernel.pe 2>/dev/null
gcc -DOTHER -c "$here/data/pe.S" -o tmp/other.o
objcopy -O binary -j .text tmp/other.o other.pe
sbsign --key kexecsigner.key --cert kexecsigner.pem --output other-signed.pe other.pe 2>/dev/null
touch complete
