# SPDX-License-Identifier: MIT
# Completion in the shell: commands, options, containers.
# guest: no, a shell is the same everywhere
. "${SRC:?}/tests/system/lib.sh"
need bash zsh fish busybox
make_rootfs "$T/rootfs"
mkdir "$T/bin"
printf '#!/bin/sh\necho "$*" >>"%s"\nexec "%s" --root "%s" --run-dir "%s" "$@"\n' "$T/asked" "$BUILD/examples/lcx/lcx" "$T/lcx-root" "$T/lcx-run" >"$T/bin/lcx"
chmod +x "$T/bin/lcx"
export PATH="$T/bin:$PATH"
sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout" >/dev/null
lcx import --ref web "$T/layout" box:1 >/dev/null
lcx create --name front --network none --rootfs "$T/rootfs" true >/dev/null
lcx create --name frozen --network none --rootfs "$T/rootfs" true >/dev/null

# Type these words; the last one is to be completed.
complete() {
	# shellcheck disable=SC2016
	bash -c '. "$SRC/examples/lcx/completion/lcx.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lcx; printf "%s " "${COMPREPLY[@]}"' - "$@"
}

check_eq 'a command' 'restart ' "$(complete lcx resta)"
check_match 'all commands' 'run .*attach .*events' "$(complete lcx '')"
check_eq 'an option' '--detach --detach-keys ' "$(complete lcx run --det | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ //')"
check_eq 'an option of all that unpack layers' '--layer-limit --layer-limit --layer-limit --layer-limit ' "$(for c in pull run load import; do complete lcx $c --layer-l; done)"
check_eq 'an option with a digit' '--ip6 ' "$(complete lcx run --ip6)"
check_eq 'an image to be removed by the newer name of it' 'box:1 ' "$(complete lcx image rm bo)"
check_eq 'a letter' '-d ' "$(complete lcx run -d | tr ' ' '\n' | grep '^-d$' | tr '\n' ' ')"
check_eq 'containers' 'front frozen' "$(complete lcx stop fro | tr ' ' '\n' | sort | xargs)"
check_eq 'behind options of all commands' 'front ' "$(complete lcx --format json inspect fron)"
check_eq 'a sub-command' 'inspect ' "$(complete lcx network ins)"
check_eq 'an option of one' '--subnet ' "$(complete lcx network create --subn)"

# --- the other shells: what they are asked, and what they must not do for an answer

# What zsh would be given for these words.
zsh_complete() {
	zsh -f -c '_describe() { print -rl -- "${(@P)2%%:*}"; }; _files() { :; }
		compadd() { print -rl -- "${(@P)2}"; }
		words=("$@"); CURRENT=$#; . "$SRC/examples/lcx/completion/_lcx"' - "$@" | grep "^$(eval "echo \"\${$#}\"")" | xargs
}
fish_complete() {
	fish --no-config -c "source '$SRC/examples/lcx/completion/lcx.fish'; complete -C '$*'" | cut -f 1 | xargs
}
lcx network create --subnet 10.93.1.0/24 backnet >/dev/null
for shell in zsh fish; do
	check_eq "$shell: a command" restart "$(${shell}_complete lcx resta)"
	check_eq "$shell: an option" '--detach --detach-keys' "$(${shell}_complete lcx run --det)"
	check_eq "$shell: an option of a sub-command" --subnet "$(${shell}_complete lcx network create --subn)"
	check_eq "$shell: a container" 'front' "$(${shell}_complete lcx stop fron)"
	check_eq "$shell: behind options of all commands" front "$(${shell}_complete lcx --format json inspect fron)"
	check_eq "$shell: a network" backnet "$(${shell}_complete lcx network inspect backn)"
	${shell}_complete lcx run box:1 --he >/dev/null
done
lcx network rm backnet >/dev/null
check_eq 'what could be run is not' 'run --help' "$(grep '^run ' "$T/asked" | sort -u)"
lcx rm front frozen >/dev/null
