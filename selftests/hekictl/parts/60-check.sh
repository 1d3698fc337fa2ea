# SPDX-License-Identifier: GPL-2.0-only
#
# module check and cert extract on the modules and images of stock kernels.
# shellcheck shell=bash disable=SC2016,SC2154,SC2181

# plain MODULE FILE: a module, uncompressed
plain() {
	case $1 in
	*.xz) xz -dc "$1" >"$2" ;;
	*) cp "$1" "$2" ;;
	esac
}

# unsign FILE: cut the signature off
unsign() {
	python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
marker = b"~Module signature appended~\n"
assert data.endswith(marker)
body = data[:-len(marker)]
size = struct.unpack(">I", body[-4:])[0]
open(sys.argv[1], "wb").write(body[:-12 - size])
PYTHON
}

# sign FILE KEY CERT DIGEST: sign as the kernel's sign-file does
sign() {
	openssl cms -sign -in "$1" -binary -outform DER -noattr -nocerts -md "$4" -inkey "$2" \
		-signer "$3" -out "$work/cms" 2>/dev/null || return 1
	python3 - "$1" "$work/cms" <<'PYTHON'
import struct, sys
cms = open(sys.argv[2], "rb").read()
with open(sys.argv[1], "ab") as module:
    module.write(cms + struct.pack(">8BI", 0, 0, 2, 0, 0, 0, 0, 0, len(cms)))
    module.write(b"~Module signature appended~\n")
PYTHON
}

# flip FILE OFFSET: change one byte
flip() {
	python3 - "$1" "$2" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)
    file.seek(-1, 1)
    file.write(bytes([byte[0] ^ 1]))
PYTHON
}

