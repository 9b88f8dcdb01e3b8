# SPDX-License-Identifier: MIT
# Completion of lcx for bash. Commands and options come from its own --help, so that they are never out
# of date; containers, images and networks from its listings.

_lcx_commands() { # WORDS...
	"$@" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p'
}

_lcx_options() { # WORDS...
	"$@" --help 2>/dev/null | sed -n 's/^  \(-.,\)\{0,1\} *\(--[a-z0-9-]*\).*/\1 \2/p' | tr ', ' '\n\n'
}

_lcx_operands() { # LCX COMMAND [SUB-COMMAND]
	case $2 in
	attach | checkpoint | console | diff | exec | export | kill | logs | mount | pause | port | rename | restart | restore | rm | start | stats | stop | top | unmount | unpause | update | wait)
		"$1" ps -a --format json 2>/dev/null | sed -n 's/.*"Names": *"\([^"]*\)".*/\1/p'
		;;
	create | image | run | rmi | save | tag | push | history)
		"$1" images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }'
		;;
	volume | pod)
		"$1" "$2" ls -q 2>/dev/null
		;;
	network)
		"$1" network ls 2>/dev/null | awk 'NR > 1 { print $1 }'
		;;
	inspect)
		"$1" ps -a --format json 2>/dev/null | sed -n 's/.*"Names": *"\([^"]*\)".*/\1/p'
		"$1" images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }'
		;;
	esac
}

_lcx() {
	local word=${COMP_WORDS[COMP_CWORD]} command= sub= i
	local lcx=${COMP_WORDS[0]}

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root | --run-dir | --registries | --subids | --format) ((i++)) ;;
		-* | =) ;;
		*)
			if [ -z "$command" ]; then
				command=${COMP_WORDS[i]}
			elif [ -z "$sub" ] && [[ "$command" =~ ^(network|image|volume|pod)$ ]]; then
				sub=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	COMPREPLY=()
	if [ -z "$command" ]; then
		case $word in
		-*) mapfile -t COMPREPLY < <(compgen -W "$(_lcx_options "$lcx")" -- "$word") ;;
		*) mapfile -t COMPREPLY < <(compgen -W "$(_lcx_commands "$lcx")" -- "$word") ;;
		esac
		return
	fi
	case $word in
	-*)
		# shellcheck disable=SC2086
		mapfile -t COMPREPLY < <(compgen -W "$(_lcx_options "$lcx" $command $sub)" -- "$word")
		return
		;;
	esac
	if [ -z "$sub" ] && [[ "$command" =~ ^(network|image|volume|pod)$ ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_lcx_commands "$lcx" "$command")" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_lcx_operands "$lcx" "$command")" -- "$word")
		# A colon divides words: what stands before it is on the line already.
		declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
	fi
	# Files for what takes them: archives, directories, the arguments of a program.
	[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -F _lcx lcx