# section FILE NAME COLUMN: a column of readelf's line of a section, as a number
section() {
	local value
	value=$(readelf -SW "$1" | sed 's/^ *\[ *[0-9]*\] *//' | awk -v name="$2" -v n="$3" \
		'$1 == name { print $n; exit }')
	echo $((16#${value:-0}))
}

# refused SIGNATURE FORMAT NAME ARGUMENTS...: exit 1, and these two errors (null for none)
# FORMAT is "any" where it hangs on the length of the signature.
refused() {
	local signature=$1 format=$2 name=$3
	shift 3
	run module check --json "$@"
	[ "$status" = 1 ] && jq -e --arg signature "$signature" --arg format "$format" \
		'(.files[0].signature.error // "null") == $signature
		and ($format == "any" or (.files[0].format.error // "null") == $format)
		and .files[0].ok == false' <"$work/out" >/dev/null
	local verdict=$?
	[ "$verdict" = 0 ] || explain "$work/out" "$work/err"
	result "$verdict" "$name"
}

# accepted NAME ARGUMENTS...
accepted() {
	local name=$1
	shift
	run module check --json "$@"
	[ "$status" = 0 ] && jq -e 'all(.files[]; .ok and .signature == null and .format == null)' \
		<"$work/out" >/dev/null
	local verdict=$?
	[ "$verdict" = 0 ] || explain "$work/out" "$work/err"
	result "$verdict" "$name"
}

openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=a key of the test" -days 2 \
	-keyout "$work/rsa.key" -out "$work/rsa.pem" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=an EC key" \
	-days 2 -keyout "$work/ec.key" -out "$work/ec.pem" 2>/dev/null
openssl x509 -in "$work/rsa.pem" -outform DER -out "$work/rsa.der"

# signed_hash FILE: SHA-256 of what is signed of a module, in hexadecimal
signed_hash() {
	cp "$1" "$work/signed"
	unsign "$work/signed"
	sha256sum "$work/signed" | cut -d ' ' -f 1
}

# found NAME FILTER STATUS ARGUMENTS...: the exit code, and jq FILTER over the report
found() {
	local name=$1 filter=$2 expected=$3
	shift 3
	run module check --json "$@"
	[ "$status" = "$expected" ] && jq -e "$filter" <"$work/out" >/dev/null
	local verdict=$?
	[ "$verdict" = 0 ] || {
		explain "$work/err"
		jq -c '.totals, (.files[] | [.file, .ok])' <"$work/out" 2>&1 | explain
	}
	result "$verdict" "$name"
}

# Folders, threads, totals, progress; from $ext4 and $small.
check_many() {
	local kernel=$1 ext4=$2 small=$3 tree=$work/tree image=$work/kernel.der size jobs i
	rm -rf "$tree"
	mkdir -p "$tree/b/deep" "$tree/a" "$tree/empty"
	cp "$ext4" "$tree/b/deep/one.ko"
	cp "$ext4.xz" "$tree/a/two.ko.xz"
	cp "$ext4.gz" "$tree/a/three.ko.gz"
	cp "$ext4.zst" "$tree/four.ko.zst"
	ln -s ../b/deep/one.ko "$tree/a/link.ko"
	ln -s nowhere.ko "$tree/a/dangling.ko"
	ln -s .. "$tree/a/cycle"
	for i in {1..12}; do
		cp "$small" "$tree/b/small$i.ko"
	done
	echo "no module" >"$tree/README"
	size=$((5 * $(stat -c %s "$ext4") + 12 * $(stat -c %s "$small")))
	for jobs in 1 2 7 100; do
		found "$kernel: a directory, --jobs $jobs" ".totals == {files: 17, bytes: $size, ok: 17,
			failed: 0, unreadable: 0, errors: {}} and ([.files[] | select(.ok)] | length) == 17
			and ([.files[].file] | map(ltrimstr(\"$tree/\"))) == ([\"a/link.ko\", \"a/three.ko.gz\",
			\"a/two.ko.xz\"] + [\"b/deep/one.ko\"] + ([range(1; 13) | \"b/small\\(.).ko\"] | sort)
			+ [\"four.ko.zst\"])" 0 --cert "$image" --jobs "$jobs" "$tree"
	done
	exits 0 "$kernel: a directory for people" module check --cert "$image" "$tree"
	[ "$(wc -l <"$work/out")" = 1 ] && grep -q '^17 files, .*: 17 ok, 0 failed$' "$work/out"
	result $? "$kernel: good files of a directory are counted"
	run module check --cert "$image" -v "$tree"
	[ "$status" = 0 ] && [ "$(grep -c '\.ko[.a-z]*: ok$' "$work/out")" = 17 ]
	result $? "$kernel: -v shows them"
	run module check --cert "$image" --progress "$tree"
	[ "$status" = 0 ] && tail -n 1 "$work/err" |
		grep -q '^hekictl: 17 of 17 files checked, 0 failed, [0-9]* s$'
	result $? "$kernel: --progress"

	flip "$tree/b/small3.ko" 300
	cp "$tree/b/small3.ko" "$tree/b/small4.ko"
	unsign "$tree/b/small4.ko"
	head -c 3000 "$ext4.xz" >"$tree/a/two.ko.xz"
	found "$kernel: bad files of a directory" '.totals.files == 17 and .totals.ok == 14 and
		.totals.failed == 3 and .totals.unreadable == 1 and .totals.errors.NO_SIGNATURE == 1
		and .totals.errors.SIGNATURE == 1 and ([.files[] | select(.ok | not)] | length) == 3
		and ([.files[] | select(.unreadable)] | length) == 1' 1 --cert "$image" "$tree"
	run module check --cert "$image" "$tree" --progress
	[ "$status" = 1 ] && [ "$(grep -c ': FAILED$' "$work/out")" = 2 ] &&
		grep -q ': 14 ok, 3 failed (.*SIGNATURE: 1.*; unreadable: 1)$' "$work/out" &&
		grep -q '^hekictl: 17 of 17 files checked, 3 failed' "$work/err" &&
		grep -q 'two.ko.xz: its compression is damaged$' "$work/err"
	result $? "$kernel: bad files of a directory for people"
	for i in {1..16}; do
		ln -s ../two.ko.xz "$tree/empty/$i.ko.xz"
	done
	cp "$ext4.xz" "$tree/two.ko.xz"
	script -qefc "'$hekictl' module check --progress --jobs 1 --cert '$image' '$tree/empty'" \
		/dev/null </dev/null >"$work/out" && tr '\r' '\n' <"$work/out" |
		grep -q '^[0-9]* of 16 files checked, 0 failed, [0-9]* s' && grep -q '16 ok' "$work/out"
	result $? "$kernel: progress of long work on a terminal"
	rm "$tree/empty/"*
	exits 1 "$kernel: a directory without modules" module check --cert "$image" "$tree/empty"
}

# Whom to trust: the whole ways from a file to what was told.
check_trust() {
	local kernel=$1 ext4=$2 small=$3 own=$work/own.ko ca=$top/build/testdata tbs bad

	tbs=$(openssl asn1parse -inform DER -in "$work/kernel.der" -strparse 4 -noout \
		-out "$work/tbs" 2>/dev/null && sha256sum "$work/tbs" | cut -d ' ' -f 1)
	refused REVOKED null "$kernel: a revoked certificate" --cert "$work/kernel.der" \
		--revoked "$work/kernel.der" "$ext4"
	{
		echo "# what is not to be loaded"
		echo "bin:$(signed_hash "$small")  # this one"
		echo
	} >"$work/blocklist"
	found "$kernel: a hash on the blocklist" '[.files[] | .signature.error] == [null, "REVOKED"]' 1 \
		--cert "$work/kernel.der" --blocklist "$work/blocklist" "$ext4" "$small"
	found "$kernel: a blocklist from a pipe holds for all threads" \
		'.totals.files == 8 and .totals.failed == 8 and .totals.errors.REVOKED == 8' 1 --jobs 4 \
		--cert "$work/kernel.der" --blocklist <(cat "$work/blocklist") "$small" "$small" "$small" \
		"$small" "$small" "$small" "$small" "$small"
	echo "tbs:$tbs" >"$work/blocklist"
	refused REVOKED null "$kernel: a certificate on the blocklist" --cert "$work/kernel.der" \
		--blocklist "$work/blocklist" "$ext4"
	for bad in bin:xyz bin: nonsense "bin:$(printf '%0140d' 0)"; do
		printf '\n%s\n' "$bad" >"$work/blocklist"
		exits 1 "$kernel: the blocklist's '${bad:0:8}'" module check --cert "$work/kernel.der" \
			--blocklist "$work/blocklist" "$ext4"
		grep -q 'blocklist:2: BLOCKLIST_FORMAT: ' "$work/err"
		result $? "$kernel: and its line is named"
	done
	[ -e "$ca/complete" ] || "$top/selftests/host/mkdata.sh"
	cp "$ext4" "$own"
	unsign "$own"
	sign "$own" "$ca/secondary.key" "$ca/secondary.pem" sha256
	accepted "$kernel: a secondary certificate" --cert "$ca/ca.der" \
		--secondary "$ca/secondary.der" "$own"
	exits 1 "$kernel: a secondary certificate that nobody has signed" module check \
		--cert "$work/kernel.der" --secondary "$ca/secondary.der" "$own"
	grep -q 'NO_KEY' "$work/err"
	result $? "$kernel: and the error says so"
	refused REVOKED null "$kernel: a revoked secondary certificate" --cert "$ca/ca.der" \
		--secondary "$ca/secondary.der" --revoked "$ca/secondary.der" "$own"
}

check_kernel() {
	local kernel=$1 modules=$top/build/kernel/$1/modules image=$top/build/kernel/$1/vmlinuz
	local packed ext4=$work/ext4.ko small=$work/small.ko text_at

	packed=$(find "$modules/" -name 'ext4.ko*' | head -n 1)
	plain "$packed" "$ext4"
	plain "$(find "$modules/" -name 'crc16.ko*' -o -name 'jbd2.ko*' | head -n 1)" "$small"
	text_at=$(section "$ext4" .text 4)

	run cert extract "$image" -o "$work/kernel.der"
	[ "$status" = 0 ] && openssl x509 -inform DER -in "$work/kernel.der" -noout -subject |
		grep -q "Build time autogenerated kernel key"
	result $? "$kernel: cert extract"
	"$hekictl" cert extract "$image" | cmp -s - "$work/kernel.der"
	result $? "$kernel: cert extract to standard output"
	run cert extract "$image" -o "$work/kernel.der" --json
	[ "$status" = 0 ] && jq -e --argjson n "$(stat -c %s "$work/kernel.der")" \
		'.certificates == 1 and .bytes == $n' <"$work/out" >/dev/null
	result $? "$kernel: cert extract --json"

	accepted "$kernel: a module as it is packaged" --cert "$image" "$packed"
	accepted "$kernel: two modules, certificate as DER" --cert "$work/kernel.der" "$ext4" "$small"
	gzip -kf "$ext4"
	zstd -qf "$ext4"
	xz -kf --check=crc32 "$ext4"
	accepted "$kernel: .gz, .zst, .xz" --cert "$work/kernel.der" "$ext4".{gz,zst,xz}
	check_many "$kernel" "$ext4" "$small"
	check_trust "$kernel" "$ext4" "$small"
	cp "$image" "$packed" "$work/public/"
	chmod -R a+rX "$work/public"
	as_user "$public" module check --cert "$work/public/${image##*/}" \
		"$work/public/${packed##*/}" >"$work/out" 2>"$work/err"
	[ $? = 0 ] && [ "$(head -n 1 "$work/out")" = "$work/public/${packed##*/}: ok" ] && [ ! -s "$work/err" ]
	result $? "$kernel: as a user without privilege"

	# The counts, found another way.
	run module check --json --cert "$work/kernel.der" "$ext4"
	python3 - "$ext4" "$work/out" <<'PYTHON'
import json, re, subprocess, sys
path, report = sys.argv[1:]
found = json.load(open(report))["files"][0]
def readelf(option):
    return subprocess.run(["readelf", option, path], capture_output=True, text=True).stdout
sections = {}
for line in readelf("-SW").splitlines():
    match = re.match(r"\s*\[\s*\d+\] (\S+)\s+\S+\s+\S+ (\S+) (\S+) \S+\s+([A-Zop]*)\s", line)
    if match:
        sections[match[1]] = (int(match[3], 16), match[4])
# Not loaded, although allocated: what the loader takes out.
loaded = {n for n, (_, flags) in sections.items() if "A" in flags} - {".modinfo", "__versions"}
types, current = {}, None
for line in readelf("-rW").splitlines():
    head = re.match(r"Relocation section '\.rela(\S+)'", line)
    if head:
        current = head[1]
    elif current in loaded:
        kind = re.search(r"R_X86_64_\S+", line)
        if kind:
            types[kind[0]] = types.get(kind[0], 0) + 1
assert found["relocations"] == types, (found["relocations"], types)
sites = {"RETURN": (".return_sites", 4), "RETPOLINE": (".retpoline_sites", 4),
         "SMP_LOCK": (".smp_locks", 4), "MCOUNT": ("__mcount_loc", 8), "CALL": (".call_sites", 4),
         "ENDBR": (".ibt_endbr_seal", 4), "STATIC_CALL": (".static_call_sites", 8),
         "JUMP_LABEL": ("__jump_table", 16)}
for kind, (table, entry) in sites.items():
    expected = sections.get(table, (0, ""))[0] // entry
    assert found["sites"][kind] == expected, (kind, found["sites"][kind], expected)
undefined = sum(1 for line in readelf("-sW").splitlines() if re.search(r"\sUND\s+\S", line))
assert found["undefined"] == undefined, (found["undefined"], undefined)
text = sum(n for s, (n, flags) in sections.items() if flags == "AX" and not s.startswith(".init"))
pages = found["sent"]["pages"]["text"]
assert text <= pages * 4096 < text + 3 * 4096, (text, pages)
print("# %d relocations, %d sites" % (sum(types.values()), sum(found["sites"].values())))
PYTHON
	result $? "$kernel: counts are those of readelf"

	cp "$ext4" "$work/bad.ko"
	flip "$work/bad.ko" $((text_at + 100))
	refused SIGNATURE null "$kernel: a byte of text changed" --cert "$work/kernel.der" "$work/bad.ko"
	cp "$ext4" "$work/bad.ko"
	unsign "$work/bad.ko"
	refused NO_SIGNATURE null "$kernel: unsigned" --cert "$work/kernel.der" "$work/bad.ko"
	sign "$work/bad.ko" "$work/rsa.key" "$work/rsa.pem" sha256
	refused NO_KEY null "$kernel: signed by somebody else" --cert "$work/kernel.der" "$work/bad.ko"
	accepted "$kernel: signed by a key of one's own, certificate as PEM" --cert "$work/rsa.pem" \
		"$work/bad.ko"
	accepted "$kernel: several certificates" --cert "$work/kernel.der" --cert "$work/rsa.der" \
		"$work/bad.ko" "$ext4"
	refused NO_KEY null "$kernel: the wrong certificate" --cert "$work/rsa.der" "$ext4"
	for digest in sha384 sha512; do
		cp "$ext4" "$work/own.ko"
		unsign "$work/own.ko"
		sign "$work/own.ko" "$work/ec.key" "$work/ec.pem" $digest
		accepted "$kernel: ECDSA with $digest" --cert "$work/ec.pem" "$work/own.ko"
	done
	cp "$ext4" "$work/bad.ko"
	unsign "$work/bad.ko"
	sign "$work/bad.ko" "$work/rsa.key" "$work/rsa.pem" sha1
	refused SIGNATURE_ALGORITHM null "$kernel: SHA-1" --cert "$work/rsa.der" "$work/bad.ko"

	head -c 100000 "$ext4" >"$work/bad.ko"
	refused NO_SIGNATURE ELF_FORMAT "$kernel: truncated" --cert "$work/kernel.der" "$work/bad.ko"
	head -c 100000 "$work/bad.ko" >"$work/cut.ko"
	sign "$work/cut.ko" "$work/rsa.key" "$work/rsa.pem" sha256
	refused null ELF_FORMAT "$kernel: signed, but truncated before" --cert "$work/rsa.der" \
		"$work/cut.ko"
	cp "$ext4" "$work/bad.ko"
	echo more >>"$work/bad.ko"
	refused NO_SIGNATURE null "$kernel: bytes behind the signature" --cert "$work/kernel.der" \
		"$work/bad.ko"
	cp "$ext4" "$work/bad.ko"
	flip "$work/bad.ko" $(($(stat -c %s "$ext4") - 29))
	refused SIGNATURE_FORMAT any "$kernel: a wrong signature length" \
		--cert "$work/kernel.der" "$work/bad.ko"
	head -c 5000 "$ext4.xz" >"$work/bad.ko.xz"
	exits 1 "$kernel: a truncated .xz" module check --cert "$work/kernel.der" "$work/bad.ko.xz"

	run module check --json --cert "$work/kernel.der" "$work/bad.ko" "$ext4"
	[ "$status" = 1 ] && jq -e '[.files[].ok] == [false, true]' <"$work/out" >/dev/null
	result $? "$kernel: a good file does not hide a bad one"
	refused NO_SIGNATURE ELF_FORMAT "$kernel: not a module" --cert "$work/kernel.der" run.sh
	head -c 65536 "$image" >"$work/short"
	exits 1 "$kernel: cert extract of a truncated image" cert extract "$work/short" -o "$work/none"
	[ ! -e "$work/none" ]
	result $? "$kernel: nothing is written then"
}

found=0
for kernel in 6.1 6.12; do
	if [ -e "$top/build/kernel/$kernel/complete" ]; then
		check_kernel "$kernel"
		found=1
	else
		skip "module check on $kernel" "no kernel fetched"
	fi
done
[ "$found" = 1 ] || skip "module check" "no kernel fetched"

: >"$work/empty"
refused NO_SIGNATURE ELF_FORMAT "an empty file" --cert "$work/rsa.der" "$work/empty"
exits 1 "a file that is not there" module check --cert "$work/rsa.der" "$work/none"
exits 1 "a directory that is not there" module check --cert "$work/rsa.der" "$work/none/"
exits 1 "a blocklist that is not there" module check --cert "$work/rsa.der" \
	--blocklist "$work/none" run.sh
exits 1 "a certificate that is not there" module check --cert "$work/none" run.sh
exits 1 "a certificate that is none" module check --cert run.sh run.sh
exits 1 "a certificate that is an empty file" module check --cert "$work/empty" run.sh
head -c 300 "$work/rsa.der" >"$work/cut.der"
exits 1 "a truncated certificate" module check --cert "$work/cut.der" run.sh
sed 's/^MII/MI!/' "$work/rsa.pem" >"$work/cut.pem"
exits 1 "a PEM file with other characters" module check --cert "$work/cut.pem" run.sh
sed '/END/d' "$work/rsa.pem" >"$work/cut.pem"
exits 1 "a PEM file without its end" module check --cert "$work/cut.pem" run.sh
exits 1 "cert extract of no image" cert extract run.sh -o "$work/none"
exits 1 "cert extract to where nothing can be written" cert extract "$work/rsa.der" -o "$work/a/b"
exits 2 "cert extract with --json to standard output" cert extract "$work/rsa.der" --json
cp "$work/rsa.der" "$work/secret"
chmod 000 "$work/secret"
as_user "$public" module check --cert "$work/rsa.der" "$work/secret" >"$work/out" 2>"$work/err"
[ $? = 4 ] && [ -s "$work/err" ]
result $? "module check without permission"
as_user "$public" module check --cert "$work/secret" "$work/rsa.der" >"$work/out" 2>"$work/err"
[ $? = 4 ] && [ -s "$work/err" ]
result $? "a certificate without permission"
mkdir -p "$work/closed/inside"
chmod 000 "$work/closed/inside"
as_user "$public" module check --cert "$work/rsa.der" "$work/closed" >"$work/out" 2>"$work/err"
[ $? = 4 ] && grep -q 'inside: Permission denied' "$work/err"
result $? "a directory without permission"
